"""The shell's own commands: a line that begins with a dot."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlprovider.errors import InterfaceError, did_you_mean
from sqlprovider.surfaces.formats import FORMATS
from sqlprovider.surfaces.parameters import read_parameter
from sqlprovider.surfaces.render import open_printer

if TYPE_CHECKING:
    from sqlprovider.surfaces.shell import Shell


@dataclass(frozen=True, slots=True)
class DotCommand:
    """One command: `run` gets the shell and what stands after the command's name."""

    usage: str
    title: str
    run: Callable[[Shell, str], None]


def run_dot_command(shell: Shell, line: str) -> None:
    """Run a line such as `.mode csv`. Raises InterfaceError for what is none."""
    name, _, rest = line.strip().partition(" ")
    if (command := DOT_COMMANDS.get(name.lower())) is None:
        raise InterfaceError(f"no command {name!r}{did_you_mean(name, tuple(DOT_COMMANDS))}", hint=".help")
    command.run(shell, rest.strip().removesuffix(";").rstrip())


def _help(shell: Shell, rest: str) -> None:
    width = max(len(command.usage) for command in DOT_COMMANDS.values())
    for command in DOT_COMMANDS.values():
        shell.say(f"{command.usage:{width}}  {command.title}")
    shell.say("Statements end with ';'. Ctrl-C stops a statement, Ctrl-D leaves.")


def _tables(shell: Shell, rest: str) -> None:
    shell.run_sql(
        "SELECT name FROM (SELECT resource AS name FROM sqlprovider.resources UNION ALL "
        "SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') UNION ALL "
        "SELECT name FROM sqlite_temp_schema WHERE type IN ('table', 'view')) "
        "WHERE name LIKE :pattern || '%' ORDER BY name",
        {"pattern": rest},
    )


def _schema(shell: Shell, rest: str) -> None:
    local = (
        "SELECT sql FROM (SELECT sql, tbl_name FROM sqlite_schema UNION ALL "
        "SELECT sql, tbl_name FROM sqlite_temp_schema) WHERE sql IS NOT NULL"
    )
    if not rest:
        shell.run_sql(f"{local}", {})
    elif shell.has_local(rest):
        shell.run_sql(f"{local} AND lower(tbl_name) = lower(:name)", {"name": rest})
    else:
        shell.run_sql(f"DESCRIBE EXTENDED {rest}", {})


def _mode(shell: Shell, rest: str) -> None:
    if rest:
        shell.watched.printer = open_printer(rest, shell.stdout)
        shell.mode = rest
    else:
        shell.say(f"{shell.mode} (there are: {', '.join(FORMATS)})")


def _param(shell: Shell, rest: str) -> None:
    name, _, value = rest.partition(" ")
    if rest and (value or "=" in name):
        key, bound = read_parameter(rest if "=" in name else f"{name}={value.strip()}")
        shell.params[key] = bound
        return
    shown = {key: bound for key, bound in shell.params.items() if not rest or key == rest.lstrip(":@$")}
    for key, bound in shown.items():
        shell.say(f":{key} = {bound!r}")
    if not shown:
        shell.say("no parameter is set" if not rest else f"no parameter {rest!r} is set")


def _confirm(shell: Shell, rest: str) -> None:
    if shell.confirm is None:
        shell.say("a script is never asked")
        return
    match rest.lower():
        case "":
            shell.say("on" if shell.confirm.is_on else "off")
        case "on" | "off" as word:
            shell.confirm.is_on = word == "on"
        case _:
            raise InterfaceError(f".confirm takes on or off, not {rest!r}", hint=".confirm on")


def _quit(shell: Shell, rest: str) -> None:
    shell.is_over = True


DOT_COMMANDS: Mapping[str, DotCommand] = {
    ".help": DotCommand(".help", "this list", _help),
    ".tables": DotCommand(".tables [prefix]", "resources and local tables", _tables),
    ".schema": DotCommand(
        ".schema [resource]", "a resource's columns; without a name, the local tables", _schema
    ),
    ".mode": DotCommand(".mode [mode]", f"how rows are printed: {', '.join(FORMATS)}", _mode),
    ".param": DotCommand(
        ".param [name value]", "set :name as text (name:=TOML for other types), or list", _param
    ),
    ".confirm": DotCommand(".confirm [on|off]", "ask before a write is sent", _confirm),
    ".quit": DotCommand(".quit", "leave", _quit),
}
