"""Page → rows: the columns that are wanted of a scan, decoded a column at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import compress, repeat
from operator import itemgetter

from sqlprovider.catalog.model import CACHED_AT, Drop, Resource, Role, View
from sqlprovider.errors import DataError
from sqlprovider.execute.cells import decode_column
from sqlprovider.execute.fields import Items, Read, bound_value, is_bound, read_item
from sqlprovider.execute.items import value_at
from sqlprovider.execute.jsontext import dump_json
from sqlprovider.execute.response import Page
from sqlprovider.plan.model import Operation, Scan
from sqlprovider.values import JSON, Row, SQLValue

__all__ = ["PageRows", "RowDecoder", "decode_column", "decode_item", "dump_json"]

_ROWID_MASK = 2**62 - 1

_Echo = Mapping[str, SQLValue]


class PageRows:
    """The rows of one page that the view shows, in the API's order."""

    def __init__(self, rows: list[Row], make_rowids: Callable[[], list[int]]) -> None:
        self.rows = rows
        self._make_rowids: Callable[[], list[int]] | None = make_rowids
        self._rowids: list[int] = []

    def __len__(self) -> int:
        return len(self.rows)

    def __reduce__(self) -> tuple[Callable[..., PageRows], tuple[list[Row], list[int]]]:
        """Pickled for the shelf, with the rowids made."""
        return _with_rowids, (self.rows, self.rowids)

    @property
    def rowids(self) -> list[int]:
        """For each row the number of its resource and key, else of its place; made when first asked for.

        Raises DataError where a key is not what its column says.
        """
        if self._make_rowids is not None:
            self._rowids, self._make_rowids = self._make_rowids(), None
        return self._rowids

    def only(self, keep: Sequence[object]) -> PageRows:
        """The rows for which `keep` is true."""
        return PageRows(list(compress(self.rows, keep)), lambda: list(compress(self.rowids, keep)))


def _with_rowids(rows: list[Row], rowids: list[int]) -> PageRows:
    return PageRows(rows, lambda: rowids)


