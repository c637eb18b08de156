"""What tells a row from others: where it lies, the id that the client chooses, the name that people give."""

from __future__ import annotations

import pytest

from sqlprovider.catalog.model import Identity, Method, Parent, Place, Resource, Verb
from sqlprovider.plan.identity import chosen_column, chosen_parameter, identity_columns, parent_columns
from tests.plan.build import item, key, method, option, required, resource, takes

PARENT = Parent("s", "boxes", {"boxesId": "boxesId"})
LIST = method("list", required("site", root=True), required("boxesId"))


def things(
    *methods: Method, identity: Identity | None = None, parents: tuple[Parent, ...] = (PARENT,)
) -> Resource:
    return resource(
        [key("site"), key("boxesId"), key("thingsId"), item("displayName"), item("kind"), option("thingId")],
        LIST,
        *methods,
        key=("site", "boxesId", "thingsId"),
        identity=identity,
        parents=parents,
    )


def create(*parameters: str, names: str | None = None) -> Method:
    taken = [takes(name, place=Place.BODY) for name in parameters]
    chosen = [takes("thingId", names=names)] if names is not None else []
    return method("create", required("site", root=True), *taken, *chosen, verb=Verb.INSERT)


def test_roots_and_what_parents_give_say_where_a_row_lies() -> None:
    assert parent_columns(things()) == ("site", "boxesId")
    assert parent_columns(things(parents=())) == ("site",)


def test_the_id_that_the_client_chooses_says_not_where_the_row_lies() -> None:
    above = Parent("s", "boxes", {"thingsId": "thingsId", "boxesId": "boxesId"})
    assert parent_columns(things(parents=(above,))) == ("site", "boxesId", "thingsId")
    assert parent_columns(things(create(names="thingsId"), parents=(above,))) == ("site", "boxesId")


def test_a_field_that_a_parent_gives_is_no_place() -> None:
    assert parent_columns(things(parents=(Parent("s", "kinds", {"kind": "kind"}),))) == ("site",)


def test_the_chosen_id_is_an_insert_s_parameter_and_the_column_it_becomes() -> None:
    found = things(create("displayName"), create("displayName", names="thingsId"))
    assert chosen_parameter(found) == ("thingId", "thingsId")
    assert chosen_column(found) == "thingsId"


def test_a_chosen_id_may_be_a_column_itself() -> None:
    made = method("create", takes("displayName", names="displayName"), verb=Verb.INSERT)
    assert chosen_parameter(things(made)) == ("displayName", "displayName")


@pytest.mark.parametrize("methods", [(), (create("displayName"),)])
def test_where_the_server_gives_the_id_none_is_chosen(methods: tuple[Method, ...]) -> None:
    found = things(*methods)
    assert (chosen_parameter(found), chosen_column(found)) == (None, None)


def test_a_name_tells_a_row_from_others_of_its_parent() -> None:
    assert identity_columns(things(identity=Identity(("displayName",)))) == ("site", "boxesId", "displayName")


def test_an_identity_that_names_a_parent_s_column_has_it_once() -> None:
    found = things(identity=Identity(("boxesId", "kind", "displayName"), unique=True))
    assert identity_columns(found) == ("site", "boxesId", "kind", "displayName")


def test_without_an_identity_nothing_tells_rows_apart() -> None:
    assert identity_columns(things()) == ()
