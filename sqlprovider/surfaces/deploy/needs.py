"""What reading a manifest asks of a session, and of what the session knows about a resource."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Protocol

from sqlprovider.values import Row, SQLValue, Type


class ColumnFacts(Protocol):
    """One column."""

    @property
    def name(self) -> str: ...
    @property
    def type(self) -> Type: ...
    @property
    def insertable(self) -> bool: ...
    @property
    def settable(self) -> bool: ...
    @property
    def is_map(self) -> bool: ...
    @property
    def enum(self) -> tuple[str, ...]: ...


class MethodFacts(Protocol):
    """One method."""

    @property
    def name(self) -> str: ...
    @property
    def verb(self) -> str: ...
    @property
    def required(self) -> tuple[str, ...]: ...
    @property
    def optional(self) -> tuple[str, ...]: ...
    @property
    def has_batch_body(self) -> bool: ...
    @property
    def types(self) -> Mapping[str, Type]: ...


class ResourceFacts(Protocol):
    """One resource."""

    @property
    def name(self) -> str: ...
    @property
    def key(self) -> tuple[str, ...]: ...
    @property
    def parents(self) -> tuple[str, ...]: ...
    @property
    def identity(self) -> tuple[str, ...]: ...
    @property
    def identity_unique(self) -> bool: ...
    @property
    def chosen_id(self) -> tuple[str, str] | None: ...
    @property
    def columns(self) -> Mapping[str, ColumnFacts]: ...
    @property
    def methods(self) -> Mapping[str, MethodFacts]: ...
    @property
    def defaults(self) -> Mapping[str, str]: ...


class Desired(Protocol):
    """One statement of a text of desired state, evaluated; nothing was sent."""

    @property
    def kind(self) -> str:
        """`insert`, `exec`, `local` (it was run: CREATE TEMP TABLE or VIEW, USE), or `other` (it was not)."""

    @property
    def text(self) -> str: ...
    @property
    def start(self) -> int:
        """Where in the text it begins."""

    @property
    def name(self) -> str:
        """The full name of the resource."""

    @property
    def method(self) -> str | None: ...
    @property
    def columns(self) -> tuple[str, ...]:
        """The columns as written; for EXEC the arguments, last the body: `@json`."""

    @property
    def rows(self) -> tuple[Row, ...]: ...
    @property
    def reads(self) -> tuple[str, ...]:
        """The full names of the resources that it names in a SELECT."""

    @property
    def conflict(self) -> str | None: ...
    @property
    def returning(self) -> bool: ...


class Reader(Protocol):
    """The session, as far as reading a manifest needs it."""

    def resolve(self, name: str, use: tuple[str, ...] = ()) -> str:
        """The full name. Raises UnknownNameError, ProgrammingError."""

    def facts(self, name: str) -> ResourceFacts:
        """What is known of a resource. Raises UnknownNameError."""

    def desired(
        self, text: str, values: Mapping[str, SQLValue], use: tuple[str, ...] = ()
    ) -> Iterator[Desired]:
        """The statements of a text, one by one, evaluated as they are asked for."""

    def fork(self) -> Reader:
        """Another session, whose temporary tables are its own."""

    def close(self) -> None: ...
