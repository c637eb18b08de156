"""What one entry wants, once its references are read: values by column, the owner's label among them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlprovider.surfaces.deploy.diff import is_labels
from sqlprovider.surfaces.deploy.equal import texts
from sqlprovider.surfaces.deploy.identity import by_column
from sqlprovider.surfaces.deploy.live import OWNER
from sqlprovider.surfaces.deploy.model import Entry
from sqlprovider.surfaces.deploy.values import Known, Rows, bound, resolve
from sqlprovider.values import JSON, SQLValue

if TYPE_CHECKING:
    from sqlprovider.session import ColumnFacts, ResourceFacts


@dataclass(frozen=True, slots=True)
class Wanted:
    """The values of an entry: of a row by the row's column, of a call by the parameter."""

    entry: Entry
    facts: ResourceFacts
    values: Mapping[str, Known]

    @property
    def is_unknown(self) -> bool:
        """Whether a value is known only after apply."""
        return any(known.unknown for known in self.values.values())

    @property
    def secrets(self) -> set[str]:
        """The columns whose value is a secret."""
        return {name for name, known in self.values.items() if known.secret}

    def inserted(self) -> dict[str, SQLValue]:
        """What an INSERT takes of it, by the name that the INSERT knows; NULL is left out."""
        found: dict[str, SQLValue] = {}
        for name, known in self.values.items():
            column = self.facts.columns.get(insert_name(self.facts, name))
            if column is not None and column.insertable and known.value is not None:
                found[column.name] = _bound(known.value, column)
        return found

    def set_later(self) -> tuple[str, ...]:
        """The columns that only an UPDATE takes: they are set once the row is made."""
        return tuple(
            name for name, known in self.values.items() if not is_empty_known(known) and self._is_later(name)
        )

    def untaken(self) -> tuple[str, ...]:
        """The columns that neither an INSERT nor an UPDATE takes: the API gives them."""
        return tuple(name for name in self.values if not self._is_inserted(name) and not self._is_later(name))

    def _is_inserted(self, name: str) -> bool:
        column = self.facts.columns.get(insert_name(self.facts, name))
        return column is not None and column.insertable

    def _is_later(self, name: str) -> bool:
        column = self.facts.columns.get(name)
        return column is not None and column.settable and not self._is_inserted(name)


def is_empty_known(known: Known) -> bool:
    """Whether nothing is to be set."""
    return not known.unknown and known.value is None


def insert_name(facts: ResourceFacts, name: str) -> str:
    """What an INSERT calls a column of the row: the id that the client chooses has a name of its own."""
    if facts.chosen_id is not None and facts.chosen_id[1] == name:
        return facts.chosen_id[0]
    return name


def want(entry: Entry, facts: ResourceFacts, rows: Rows, owner: str | None) -> Wanted:
    """The values of an entry as far as they are known."""
    given = {name: resolve(property_.value, rows) for name, property_ in entry.properties.items()}
    if entry.method is not None:
        return Wanted(entry, facts, given)
    values = by_column(facts, given)
    if owner is not None and (column := owner_column(facts)) is not None:
        values[column.name] = _owned(values.get(column.name), owner)
    return Wanted(entry, facts, values)


def owner_column(facts: ResourceFacts) -> ColumnFacts | None:
    """The map of labels or tags that a write can set."""
    found = (c for c in facts.columns.values() if is_labels(c) and (c.settable or c.insertable))
    return next(found, None)


def _owned(known: Known | None, owner: str) -> Known:
    if known is None:
        return Known({OWNER: owner})
    if known.unknown:
        return known
    value = known.value if isinstance(known.value, dict) else dict(_texts(known.value))
    return Known({**value, OWNER: owner}, secret=known.secret)


def _texts(value: JSON) -> Iterator[tuple[str, JSON]]:
    yield from texts(value).items()


def _bound(value: JSON, column: ColumnFacts) -> SQLValue:
    if is_labels(column) and isinstance(value, dict):
        return bound({key: item for key, item in value.items() if item is not None}, column.type)
    return bound(value, column.type)
