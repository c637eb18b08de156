"""Views, and the walks over parents that they decide."""

from __future__ import annotations

import re

import pytest

from sqlprovider.errors import BackendError, ProgrammingError
from tests.vtab.world import MISSING, MakeWorld

GROUPS = """
  groups:
    key: [group]
    view:
      option: view
      default: LIVE
      path: stage
      column: stage
      values: {LIVE: [live], DEAD: [dead], ALL: null}
    parameters: {group: {path: group}}
    columns: {stage: TEXT}
    methods:
      list:
        verb: SELECT
        http: GET /groups
        parameters: {view: {enum: [LIVE, DEAD, ALL], default: LIVE}}
        rows: groups[]
        pages: one
      get: {verb: SELECT, http: "GET /groups/{group}", missing: true}
"""
MEMBERS = """
  members:
    key: [group, member]
    view:
      option: view
      default: LIVE
      path: stage
      column: stage
      values: {LIVE: [live], DEAD: [dead], ALL: null}
    parents: [PARENT]
    parameters: {group: {}, member: {path: member}}
    columns: {stage: TEXT}
    methods:
      list:
        verb: SELECT
        http: GET /groups/{group}/members
        parameters: {view: {enum: [LIVE, DEAD, ALL]}}
        rows: members[]
        pages: one
        missing: true
"""
LIVES = {"g1": "live", "g2": "dead"}
ROUTES = {
    "GET /groups": lambda asked: {
        "groups": [
            {"group": group, "stage": stage}
            for group, stage in LIVES.items()
            if asked.query["view"] in ("ALL", stage.upper())
        ]
    },
    "GET /groups/([^/]+)": lambda asked: (
        {"group": asked.groups[0], "stage": LIVES[asked.groups[0]]} if asked.groups[0] in LIVES else MISSING
    ),
    "GET /groups/([^/]+)/members": lambda asked: (
        {"members": [{"member": "m1", "stage": "live"}, {"member": "m2", "stage": "dead"}]}
        if asked.groups[0] in LIVES
        else MISSING
    ),
}


@pytest.mark.parametrize(
    ("where", "groups"),
    [
        pytest.param("", ["g1"], id="the default view"),
        pytest.param("WHERE view = 'ALL'", ["g1", "g2"], id="all"),
        pytest.param("WHERE view = 'DEAD'", ["g2"], id="the other"),
        pytest.param("WHERE view IN ('LIVE', 'DEAD')", ["g1", "g2"], id="a set of views"),
        pytest.param("WHERE \"group\" = 'g2'", [], id="get is held against it"),
        pytest.param("WHERE \"group\" = 'g2' AND view = 'ALL'", ["g2"], id="get with a wider view"),
        pytest.param("WHERE \"group\" = 'nosuch'", [], id="missing"),
    ],
)
def test_a_view_makes_one_row_set_of_all_methods(
    make_world: MakeWorld, where: str, groups: list[str]
) -> None:
    world = make_world(GROUPS, ROUTES)
    assert sorted(world.run(f'SELECT "group" FROM p.s.groups {where}')) == [(group,) for group in groups]


def test_a_view_that_does_not_exist_is_refused_before_sending(make_world: MakeWorld) -> None:
    world = make_world(GROUPS, ROUTES)
    with pytest.raises(
        ProgrammingError, match="view cannot be 'OLD'; it is one of LIVE, DEAD, ALL"
    ) as raised:
        world.run("SELECT * FROM p.s.groups WHERE view = 'OLD'")
    assert (raised.value.hint, world.lines) == ("AND view = 'LIVE'", [])


@pytest.mark.parametrize(
    ("where", "warnings"),
    [
        pytest.param("stage = 'dead'", 1, id="equality"),
        pytest.param("stage IN ('live', 'dead')", 1, id="IN"),
        pytest.param("stage = 'live'", 0, id="what is shown"),
        pytest.param("stage = 'dead' AND view = 'ALL'", 0, id="with the wider view"),
        pytest.param("stage <> 'live'", 0, id="no equality"),
    ],
)
def test_asking_for_what_the_default_view_hides_warns(
    make_world: MakeWorld, where: str, warnings: int
) -> None:
    world = make_world(GROUPS, ROUTES)
    world.run(f"SELECT * FROM p.s.groups WHERE {where}")
    assert len(world.warnings) == warnings
    assert all("hint: AND view = 'ALL'" in warning for warning in world.warnings)


