"""Files as tables: wherever a table can stand, read as a stream, and closed."""

from __future__ import annotations

import os
import subprocess
import sys
import tracemalloc
from pathlib import Path

import pytest

from sqlprovider.errors import OperationalError, ProgrammingError
from sqlprovider.sql.dealer import Dealer
from sqlprovider.sql.parse import parse
from sqlprovider.sql.statement import Query
from sqlprovider.values import Row, SQLValue
from tests.vtab.files import opened, selected, typed, written
from tests.vtab.world import MakeWorld

THINGS = """
  things:
    key: [id]
    parameters: {id: {path: id}}
    columns: {name: TEXT}
    methods:
      get: {verb: SELECT, http: "GET /things/{id}", parameters: {id: TEXT}}
"""
RUNS = "id,name,step\n1,a,5\n2,b,50\n3,c,500\n"


@pytest.fixture
def runs(tmp_path: Path) -> str:
    return written(tmp_path, RUNS, "runs.csv")


@pytest.mark.parametrize(
    ("sql", "rows"),
    [
        pytest.param("SELECT name FROM {f} WHERE step > 9", [("b",), ("c",)], id="WHERE"),
        pytest.param("SELECT read_csv.id FROM {f} LIMIT 1", [(1,)], id="the function is the alias"),
        pytest.param("SELECT r.*, rowid FROM {f} AS r LIMIT 1", [(1, "a", 5, 1)], id="an alias and a rowid"),
        pytest.param("SELECT count(*) FROM {f}", [(3,)], id="no column"),
        pytest.param(
            "SELECT a.id, b.name FROM {f} a JOIN {f} b ON b.id = a.id + 1", [(1, "b"), (2, "c")], id="itself"
        ),
        pytest.param("SELECT count(*) FROM {f} JOIN {f} USING (id)", [(3,)], id="two without aliases"),
        pytest.param(
            "CREATE TABLE t(id); INSERT INTO t VALUES (2), (9); "
            "SELECT t.id, f.step FROM t LEFT JOIN {f} f USING (id)",
            [(2, 50), (9, None)],
            id="the right of a LEFT JOIN",
        ),
        pytest.param(
            "SELECT f.id, g.id FROM {f} f FULL JOIN {f} g ON g.id = f.id + 2 ORDER BY 1, 2",
            [(None, 1), (None, 2), (1, 3), (2, None), (3, None)],
            id="FULL JOIN",
        ),
        pytest.param("WITH c AS (SELECT * FROM {f}) SELECT sum(step) FROM c", [(555,)], id="a CTE"),
        pytest.param("SELECT 1 WHERE 2 IN (SELECT id FROM {f})", [(1,)], id="a subquery"),
        pytest.param("SELECT (SELECT max(step) FROM {f}) + 1", [(501,)], id="a scalar subquery"),
        pytest.param("SELECT (2, 'b', 50) IN {f}", [(1,)], id="IN"),
        pytest.param(
            "SELECT name FROM {f} UNION SELECT upper(name) FROM {f} LIMIT 2", [("A",), ("B",)], id="UNION"
        ),
        pytest.param(
            "CREATE TABLE t AS SELECT * FROM {f}; SELECT typeof(step) || name FROM t LIMIT 1",
            [("integera",)],
            id="CREATE TABLE AS",
        ),
        pytest.param(
            "CREATE TABLE t(a TEXT, b); INSERT INTO t SELECT step, step FROM {f}; "
            "SELECT typeof(a), typeof(b) FROM t LIMIT 1",
            [("text", "integer")],
            id="INSERT into a table of one's own",
        ),
        pytest.param(
            "CREATE TEMP VIEW v AS SELECT * FROM {f} WHERE id > 1; SELECT count(*) FROM v",
            [(2,)],
            id="a TEMP VIEW",
        ),
        pytest.param(
            "CREATE TABLE t(id); INSERT INTO t VALUES (1), (7); "
            "DELETE FROM t WHERE id IN (SELECT id FROM {f}); SELECT * FROM t",
            [(7,)],
            id="DELETE",
        ),
        pytest.param(
            "CREATE TABLE t(id, n); INSERT INTO t VALUES (1, 0); "
            "UPDATE t SET n = f.step FROM {f} f WHERE f.id = t.id; SELECT * FROM t",
            [(1, 5)],
            id="UPDATE FROM",
        ),
        pytest.param(
            "CREATE TABLE read_csv(a); SELECT count(*) FROM read_csv", [(0,)], id="a table of that name"
        ),
    ],
)
def test_a_file_stands_where_a_table_can(runs: str, sql: str, rows: list[Row]) -> None:
    assert selected(sql.format(f=f"read_csv('{runs}')")) == rows


