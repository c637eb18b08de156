"""Short ways to one parsed statement, for the tests beside this file."""

from __future__ import annotations

from typing import TypeVar

from sqlprovider.sql.parse import parse
from sqlprovider.sql.statement import Query, Statement
from tests.sql.names import FakeNames

T = TypeVar("T")
RUNS = "mlflow.tracking.runs"


def read(text: str, kind: type[T], names: FakeNames | None = None) -> T:
    """The only statement of a text, which must be of that kind."""
    (statement,) = parse(text, names or FakeNames())
    assert isinstance(statement, kind)
    return statement


def spliced(text: str, names: FakeNames | None = None) -> str:
    """What SQLite is given for a text that is one Query."""
    return read(text, Query, names).sql


def parsed(text: str, names: FakeNames | None = None) -> list[Statement]:
    """Every statement of a text."""
    return list(parse(text, names or FakeNames()))
