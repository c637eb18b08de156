"""A Refusal as the error that the user sees."""

from __future__ import annotations

import pytest

from sqlprovider.catalog.model import Parent, Verb
from sqlprovider.errors import MissingParameterError, NotSupportedError, ProgrammingError
from sqlprovider.plan.model import Candidate, Refusal
from sqlprovider.plan.refusal import refusal_error
from sqlprovider.values import Predicate
from tests.plan.build import key, method, required, resource, where

LIST = method("list", required("site", root=True), required("group"))
GET = method("get", required("site", root=True), required("group"), required("id", column="id_"))
CREATE = method("create", required("group"), verb=Verb.INSERT)
ROOMS = resource(
    [key("site"), key("group"), key("id_")],
    LIST,
    GET,
    CREATE,
    parents=(Parent("s", "groups", {"group": "group"}),),
)
BOTH = (Candidate(GET, ("site", "group", "id")), Candidate(LIST, ("site", "group")))


def test_each_methods_gap_is_listed_the_smallest_first() -> None:
    error = refusal_error(Refusal(ROOMS, Verb.SELECT, (), BOTH))
    assert isinstance(error, MissingParameterError)
    assert error.message.split("\n") == [
        "SELECT on c.s.r: no method has its required parameters",
        "  list  needs site, group       missing: site, group",
        "  get   needs site, group, id   missing: site, group, id",
    ]


@pytest.mark.parametrize(
    ("verb", "offered", "walks", "hint"),
    [
        pytest.param(Verb.SELECT, (), True, "WHERE site = '…'", id="a root, for the rest can be walked"),
        pytest.param(Verb.SELECT, (where("id_", "=", "x"),), True, "AND site = '…'", id="beside a predicate"),
        pytest.param(Verb.DELETE, (), False, "WHERE site = '…' AND group = '…'", id="everything for a write"),
        pytest.param(Verb.INSERT, (), False, "INSERT INTO c.s.r (site, group, id, …)", id="the columns"),
    ],
)
def test_the_hint_is_the_shortest_line_that_works(
    verb: Verb, offered: tuple[Predicate, ...], walks: bool, hint: str
) -> None:
    error = refusal_error(Refusal(ROOMS, verb, offered, BOTH, walks=walks))
    assert str(error.hint).split("   ")[0] == hint
    assert "are not looked for in every parent" in error.message or verb is not Verb.DELETE


def test_where_everything_could_be_walked_the_hint_is_where_to_look() -> None:
    error = refusal_error(Refusal(ROOMS, Verb.SELECT, (), (Candidate(LIST, ("group",)),)))
    assert error.hint == "see: SHOW METHODS IN c.s.r"


def test_the_column_is_named_where_it_is_not_the_parameter() -> None:
    error = refusal_error(Refusal(ROOMS, Verb.EXEC, (), (Candidate(GET, ("id",)),), walks=False))
    assert str(error.hint).startswith("WHERE id_ = '…'")


def test_a_verb_that_the_resource_has_not() -> None:
    error = refusal_error(Refusal(ROOMS, Verb.UPDATE, (), ()))
    assert (type(error), error.hint) == (NotSupportedError, "SHOW METHODS IN c.s.r")
    assert error.message == "UPDATE on c.s.r: it has no such verb; it has SELECT, INSERT"


@pytest.mark.parametrize(
    ("verb", "kind"),
    [
        pytest.param(Verb.SELECT, ProgrammingError, id="wrong"),
        pytest.param(Verb.UPDATE, NotSupportedError, id="never"),
    ],
)
def test_a_reason_of_its_own_is_the_message(verb: Verb, kind: type[Exception]) -> None:
    error = refusal_error(Refusal(ROOMS, verb, (), (), "because", "do this"))
    assert (type(error), error.message, error.hint) == (kind, "because", "do this")
