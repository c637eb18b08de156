"""The `sqlprovider` command."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TextIO

from sqlprovider.errors import DatabaseError, Error, InterfaceError, OperationalError
from sqlprovider.surfaces.failures import FAILED, MISUSED, OK, show_failure
from sqlprovider.surfaces.flags import Arguments, UsageError, read_arguments
from sqlprovider.surfaces.opening import OpenSession, open_session
from sqlprovider.surfaces.parameters import read_parameter
from sqlprovider.surfaces.render import open_printer

if TYPE_CHECKING:
    from sqlprovider.session import Session
    from sqlprovider.values import SQLValue

_PROVIDERS = "SELECT provider, service, version, title FROM sqlprovider.services ORDER BY provider, service"


@dataclass(frozen=True, slots=True)
class Streams:
    """What a command reads and writes."""

    stdin: TextIO
    stdout: TextIO
    stderr: TextIO
    environ: Mapping[str, str]


def main(
    argv: Sequence[str] | None = None,
    *,
    stdin: TextIO | None = None,
    stdout: TextIO | None = None,
    stderr: TextIO | None = None,
    environ: Mapping[str, str] | None = None,
    open_session: OpenSession = open_session,
) -> int:
    """Run one command line; its exit code."""
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
        if isinstance(error, BrokenPipeError):
            return OK
        return show_failure(OperationalError(str(error)), stderr=streams.stderr, environ=streams.environ)
    except (Exception, KeyboardInterrupt) as error:
        return show_failure(error, stderr=streams.stderr, environ=streams.environ)
    return code


def _or_nowhere(stream: TextIO | None, mode: Literal["r", "w"]) -> TextIO:
    """A stream of the process: closed by whoever started it, it is None, and nothing comes or goes."""
    return stream or Path(os.devnull).open(mode, encoding="utf-8")


def _run(argv: Sequence[str], streams: Streams, open_session: OpenSession) -> int:
    try:
        arguments = read_arguments(argv, stdout=streams.stdout)
    except UsageError as error:
        streams.stderr.write(f"{error}\n")
        return MISUSED
    if arguments is None:
        return OK
    match arguments.command:
        case "query":
            return _query(arguments, streams, open_session)
        case "shell":
            return _shell(arguments, streams, open_session)
        case "plan" | "apply" | "destroy":
            return _deploy(arguments, streams, open_session)
        case "providers":
            return _providers(arguments, streams, open_session)
        case "demo":
            return _demo(arguments, streams)
        case _:
            return _version(streams)


def _query(arguments: Arguments, streams: Streams, open_session: OpenSession) -> int:
    from sqlprovider.surfaces.statements import Watched  # noqa: PLC0415  --help does without it

    text = _read_sql(arguments, streams.stdin)
    params = _read_params(arguments)
    printer = open_printer(_output(arguments, streams.stdout), streams.stdout)

    def run(session: Session) -> int:
        Watched(session, printer, stdout=streams.stdout, stderr=streams.stderr).run(text, params or ())
        if session.staged:
            streams.stderr.write(f"warning: {session.staged} staged rows were not sent: there is no COMMIT\n")
        return OK

    return _with_session(arguments, streams, open_session, run)


def _shell(arguments: Arguments, streams: Streams, open_session: OpenSession) -> int:
    from sqlprovider.surfaces.shell import run_shell  # noqa: PLC0415  the shell's parts are its own

    params = _read_params(arguments)
    is_terminal = streams.stdin.isatty() and streams.stdout.isatty()
    output = _output(arguments, streams.stdout)

    def run(session: Session) -> int:
        return run_shell(
            session,
            stdin=None if is_terminal else streams.stdin,
            stdout=streams.stdout,
            stderr=streams.stderr,
            environ=streams.environ,
            output=output,
            params=params,
        )

    return _with_session(arguments, streams, open_session, run)


def _deploy(arguments: Arguments, streams: Streams, open_session: OpenSession) -> int:
    from sqlprovider.surfaces.deploy.flags import run_deploy  # noqa: PLC0415  --help does without it

    deploy = arguments.deploy
    assert deploy is not None

    def run(session: Session) -> int:
        return run_deploy(
            deploy,
            session,
            stdin=streams.stdin,
            stdout=streams.stdout,
            stderr=streams.stderr,
            environ=streams.environ,
        )

    return _with_session(arguments, streams, open_session, run)


def _with_session(
    arguments: Arguments, streams: Streams, open_session: OpenSession, run: Callable[[Session], int]
) -> int:
    try:
        session = open_session(
            arguments.config,
            environ=streams.environ,
            overrides=arguments.overrides,
            settings=dict(arguments.settings),
            database=arguments.database,
        )
    except Error as error:
        if isinstance(error, DatabaseError):
            error.context = f"--db {arguments.database}"
        show_failure(error, stderr=streams.stderr, environ=streams.environ)
        return MISUSED
    try:
        return run(session)
    finally:
        session.close()


def _read_sql(arguments: Arguments, stdin: TextIO) -> str:
    match arguments.sql, arguments.file:
        case str(), str():
            raise InterfaceError("SQL and -f FILE: give one of them", reason="usage")
        case str() as sql, None:
            return sql
        case None, "-" | None if arguments.file == "-" or not stdin.isatty():
            return _read_text(stdin.read, "stdin")
        case None, str() as file:
            return _read_text(lambda: Path(file).read_text(encoding="utf-8-sig"), repr(file))
        case _:
            raise InterfaceError(
                "no SQL: give it as an argument, with -f FILE or on stdin",
                reason="usage",
                hint='sqlprovider query "SHOW PROVIDERS"',
            )


def _read_text(read: Callable[[], str], name: str) -> str:
    try:
        return read()
    except UnicodeDecodeError as error:
        raise InterfaceError(f"cannot read {name}: not UTF-8 text", reason="usage") from error
    except OSError as error:
        raise InterfaceError(f"cannot read {name}: {error.strerror}", reason="usage") from error


def _read_params(arguments: Arguments) -> dict[str, SQLValue]:
    return dict(map(read_parameter, arguments.params))


def _output(arguments: Arguments, stdout: TextIO) -> str:
    return arguments.output or ("table" if stdout.isatty() else "csv")


def _providers(arguments: Arguments, streams: Streams, open_session: OpenSession) -> int:
    if arguments.documents:
        return _compile(arguments, streams)
    if arguments.document is not None:
        return _check(Path(arguments.document), streams) or _exercise(arguments, streams)
    printer = open_printer(_output(arguments, streams.stdout), streams.stdout)
    with closing(open_session({}, environ=streams.environ)) as session:
        for result in session.run(_PROVIDERS):
            printer.write(result.columns or (), result.rows)
    return OK


def _check(document: Path, streams: Streams) -> int:
    from sqlprovider.session import check_document  # noqa: PLC0415  --help does without it

    if not document.exists():
        raise InterfaceError(f"no document {str(document)!r}", reason="usage")
    problems = check_document(document)
    for problem in problems:
        streams.stdout.write(f"{problem}\n")
    streams.stderr.write(f"{document}: {len(problems) or 'no'} problem{'s' * (len(problems) != 1)}\n")
    return FAILED if problems else OK


def _compile(arguments: Arguments, streams: Streams) -> int:
    from sqlprovider.session import compile_facts  # noqa: PLC0415  --help does without it
    from sqlprovider.surfaces.compile import run_compile  # noqa: PLC0415  --help does without it

    return run_compile(
        arguments.documents,
        names=arguments.names,
        folder=arguments.folder,
        load=lambda: compile_facts,
        stdout=streams.stdout,
        stderr=streams.stderr,
    )


def _exercise(arguments: Arguments, streams: Streams) -> int:
    if not arguments.exercise or arguments.document is None:
        return OK
    from sqlprovider.surfaces.exercise import exercise_document  # noqa: PLC0415  --help does without it

    return exercise_document(Path(arguments.document), stdout=streams.stdout, stderr=streams.stderr)


def _demo(arguments: Arguments, streams: Streams) -> int:
    from sqlprovider.surfaces.demo import run_demo  # noqa: PLC0415  --help does without it

    return run_demo(arguments.keep, stdout=streams.stdout, stderr=streams.stderr)


def _version(streams: Streams) -> int:
    from sqlprovider import __version__  # noqa: PLC0415  reading the version takes time

    streams.stdout.write(f"sqlprovider {__version__}\n")
    return OK


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