class RowDecoder:
    """Decodes the pages of one scan; those of one operation in their order.

    `columns` are the positions in the resource's columns of the cells of a row, in that order. None: all of
    them, and NULL for those that the scan does not use.
    """

    def __init__(self, scan: Scan, columns: Sequence[int] | None = None) -> None:
        resource = scan.resource
        self.scan = scan
        self._wanted = range(len(resource.columns)) if columns is None else columns
        self._used = sorted(scan.used if columns is None else set(columns))
        names = [column.name for column in resource.columns]
        self._key = [names.index(column.name) for name in resource.key if (column := resource.column(name))]
        wanted = list(self._wanted)
        self._comes_twice = len(set(wanted)) < len(wanted)
        in_rows = set(self._key) <= set(self._used)
        self._key_at = [wanted.index(position) for position in self._key] if in_rows else None
        self._reads: dict[int, Read] = {}
        self._seed = hash(resource.name)
        self._counts: dict[str, int] = {}

    def decode(self, page: Page) -> PageRows:
        """The rows of one page. Raises DataError for the first row with a value of another type."""
        if self.scan.pages_as_rows:
            return self._page_row(page)
        echo = {CACHED_AT: page.cached_at} | dict(page.operation.echo) | self._of_headers(page)
        found = Items(page.items, page.parents) if page.layout is None else page.layout.items(page.items)
        ordinals: Sequence[int] = range(len(page.items))
        if (keep := _kept(self.scan.resource, page.operation, found)) is not None:
            found, ordinals = found.only(keep), list(compress(ordinals, keep))
        cells = self._decoded(found, echo)
        if self._comes_twice:
            cells = {position: list(column) for position, column in cells.items()}
        count = len(found)
        held = (cells.get(position, repeat(None, count)) for position in self._wanted)
        rows: list[Row] = list(zip(*held, strict=True)) if self._wanted else [()] * count
        if not self._key:
            place, first = self._place(page)
            return PageRows(rows, lambda: self._numbers((place, first + ordinal) for ordinal in ordinals))
        if self._key_at is not None:
            keys = [itemgetter(at) for at in self._key_at]
            return PageRows(rows, lambda: self._numbers(zip(*(map(key, rows) for key in keys), strict=True)))
        return PageRows(rows, lambda: self._numbers(self._identities(found, echo)))

    def _decoded(self, found: Items, echo: _Echo) -> dict[int, Iterable[SQLValue]]:
        """The cells of the columns that are used, each to be gone through once, by the column's position."""
        try:
            return {position: self._cells(position, found, echo) for position in self._used}
        except DataError:
            for ordinal in range(len(found)):  # the first row that is wrong, whichever column
                for position in self._used:
                    self._cells(position, found.one(ordinal), echo)
            raise

    def _cells(self, position: int, found: Items, echo: _Echo) -> Iterable[SQLValue]:
        """The cells of a column, to be gone through once."""
        column = self.scan.resource.columns[position]
        if is_bound(column, echo):
            return repeat(bound_value(column, echo), len(found))
        if (cells := found.as_is(column)) is not None:
            return cells
        if (read := self._reads.get(position)) is None:
            read = self._reads[position] = read_item(column)
        return read(found)

    def _identities(self, found: Items, echo: _Echo) -> Iterable[object]:
        return zip(*(self._cells(position, found, echo) for position in self._key), strict=True)

    def _numbers(self, identities: Iterable[object]) -> list[int]:
        seed = self._seed
        # A number's own hash would do for two of them: hash(-1) == hash(-2).
        return [hash((seed, str(identity))) & _ROWID_MASK for identity in identities]

    def _of_headers(self, page: Page) -> dict[str, SQLValue]:
        """The columns that are headers of the answer, where it is one object's."""
        if any(segment.endswith("[]") for segment in page.operation.method.rows or ()):
            return {}
        named = ((c, page.headers.get(c.header.lower())) for c in self.scan.resource.columns if c.header)
        return {column.name: decode_column(column, value) for column, value in named}

    def _place(self, page: Page) -> tuple[str, int]:
        """What tells this page's operation from others, and how many of its items came before."""
        place = f"{page.operation.method.name} {page.operation.arguments!r}"
        first = self._counts.get(place, 0)
        self._counts[place] = first + max(1, len(page.items))
        return place, first

    def _page_row(self, page: Page) -> PageRows:
        """The row that a page is."""
        columns = self.scan.resource.columns
        echo = {CACHED_AT: page.cached_at} | dict(page.operation.echo)
        row = tuple(
            decode_column(column, value_at(page.answer, column.path))
            if column.role is Role.RESPONSE
            else echo.get(column.name)
            for column in (columns[position] for position in self._wanted)
        )
        place = self._place(page)
        return PageRows([row], lambda: self._numbers([place]))


def decode_item(resource: Resource, item: JSON, echo: Mapping[str, SQLValue]) -> dict[str, SQLValue]:
    """Every parameter and item column that an item holds: what a write's answer says of its row."""
    cells: dict[str, SQLValue] = {}
    found = Items([item])
    for column in resource.columns:
        if column.role in (Role.PARAMETER, Role.ITEM) and (
            column.path or column.present or column.name in echo
        ):
            value = bound_value(column, echo) if is_bound(column, echo) else read_item(column)(found)[0]
            if value is not None or (column.path and value_at(item, column.path[:-1]) is not None):
                cells[column.name] = value
    return cells


def _kept(resource: Resource, operation: Operation, found: Items) -> list[bool] | None:
    """For each item whether it is a row, whichever method answered with it; None where all are."""
    shown = _shown(resource.view, operation.view, found)
    kept = _undropped(resource.drop, dict(operation.echo), found)
    if shown is None or kept is None:
        return shown if kept is None else kept
    return [one and other for one, other in zip(shown, kept, strict=True)]


def _shown(view: View | None, value: str | None, found: Items) -> list[bool] | None:
    """For each item whether the view shows it; None where it shows all."""
    if view is None or value is None or not view.path:
        return None
    allowed = view.values.get(value)
    return None if allowed is None else [held in allowed for held in found.at(view.path)]


def _undropped(drop: Drop | None, echo: _Echo, found: Items) -> list[bool] | None:
    """For each item whether it is none of those that are no rows; None where the statement asks for them."""
    if drop is None or (drop.unless is not None and drop.unless in echo):
        return None
    return [_under(drop.key, held) not in drop.values for held in found.at(drop.path)]


def _under(key: str | None, value: JSON) -> JSON:
    """The value, or the one under a key where it is a list of keys and values."""
    if key is None or not isinstance(value, list):
        return value
    pairs = (pair for pair in value if isinstance(pair, dict) and pair.get("key") == key)
    return next((pair.get("value") for pair in pairs), None)
