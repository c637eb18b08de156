"""What SQLite asks a table for, with its values: those that decide what is read, and those that pick rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlprovider.plan.bind import Argument
from sqlprovider.plan.model import Scan
from sqlprovider.values import Slot, Type, cast
from sqlprovider.vtab.kept import Probe

if TYPE_CHECKING:
    from sqlprovider.vtab.table import Table

Key = tuple[object, ...]
_NUMBERS = frozenset({Type.INTEGER, Type.REAL, Type.BOOLEAN})


@dataclass(frozen=True, slots=True)
class Asked:
    """A scan that SQLite asks for, with its values. Those of probes are no part of what is read."""

    table: Table
    number: int
    scan: Scan
    arguments: tuple[Argument, ...]
    probe: Probe | None
    key: Key
    several: int | None = None
    """The place of the value that one call takes several of."""

    def is_same(self, other: Asked) -> bool:
        """Whether it has the same rows."""
        return self.key == other.key and self.probe == other.probe


class Template:
    """What of the values that SQLite gives for a plan decides what is read, and what only picks rows."""

    def __init__(self, table: Table, number: int, scan: Scan) -> None:
        self._table = table
        self._number = number
        self._scan = scan
        self._picking = scan.probe_slots
        self._name = (table.name, number)
        self._probes = tuple(_places(scan))
        self._several = None if self._probes or scan.top is not None else _several(scan)

    def asked(self, arguments: Sequence[Argument]) -> Asked:
        """What SQLite asks for."""
        if self._picking:
            kept = tuple(None if n in self._picking else value for n, value in enumerate(arguments))
        else:
            kept = tuple(arguments)
        key = (self._name, kept, tuple(map(type, kept)))
        probe, several = self._probe(arguments), None
        if self._several is not None:
            slot, column = self._several
            if isinstance(value := arguments[slot], str) and "," not in value:
                probe, several = (column, value), slot
        return Asked(self._table, self._number, self._scan, kept, probe, key, several)

    def _probe(self, arguments: Sequence[Argument]) -> Probe | None:
        """The first equality by which rows can be found."""
        for slot, place, type_ in self._probes:
            value = arguments[slot]
            # SQLite may compare a text with a number as numbers: '01' is 1 then.
            if isinstance(value, str | bytes) or (isinstance(value, int | float) and type_ in _NUMBERS):
                return place, cast(value, type_)
        return None


def _places(scan: Scan) -> Iterator[tuple[int, int, Type]]:
    """For each probe the slot of its value, and its column's place and type."""
    columns = {column.name: (place, column.type) for place, column in enumerate(scan.resource.columns)}
    for term in scan.probes:
        assert isinstance(term.operand, Slot)
        yield term.operand.position, *columns[term.column]


def _several(scan: Scan) -> tuple[int, int] | None:
    """The slot of the value that one call takes several of, and its column's place."""
    names = [column.name for column in scan.resource.columns]
    for binding in scan.bindings:
        parameter = scan.method.parameters.get(binding.parameter)
        if parameter is not None and parameter.several is not None and isinstance(binding.operand, Slot):
            return None if binding.many else (binding.operand.position, names.index(binding.column))
    return None
