"""The words of `plan`, `apply` and `destroy` on the command line, and running them on a session."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TextIO

from sqlprovider.surfaces.setting_flags import add_configuration_flags

if TYPE_CHECKING:
    from sqlprovider.session import Session

COMMANDS = ("plan", "apply", "destroy")
_SETTINGS = ("max_requests", "timeout", "trace", "wait", "journal", "journal_bodies")
"""The settings that these commands have a flag for; `--set` takes every one."""


@dataclass(frozen=True, slots=True)
class DeployArguments:
    """A command line of plan, apply or destroy, read."""

    command: str
    files: tuple[str, ...] = ()
    output: str = "text"
    variables: tuple[str, ...] = ()
    variable_files: tuple[str, ...] = ()
    use: str | None = None
    targets: tuple[str, ...] = ()
    out: str | None = None
    plan: str | None = None
    strict: bool = False
    yes: bool = False
    prune: bool = False
    resend: bool = False


class _Subparsers(Protocol):
    """What `add_subparsers()` gives."""

    def add_parser(self, name: str, *, help: str, allow_abbrev: bool) -> argparse.ArgumentParser: ...


def add_deploy_commands(commands: _Subparsers) -> None:
    """Adds the three commands with their flags."""
    plan = commands.add_parser("plan", help="show what a stack's files would change", allow_abbrev=False)
    plan.add_argument("files", nargs="+", metavar="FILE", help="a manifest, or a .sql file of desired state")
    _add_output(plan, ("text", "json", "markdown"))
    _add_manifest_flags(plan)
    _add_plan_flags(plan)
    plan.add_argument("--out", metavar="PLAN", help="keep the plan in a file, for `apply --plan`")
    plan.add_argument(
        "--strict", action="store_true", help="a call (`exec`) counts as a change (exit code 3)"
    )
    apply = commands.add_parser("apply", help="make a stack what its files say", allow_abbrev=False)
    apply.add_argument("files", nargs="*", metavar="FILE", help="a manifest, or a .sql file of desired state")
    apply.add_argument("--plan", metavar="PLAN", help="the plan that `plan --out` kept, and no other")
    _add_output(apply, ("text", "json"))
    _add_manifest_flags(apply)
    _add_plan_flags(apply)
    _add_yes(apply)
    destroy = commands.add_parser("destroy", help="delete what a stack's files name", allow_abbrev=False)
    destroy.add_argument("files", nargs="+", metavar="FILE", help="a manifest, or a .sql file")
    _add_output(destroy, ("text", "json"))
    _add_manifest_flags(destroy)
    _add_yes(destroy)
    for parser in (plan, apply, destroy):
        add_configuration_flags(parser, _SETTINGS)


def deploy_arguments(given: argparse.Namespace) -> DeployArguments:
    """The command line as values."""
    return DeployArguments(
        given.command,
        files=tuple(given.files),
        output=given.output,
        variables=tuple(given.variables),
        variable_files=tuple(given.variable_files),
        use=given.use,
        targets=tuple(getattr(given, "targets", ())),
        out=getattr(given, "out", None),
        plan=getattr(given, "plan", None),
        strict=getattr(given, "strict", False),
        yes=getattr(given, "yes", False),
        prune=getattr(given, "prune", False),
        resend=getattr(given, "resend", False),
    )


def run_deploy(
    arguments: DeployArguments,
    session: Session,
    *,
    stdin: TextIO,
    stdout: TextIO,
    stderr: TextIO,
    environ: Mapping[str, str],
) -> int:
    """Runs plan, apply or destroy; the exit code."""
    from sqlprovider.surfaces.deploy.commands import Deploy  # noqa: PLC0415  --help does without it

    return Deploy(arguments, session, stdin=stdin, stdout=stdout, stderr=stderr, environ=environ).run()


def _add_output(parser: argparse.ArgumentParser, formats: tuple[str, ...]) -> None:
    parser.add_argument("-o", "--output", choices=formats, default="text", help="default: text")


def _add_manifest_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--var",
        dest="variables",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a variable of the files; may be repeated",
    )
    parser.add_argument(
        "--var-file",
        dest="variable_files",
        action="append",
        default=[],
        metavar="FILE",
        help="a file of variables; may be repeated",
    )
    parser.add_argument("--use", metavar="P.S", help="shorter names are below this connection and service")


def _add_plan_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--target",
        dest="targets",
        action="append",
        default=[],
        metavar="ID",
        help="only this entry (or id.item) and what it depends on; may be repeated",
    )
    parser.add_argument(
        "--prune", action="store_true", help="delete what the stack's owner no longer has in the files"
    )
    parser.add_argument(
        "--resend", action="store_true", help="send fields again that the API never answers with"
    )


def _add_yes(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--yes", action="store_true", help="do not ask")
