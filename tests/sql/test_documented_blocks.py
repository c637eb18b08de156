"""The statements as public documentation writes them: comments swallow commas and semicolons."""

from __future__ import annotations

import pytest

from sqlprovider.sql.statement import Delete, Exec, Insert, Query, Update
from sqlprovider.values import Const
from tests.published_blocks import BATCH_CREATE, CREATE, DELETE, GET, LIST, PATCH, WRITE, filled
from tests.sql.reading import read

KEYS = {"projectsId": "p", "locationsId": "l", "tensorboardsId": "t", "experimentsId": "e"}
MORE = {
    "runsId": "r",
    "tensorboardRunId": "r",
    "filter": "f",
    "pageSize": "10",
    "pageToken": "pt",
    "orderBy": "o",
    "readMask": "m",
    "displayName": "n",
    "description": "d",
    "labels": '{"a": "b"}',
    "etag": "",
    "updateMask": "displayName",
    "requests": "[]",
    "tensorboardRun": "r",
    "timeSeriesData": "[]",
}


def block(text: str) -> str:
    return filled(text, KEYS | MORE)


@pytest.mark.parametrize(
    ("text", "more"),
    [
        pytest.param(block(GET), {"runsId": "r"}, id="get"),
        pytest.param(
            block(LIST),
            {"filter": "f", "pageSize": "10", "pageToken": "pt", "orderBy": "o", "readMask": "m"},
            id="list",
        ),
    ],
)
def test_a_documented_select_binds_its_parameters(text: str, more: dict[str, str]) -> None:
    query = read(text, Query)
    assert query.sql == query.text.replace("google.aiplatform.runs", '"google.aiplatform.runs" AS runs')
    bound = {p.column: p.operand for p in query.tables[0].predicates}
    assert bound == {name: Const(value) for name, value in (KEYS | more).items()}


@pytest.mark.parametrize(
    ("text", "first", "returned"),
    [
        pytest.param(block(CREATE), "data__displayName", 7, id="create"),
        pytest.param(block(BATCH_CREATE), "data__requests", 1, id="batch_create"),
    ],
)
def test_a_documented_insert_has_its_columns(text: str, first: str, returned: int) -> None:
    insert = read(text, Insert)
    assert insert.columns[0][0] == first
    assert insert.source.startswith("SELECT")
    assert insert.source.count(",") >= len(insert.columns) - 1
    assert insert.returning is not None
    assert len(insert.returning.columns or ()) == returned


def test_a_documented_update_is_nothing_but_equalities() -> None:
    update = read(block(PATCH), Update)
    assert update.assignments[0].column == "data__displayName"
    assert all(a.constant for a in update.assignments)
    assert update.where is not None
    assert update.where.only_equalities
    assert {p.column for p in update.where.predicates} == {*KEYS, "runsId", "updateMask"}


def test_a_documented_delete_is_nothing_but_equalities() -> None:
    delete = read(block(DELETE), Delete)
    assert delete.where is not None
    assert delete.where.only_equalities
    assert {p.column for p in delete.where.predicates} == {*KEYS, "runsId"}


def test_a_documented_exec_has_its_arguments_and_body() -> None:
    call = read(block(WRITE), Exec)
    assert str(call.target) == "google.aiplatform.runs.write"
    assert {a.name: a.sql for a in call.arguments} == {
        k: f"'{v}'" for k, v in (KEYS | {"runsId": "r"}).items()
    }
    assert call.body is not None
    assert call.body.sql.startswith("'{\n")
