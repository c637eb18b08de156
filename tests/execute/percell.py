"""What a page's rows are, said one cell at a time: what the decoding in bulk is held against."""

from __future__ import annotations

from collections.abc import Sequence

from sqlprovider.catalog.model import ITSELF, Column, Path
from sqlprovider.execute.cells import decode_column
from sqlprovider.execute.jsontext import dump_json
from sqlprovider.values import JSON, Row, SQLValue


def rows_of(columns: Sequence[Column], items: Sequence[JSON], parents: Sequence[Sequence[JSON]]) -> list[Row]:
    """One row an item, its cells from left to right. Raises what the first bad cell raises."""
    return [
        tuple(cell(column, item, enclosing) for column in columns)
        for item, enclosing in zip(items, parents, strict=True)
    ]


def cell(column: Column, item: JSON, parents: Sequence[JSON]) -> SQLValue:
    if column.whole_item:
        return dump_json(item)
    if column.present:
        keys = (key for key in column.present if isinstance(item, dict) and key in item)
        return next((column.present[key] for key in keys), None)
    if not column.path:
        return None
    if column.path == ITSELF:
        return decode_column(column, item)
    found = value_above(item, parents, column.path)
    if column.absent is not None:
        if found is None and isinstance(value_above(item, parents, column.path[:-1]), dict):
            found = column.absent
    elif column.segment is not None:
        return segment_of(found, column.segment)
    return decode_column(column, found)


def value_above(item: JSON, parents: Sequence[JSON], path: Path) -> JSON:
    level = 0
    while level < len(path) and path[level] == "^":
        level += 1
    if level > len(parents):
        return None
    value = parents[level - 1] if level else item
    for key in path[level:]:
        if not isinstance(value, dict):
            return None
        value = value.get(key)
    return value


def segment_of(text: JSON, segment: str) -> SQLValue:
    if not isinstance(text, str):
        return None
    parts = text.split("/")
    return next((parts[n + 1] for n in range(0, len(parts) - 1, 2) if parts[n] == segment), None)
