"""The runner of tests/cases/**/*.test: SQL in; plan, requests, rows or error out.

A case is header lines (`-- backend: vertex_small`, values in JSON), SQL, and sections that begin with
`---- name`. What has a section is checked, and an error that no section expects fails.
`pytest --rewrite` writes what a case gives into the sections it has.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias
from urllib.parse import unquote

import httpx

from sqlprovider.config import load_config
from sqlprovider.errors import Error
from sqlprovider.execute.clock import Clock
from sqlprovider.session import Result, Session, provider_names
from sqlprovider.values import JSON, Row, SQLValue
from tests.oracle import NoOracle, Objects, Oracle, Params, difference

ROOT = Path(__file__).parent / "cases"
SECTIONS = ("plan", "requests", "columns", "rows", "changed", "state", "error", "warnings", "last_write")
Setup: TypeAlias = dict[str, JSON]

_HEADER = re.compile(
    r"-- (?P<name>backend|params|settings|config|defaults|faults|state|oracle): (?P<value>.+)"
)
_SECTION = re.compile(r"^---- (\w+)\n", re.MULTILINE)
_BARE = re.compile(r"(?!-{2}|[-+.\d]|NULL$|x'|\")[^\s|](?:[^\n\t\r|]*[^\s|])?")
_PAGE_TOKEN = re.compile(r'(?<=[?&]pageToken=)[^&\s]+|(?<="pageToken":")[^"]+')
_REQUEST_ID = re.compile(r"(?<=\(request id )[^)]+")
"""Stand-ins number requests as they arrive, and several may be under way at once."""
_POLL = re.compile(r"/operations/[^/]+$")
_READ = "read"
_STILL = Clock(monotonic=lambda: 0.0, pause=lambda stop, seconds: None, random=lambda: 0.0)


@dataclass(frozen=True, slots=True)
class Case:
    """One file, read."""

    path: Path
    head: str
    setup: Setup
    sql: str
    sections: Mapping[str, str]

    @property
    def backend(self) -> str:
        return str(self.setup.get("backend", "vertex_small"))

    @property
    def params(self) -> Params:
        given = self.setup.get("params", [])
        assert isinstance(given, list | dict)
        return given  # type: ignore[return-value]  # a case binds scalars only

    def rewritten(self, given: Mapping[str, str]) -> str:
        """The file with what a run gave in the sections it has."""
        parts = [f"---- {name}\n{given.get(name, '')}" for name in self.sections]
        return "".join([self.head, self.sql, *parts])


@dataclass(slots=True)
class Backend:
    """What a case runs against. `names` stand for ids that differ from run to run."""

    provider: str
    connection: Setup
    transport: httpx.BaseTransport
    objects: Objects
    environ: Mapping[str, str] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    requests: list[httpx.Request] = field(default_factory=list)
    beside: Mapping[str, Setup] = field(default_factory=dict)
    """The other connections of the session, by name."""

    def session(self, setup: Setup) -> Session:
        """A session on it, under a case's settings."""
        defaults = {"defaults": setup["defaults"]} if "defaults" in setup else {}
        mapping: Setup = {"connections": {self.provider: {**self.connection, **defaults}, **self.beside}}
        mapping = _merged(_merged(mapping, setup.get("settings")), setup.get("config"))
        config = load_config(mapping, environ={}, providers=provider_names())
        recorder = _Recorder(self.transport, self.requests)
        return Session(config, transport=recorder, environ=self.environ, clock=_STILL)

    def masked(self, text: str) -> str:
        """The text with every id that differs from run to run under its name."""
        for name, id_ in self.names.items():
            text = text.replace(id_, f"{{{name}}}")
        return text

    def filled(self, text: str) -> str:
        """The text with ids in place of their names."""
        for name, id_ in self.names.items():
            text = text.replace(f"{{{name}}}", id_)
        return text


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run gave: its sections, and the row sets for the oracle."""

    sections: Mapping[str, str]
    row_sets: list[list[Row]]
    error: Error | None


def read_case(path: Path) -> Case:
    """Read a case. Raises ValueError for a section that does not exist."""
    body, *parts = _SECTION.split(path.read_text(encoding="utf-8"))
    sections = dict(zip(parts[::2], parts[1::2], strict=True))
    if unknown := sections.keys() - set(SECTIONS):
        raise ValueError(f"{path}: there is no section {', '.join(sorted(unknown))}")
    head, setup = "", Setup()
    for line in body.splitlines(keepends=True):
        if not line.startswith("-- "):
            break
        head += line
        if (found := _HEADER.match(line)) is not None:
            value = found["value"].strip()
            setup[found["name"]] = json.loads(value) if value[0] in '[{"' else value
    return Case(path, head, setup, body.removeprefix(head), sections)


def run_case(case: Case, backend: Backend) -> Outcome:
    """Run a case's SQL and write down what came of it."""
    given: dict[str, list[str]] = {name: [] for name in SECTIONS}
    row_sets: list[list[Row]] = []
    failure: Error | None = None
    sql = backend.filled(case.sql)
    with closing(backend.session(case.setup)) as session:
        if "plan" in case.sections:
            (explained,) = session.run(f"EXPLAIN {sql}", case.params)
            given["plan"] = [_plan_line(row) for row in explained.rows]
        try:
            for result in session.run(sql, case.params):
                _write_down(result, given, row_sets)
        except Error as error:
            failure = error
            given["error"] = [_REQUEST_ID.sub("…", f"{type(error).__name__}: {error}")]
        given["requests"] = list(_request_lines(backend.requests))
        if any(section == "last_write" for section in case.sections):
            given["last_write"] = [_cells(_brief(row)) for row in session.last_write]
    sections = {name: backend.masked("".join(f"{line}\n" for line in lines)) for name, lines in given.items()}
    return Outcome(sections, row_sets, failure)


