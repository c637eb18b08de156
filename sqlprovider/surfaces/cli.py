"""The `sqlprovider` command: its streams, how it ends, and `--version`; `commands.py` has the rest."""

from __future__ import annotations

import gc
import os
import sys

from sqlprovider import __version__

TYPE_CHECKING = False  # loading `typing` takes longer than all that --version does
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Literal, TextIO

    from sqlprovider.surfaces.opening import OpenSession


_COLLECT_EVERY = 50_000
"""Objects made between two searches for garbage: what is loaded at the start is none of it."""


class Streams:
    """What a command reads and writes."""

    def __init__(self, stdin: TextIO, stdout: TextIO, stderr: TextIO, environ: Mapping[str, str]) -> None:
        self.stdin = stdin
        self.stdout = stdout
        self.stderr = stderr
        self.environ = environ


def main(
    argv: Sequence[str] | None = None,
    *,
    stdin: TextIO | None = None,
    stdout: TextIO | None = None,
    stderr: TextIO | None = None,
    environ: Mapping[str, str] | None = None,
    open_session: OpenSession | None = None,
) -> int:
    """Run one command line; its exit code. `open_session` is a test's own."""
    if argv is None:
        gc.set_threshold(_COLLECT_EVERY)
    if stdout is None:
        _use_utf8()
    streams = Streams(
        stdin or _or_nowhere(sys.stdin, "r"),
        stdout or _or_nowhere(sys.stdout, "w"),
        stderr or _or_nowhere(sys.stderr, "w"),
        os.environ if environ is None else environ,
    )
    try:
        code = _run(sys.argv[1:] if argv is None else argv, streams, open_session)
        streams.stdout.flush()
    except OSError as error:
        if stdout is None:
            _drop_stdout()
        return 0 if isinstance(error, BrokenPipeError) else _show_failure(error, streams)
    except (Exception, KeyboardInterrupt) as error:
        return _show_failure(error, streams)
    finally:
        if argv is None:
            gc.freeze()  # the process ends: Python would search all of it once more
    return code


def _run(argv: Sequence[str], streams: Streams, open_session: OpenSession | None) -> int:
    if list(argv) == ["--version"]:
        streams.stdout.write(f"sqlprovider {__version__}\n")
        return 0
    from sqlprovider.surfaces.commands import run_command  # noqa: PLC0415  --version does without it

    return run_command(argv, streams, open_session)


def _show_failure(error: BaseException, streams: Streams) -> int:
    from sqlprovider.errors import OperationalError  # noqa: PLC0415  for failures alone
    from sqlprovider.surfaces.failures import show_failure  # noqa: PLC0415  for failures alone

    shown = OperationalError(str(error)) if isinstance(error, OSError) else error
    return show_failure(shown, stderr=streams.stderr, environ=streams.environ)


def _or_nowhere(stream: TextIO | None, mode: Literal["r", "w"]) -> TextIO:
    """A stream of the process: closed by whoever started it, it is None, and nothing comes or goes."""
    return stream or open(os.devnull, mode, encoding="utf-8")  # noqa: PTH123  pathlib is slow to load


def _use_utf8() -> None:
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None and not stream.isatty():
            reconfigure(encoding="utf-8")
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(newline="\n")


def _drop_stdout() -> None:
    """Python flushes stdout once more as it ends; let that go nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    sys.exit(main())
