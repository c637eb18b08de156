"""The command line's words: every command and flag, and what argparse makes of them."""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple, NoReturn, TextIO

from sqlprovider.config import SETTINGS
from sqlprovider.surfaces.formats import FORMATS
from sqlprovider.surfaces.setting_flags import add_configuration_flags

if TYPE_CHECKING:
    from sqlprovider.surfaces.deploy.flags import DeployArguments

_EPILOG = """\
exit codes: 0 ok, 1 a statement failed (those after it are not run), 2 usage or configuration,
3 `plan` found changes, 130 interrupted

example: sqlprovider query "SELECT name FROM mlflow.tracking.experiments"
"""


class UsageError(Exception):
    """The command line cannot be read. The text is ready to print."""


class Arguments(NamedTuple):
    """A command line, read."""

    command: str
    sql: str | None = None
    file: str | None = None
    output: str | None = None
    params: tuple[str, ...] = ()
    database: str = ":memory:"
    config: str | None = None
    overrides: tuple[str, ...] = ()
    settings: tuple[tuple[str, object], ...] = ()
    keep: bool = False
    document: str | None = None
    exercise: bool = False
    documents: tuple[str, ...] = ()
    names: str | None = None
    folder: str | None = None
    deploy: DeployArguments | None = None


def read_arguments(argv: Sequence[str], *, stdout: TextIO) -> Arguments | None:
    """The arguments; None where help was asked for and printed. Raises UsageError."""
    try:
        # argparse prints its help to sys.stdout and nowhere else.
        with contextlib.redirect_stdout(stdout):
            given = _parser(argv[0] if argv else "").parse_args(list(argv))
    except SystemExit:
        return None
    return Arguments("version") if given.version else _arguments(given)


def _arguments(given: argparse.Namespace) -> Arguments:
    match given.command:
        case "query" | "shell":
            return Arguments(
                given.command,
                sql=getattr(given, "sql", None),
                file=getattr(given, "file", None),
                output=given.output,
                params=tuple(given.params),
                database=given.db,
                config=given.config,
                overrides=tuple(given.set),
                settings=_given_settings(given),
            )
        case "demo":
            return Arguments("demo", keep=given.keep)
        case "plan" | "apply" | "destroy" as command:
            from sqlprovider.surfaces.deploy.flags import deploy_arguments  # noqa: PLC0415  loaded by now

            return Arguments(
                command,
                config=given.config,
                overrides=tuple(given.set),
                settings=_given_settings(given),
                deploy=deploy_arguments(given),
            )
        case "providers":
            return Arguments(
                "providers",
                document=given.document,
                exercise=given.exercise,
                documents=tuple(given.documents),
                names=given.names,
                folder=given.folder,
            )
        case _:
            raise UsageError(
                "usage: sqlprovider {query,shell,plan,apply,destroy,demo,providers} …\n"
                "error: no command; see sqlprovider --help"
            )


def _given_settings(given: argparse.Namespace) -> tuple[tuple[str, object], ...]:
    from sqlprovider.config import parse_value  # noqa: PLC0415  --help does without it

    found: list[tuple[str, object]] = []
    for name, setting in SETTINGS.items():
        value = getattr(given, name, None)
        if value is not None:
            found.append((name, value if setting.is_flag else parse_value(value)))
    return tuple(found)


class _Parser(argparse.ArgumentParser):
    """argparse with its errors as exceptions."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{self.format_usage()}error: {message}")


def _parser(first: str) -> argparse.ArgumentParser:
    """The words of the commands; where `first`, the first one given, is `query`, of that alone."""
    parser = _Parser(
        prog="sqlprovider",
        description="SQL over ML platforms: every resource of a platform's API is a table.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="store_true", help="print the version and end")
    # With `prog`, argparse needs no usage text to make one of.
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", prog="sqlprovider")
    query = commands.add_parser("query", help="run SQL and print its rows", allow_abbrev=False)
    query.add_argument("sql", nargs="?", metavar="SQL", help="the statements; without it and -f: stdin")
    query.add_argument("-f", "--file", metavar="FILE", help="read the statements from a file")
    _add_session_flags(query)
    if first == "query":  # the others' flags take as long to make as a small statement takes
        return parser
    from sqlprovider.surfaces.deploy.flags import add_deploy_commands  # noqa: PLC0415  query does without

    shell = commands.add_parser("shell", help="type statements and see their rows", allow_abbrev=False)
    _add_session_flags(shell)
    add_deploy_commands(commands)
    demo = commands.add_parser(
        "demo", help="start a real MLflow server, fill it and run a tour of queries", allow_abbrev=False
    )
    demo.add_argument("--keep", action="store_true", help="leave the server up and say how to connect")
    providers = commands.add_parser("providers", help="list the providers, or check a document")
    _add_check(providers)
    return parser


def _add_session_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-o", "--output", choices=FORMATS, help="default: table on a terminal, csv otherwise")
    parser.add_argument(
        "-p",
        "--param",
        dest="params",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="bind :NAME as text; NAME:=TOML for other types; may be repeated",
    )
    parser.add_argument(
        "--db", default=":memory:", metavar="FILE", help="the local database; default: in memory"
    )
    add_configuration_flags(parser)


def _add_check(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(document=None, exercise=False, documents=(), names=None, folder=None)
    checks = parser.add_subparsers(dest="action", metavar="{check,compile}")
    _add_compile(checks.add_parser("compile", help="make facts files of Google's discovery documents"))
    check = checks.add_parser("check", help="print every problem of a provider document")
    check.add_argument("document", metavar="DOCUMENT")
    check.add_argument(
        "--exercise",
        action="store_true",
        help="if there is none: try every resource on a server made from the document, and print what fails",
    )


def _add_compile(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("documents", nargs="+", metavar="DOCUMENT", help="a file, or a name such as ml.v1")
    parser.add_argument(
        "--names",
        required=True,
        metavar="FILE",
        help="the table of names, which is only added to: a resource is never renamed",
    )
    parser.add_argument("-o", "--output", dest="folder", required=True, metavar="FOLDER", help="where to")