def judge_case(case: Case, backend: Backend) -> list[list[Row]]:
    """The oracle's row sets. Raises NoOracle."""
    with closing(backend.session(case.setup)) as session:
        oracle = Oracle(session.catalog, backend.objects)
        judged = oracle.run(backend.filled(case.sql), case.params)
        return [found.rows for found in judged if found.rows is not None]


def check_case(case: Case, backend: Backend, *, rewrite: bool) -> None:
    """Run a case, hold it against its sections and against the oracle."""
    outcome = run_case(case, backend)
    if outcome.error is not None and "error" not in case.sections:
        raise outcome.error
    if rewrite:
        case.path.write_text(case.rewritten(outcome.sections), encoding="utf-8")
    else:
        for name, expected in case.sections.items():
            assert outcome.sections[name] == expected, name
    if outcome.error is None and "oracle" not in case.setup:
        check_against_oracle(case, backend, outcome)


def check_against_oracle(case: Case, backend: Backend, outcome: Outcome) -> None:
    """Every row set equals what plain SQLite makes of the same data."""
    try:
        expected = judge_case(case, backend)
    except NoOracle:
        return
    assert len(outcome.row_sets) == len(expected)
    for engine, oracle in zip(outcome.row_sets, expected, strict=True):
        if (found := difference(engine, oracle)) is not None:
            raise AssertionError(f"the rows are not what plain SQLite gives:\n{found}")


class _Recorder(httpx.BaseTransport):
    """Passes requests on and writes them down."""

    def __init__(self, inner: httpx.BaseTransport, requests: list[httpx.Request]) -> None:
        self._inner = inner
        self._requests = requests

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self._requests.append(request)
        return self._inner.handle_request(request)


def _write_down(result: Result, given: Mapping[str, list[str]], row_sets: list[list[Row]]) -> None:
    try:
        rows = list(result.rows)
    finally:
        given["warnings"].extend(str(warning) for warning in result.warnings)
    if result.columns is None:
        given["changed"].append(str(result.rowcount))
        return
    if row_sets:
        given["rows"].append("--")
    row_sets.append(rows)
    given["rows"].extend(map(_cells, rows))
    columns = [f"{column.name}:{column.type}" if column.type else column.name for column in result.columns]
    given["columns"].append("|".join(columns))
    given["state"].append(result.state)


def _cells(row: Iterable[SQLValue]) -> str:
    return "|".join(map(_cell, row))


def _cell(value: SQLValue) -> str:
    match value:
        case None:
            return "NULL"
        case bytes():
            return f"x'{value.hex()}'"
        case str():
            return value if _BARE.fullmatch(value) else json.dumps(value, ensure_ascii=False)
        case _:
            return repr(value)


def _plan_line(row: Row) -> str:
    """`1 google.aiplatform.runs list, requests 1, times per row of e, …`, without what is NULL."""
    names = ("requests", "times", "pushed", "rechecked", "note")
    facts = [f"{name}: {value!s}" for name, value in zip(names, row[3:], strict=True) if value is not None]
    return " | ".join([f"{row[0]!s} {row[1]!s} {row[2]!s}", *facts])


def _brief(row: Mapping[str, SQLValue]) -> list[SQLValue]:
    names = ("sequence", "method", "key", "state", "http_status", "code", "message", "input_row")
    return [row[name] for name in names]


def _request_lines(requests: Iterable[httpx.Request]) -> Iterator[str]:
    """One line a request. Neighbours that may be under way at once are sorted: reads, and rows of a write.

    Polls of what a write has begun stand after the writes beside them. Page tokens are numbered.
    """
    together: list[tuple[bool, str]] = []
    kind = ""
    tokens: dict[str, dict[str, str]] = {}
    for request in requests:
        is_poll = kind not in ("", _READ) and _POLL.search(request.url.path) is not None
        now = kind if is_poll else _kind(request)
        if now != kind:
            yield from (line for _, line in sorted(together))
            together.clear()
            kind = now
        together.append((is_poll, _request_line(request, tokens)))
    yield from (line for _, line in sorted(together))


def _kind(request: httpx.Request) -> str:
    is_read = request.method == "GET" or request.url.path.endswith("/search")
    above = request.url.raw_path.decode("ascii").partition("?")[0].rpartition("/")[0]
    return _READ if is_read else f"{request.method} {above}"


def _request_line(request: httpx.Request, tokens: dict[str, dict[str, str]]) -> str:
    path, mark, query = request.url.raw_path.decode("ascii").partition("?")
    line = f"{request.method} {path}{mark}{unquote(query)}"
    if body := request.read():
        line += f" {json.dumps(json.loads(body), ensure_ascii=False, separators=(',', ':'))}"
    known = tokens.setdefault(_PAGE_TOKEN.sub("", line), {})
    return _PAGE_TOKEN.sub(lambda found: known.setdefault(found[0], f"<page {len(known) + 2}>"), line)


def _merged(base: Setup, extra: JSON) -> Setup:
    if not isinstance(extra, dict):
        return base
    merged = dict(base)
    for name, value in extra.items():
        old = merged.get(name)
        merged[name] = _merged(old, value) if isinstance(old, dict) else value
    return merged