def test_the_right_of_a_join_is_read_once(tmp_path: Path) -> None:
    path = written(tmp_path, "id\n" + "".join(f"{n}\n" for n in range(4000)))
    file = f"read_csv('{path}')"
    with opened() as session:
        plan = "".join(
            str(row[-1])
            for r in session.run(f"EXPLAIN QUERY PLAN SELECT * FROM {file} a LEFT JOIN {file} b USING (id)")
            for row in r.rows
        )
        assert "AUTOMATIC COVERING INDEX (id=?)" in plan
        assert selected(f"SELECT count(b.id) FROM {file} a LEFT JOIN {file} b USING (id)", session) == [
            (4000,)
        ]


def test_explain_reads_no_row(tmp_path: Path) -> None:
    path = written(tmp_path, "a,b\n" + "1,x\n" * 11_000 + "1\n")
    with opened() as session:
        (result,) = session.run(f"EXPLAIN SELECT * FROM read_csv('{path}')")
        assert "VFilter" in [row[1] for row in result.rows]


def test_a_file_that_has_changed_is_read_as_it_is_now(tmp_path: Path) -> None:
    with opened() as session:
        path = written(tmp_path, "a\n1\n")
        selected(f"CREATE TEMP VIEW v AS SELECT * FROM read_csv('{path}')", session)
        assert selected(f"SELECT * FROM read_csv('{path}')", session) == [(1,)]
        written(tmp_path, "a\n2\n")
        assert selected("SELECT * FROM v", session) == [(2,)]
        written(tmp_path, "b,a\nx,3\n")
        assert selected(f"SELECT a, b FROM read_csv('{path}')", session) == [(3, "x")]
        with pytest.raises(Exception, match="its header has changed"):
            selected("SELECT * FROM v", session)


def _open_files(path: str) -> int:
    links = (Path("/proc/self/fd") / name for name in os.listdir("/proc/self/fd"))  # noqa: PTH208  names only
    return sum(link.is_symlink() and str(link.readlink()) == path for link in links)


def test_a_file_is_closed_with_its_cursor(tmp_path: Path) -> None:
    path = written(tmp_path, "a\n" + "1\n" * 5000)
    with opened() as session:
        (result,) = session.run(f"SELECT * FROM read_csv('{path}')")
        next(result.rows)
        assert _open_files(path) == 1
        result.rows.close()  # type: ignore[attr-defined]  # a generator
        assert _open_files(path) == 0
        selected(f"SELECT * FROM read_csv('{path}') LIMIT 1", session)
        assert _open_files(path) == 0
        with pytest.raises(ProgrammingError, match="JSON"):
            selected(f"SELECT json(a || '{{') FROM read_csv('{path}')", session)
        assert _open_files(path) == 0


@pytest.mark.parametrize("name", [pytest.param("f.csv", id="csv"), pytest.param("f.jsonl", id="jsonl")])
def test_a_file_is_read_as_a_stream(tmp_path: Path, name: str) -> None:
    line = "1," + "x" * 1000 + "\n" if name == "f.csv" else '{"a": 1, "b": "' + "x" * 1000 + '"}\n'
    path = written(tmp_path, ("a,b\n" if name == "f.csv" else "") + line * 30_000, name)
    function = "read_csv" if name == "f.csv" else "read_jsonl"
    with opened() as session:
        tracemalloc.start()
        try:
            assert selected(f"SELECT sum(length(b)) FROM {function}('{path}')", session) == [(30_000_000,)]
            assert tracemalloc.get_traced_memory()[1] < 5_000_000
        finally:
            tracemalloc.stop()


def test_a_pipe_is_read_once_and_whole(tmp_path: Path) -> None:
    read, write = os.pipe()
    os.write(write, b"a,b\n1,x\n2,y\n")
    os.close(write)
    pipe = f"read_csv('/dev/fd/{read}')"
    try:
        with opened() as session:
            plan = list(session.run(f"EXPLAIN SELECT * FROM {pipe}"))
            assert plan, "looking at it uses nothing up"
            assert selected(f"SELECT * FROM {pipe} WHERE a > 0", session) == [(1, "x"), (2, "y")]
    finally:
        os.close(read)


