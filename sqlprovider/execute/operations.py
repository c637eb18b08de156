"""The long-running operations that a session has started: rows of `sqlprovider.operations`, from memory."""

from __future__ import annotations

import itertools
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from sqlprovider.catalog.catalog import Catalog
from sqlprovider.catalog.model import ErrorShape, Method, Place, Resource, WaitShape
from sqlprovider.errors import Error, StatementInterrupted, WaitTimeoutError
from sqlprovider.execute.items import value_at
from sqlprovider.execute.wait import (
    Waiting,
    is_done,
    name_running,
    operation_error,
    operation_name,
    wait_until_done,
)
from sqlprovider.plan.model import Operation
from sqlprovider.sql.tokens import quoted_if_needed, string_literal
from sqlprovider.values import JSON, Name, datetime_from_epoch_ms

State: TypeAlias = Literal["running", "done", "failed", "unknown"]
"""`running` as far as is known here; `unknown`: asking for it failed."""

LOOK = "SELECT name, state, error FROM sqlprovider.operations"
_PLACEHOLDER = re.compile(r"\{([^{}]+)\}")
_MOST_KEPT = 10_000


@dataclass(frozen=True, slots=True)
class OperationRecord:
    """One operation: a row of `sqlprovider.operations`. Times are DATETIME texts."""

    started_at: str
    connection: str
    resource: str
    method: str
    key: str | None
    """What the call said of the row, as `last_write` writes keys."""
    name: str
    """The backend's."""
    state: State
    error: str | None
    checked_at: str
    """When the backend last told how it stands."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a call's operation stands; `running`: it was not to be waited for (`wait = 0`)."""

    name: str | None
    """None where it was done at once and the answer names none."""
    state: Literal["running", "done", "failed"]
    answer: dict[str, JSON]
    error: Error | None = None
    """What it failed with."""


class Operations:
    """What was started and what is known of it. Threads share it; the oldest are forgotten."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._records: dict[int, OperationRecord] = {}
        self._numbers = itertools.count()
        self._lock = threading.Lock()

    def records(self) -> tuple[OperationRecord, ...]:
        """The operations, in the order in which they were started. Asks nobody."""
        with self._lock:
            return tuple(self._records.values())

    def started(self, operation: Operation, name: str, *, key: str | None = None) -> int:
        """Writes an operation down; its number here."""
        at = self._time()
        record = OperationRecord(
            at,
            operation.resource.connection,
            str(operation.resource),
            operation.method.name,
            key,
            name,
            "running",
            None,
            at,
        )
        with self._lock:
            number = next(self._numbers)
            self._records[number] = record
            self._records.pop(number - _MOST_KEPT, None)
        return number

    def polled(self, number: int) -> None:
        """The backend told that it runs still."""
        self._change(number, "running")

    def ended(self, number: int, state: State, error: Error | None = None) -> None:
        """It is done, it failed, or nobody could tell."""
        self._change(number, state, error)

    def is_running(self, number: int) -> bool:
        """Whether it has not ended, as far as is known."""
        with self._lock:
            known = self._records.get(number)
            return known is not None and known.state == "running"

    def _change(self, number: int, state: State, error: Error | None = None) -> None:
        with self._lock:
            if (known := self._records.get(number)) is None:
                return
            at = known.checked_at if state == "unknown" else self._time()
            text = None if error is None else error.message
            self._records[number] = replace(known, state=state, error=text, checked_at=at)

    def _time(self) -> str:
        return datetime_from_epoch_ms(self._now() * 1000)


class Following:
    """The operations of one statement, waited for in any thread."""

    def __init__(self, log: Operations, catalog: Catalog) -> None:
        self._log = log
        self._catalog = catalog
        self._begun: dict[int, tuple[str, Callable[[str], str]]] = {}
        """Number in the log → the operation's name, and what makes the SQL that looks at it."""

    def follow(
        self,
        operation: Operation,
        answer: dict[str, JSON],
        shape: WaitShape,
        waiting: Waiting,
        *,
        errors: ErrorShape,
    ) -> Ended:
        """Waits for the operation that a call answered with. Raises what `wait_until_done` raises."""
        name = _name(answer, shape)

        def look(name: str) -> str:
            return operation_hint(self._catalog, operation.resource, name, shape)

        number = None if name is None else self._begin(operation, name, look)

        def ask(name: str) -> dict[str, JSON]:
            answered = waiting.ask(name)
            if number is not None:
                self._log.polled(number)
            return answered

        try:
            answer = wait_until_done(answer, shape, replace(waiting, ask=ask, look=look))
        except (StatementInterrupted, WaitTimeoutError):
            raise
        except Error as error:
            if number is not None:
                self._log.ended(number, "unknown", error)
            raise
        ended = _ended(name, answer, shape, errors)
        if number is not None:
            self._log.ended(number, ended.state, ended.error)
        return ended

    @contextmanager
    def named_when_stopped(self) -> Iterator[None]:
        """Ctrl-C in the block names the operations that go on, and the SQL that looks at the first of them.

        Whoever waits for a thread of the pool is let go at once, before that thread can say what it does.
        """
        try:
            yield
        except StatementInterrupted as error:
            self._name(error)
            raise
        except KeyboardInterrupt:
            stopped = StatementInterrupted("interrupted")
            self._name(stopped)
            if stopped.hint is None:
                raise
            raise stopped from None

    def _name(self, error: StatementInterrupted) -> None:
        begun = tuple(self._begun.copy().items())
        running = [kept for number, kept in begun if self._log.is_running(number)]
        if running and error.hint is None:
            first, look = running[0]
            name_running(error, [name for name, _ in running], hint=look(first))

    def _begin(self, operation: Operation, name: str, look: Callable[[str], str]) -> int:
        resource = self._catalog.find(operation.resource)
        number = self._log.started(operation, name, key=operation_key(operation, resource))
        self._begun[number] = name, look
        return number


