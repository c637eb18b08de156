"""What every kind of file gives: its columns, and its rows as batches of columns."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from sqlprovider.errors import ProgrammingError
from sqlprovider.values import SQLValue, Type, distinct_names

SAMPLE_ROWS = 10_000
"""The rows from which columns and types are told."""
SAMPLE_CHARACTERS = 1 << 23
"""What the sample ends at if its rows are long."""
MOST_COLUMNS = 1990
"""SQLite takes 2000, those of the call's own arguments among them."""

Cells: TypeAlias = Sequence[SQLValue]


@dataclass(frozen=True, slots=True)
class FileColumn:
    """A column of a file; no type where its values are of several."""

    name: str
    type: Type | None


@dataclass(frozen=True, slots=True)
class FileCall:
    """`read_csv('runs.csv', ';', 'text')`, read."""

    function: str
    path: str
    delimiter: str | None = None
    as_text: bool = False

    @property
    def where(self) -> str:
        """The call as an error names it."""
        return f"{self.function}({_quoted(self.path)})"

    @property
    def text_call(self) -> str:
        """The same file without types, for a hint."""
        delimiter = "" if self.delimiter is None else f", {_quoted(self.delimiter)}"
        return f"{self.function}({_quoted(self.path)}{delimiter}, 'text')"


class FileReader(Protocol):
    """A file whose columns are known."""

    @property
    def columns(self) -> tuple[FileColumn, ...]:
        """Its columns; no two names are alike."""

    @property
    def rows(self) -> int:
        """About how many rows it has."""

    def batches(self, used: frozenset[int]) -> Generator[list[Cells]]:
        """Its rows from the first on, a list of columns at a time; those not used may hold anything.

        Closing the iterator closes the file. Raises DataError, OperationalError.
        """


def checked_count(names: Sequence[str], where: str) -> None:
    """Raises ProgrammingError where SQLite cannot have a table of so many columns."""
    if len(names) > MOST_COLUMNS:
        raise ProgrammingError(
            f"{where}: it has {len(names)} columns; a table has at most {MOST_COLUMNS}", reason="file"
        )


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def named(names: Iterable[str]) -> list[str]:
    """The names of a file's columns, each once; what has none is called by its place."""
    return distinct_names(name or f"column{place}" for place, name in enumerate(names, 1))
