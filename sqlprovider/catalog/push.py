"""What of a SELECT a method can do itself, as frozen values: filters, orders, equal parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True)
class Term:
    """How predicates on one column (or on the keys of one JSON column) are said in a filter text."""

    name: str
    """The API's name of the field. `{key}` stands for the JSON key."""
    ops: Mapping[str, str]
    """SQL operator (`values.Op`) → the API's. What is absent is not sent."""
    value: Literal["string", "number", "bare"] = "string"
    forbidden: str = ""
    """Characters a value must not hold to be sent, beside those of the filter."""
    key_forbidden: str = ""
    """Characters a JSON key must not hold to be sent."""
    exact: bool = False
    """The API's answer needs no re-check: it compares as SQLite does."""


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter text that a method takes: terms joined by a conjunction."""

    parameter: str
    terms: Mapping[str, Term]
    """By column name; a JSON column's entry serves its keys."""
    conjunction: str = " AND "
    quotes: tuple[str, ...] = ("'",)
    """The quotes a string may stand in. The first that does not occur in the value is taken."""
    escape: Literal["none", "backslash", "double"] = "none"
    """How a quote inside a string is written; with `none`, a value that holds all quotes is not sent."""
    forbidden: str = ""
    """Characters that a value must not hold to be sent."""


@dataclass(frozen=True, slots=True)
class Order:
    """An order that a method takes."""

    parameter: str
    columns: Mapping[str, str]
    """Column → the API's name for it."""
    exact: Mapping[str, tuple[str, ...]]
    """Column → the directions (`ASC`, `DESC`) in which the API's order equals SQLite's, NULLs included."""
    stable: tuple[str, ...] = ()
    """What is sent when the statement asks for no order: one in which new rows come last."""
    directions: tuple[str, str] = ("ASC", "DESC")
    as_list: bool = False
    """The parameter is a list of terms, not one comma-separated text."""
    keys: Mapping[str, str] = field(default_factory=dict)
    """JSON column → the API's name for the number under one of its keys, `{key}` standing for the key.

    Rows that have no number there come last in either direction.
    """
    key_forbidden: str = ""
    """Characters a key must not hold to be sent."""


@dataclass(frozen=True, slots=True)
class Fields:
    """A text that names the fields of an item that are wanted, so that the API leaves out the others."""

    parameter: str
    template: str = "{names}"
    """`{names}` stands for the wire names, joined."""
    separator: str = ","
    always: tuple[str, ...] = ()
    """Fields that are named whatever is wanted."""


@dataclass(frozen=True, slots=True)
class Push:
    """What of a SELECT a method can do itself."""

    filter: Filter | None = None
    order: Order | None = None
    equals: Mapping[str, str] = field(default_factory=dict)
    """Column → the parameter that means `column = value`, re-checked."""
    fields: Fields | None = None
