"""apsw's exceptions as ours, in one place."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import apsw

from sqlprovider.errors import (
    DataError,
    Error,
    IntegrityError,
    InternalError,
    NotSupportedError,
    OperationalError,
    ProgrammingError,
    SQLSyntaxError,
    StatementInterrupted,
    UnknownColumnError,
    UnknownNameError,
)


@contextmanager
def sqlite_errors(sql: str, refused: Callable[[], Error | None] = lambda: None) -> Iterator[None]:
    """Maps apsw's exceptions to ours, once; our own pass through as they are."""
    try:
        yield
    except apsw.Error as error:
        mapped = refused() if "no query solution" in str(error) else None
        raise mapped or map_sqlite_error(error, sql) from error
    except KeyboardInterrupt:
        raise StatementInterrupted("interrupted") from None


def map_sqlite_error(error: apsw.Error, sql: str) -> Error:
    """The exception of ours that says what an exception of apsw's means."""
    text = str(error).removeprefix("SQLError: ")
    match error:
        case apsw.InterruptError():
            return StatementInterrupted("interrupted")
        case apsw.ConstraintError():
            return IntegrityError(text, reason="constraint")
        case apsw.MismatchError() | apsw.TooBigError() | apsw.RangeError():
            return DataError(text)
        case apsw.SQLError():
            return _sql_error(text)
        case apsw.BindingsError() | apsw.MisuseError() | apsw.AuthError() | apsw.SchemaChangeError():
            return ProgrammingError(text)
        case apsw.IncompleteExecutionError() | apsw.ConnectionClosedError() | apsw.CursorClosedError():
            return ProgrammingError(text)
        case apsw.ThreadingViolationError() | apsw.ConnectionNotClosedError() | apsw.ForkingViolationError():
            return ProgrammingError(text)
        case apsw.InternalError() | apsw.InvalidContextError() | apsw.ExecTraceAbort():
            return InternalError(text)
        case apsw.ReadOnlyError() | apsw.NoLFSError() | apsw.VFSNotImplementedError() | apsw.NoFTS5Error():
            return NotSupportedError(text)
        case _:
            return OperationalError(text)


def _sql_error(text: str) -> Error:
    if re.match(r"no such (?:table|module|function|index|view|savepoint): ", text):
        return UnknownNameError(text)
    if (found := re.match(r"no such column: (?:.+\.)?(.+)", text)) is not None:
        error = UnknownColumnError(text)
        error.name = found[1]
        return error
    if re.match(r"table .* has no column named |.* has no column named ", text):
        return UnknownColumnError(text)
    if "syntax error" in text or text.startswith(("incomplete input", "unrecognized token")):
        return SQLSyntaxError(text)
    return ProgrammingError(text)


@contextmanager
def named_bindings(bindings: object) -> Iterator[None]:
    """apsw raises KeyError for a named parameter that is not given."""
    try:
        yield
    except KeyError as error:
        if isinstance(bindings, Mapping) and error.args and error.args[0] not in bindings:
            raise ProgrammingError(
                f"no value for the parameter :{error.args[0]}", reason="parameter_count"
            ) from None
        raise