@pytest.mark.parametrize(
    ("parent", "where", "lines", "count"),
    [
        pytest.param(
            "{resource: groups, bind: [group], view: {LIVE: LIVE, DEAD: ALL, ALL: ALL}}",
            "",
            ["GET /groups?view=LIVE", "GET /groups/g1/members"],
            1,
            id="the view is passed on",
        ),
        pytest.param(
            "{resource: groups, bind: [group], view: {LIVE: LIVE, DEAD: ALL, ALL: ALL}}",
            "WHERE view = 'DEAD'",
            ["GET /groups?view=ALL", "GET /groups/g1/members", "GET /groups/g2/members"],
            2,
            id="in the parent's words",
        ),
        pytest.param(
            "{resource: groups, bind: [group], view: ALL}",
            "",
            ["GET /groups?view=ALL", "GET /groups/g1/members", "GET /groups/g2/members"],
            2,
            id="a fixed view of the parent",
        ),
        pytest.param(
            "{resource: groups, bind: [group]}",
            "WHERE \"group\" = 'g2'",
            ["GET /groups/g2/members"],
            1,
            id="what is given is not walked",
        ),
        pytest.param(
            "{resource: groups, bind: [group], view: {LIVE: LIVE, DEAD: ALL, ALL: ALL}, confirm: true}",
            "WHERE \"group\" = 'g2'",
            ["GET /groups/g2"],
            0,
            id="unless its parent must confirm it",
        ),
        pytest.param(
            "{resource: groups, bind: [group], view: {LIVE: LIVE, DEAD: ALL, ALL: ALL}, confirm: true}",
            "WHERE \"group\" = 'g2' AND view = 'ALL'",
            ["GET /groups/g2", "GET /groups/g2/members"],
            2,
            id="with the view that the statement gives",
        ),
        pytest.param(
            "{resource: groups, bind: [group], view: {LIVE: LIVE, DEAD: ALL, ALL: ALL}, confirm: true}",
            "WHERE \"group\" IN ('g1', 'g2')",
            ["GET /groups/g1", "GET /groups/g1/members", "GET /groups/g2"],
            1,
            id="for each of a set",
        ),
    ],
)
def test_a_walk_asks_the_parents_that_count(
    make_world: MakeWorld, parent: str, where: str, lines: list[str], count: int
) -> None:
    world = make_world(GROUPS + MEMBERS.replace("PARENT", parent), ROUTES)
    assert len(world.run(f"SELECT * FROM p.s.members {where}")) == count
    assert sorted(re.sub(r"(members).*", r"\1", line) for line in world.lines) == sorted(lines)


def test_the_view_of_a_parameter_is_passed_on_when_it_is_known(make_world: MakeWorld) -> None:
    parent = "{resource: groups, bind: [group], view: {LIVE: LIVE, DEAD: ALL, ALL: ALL}}"
    world = make_world(GROUPS + MEMBERS.replace("PARENT", parent), ROUTES)
    rows = world.run('SELECT "group", member FROM p.s.members WHERE view = ?', ("DEAD",))
    assert sorted(rows) == [("g1", "m2"), ("g2", "m2")]


@pytest.mark.parametrize(
    ("where", "rows"),
    [
        pytest.param("", [("g1", "m1")], id="nothing said"),
        pytest.param("WHERE view = 'LIVE'", [("g1", "m1")], id="the default said"),
        pytest.param(
            "WHERE view IN ('LIVE', 'DEAD')", [("g1", "m1"), ("g1", "m2"), ("g2", "m2")], id="a set"
        ),
        pytest.param("JOIN (SELECT 'LIVE' AS v) ON view = v", [("g1", "m1")], id="from another table"),
    ],
)
def test_the_parents_of_a_walk_are_those_of_the_view_that_is_given(
    make_world: MakeWorld, where: str, rows: list[tuple[str, str]]
) -> None:
    parent = "{resource: groups, bind: [group], view: {LIVE: LIVE, DEAD: ALL, ALL: ALL}}"
    world = make_world(GROUPS + MEMBERS.replace("PARENT", parent), ROUTES)
    assert sorted(world.run(f'SELECT "group", member FROM p.s.members {where}')) == rows


def test_an_option_that_nothing_gives_before_it_is_needed_is_refused(make_world: MakeWorld) -> None:
    world = make_world(GROUPS, ROUTES)
    assert world.run("SELECT v, \"group\" FROM p.s.groups JOIN (SELECT 'DEAD' AS v) ON v = view") == [
        ("DEAD", "g2")
    ]
    with pytest.raises(ProgrammingError, match="nothing gives the value of view before it is read"):
        world.run("SELECT * FROM p.s.groups a JOIN p.s.groups b ON a.view = b.view")


def test_a_walk_refuses_a_view_that_does_not_exist(make_world: MakeWorld) -> None:
    world = make_world(GROUPS + MEMBERS.replace("PARENT", "groups"), ROUTES)
    with pytest.raises(ProgrammingError, match=r"SELECT on p\.s\.members: view cannot be 'OLD'"):
        world.run("SELECT * FROM p.s.members WHERE view = 'OLD'")
    assert world.lines == []


def test_a_view_without_a_field_is_the_parents_and_its_option_comes_back(make_world: MakeWorld) -> None:
    members = """
  logs:
    key: [group, line]
    view: {option: view, default: LIVE, values: {LIVE: [live], ALL: null}}
    parents: [{resource: groups, bind: [group], view: {LIVE: LIVE, ALL: ALL}, confirm: true}]
    parameters: {group: {}, line: {path: line}}
    methods:
      list: {verb: SELECT, http: "GET /groups/{group}/logs", rows: "logs[]", pages: one}
"""
    routes = {**ROUTES, "GET /groups/(.+)/logs": {"logs": [{"line": "1"}]}}
    world = make_world(GROUPS + members, routes)
    assert world.run('SELECT "group", line, view FROM p.s.logs') == [("g1", "1", None)]
    rows = world.run("SELECT \"group\", view FROM p.s.logs WHERE view = 'ALL'")
    assert sorted(rows) == [("g1", "ALL"), ("g2", "ALL")]
    assert world.run("SELECT line FROM p.s.logs WHERE \"group\" = 'g2'") == []


def test_a_missing_parent_of_a_list_warns_and_a_missing_page_is_an_error(make_world: MakeWorld) -> None:
    world = make_world(GROUPS + MEMBERS.replace("PARENT", "groups"), ROUTES)
    assert world.run("SELECT * FROM p.s.members WHERE \"group\" = 'nosuch'") == []
    assert world.warnings == ["p.s.members: no rows, because the API has no group = 'nosuch'"]
    world.server.routes = {}
    with pytest.raises(BackendError, match="not an answer of this API"):
        world.run("SELECT * FROM p.s.groups")
