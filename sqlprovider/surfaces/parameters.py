"""Parameters given as text: `NAME=VALUE` is text, `NAME:=TOML` has a type."""

from __future__ import annotations

import json
import re
import tomllib

from sqlprovider.errors import InterfaceError
from sqlprovider.surfaces.binding import as_sql
from sqlprovider.values import SQLValue

_NAME = re.compile(r"[:@$]?([A-Za-z_][A-Za-z0-9_]*)")


def read_parameter(text: str) -> tuple[str, SQLValue]:
    """The name and the value.

    >>> read_parameter("run=7"), read_parameter("run:=7")
    (('run', '7'), ('run', 7))
    """
    head, equals, raw = text.partition("=")
    is_typed = head.endswith(":")
    name = _NAME.fullmatch(head.removesuffix(":").strip())
    if not equals or name is None:
        raise InterfaceError(
            f"parameter {text!r}: not of the form NAME=VALUE or NAME:=TOML", reason="usage", hint="-p run=r1"
        )
    return name[1], _read_toml(name[1], raw) if is_typed else raw


def _read_toml(name: str, raw: str) -> SQLValue:
    try:
        parsed = tomllib.loads(f"value = {raw}")
    except (tomllib.TOMLDecodeError, RecursionError):
        parsed = {}
    if len(parsed) != 1:
        raise InterfaceError(
            f"parameter {name}: {raw!r} is not a TOML value", reason="usage", hint=f"-p {name}={raw}"
        )
    value = parsed["value"]
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)
    return as_sql(value, name=name)
