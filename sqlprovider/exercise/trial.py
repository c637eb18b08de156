"""One resource on trial: its generated rows, the server that answers for them, and SQL against it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import httpx

from sqlprovider.catalog.model import ITSELF, Column, Method, Path, Provider, Resource, Role, Verb, Wire
from sqlprovider.config import AuthSpec, Config, ConnectionConfig, Settings
from sqlprovider.execute.clock import Clock
from sqlprovider.exercise.items import shown
from sqlprovider.exercise.made import Values, argument, make_value, make_values, row_columns
from sqlprovider.exercise.platform import Platform, is_list
from sqlprovider.session import Session
from sqlprovider.values import Row, SQLValue, Type

_STILL = Clock(monotonic=lambda: 0.0, pause=lambda stop, seconds: None, random=lambda: 0.0)
_NOWHERE = "http://127.0.0.1:9"


@dataclass(frozen=True, slots=True)
class Outcome:
    """One thing tried."""

    resource: str
    check: str
    message: str | None = None
    """What went wrong; None: nothing."""


class Stage:
    """The sessions in which a provider is tried: one for each set of defaults, all with the same platform.

    `claimed`: what the sessions take for the provider's documents, where the platform is made from others.
    """

    def __init__(self, provider: Provider, claimed: Provider | None = None) -> None:
        self.provider = provider
        self._claimed = replace(
            claimed or provider, auth_types=("none",), auth_default="none", base_url_env=None
        )
        self.platform: Platform | None = None
        self._sessions: dict[tuple[tuple[str, str], ...], Session] = {}

    def session(self, defaults: Mapping[str, str]) -> Session:
        """The session of a connection with these defaults."""
        key = tuple(sorted(defaults.items()))
        if key not in self._sessions:
            self._sessions[key] = self._open(defaults)
        return self._sessions[key]

    def close(self) -> None:
        """Closes the sessions."""
        for session in self._sessions.values():
            session.close()

    def _open(self, defaults: Mapping[str, str]) -> Session:
        name = self.provider.name
        connection = ConnectionConfig(
            name, name, _NOWHERE, AuthSpec("none", {}), region="r", defaults=dict(defaults)
        )
        return Session(
            Config(Settings(max_requests=10**6, allow_all=True, journal=False), {name: connection}, None),
            transport=httpx.MockTransport(self._answer),
            environ={},
            clock=_STILL,
            load=lambda name, versions: self._claimed,
        )

    def _answer(self, request: httpx.Request) -> httpx.Response:
        return httpx.Response(500) if self.platform is None else self.platform(request)


@dataclass(slots=True)
class Table:
    """A platform that answers for the rows of one resource, and SQL against it."""

    platform: Platform
    session: Session

    def run(self, sql: str, params: Sequence[SQLValue] = ()) -> list[Row]:
        """The rows of the last statement."""
        rows: list[Row] = []
        for result in self.session.run(sql, tuple(params)):
            rows = list(result.rows)
        return rows


@dataclass(slots=True)
class Trial:
    """What is tried of one resource."""

    stage: Stage
    resource: Resource
    version: str
    shared: Values = field(init=False)
    """The values that all rows have in common, because one list gives them all."""

    def __post_init__(self) -> None:
        names = {column for method in self.lists for column in (*self.bound(method), *_of_head(self, method))}
        held = (column for column in row_columns(self.resource) if column.name in names)
        self.shared = {column.name: make_value(self.resource, column, 0) for column in held}

    @property
    def name(self) -> str:
        """The three-part name."""
        return str(self.resource.name)

    @property
    def reads(self) -> tuple[Method, ...]:
        """The reading methods."""
        return self.resource.verb_methods(Verb.SELECT)

    @property
    def lists(self) -> list[Method]:
        """The reading methods that give many rows."""
        return [method for method in self.reads if is_list(method)]

    @property
    def gets(self) -> list[Method]:
        """The reading methods that give one row."""
        return [method for method in self.reads if not is_list(method)]

    @property
    def columns(self) -> list[Column]:
        """The columns that are compared: those that are in the item, or bound by a list."""
        found = (c for c in self.resource.columns if c.role in (Role.PARAMETER, Role.ITEM))
        return [c for c in found if not c.whole_item and (c.path or c.present or c.name in self.shared)]

    def rows(self, count: int) -> list[Values]:
        """Generated rows, told apart by their keys."""
        return [self.row(n) for n in range(1, count + 1)]

    def row(self, n: int, given: Mapping[str, SQLValue] | None = None) -> Values:
        """The n-th generated row; `given`: values of its own."""
        return make_values(self.resource, n, {**self.shared, **(given or {})})

    def has_room(self) -> bool:
        """Whether one list can give several rows."""
        return not self.resource.key or not set(self.resource.key) <= set(self.shared)

    def bound(self, method: Method) -> list[str]:
        """The columns of the row that a method must be given."""
        held = {column.name for column in row_columns(self.resource)}
        required = (p.column or p.name for p in method.parameters.values() if p.required)
        return [name for name in required if name in held]

    def groups(self, method: Method, path: Path, rows: list[Values]) -> list[list[Values]]:
        """The rows that one answer of a list can hold, where they differ in what is at a path."""
        return [[row] for row in rows] if _is_of_head(method, path) else [rows]

    def where(
        self, method: Method, row: Mapping[str, SQLValue], *, but: str | None = None
    ) -> tuple[str, list[SQLValue]]:
        """The condition that gives a method what it must be given (`but` one column), and its parameters."""
        said, params = ["1"], list[SQLValue]()
        for parameter in method.parameters.values():
            name = parameter.column or parameter.name
            if parameter.required and name != but:
                said.append(f'"{name}" = ?')
                params.append(row[name] if name in row else argument(parameter, 1))
        return " AND ".join(said), params

    def expected(self, rows: Sequence[Values]) -> list[Row]:
        """What SQL should show of the compared columns."""
        return [
            tuple(_cell(column, values) for column in self.columns)
            for values in (shown(self.resource, row) for row in rows)
        ]

    @contextmanager
    def table(
        self,
        rows: Sequence[Values] = (),
        *,
        page_size: int = 3,
        spoil: Mapping[str, object] | None = None,
        defaults: Mapping[str, str] | None = None,
        unreachable: bool = False,
    ) -> Iterator[Table]:
        """The resource with these rows, its ancestors with the ones that they lie in."""
        tables = {self.name: [dict(row) for row in rows]}
        ancestors = self.ancestors()
        for ancestor, values in ancestors.items():
            tables.setdefault(str(ancestor.name), []).append(values)
        self.stage.platform = platform = Platform(
            self.stage.provider,
            self.version,
            (self.resource, *ancestors),
            tables,
            self.shared,
            page_size=page_size,
            spoil=spoil or {},
            unreachable=unreachable,
        )
        try:
            yield Table(platform, self.stage.session(defaults or {}))
        finally:
            self.stage.platform = None

    def ancestors(self) -> dict[Resource, Values]:
        """The row of each ancestor that the rows lie in."""
        return dict(self._ancestors())

    def _ancestors(self) -> Iterator[tuple[Resource, Values]]:
        """The parents, theirs, …, each with the row that agrees with what the rows below share."""
        below, seen = [(self.resource, self.shared)], {self.name}
        while below:
            child, known = below.pop(0)
            for parent in child.parents:
                above = self.stage.provider.services[parent.service].resources[parent.resource]
                if str(above.name) not in seen:
                    seen.add(str(above.name))
                    given = {column: known[name] for name, column in parent.bind.items() if name in known}
                    values = make_values(above, 0, given)
                    yield above, values
                    below.append((above, values))


def written_columns(resource: Resource, method: Method) -> list[Column]:
    """The columns of the row that a writing method takes and a reading one shows."""
    named = {p.column for p in method.parameters.values()}
    return [c for c in row_columns(resource) if c.name in named]


def _of_head(trial: Trial, method: Method) -> list[str]:
    """The columns of the one object in which all items of an answer lie (`trace` of `trace.spans[]`)."""
    return [c.name for c in row_columns(trial.resource) if _is_of_head(method, c.path)]


def _is_of_head(method: Method, path: Path) -> bool:
    rows = method.rows or ("[]",)
    lists = sum(segment.endswith("[]") for segment in rows)
    return not rows[0].endswith("[]") and sum(key == "^" for key in path) >= lists


def _cell(column: Column, values: Mapping[str, SQLValue]) -> SQLValue:
    value = values.get(column.name)
    is_map = column.wire is Wire.KEY_VALUE and column.type is Type.JSON
    return "{}" if value is None and is_map and column.path != ITSELF else value
