"""How a failure is shown, and the exit code it means."""

from __future__ import annotations

from typing import TYPE_CHECKING, TextIO

from sqlprovider.errors import Error, InterfaceError, InternalError, StatementInterrupted
from sqlprovider.surfaces.visible import visible

if TYPE_CHECKING:
    from collections.abc import Mapping

OK = 0
FAILED = 1
MISUSED = 2
INTERRUPTED = 130


def show_failure(error: BaseException, *, stderr: TextIO, environ: Mapping[str, str]) -> int:
    """Print the error, with its traceback only where SQLPROVIDER_DEBUG asks for it; the exit code."""
    if environ.get("SQLPROVIDER_DEBUG"):
        import traceback  # noqa: PLC0415  only who asks for it pays for it

        stderr.write("".join(traceback.format_exception(error)))
    shown = error if isinstance(error, Error) else _as_ours(error)
    stderr.write(f"error: {type(shown).__name__}: {visible(str(shown))}\n")
    match shown:
        case StatementInterrupted():
            return INTERRUPTED
        case InterfaceError():
            return MISUSED
        case _:
            return FAILED


def _as_ours(error: BaseException) -> Error:
    if isinstance(error, KeyboardInterrupt):
        return StatementInterrupted("interrupted")
    return InternalError(
        f"{type(error).__name__}: {error}",
        hint="please report this, with the statement; SQLPROVIDER_DEBUG=1 shows where it happened",
    )
