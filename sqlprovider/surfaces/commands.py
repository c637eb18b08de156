"""The commands of the command line: each reads its arguments, opens a session and prints what comes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from typing import TYPE_CHECKING, TextIO

from sqlprovider import __version__
from sqlprovider.errors import DatabaseError, Error, InterfaceError
from sqlprovider.surfaces import opening
from sqlprovider.surfaces.failures import FAILED, MISUSED, OK, show_failure
from sqlprovider.surfaces.flags import Arguments, UsageError, read_arguments

if TYPE_CHECKING:
    from pathlib import Path

    from sqlprovider.session import Session
    from sqlprovider.surfaces.cli import Streams
    from sqlprovider.surfaces.opening import OpenSession
    from sqlprovider.surfaces.render import Printer
    from sqlprovider.values import SQLValue

_PROVIDERS = "SELECT provider, service, version, title FROM sqlprovider.services ORDER BY provider, service"


def run_command(argv: Sequence[str], streams: Streams, open_session: OpenSession | None = None) -> int:
    """Run one command line; its exit code. Raises what the command raises."""
    open_session = open_session or opening.open_session
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
            streams.stdout.write(f"sqlprovider {__version__}\n")
            return OK


def _query(arguments: Arguments, streams: Streams, open_session: OpenSession) -> int:
    from sqlprovider.surfaces.statements import Watched  # noqa: PLC0415  --help does without it

    text = _read_sql(arguments, streams.stdin)
    params = _read_params(arguments)
    printer = _printer(arguments, streams)

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
            return _read_file(file)
        case _:
            raise InterfaceError(
                "no SQL: give it as an argument, with -f FILE or on stdin",
                reason="usage",
                hint='sqlprovider query "SHOW PROVIDERS"',
            )


def _read_file(file: str) -> str:
    from pathlib import Path  # noqa: PLC0415  --help does without it

    return _read_text(lambda: Path(file).read_text(encoding="utf-8-sig"), repr(file))


def _read_text(read: Callable[[], str], name: str) -> str:
    try:
        return read()
    except UnicodeDecodeError as error:
        raise InterfaceError(f"cannot read {name}: not UTF-8 text", reason="usage") from error
    except OSError as error:
        raise InterfaceError(f"cannot read {name}: {error.strerror}", reason="usage") from error


def _read_params(arguments: Arguments) -> dict[str, SQLValue]:
    if not arguments.params:
        return {}
    from sqlprovider.surfaces.parameters import read_parameter  # noqa: PLC0415  few statements have any

    return dict(map(read_parameter, arguments.params))


def _printer(arguments: Arguments, streams: Streams) -> Printer:
    from sqlprovider.surfaces.render import open_printer  # noqa: PLC0415  --help does without it

    return open_printer(_output(arguments, streams.stdout), streams.stdout)


def _output(arguments: Arguments, stdout: TextIO) -> str:
    return arguments.output or ("table" if stdout.isatty() else "csv")


def _providers(arguments: Arguments, streams: Streams, open_session: OpenSession) -> int:
    if arguments.documents:
        return _compile(arguments, streams)
    if arguments.document is not None:
        return _check(arguments, arguments.document, streams)
    printer = _printer(arguments, streams)
    with closing(open_session({}, environ=streams.environ)) as session:
        for result in session.run(_PROVIDERS):
            printer.write(result.columns or (), result.rows)
    return OK


def _check(arguments: Arguments, document: str, streams: Streams) -> int:
    from pathlib import Path  # noqa: PLC0415  --help does without it

    from sqlprovider.session import check_document  # noqa: PLC0415  --help does without it

    path = Path(document)
    if not path.exists():
        raise InterfaceError(f"no document {document!r}", reason="usage")
    problems = check_document(path)
    for problem in problems:
        streams.stdout.write(f"{problem}\n")
    streams.stderr.write(f"{path}: {len(problems) or 'no'} problem{'s' * (len(problems) != 1)}\n")
    if problems:
        return FAILED
    return _exercise(path, streams) if arguments.exercise else OK


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


def _exercise(document: Path, streams: Streams) -> int:
    from sqlprovider.surfaces.exercise import exercise_document  # noqa: PLC0415  --help does without it

    return exercise_document(document, stdout=streams.stdout, stderr=streams.stderr)


def _demo(arguments: Arguments, streams: Streams) -> int:
    from sqlprovider.surfaces.demo import run_demo  # noqa: PLC0415  --help does without it

    return run_demo(arguments.keep, stdout=streams.stdout, stderr=streams.stderr)
