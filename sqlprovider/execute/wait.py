"""Long-running operations until done. Sends nothing itself: it is given what asks and what sleeps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlprovider.catalog.model import ErrorShape, WaitShape
from sqlprovider.errors import DataError, Error, StatementInterrupted, WaitTimeoutError
from sqlprovider.execute.events import WaitProgress
from sqlprovider.execute.items import kind_of, pointer, value_at
from sqlprovider.execute.response import classify, clean
from sqlprovider.values import JSON

Ask = Callable[[str], dict[str, JSON]]
"""The operation's name → how it stands."""

_FIRST_DELAY, _LONGEST_DELAY, _GROWTH = 0.5, 10.0, 1.5
_MOST_UNREADABLE = 3
"""Answers one after the other that are no JSON: a proxy's page between two answers must not end a wait."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """How waiting is done."""

    ask: Ask
    pause: Callable[[float], None]
    monotonic: Callable[[], float]
    limit: float = 3600.0
    """Seconds; 0: the operation is not asked for at all."""
    tell: Callable[[WaitProgress], None] = lambda progress: None
    look: Callable[[str], str | None] = lambda name: None
    """The operation's name → the SQL that shows how it stands, the hint where it is waited for no more."""


def wait_until_done(answer: dict[str, JSON], shape: WaitShape, waiting: Waiting) -> dict[str, JSON]:
    """The operation once it is done, asked for more and more slowly; done at once, it is not asked for.

    With `limit` 0 it comes back as it is: `is_done` tells. Whoever stops a wait leaves the operation running:
    WaitTimeoutError and StatementInterrupted name it and say how to look at it. A poll that fails after its
    retries ends the wait with the poll's error, its reason `wait_failed`.
    """
    if is_done(answer, shape):
        return answer
    name = operation_name(answer, shape)
    if waiting.limit == 0:
        return answer
    started = waiting.monotonic()
    waiting.tell(WaitProgress(name, 0.0))
    try:
        return _poll(name, shape, waiting, started)
    except (StatementInterrupted, KeyboardInterrupt) as stopped:
        error = stopped if isinstance(stopped, StatementInterrupted) else StatementInterrupted("interrupted")
        name_running(error, [name], hint=waiting.look(name))
        raise error from None
    finally:
        waiting.tell(WaitProgress(name, waiting.monotonic() - started, is_over=True))


def _poll(name: str, shape: WaitShape, waiting: Waiting, started: float) -> dict[str, JSON]:
    deadline, delay = started + waiting.limit, _FIRST_DELAY
    unreadable = 0
    while (left := deadline - waiting.monotonic()) > 0:
        waiting.pause(min(delay, left))
        delay = min(_LONGEST_DELAY, delay * _GROWTH)
        try:
            answer = waiting.ask(name)
        except StatementInterrupted:
            raise
        except Error as error:
            unreadable = unreadable + 1 if isinstance(error, DataError) else _MOST_UNREADABLE
            if unreadable >= _MOST_UNREADABLE:
                raise _failed(name, error) from None
            continue
        unreadable = 0
        waiting.tell(WaitProgress(name, waiting.monotonic() - started))
        try:
            if is_done(answer, shape):
                return answer
        except DataError as error:
            raise _failed(name, error) from None
    raise WaitTimeoutError(
        f"{name} was not done after {waiting.limit:g} s; it goes on at the backend", hint=waiting.look(name)
    )


def name_running(error: StatementInterrupted, names: Sequence[str], *, hint: str | None) -> None:
    """Makes an error say which operations go on, and how to look at the first; once."""
    if error.hint is None:
        more = f" and {len(names) - 1} more go on" if len(names) > 1 else " goes on"
        error.message += f"; {names[0]}{more} at the backend"
        error.hint = hint


def _failed(name: str, error: Error) -> Error:
    error.message = f"waiting for {name}, which may go on at the backend: {error.message}"
    error.reason = "wait_failed"
    return error


def is_done(answer: dict[str, JSON], shape: WaitShape) -> bool:
    """Whether the operation has ended."""
    done = value_at(answer, shape.done)
    if done is None or isinstance(done, bool):
        return bool(done)
    at = pointer(shape.done)
    raise DataError(f"{at} is {kind_of(done)}, not true or false", reason="wrong_shape", pointer=at)


def operation_error(answer: dict[str, JSON], shape: WaitShape, errors: ErrorShape) -> Error | None:
    """The error a long-running operation ended with; None where it did what it should."""
    error = value_at(answer, shape.error)
    if error is None or error == {}:
        return None
    code, message = value_at(error, ("code",)), value_at(error, ("message",))
    if isinstance(code, int) and not isinstance(code, bool):
        code = _STATUS_WORDS.get(code, str(code))
    word = code if isinstance(code, str) else None
    text = message if isinstance(message, str) else (error if isinstance(error, str) else "no message")
    # 409 is what the API would have answered, had it known at once.
    status = 409 if word in ("ALREADY_EXISTS", "ABORTED") else None
    head = "the operation failed" if word is None else f"the operation failed with {word}"
    return classify(f"{head}: {clean(text)}", status=status, code=word, identity=None, errors=errors)


def operation_result(answer: dict[str, JSON], shape: WaitShape) -> dict[str, JSON]:
    """What a long-running operation gave; empty where it gives nothing."""
    result = value_at(answer, shape.result)
    return result if isinstance(result, dict) else {}


def operation_name(answer: dict[str, JSON], shape: WaitShape) -> str:
    """The name by which an operation is asked for. Raises DataError where the answer has none."""
    name = value_at(answer, shape.name)
    if isinstance(name, str) and not any(part in ("", ".", "..") for part in name.split("/")):
        return name
    at = pointer(shape.name)
    raise DataError(f"{at} should name the operation that was started", reason="wrong_shape", pointer=at)


_STATUS_WORDS = {
    1: "CANCELLED",
    2: "UNKNOWN",
    3: "INVALID_ARGUMENT",
    4: "DEADLINE_EXCEEDED",
    5: "NOT_FOUND",
    6: "ALREADY_EXISTS",
    7: "PERMISSION_DENIED",
    8: "RESOURCE_EXHAUSTED",
    9: "FAILED_PRECONDITION",
    10: "ABORTED",
    11: "OUT_OF_RANGE",
    12: "UNIMPLEMENTED",
    13: "INTERNAL",
    14: "UNAVAILABLE",
    15: "DATA_LOSS",
    16: "UNAUTHENTICATED",
}
"""google.rpc.Code, the numbers that gRPC gave its statuses."""
