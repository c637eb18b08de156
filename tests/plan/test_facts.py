"""resource_facts(): what a surface is told of a resource."""

from __future__ import annotations

import pytest

from sqlprovider.catalog.model import Batch, Identity, Method, Parent, Place, Role, Verb, View
from sqlprovider.plan.facts import ResourceFacts, resource_facts
from sqlprovider.values import Type
from tests.plan.build import item, key, method, option, required, resource, takes

MANY = method("batch_create", required("requests", type=Type.JSON, place=Place.BODY), verb=Verb.INSERT)
CREATE = method(
    "create",
    required("site", root=True),
    takes("thingId", names="thingsId"),
    takes("displayName", place=Place.BODY),
    takes("token", place=Place.BODY, secret=True),
    takes("once", place=Place.BODY),
    takes("dry", column=None),
    verb=Verb.INSERT,
    overwrites=True,
    batch=Batch(MANY, 10),
)
UPDATE = method(
    "patch",
    required("thingsId"),
    takes("displayName", place=Place.BODY),
    takes("etag", place=Place.BODY),
    verb=Verb.UPDATE,
    sets=("displayName",),
    precondition="etag",
)
THINGS = resource(
    [
        key("site"),
        key("thingsId"),
        item("displayName"),
        item("labels", Type.JSON, set_key="set_label"),
        item("state", enum=("LIVE", "GONE")),
        item("etag"),
        item("token", hidden=True, secret=True, write_only=True),
        option("thingId"),
        option("once"),
        option("requests", Type.JSON),
        option("view"),
    ],
    method("list", required("site", root=True), takes("view")),
    CREATE,
    MANY,
    UPDATE,
    method("restore", required("thingsId"), verb=Verb.EXEC),
    key=("site", "thingsId"),
    identity=Identity(("displayName",), unique=True),
    restore="restore",
    parents=(Parent("s", "sites", {"site": "site"}),),
    view=View("view", "SHOWN", ("state",), {"SHOWN": ("LIVE",), "EVERY": None}, column="state"),
)
BARE = resource([key("id"), item("name")], method("list"), key=("id",))


@pytest.fixture
def facts() -> ResourceFacts:
    return resource_facts(THINGS, {"site": "here"})


def test_a_resource_is_told_by_its_key_its_place_and_its_identity(facts: ResourceFacts) -> None:
    assert (facts.name, facts.key, facts.parents, facts.roots) == (
        "c.s.r",
        ("site", "thingsId"),
        ("site",),
        ("site",),
    )
    assert (facts.identity, facts.identity_unique) == (("displayName",), True)
    assert (facts.chosen_id, facts.overwrites) == (("thingId", "thingsId"), True)
    assert (facts.restore, facts.precondition, facts.defaults) == ("restore", "etag", {"site": "here"})


def test_the_view_and_what_is_live_are_told(facts: ResourceFacts) -> None:
    assert (facts.view, facts.state_column) == (("view", "EVERY"), ("state", ("LIVE",)))


def test_a_resource_without_more_is_told_plainly() -> None:
    facts = resource_facts(BARE, {})
    assert (facts.identity, facts.identity_unique, facts.chosen_id) == ((), False, None)
    assert (facts.view, facts.state_column, facts.precondition, facts.restore) == (None, None, None, None)
    assert not facts.overwrites


def test_a_view_whose_column_is_none_tells_no_state() -> None:
    view = View("view", "SHOWN", ("state",), {"SHOWN": ("LIVE",), "EVERY": None})
    found = resource_facts(resource([key("id"), option("view")], method("list"), view=view), {})
    assert (found.view, found.state_column) == (("view", "EVERY"), None)


@pytest.mark.parametrize(
    ("column", "insertable", "settable", "write_only"),
    [
        pytest.param("displayName", True, True, False, id="set by both"),
        pytest.param("thingId", True, False, False, id="an id is answered as a column"),
        pytest.param("once", True, False, True, id="an option of a body is never answered"),
        pytest.param("token", True, False, True, id="said to be never answered"),
        pytest.param("state", False, False, False, id="the server's own"),
        pytest.param("labels", False, True, False, id="a map that is changed key by key"),
        pytest.param("requests", False, False, True, id="the rows of a batch are no column of a row"),
    ],
)
def test_who_writes_a_column(
    facts: ResourceFacts, column: str, insertable: bool, settable: bool, write_only: bool
) -> None:
    found = facts.columns[column]
    assert (found.insertable, found.settable, found.write_only) == (insertable, settable, write_only)


def test_a_column_is_told_with_its_type_its_part_and_its_values(facts: ResourceFacts) -> None:
    labels, state, token = (facts.columns[name] for name in ("labels", "state", "token"))
    assert (labels.type, labels.role, labels.is_map) == (Type.JSON, Role.ITEM.value, True)
    assert (state.enum, state.is_map, state.hidden, state.secret) == (("LIVE", "GONE"), False, False, False)
    assert (token.hidden, token.secret) == (True, True)


def test_a_method_is_told_with_what_it_takes_and_which_of_it_is_secret(facts: ResourceFacts) -> None:
    create, many = facts.methods["create"], facts.methods["batch_create"]
    assert (create.verb, create.effect, create.required) == ("INSERT", "write", ("site",))
    assert create.optional == ("thingId", "displayName", "token", "once", "dry")
    assert (create.secrets, create.types["token"]) == (frozenset({"token"}), Type.TEXT)
    assert (create.has_batch_body, many.has_batch_body) == (False, True)


def test_a_method_that_is_its_own_batch_takes_rows() -> None:
    own = method("log", takes("a", place=Place.BODY), verb=Verb.INSERT)
    logs: Method = method("log", takes("a", place=Place.BODY), verb=Verb.INSERT, batch=Batch(own, 5))
    facts = resource_facts(resource([item("a")], logs), {})
    assert (facts.methods["log"].has_batch_body, facts.columns["a"].insertable) == (False, True)
