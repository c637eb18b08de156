"""Long-running operations until done. Sends nothing itself: it is given what asks and what sleeps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlprovider.catalog.model import ErrorShape, WaitShape
from sqlprovider.errors import DataError, Error, StatementInterrupted, WaitTimeoutError
from sqlprovider.execute.items import kind_of, pointer, value_at
from sqlprovider.execute.response import classify, clean
from sqlprovider.values import JSON

Ask = Callable[[str], dict[str, JSON]]
"""The operation's name → how it stands."""

_FIRST_DELAY, _LONGEST_DELAY, _GROWTH = 0.5, 10.0, 1.5


@dataclass(frozen=True, slots=True)
class Waiting:
    """How waiting is done."""

    ask: Ask
    pause: Callable[[float], None]
    monotonic: Callable[[], float]
    limit: float = 3600.0
    """Seconds."""


def wait_until_done(answer: dict[str, JSON], shape: WaitShape, waiting: Waiting) -> dict[str, JSON]:
    """The operation once it is done, asked for more and more slowly; done at once, it is not asked for."""
    if is_done(answer, shape):
        return answer
    name = _name(answer, shape)
    deadline, delay = waiting.monotonic() + waiting.limit, _FIRST_DELAY
    while True:
        if waiting.monotonic() + delay > deadline:
            raise WaitTimeoutError(
                f"{name} was not done after {waiting.limit:g} s; it goes on at the backend"
            )
        waiting.pause(delay)
        try:
            answer = waiting.ask(name)
            if is_done(answer, shape):
                return answer
        except StatementInterrupted:
            raise
        except Error as error:
            error.message = f"waiting for {name}, which may go on at the backend: {error.message}"
            error.reason = "wait_failed"
            raise
        delay = min(_LONGEST_DELAY, delay * _GROWTH)


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


def _name(answer: dict[str, JSON], shape: WaitShape) -> str:
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
