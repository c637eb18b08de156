"""Scan → rows: the walk, the operations, their pages."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from sqlprovider.catalog.model import Column, Pages, Parent, Place, Role, Tree, View
from sqlprovider.config import Settings
from sqlprovider.execute.reader import ScanReader
from sqlprovider.plan.bind import Argument
from sqlprovider.plan.model import Scan
from sqlprovider.values import JSON, Row, Slot, Type
from tests.execute.build import NOT_FOUND, Script, failed, make_executor, ok
from tests.plan.build import item, key, method, option, required, resource, scan, takes, where

OFFSETS = Pages("token", parameter="token", token=("next",), offset=True)
IDS = [key("id"), option("size")]


def read(
    planned: Scan, *answers: httpx.Response, arguments: tuple[Argument, ...] = ()
) -> tuple[list[Row], Script, list[str]]:
    """The rows without rowids, what was asked, and the warnings."""
    script = Script(*answers)
    executor = make_executor(script)
    calls = executor.begin(Settings())
    reader = ScanReader(planned, arguments, calls, calls.feeds())
    rows = [row for page in reader for row in page.rows]
    executor.close()
    return rows, script, [str(warning) for warning in calls.warnings]


def items(*ids: str, **rest: JSON) -> httpx.Response:
    return ok({"items": [{"id": id_} for id_ in ids], **rest})


@pytest.mark.parametrize(
    ("pages", "facts", "ids"),
    [
        pytest.param(OFFSETS, {"key": ("id",)}, "abc", id="tokens that are offsets"),
        pytest.param(
            Pages("number", parameter="token", total=("total",)), {"key": ("id",)}, "abc", id="numbers"
        ),
        pytest.param(OFFSETS, {}, "abbc", id="without a key rows may repeat"),
        pytest.param(
            Pages("token", parameter="token", token=("next",)),
            {"key": ("id",)},
            "abbc",
            id="tokens that stay",
        ),
    ],
)
def test_a_key_that_shifted_to_the_next_page_comes_once(
    pages: Pages, facts: dict[str, Any], ids: str
) -> None:
    found = resource(IDS, method("list", takes("token"), pages=pages), **facts)
    rows, _, _ = read(
        scan(found, used=frozenset({0})), items("a", "b", next="2", total=4), items("b", "c", total=4)
    )
    assert "".join(str(row[0]) for row in rows) == ids


def test_the_values_of_an_option_may_overlap() -> None:
    found = resource(IDS, method("list", takes("size")), key=("id",))
    rows, script, _ = read(
        scan(found, where("size", "IN", ("1", "2")), used=frozenset({0})), items("a"), items("a", "b")
    )
    assert (rows, len(script.requests)) == ([("a", None), ("b", None)], 2)


GROUPS = resource([key("group"), key("site")], method("list"), name="groups", key=("group",))
BELOW = resource(
    [Column("group", Type.TEXT, Role.PARAMETER), key("id")],
    method("list", required("group"), missing=True),
    parents=(Parent("s", "groups", {"group": "group"}),),
)


def test_the_rows_of_the_parents_are_walked_each_once() -> None:
    planned = scan(BELOW, parents={"groups": GROUPS}, used=frozenset({0, 1}))
    above = ok({"items": [{"group": "g", "site": "1"}, {"group": "g", "site": "2"}, {"group": "h"}]})
    rows, script, warnings = read(planned, above, items("a"), failed(404, NOT_FOUND))
    assert (rows, warnings) == ([("g", "a")], [])
    assert [dict(request.url.params) for request in script.requests] == [{}, {"group": "g"}, {"group": "h"}]


def test_a_view_that_filter_is_told_is_walked_by_its_own_parents() -> None:
    view = View("view", "LIVE", (), {"LIVE": ("live",), "ALL": None})
    above = resource([key("group"), option("view")], method("list", takes("view")), name="groups", view=view)
    below = resource(
        [key("group"), key("id"), option("view")],
        method("list", required("group"), takes("view")),
        view=view,
        parents=(Parent("s", "groups", {"group": "group"}, view={"LIVE": "LIVE", "ALL": "ALL"}),),
    )
    planned = scan(below, where("view", "=", Slot(0)), parents={"groups": above})
    _, script, _ = read(planned, ok({"items": [{"group": "g"}]}), items("a"), arguments=("LIVE",))
    assert [dict(request.url.params) for request in script.requests] == [
        {"view": "LIVE"},
        {"group": "g", "view": "LIVE"},
    ]


@pytest.mark.parametrize(
    ("listing", "message"),
    [
        pytest.param(
            method("list", required("group"), takes("size"), missing=True),
            "c.s.r: no rows, because the API has no group = 'g'",
            id="a list of a parent",
        ),
        pytest.param(
            method("list", takes("size"), missing=True),
            "c.s.r: no rows, because the API has no such parent",
            id="bare",
        ),
        pytest.param(method("get", required("group"), missing=True), None, id="a row that is not there"),
    ],
)
def test_a_parent_that_is_not_there_warns(listing: Any, message: str | None) -> None:
    found = resource([key("group"), option("size")], listing)
    rows, _, warnings = read(
        scan(found, where("group", "=", "g"), where("size", "=", "1")), failed(404, NOT_FOUND)
    )
    assert (rows, warnings) == ([], [message] if message else [])


TREE = resource(
    [item("path"), item("is_dir", Type.BOOLEAN), option("path_")],
    method("list", takes("path", column="path_", place=Place.QUERY), tree=Tree("is_dir", "path", "path")),
)


def test_directories_are_listed_in_turn_unless_one_is_asked_for() -> None:
    top = ok({"items": [{"path": "d", "is_dir": True}, {"path": "f"}]})
    below = ok({"items": [{"path": "d/g", "is_dir": False}]})
    rows, script, _ = read(scan(TREE, used=frozenset({0})), top, below)
    assert [row[0] for row in rows] == ["d", "f", "d/g"]
    assert [dict(request.url.params) for request in script.requests] == [{}, {"path": "d"}]
    rows, script, _ = read(scan(TREE, where("path_", "=", "x"), used=frozenset({0})), top)
    assert ([row[0] for row in rows], len(script.requests)) == (["d", "f"], 1)