def test_a_second_scan_of_a_pipe_is_an_error(tmp_path: Path) -> None:
    read, write = os.pipe()
    os.write(write, b"a,b\n1,x\n2,y\n")
    os.close(write)
    pipe = f"read_csv('/dev/fd/{read}')"
    try:
        with pytest.raises(OperationalError, match="a pipe can be read once") as caught:
            selected(f"SELECT * FROM {pipe} UNION ALL SELECT * FROM {pipe}")
        assert caught.value.hint == f"CREATE TEMP TABLE input AS SELECT * FROM {pipe}"
    finally:
        os.close(read)


@pytest.mark.parametrize(
    ("function", "text"),
    [
        pytest.param("read_csv", "a,b\n" + "1,x\n" * 20_000, id="csv"),
        pytest.param("read_jsonl", '{"a": 1, "b": "x"}\n' * 20_000, id="jsonl"),
    ],
)
def test_standard_input(function: str, text: str) -> None:
    sql = f"SELECT count(*), sum(a) FROM {function}('-')"
    done = subprocess.run(
        [sys.executable, "-m", "sqlprovider", "query", "-o", "csv", sql],
        input=text,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout.splitlines()[1:], done.stderr) == (["20000,20000"], "")


@pytest.mark.parametrize(
    ("sql", "params"),
    [
        pytest.param("SELECT ?1, name FROM read_csv(?) WHERE step > ?", ["n", "{f}", 99], id="anonymous"),
        pytest.param(
            "SELECT 'n', name FROM read_csv(:file) WHERE step > :s", {"file": "{f}", "s": 99}, id="named"
        ),
        pytest.param(
            "SELECT 'n', name FROM read_csv(:file) WHERE step > :s", ["{f}", 99], id="named, in order"
        ),
        pytest.param(
            "SELECT 'n', name FROM read_csv(?1, ?2) WHERE step > 99", ["{f}", ","], id="all of them"
        ),
    ],
)
def test_a_file_may_be_a_parameter(
    make_world: MakeWorld, runs: str, sql: str, params: list[SQLValue] | dict[str, SQLValue]
) -> None:
    world = make_world(THINGS, {})
    dealer = Dealer(_filled(params, runs))
    for statement in world.names.dealing(dealer, parse(sql, world.names)):
        assert isinstance(statement, Query)
        calls = world.executor.begin(world.settings)
        found = world.engine.select(statement.sql, dealer.deal(statement.parameters), calls)
        assert list(found.rows) == [("n", "c")]


def _filled(params: list[SQLValue] | dict[str, SQLValue], path: str) -> list[SQLValue] | dict[str, SQLValue]:
    if isinstance(params, dict):
        return {name: path if value == "{f}" else value for name, value in params.items()}
    return [path if value == "{f}" else value for value in params]


def test_a_parameter_of_a_text_that_is_run_many_times_cannot_name_a_file() -> None:
    with opened() as session, pytest.raises(ProgrammingError, match="cannot be a parameter here"):
        list(session.run_many("INSERT INTO t SELECT * FROM read_csv(?)", [["a"], ["b"]]))


def test_a_session_that_only_reads_may_read_files(runs: str) -> None:
    assert selected(f"SET read_only = true; SELECT count(*) FROM read_csv('{runs}')") == [(3,)]


def test_parquet_without_pyarrow_says_what_to_install() -> None:
    script = (
        "import sys; sys.modules['pyarrow'] = None\n"
        "from tests.vtab.files import selected\n"
        "from sqlprovider.errors import InterfaceError\n"
        "try: selected(\"SELECT * FROM read_parquet('tests/vtab/files.py')\")\n"
        "except InterfaceError as error: print(error.message, '|', error.hint)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "read_parquet needs the package pyarrow | pip install 'sqlprovider[parquet]'\n"


def test_columns_through_a_join_keep_their_types(tmp_path: Path, runs: str) -> None:
    path = written(tmp_path, '{"id": 1, "ok": true, "tags": {}}\n', "f.jsonl")
    sql = f"SELECT r.step, j.ok, j.tags FROM read_csv('{runs}') r JOIN read_jsonl('{path}') j USING (id)"
    assert typed(sql) == ["step:INTEGER", "ok:BOOLEAN", "tags:JSON"]
    assert selected(sql) == [(5, 1, "{}")]
