"""Which of an item's fields a scan needs, for APIs that can leave out the others. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sqlprovider.catalog.model import Column, Path, Resource, Role
from sqlprovider.plan.model import Scan


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
    needed = [column for position, column in enumerate(resource.columns) if position in scan.used]
    needed += [column for name in resource.key if (column := resource.column(name)) is not None]
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
