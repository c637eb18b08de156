"""A platform of a few lines of YAML, a server of a few lines of Python, and the engine between them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeAlias
from urllib.parse import unquote

import httpx

from sqlprovider.catalog.catalog import Catalog, ConnectionSpec
from sqlprovider.catalog.load import load_provider
from sqlprovider.config import ConnectionConfig, Settings
from sqlprovider.errors import Error
from sqlprovider.execute.clock import Clock
from sqlprovider.execute.executor import Executor, StatementCalls
from sqlprovider.sql.parse import parse
from sqlprovider.sql.statement import Delete, Exec, Explain, Insert, Query, Statement, TableRef, Update
from sqlprovider.values import Row, SQLValue
from sqlprovider.vtab.calls import exec_result, plan_exec, run_read
from sqlprovider.vtab.engine import Bindings, Engine, ResultColumn, Selected
from sqlprovider.vtab.explain import explain
from sqlprovider.vtab.names import SessionNames
from sqlprovider.vtab.run import Run
from sqlprovider.vtab.statements import Statements
from sqlprovider.vtab.writer import Planned, Writer

PROVIDER = """
provider: lab
title: A lab
services: [s]
base_url: {env: LAB_URL}
auth: {types: [none], default: none}
errors: {code: code, message: message, missing: [missing], exists: [exists]}
wait: {path: "/ops/{name}"}
"""
SERVICE = """
service: s
title: The only service
version: v1
resources:
"""
STILL = Clock(monotonic=lambda: 0.0, pause=lambda stop, seconds: None, random=lambda: 0.0)
MISSING = httpx.Response(404, json={"code": "missing", "message": "no such thing"})


@dataclass(frozen=True, slots=True)
class Asked:
    """One request, as a route sees it: what its groups matched, the query and the body."""

    groups: tuple[str, ...]
    query: Mapping[str, str]
    body: Any
    request: httpx.Request


Answer: TypeAlias = object
"""A JSON value, an httpx.Response, or a function of Asked that gives one."""


@dataclass(slots=True)
class Server:
    """Answers by the first route (`GET /things/(.+)`) that matches; anything else is not in the API."""

    routes: Mapping[str, Answer]
    requests: list[httpx.Request] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        line = f"{request.method} {unquote(request.url.raw_path.decode().partition('?')[0])}"
        for route, answer in self.routes.items():
            if (found := re.fullmatch(route, line)) is None:
                continue
            if callable(answer):
                body = json.loads(request.content) if request.content else None
                answer = answer(Asked(found.groups(), dict(request.url.params), body, request))
            return _response(answer)
        return httpx.Response(404, text="<html>no such page</html>")

    @property
    def lines(self) -> list[str]:
        """What was asked: `GET /things?size=2`, `POST /things {"name":"a"}`."""
        return [_line(request) for request in self.requests]


class World:
    """The engine over one provider document, without a session around it. Its connection is `p`."""

    def __init__(
        self,
        folder: Path,
        resources: str,
        routes: Mapping[str, Answer],
        *,
        provider: str = PROVIDER,
        service: str = SERVICE,
        settings: Settings | None = None,
        **connection: Any,
    ) -> None:
        home = folder / "lab"
        home.mkdir()
        (home / "provider.yaml").write_text(provider, encoding="utf-8")
        (home / "s.yaml").write_text(service + resources, encoding="utf-8")
        config = ConnectionConfig("p", "lab", **{"base_url": "http://127.0.0.1:9", **connection})
        spec = ConnectionSpec("p", "lab", config.versions, config.defaults)
        self.connections = {"p": config}
        self.catalog = Catalog(
            {"p": spec}, lambda name, versions: load_provider(name, versions, directories=(folder,))
        )
        self.server = Server(routes)
        self.settings = settings or Settings()
        self.executor = Executor(
            self.connections,
            self.catalog,
            transport=httpx.MockTransport(self.server),
            environ={},
            clock=STILL,
        )
        self.engine = Engine(self.catalog)
        self.names = SessionNames(self.catalog, lambda: self.engine)
        self.statements = Statements(self.catalog, self.engine)
        self.columns: tuple[ResultColumn, ...] | None = None
        self.rowcount = -1
        self.last_write: tuple[dict[str, SQLValue], ...] = ()
        self.calls: StatementCalls = self.executor.begin(self.settings)

    @property
    def lines(self) -> list[str]:
        """Every request so far."""
        return self.server.lines

    @property
    def warnings(self) -> list[str]:
        """Those of the last statement."""
        return [str(warning) for warning in self.calls.warnings]

    def run(self, text: str, params: Bindings = ()) -> list[Row]:
        """The rows of the last statement of a text."""
        rows: list[Row] = []
        for statement in parse(text, self.names):
            selected = self._run(statement, params)
            self.columns = None if selected is None else selected.columns
            rows = [] if selected is None else list(selected.rows)
        return rows

    def asks(self, text: str, params: Bindings = ()) -> list[str]:
        """The requests that a text makes."""
        before = len(self.server.requests)
        self.run(text, params)
        return self.lines[before:]

    def close(self) -> None:
        self.engine.close()
        self.executor.close()

    def _run(self, statement: Statement, params: Bindings) -> Selected | None:
        self.calls = self.executor.begin(self.settings)
        run = Run(params, self.calls, self.settings)
        match statement:
            case Query():
                self._add(statement.tables)
                return self.engine.query(statement, params, self.calls)
            case Insert() | Update() | Delete():
                return self._write(statement, run)
            case Exec():
                planned = plan_exec(statement, self.catalog, self.engine, run)
                if not isinstance(planned, Planned):
                    return run_read(planned, run)
                (row,) = Writer(self.engine, run).write(planned).rows
                return exec_result(row.operations[0], row.answer)
            case Explain(statement=inner):
                if not isinstance(inner, Exec):
                    self._add(_tables(inner))
                return explain(statement, self.catalog, self.engine, self.statements, run)
            case _:
                raise AssertionError(f"a world does not run {statement}")

    def _write(self, statement: Insert | Update | Delete, run: Run) -> Selected | None:
        self._add(_tables(statement))
        try:
            written = Writer(self.engine, run).write(self.statements.plan(statement, run))
        except Error as error:
            self.last_write = error.rows
            raise
        self.rowcount, self.last_write = written.rowcount, written.last_write
        return written.returned

    def _add(self, tables: tuple[TableRef, ...]) -> None:
        for table in tables:
            if table.name is not None:
                self.engine.add_resource(self.catalog.find(table.name))


class MakeWorld(Protocol):
    """The fixture `make_world`: a world that is closed when the test is over."""

    def __call__(self, resources: str, routes: Mapping[str, Answer], **options: Any) -> World: ...


def _tables(statement: Query | Insert | Update | Delete) -> tuple[TableRef, ...]:
    match statement:
        case Query(tables=tables):
            return tables
        case Insert(source_tables=tables, target=target):
            return (*tables, target)
        case (
            Update(tables=tables, where=where, target=target)
            | Delete(tables=tables, where=where, target=target)
        ):
            return (*tables, target, *(() if where is None else where.tables))


def _response(answer: object) -> httpx.Response:
    if not isinstance(answer, httpx.Response):
        return httpx.Response(200, json=answer)
    return httpx.Response(answer.status_code, content=answer.content, headers=answer.headers)


def _line(request: httpx.Request) -> str:
    path, mark, query = request.url.raw_path.decode().partition("?")
    line = f"{request.method} {unquote(path)}{mark}{unquote(query)}"
    body = request.content.decode()
    return f"{line} {body}" if body and body != "{}" else line
