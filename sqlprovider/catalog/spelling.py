"""How words are spelled in a provider document: paths, routes, names, and their short forms."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator

from sqlprovider.catalog.model import ITSELF

_SNAKE_CASE = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_HTTP = re.compile(r"(GET|HEAD|POST|PUT|PATCH|DELETE) (/\S*)")
_ROW_SEGMENT = re.compile(r"[^\[\]^]*(\[\])?")


def placeholders(template: str) -> tuple[str, ...]:
    """The names in braces, in order.

    >>> placeholders("/v1/{projectsId}/runs/{runsId}")
    ('projectsId', 'runsId')
    """
    return tuple(_PLACEHOLDER.findall(template))


def _split_path(value: object) -> object:
    """`info.run_id` → ("info", "run_id"). A list is taken as it is: keys may hold dots. `.` is the item."""
    if value == ".":
        return ITSELF
    segments = value.split(".") if isinstance(value, str) else value
    if not isinstance(segments, list | tuple):
        return value
    if not segments or not all(isinstance(segment, str) and segment for segment in segments):
        raise ValueError("a path is keys joined by dots (info.run_id), none of them empty")
    outer = [segment == "^" for segment in segments]
    if outer != sorted(outer, reverse=True) or all(outer):
        raise ValueError("`^` (the item one list further out) stands first in a path, before a key")
    if any("[" in segment for segment in segments):
        raise ValueError("only `rows` goes through lists: `[]` has no place here")
    return tuple(segments)


def _split_rows(value: object) -> object:
    """`runs[].data.metrics[]` → ("runs[]", "data", "metrics[]"). `[]` alone is an answer that is a list."""
    if not isinstance(value, str):
        return value
    segments = value.split(".")
    well_formed = all(_ROW_SEGMENT.fullmatch(segment) for segment in segments)
    if not well_formed or not segments[0] or any(segment in ("", "[]") for segment in segments[1:]):
        raise ValueError("rows are keys joined by dots, with `[]` after a list: runs[].data.metrics[]")
    return tuple(segments)


def _check_http(value: str) -> str:
    if _HTTP.fullmatch(value) is None:
        raise ValueError("`http` is a verb and a path: GET /api/v1/projects/{project}/runs")
    if set("{}") & set(_PLACEHOLDER.sub("", value)):
        raise ValueError("a brace without its other half")
    return value


def _check_snake_case(value: str) -> str:
    if _SNAKE_CASE.fullmatch(value) is None:
        raise ValueError(f"{value!r} is no snake_case name (lower-case letters, digits and single `_`)")
    return value


def _check_regex(value: str) -> str:
    try:
        re.compile(value)
    except re.error as exc:
        raise ValueError(f"no regular expression: {exc}") from None
    return value


def type_alone(value: object) -> object:
    """`name: TEXT` is short for `name: {type: TEXT}`, and `name:` for `name: {}`."""
    if value is None:
        return {}
    return {"type": value} if isinstance(value, str) else value


def style_alone(value: object) -> object:
    """`pages: one` is short for `pages: {style: one}`."""
    return {"style": value} if isinstance(value, str) else value


def parameter_alone(value: object) -> object:
    """`fields: readMask` is short for `fields: {parameter: readMask}`."""
    return {"parameter": value} if isinstance(value, str) else value


def name_alone(value: object) -> object:
    """A parent's name alone is a parent."""
    return {"resource": value} if isinstance(value, str) else value


def columns_alone(value: object) -> object:
    """A list of columns alone is an identity."""
    return {"columns": value} if isinstance(value, list) else value


def url_alone(value: object) -> object:
    """An address alone is the vendor's."""
    return {"url": value} if isinstance(value, str) else value


def same_name(value: object) -> object:
    """`[a, b]` is short for `{a: a, b: b}`."""
    if isinstance(value, list) and all(isinstance(name, str) for name in value):
        return {name: name for name in value}
    return value


PathText = Annotated[tuple[str, ...], BeforeValidator(_split_path)]
RowsText = Annotated[tuple[str, ...], BeforeValidator(_split_rows)]
HttpText = Annotated[str, AfterValidator(_check_http)]
SnakeCase = Annotated[str, AfterValidator(_check_snake_case)]
Names = Annotated[dict[str, str], BeforeValidator(same_name)]
Regex = Annotated[str, AfterValidator(_check_regex)]
Direction = Literal["ASC", "DESC"]