def _name(answer: dict[str, JSON], shape: WaitShape) -> str | None:
    """None where it is done at once and has no name, which nobody needs then."""
    if not is_done(answer, shape):
        return operation_name(answer, shape)
    found = value_at(answer, shape.name)
    return found if isinstance(found, str) and found else None


def _ended(name: str | None, answer: dict[str, JSON], shape: WaitShape, errors: ErrorShape) -> Ended:
    if not is_done(answer, shape):
        return Ended(name, "running", answer)
    if (error := operation_error(answer, shape, errors)) is not None:
        return Ended(name, "failed", answer, error)
    return Ended(name, "done", answer)


def operation_key(operation: Operation, resource: Resource) -> str | None:
    """What a call says of its row: `projectsId=p, runsId=r1`."""
    given = dict(operation.arguments)
    columns = {p.column: given[p.name] for p in operation.method.parameters.values() if p.name in given}
    return ", ".join(f"{name}={columns[name]!s}" for name in resource.key if name in columns) or None


def operation_hint(catalog: Catalog, started: Name, name: str, shape: WaitShape) -> str:
    """The SQL that shows how an operation stands which a call of the resource `started` has begun.

    Where the service has a resource whose `get` is what would be asked, the SELECT on that; then the log,
    which is gone with the session.
    """
    try:
        found = _resource_of(catalog, started, name, shape)
    except Error:
        found = None
    return LOOK if found is None else f"{found}; {LOOK}"


def _resource_of(catalog: Catalog, started: Name, name: str, shape: WaitShape) -> str | None:
    service = catalog.service(started.connection, started.service)
    values = {"name": name, "version": service.version}
    asked = _PLACEHOLDER.sub(lambda found: values.get(found[1], found[0]), shape.path)
    collection = asked.rpartition("/")[0].rpartition("/")[2]
    # A resource is opened at its first use: those that are called like the name's collection come first.
    for title in sorted(service.resources, key=lambda title: (collection not in title, len(title))):
        resource = catalog.resource(started.connection, started.service, title)
        for method in resource.methods.values():
            if (keys := _keys(method, asked, service.version)) is not None:
                return _select(resource, keys, shape)
    return None


def _keys(method: Method, asked: str, version: str) -> dict[str, str] | None:
    """Column → value, where a method would make that request; None where it would not."""
    if method.effect != "read" or method.http_method != "GET":
        return None
    if method.path.count("/") != asked.count("/"):
        return None
    columns = {p.wire_name: p.column for p in method.parameters.values() if p.place is Place.PATH}
    values: dict[str, str] = {}
    for wanted, given in zip(method.path.split("/"), asked.split("/"), strict=True):
        placeholder = _PLACEHOLDER.fullmatch(wanted)
        if placeholder is None or placeholder[1] == "version":
            if given != (version if placeholder else wanted):
                return None
        elif (column := columns.get(placeholder[1])) is not None:
            values[column] = given
        else:
            return None
    return values or None


def _select(resource: Resource, keys: dict[str, str], shape: WaitShape) -> str:
    paths = (shape.name, shape.done, shape.error)
    shown = [column.name for path in paths if path and (column := resource.column(path[0])) is not None]
    columns = ", ".join(map(quoted_if_needed, shown)) or "*"
    where = " AND ".join(
        f"{quoted_if_needed(column)} = {string_literal(value)}" for column, value in keys.items()
    )
    return f"SELECT {columns} FROM {resource.name} WHERE {where}"
