"""EXEC: a method called by its own name."""

from __future__ import annotations

import pytest

from sqlprovider.errors import MissingParameterError, ProgrammingError, UnknownColumnError, UnknownNameError
from sqlprovider.values import Type
from sqlprovider.vtab.engine import Bindings
from tests.vtab.world import Asked, MakeWorld

METRICS = """
  runs:
    key: [id]
    parameters: {id: {path: id}}
    columns: {name: TEXT}
    methods:
      list:
        verb: SELECT
        http: GET /runs
        parameters: {size: INTEGER, token: TEXT}
        rows: runs[]
        pages: {style: token, parameter: token, token: next, size: size, size_max: 2}
      log:
        verb: EXEC
        wire: logBatch
        http: POST /runs/{id}:log
        parameters:
          points: {type: JSON, repeated: true}
          tags: {type: JSON, wire: key_value}
          note: TEXT
          step: {type: INTEGER, default: 0}
          run-tag: {in: query}
      put: {verb: EXEC, http: "POST /runs/{id}:put", parameters: {value: {required: true}}}
      points: {verb: EXEC, http: "GET /runs/{id}/points", rows: "points[]"}
      ping: {verb: EXEC, http: "POST /ping"}
"""


def _runs(asked: Asked) -> object:
    if "token" not in asked.query:
        return {"runs": [{"id": "a"}, {"id": "b"}], "next": "2"}
    return {"runs": [{"id": "c"}]}


ROUTES = {
    "GET /runs": _runs,
    "POST /runs/r:log": {"ok": True, "n": 2, "list": [1], "none": None},
    "POST /runs/(.+):put": {},
    "GET /runs/r/points": {"points": [{"x": 1, "y": True}, {"x": None, "z": {"a": 1}}]},
    "POST /ping": {},
}


@pytest.mark.parametrize(
    ("sql", "params", "line"),
    [
        pytest.param("EXEC p.s.runs.log @id='r'", (), 'POST /runs/r:log {"step":0}', id="a default"),
        pytest.param(
            "EXEC p.s.runs.logBatch @ID='r', @step=2", (), 'POST /runs/r:log {"step":2}', id="the wire name"
        ),
        pytest.param(
            "EXEC p.s.runs.log @id=?, @note=?",
            ("r", "x"),
            'POST /runs/r:log {"note":"x","step":0}',
            id="positional",
        ),
        pytest.param(
            "EXEC p.s.runs.log @id=:i @note=:n",
            {"i": "r", "n": "x"},
            'POST /runs/r:log {"note":"x","step":0}',
            id="named",
        ),
        pytest.param(
            "EXEC p.s.runs.log @id='r', @\"run-tag\"='t'",
            (),
            'POST /runs/r:log?run-tag=t {"step":0}',
            id="quoted",
        ),
        pytest.param(
            "EXEC p.s.runs.log @id='r', @note=NULL", (), 'POST /runs/r:log {"step":0}', id="NULL is left out"
        ),
        pytest.param(
            "EXEC p.s.runs.log @id='r', @points='{\"v\":1}', @tags='{\"k\":1}'",
            (),
            'POST /runs/r:log {"points":[{"v":1}],"tags":[{"key":"k","value":"1"}],"step":0}',
            id="lists and maps",
        ),
        pytest.param(
            'EXEC p.s.runs.log @id=\'r\' @@json=\'{"points": "[1]", "note": "[1]", "tags": "x"}\'',
            (),
            'POST /runs/r:log {"points":[1],"note":"[1]","tags":"x","step":0}',
            id="JSON in the text of a structured field",
        ),
        pytest.param(
            "EXEC p.s.runs.log @id='r' @@json=?",
            ('{"points": 5}',),
            'POST /runs/r:log {"points":5,"step":0}',
            id="a bound body",
        ),
        pytest.param(
            "EXEC p.s.runs.put @id='r' @@json='{\"value\": 1}'",
            (),
            'POST /runs/r:put {"value":1}',
            id="required in the body",
        ),
        pytest.param("EXEC p.s.runs.ping", (), "POST /ping", id="nothing to give"),
    ],
)
def test_exec_sends_its_arguments_where_they_go(
    make_world: MakeWorld, sql: str, params: Bindings, line: str
) -> None:
    assert make_world(METRICS, ROUTES).asks(sql, params) == [line]


def test_the_answers_fields_are_one_row(make_world: MakeWorld) -> None:
    world = make_world(METRICS, ROUTES)
    assert world.run("EXEC p.s.runs.log @id='r'") == [(1, 2, "[1]", None)]
    assert world.columns is not None
    assert [(column.name, column.type) for column in world.columns] == [
        ("ok", Type.BOOLEAN),
        ("n", None),
        ("list", Type.JSON),
        ("none", None),
    ]


def test_an_empty_answer_is_no_row(make_world: MakeWorld) -> None:
    assert make_world(METRICS, ROUTES).run("EXEC p.s.runs.ping") == []


def test_rows_have_a_column_for_each_field_that_any_has(make_world: MakeWorld) -> None:
    world = make_world(METRICS, ROUTES)
    assert world.run("EXEC p.s.runs.points @id='r'") == [(1, 1, None), (None, None, '{"a":1}')]


def test_a_list_is_read_to_its_end(make_world: MakeWorld) -> None:
    world = make_world(METRICS, ROUTES)
    assert world.run("EXEC p.s.runs.list") == [("a",), ("b",), ("c",)]
    assert world.lines == ["GET /runs?size=2", "GET /runs?size=2&token=2"]


@pytest.mark.parametrize(
    ("sql", "kind", "message"),
    [
        pytest.param(
            "EXEC p.s.runs.put @id='r'",
            MissingParameterError,
            "put  needs id, value   missing: value",
            id="missing",
        ),
        pytest.param(
            "EXEC p.s.runs.put @id='r', @valeu='x'", UnknownColumnError, "did you mean value", id="unknown"
        ),
        pytest.param(
            "EXEC p.s.runs.log @run_tag='r', @\"run-tag\"='s'",
            ProgrammingError,
            "@run_tag is given twice",
            id="twice",
        ),
        pytest.param(
            "EXEC p.s.runs.log @id='r' @@json='{'", ProgrammingError, "@@json is no JSON", id="no JSON"
        ),
        pytest.param(
            "EXEC p.s.runs.log @id='r' @@json='[1]'",
            ProgrammingError,
            "@@json is no JSON object",
            id="no object",
        ),
        pytest.param("EXEC p.s.runs.lgo @id='r'", UnknownNameError, "did you mean log", id="no method"),
    ],
)
def test_a_wrong_exec_is_refused(
    make_world: MakeWorld, sql: str, kind: type[Exception], message: str
) -> None:
    world = make_world(METRICS, ROUTES)
    with pytest.raises(kind, match=message):
        world.run(sql)
    assert world.lines == []


def test_the_hint_for_a_missing_argument_can_be_pasted(make_world: MakeWorld) -> None:
    with pytest.raises(MissingParameterError) as raised:
        make_world(METRICS, ROUTES).run("EXEC p.s.runs.put")
    assert raised.value.hint == "EXEC p.s.runs.put @id = '…', @value = '…'"
