"""Which of an item's fields a scan needs: the others need not be sent, or need not be read. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sqlprovider.catalog.model import ITSELF, Column, Path, Resource, Role, Wire
from sqlprovider.plan.model import Reads, Scan
from sqlprovider.values import Type


def wanted_fields(scan: Scan) -> tuple[str, ...]:
    """The wire names of the item's own fields to ask for; none where every field is to come.

    A name too few would be a NULL that is none, so whatever may look at an item counts, and where an item is
    more than its own named fields every one is asked for.
    """
    spelling, method, resource = scan.method.push.fields, scan.method, scan.resource
    if spelling is None or scan.whole or scan.pages_as_rows or method.tree is not None:
        return ()
    if len(method.rows or ()) > 1 or spelling.parameter in {option.parameter for option in scan.options}:
        return ()
    needed = _needed(scan)
    if any(column.whole_item for column in needed):
        return ()
    names = {*_fields(needed), *(path[0] for path in _deciding(resource) if path)}
    if not names or not names.isdisjoint(("^", ".")):
        return ()
    # What is always sent comes first, then as the table has it.
    every = tuple(dict.fromkeys((*spelling.always, *_fields(resource.columns), *sorted(names))))
    wanted = tuple(name for name in every if name in names or name in spelling.always)
    return () if wanted == every else wanted


def fields_text(scan: Scan) -> str | None:
    """What the method's `push.fields` takes for a scan; None where it is not sent."""
    spelling, names = scan.method.push.fields, wanted_fields(scan)
    if spelling is None or not names:
        return None
    return spelling.template.replace("{names}", spelling.separator.join(names))


def wanted_reads(scan: Scan) -> Reads | None:
    """All that a scan looks at in an item; None where items are wanted as they are.

    Nothing else of them is made into values. The key is always looked at: rows are told apart by it.
    """
    method, resource = scan.method, scan.resource
    if scan.whole or scan.pages_as_rows or method.tree is not None or method.plain_rows:
        return None
    if len(method.rows or ()) != 1 or not (method.rows or ("",))[0].endswith("[]"):
        return None
    needed = [column for column in _needed(scan) if column.role in (Role.PARAMETER, Role.ITEM)]
    if any(column.whole_item or column.present for column in needed):
        return None
    pages, keys = method.pages, [column for column in needed if column.path and column.name in resource.key]
    if pages is not None and pages.style == "number" and not keys:
        return None  # a page that came before is known by its rows
    return _places(resource, needed)


def is_as_is(column: Column) -> bool:
    """Whether a value of the column's type, or null, is its cell: nothing has to be changed."""
    return (
        column.type in (Type.TEXT, Type.INTEGER, Type.REAL)
        and column.wire is Wire.PLAIN
        and column.segment is None
        and column.absent is None
        and column.infinite is None
        and not column.zero_is_null
    )


def _places(resource: Resource, needed: Iterable[Column]) -> Reads | None:
    kinds: dict[Path, set[Type | None]] = {}
    for column in needed:
        kinds.setdefault(column.path, set()).add(column.type if is_as_is(column) else None)
        if column.absent is not None:
            kinds.setdefault(column.path[:-1], set()).add(None)
    for path in _deciding(resource):
        kinds.setdefault(path, set()).add(None)
    kinds.pop((), None)
    if any("^" in path or path == ITSELF for path in kinds):
        return None
    return frozenset((path, found.pop() if len(found) == 1 else None) for path, found in kinds.items())


def _needed(scan: Scan) -> list[Column]:
    """The columns that are read, and the key."""
    resource = scan.resource
    read = [resource.columns[position] for position in sorted(scan.used)]
    return read + [column for name in resource.key if (column := resource.column(name)) is not None]


def _fields(columns: Iterable[Column]) -> Iterator[str]:
    """The item's fields that hold the columns."""
    for column in columns:
        if column.role in (Role.PARAMETER, Role.ITEM) and not (column.write_only or column.whole_item):
            yield from column.path[:1]
            yield from column.present


def _deciding(resource: Resource) -> Iterator[Path]:
    """Where in an item it says whether it is a row at all, and how long it may be kept."""
    if resource.view is not None:
        yield resource.view.path
    if resource.drop is not None:
        yield resource.drop.path
    if resource.finished is not None:
        yield resource.finished.path
