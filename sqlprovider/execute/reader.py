"""Scan → rows: the walk over parents, the operations, their pages, the rows. The virtual table calls this."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace

from sqlprovider.catalog.model import Tree
from sqlprovider.errors import Warning
from sqlprovider.execute.executor import StatementCalls
from sqlprovider.execute.failure import operation_context
from sqlprovider.execute.response import Page
from sqlprovider.execute.rows import RowDecoder
from sqlprovider.plan.bind import Argument, bind_scan, scans_by_view
from sqlprovider.plan.model import Operation, Scan
from sqlprovider.values import Row, SQLValue


def read_scan(scan: Scan, arguments: Sequence[Argument], calls: StatementCalls) -> Generator[Row]:
    """The rows of a scan, each with its rowid as last cell; requests are made as rows are taken."""
    decoder = RowDecoder(scan)
    repeats = _repeats(scan)
    seen: set[SQLValue] = set()
    for page in _pages(scan, scan_operations(scan, arguments, calls), calls):
        _warn_missing_parent(scan, page, calls)
        with operation_context(page.operation):
            for row in decoder.rows(page):
                if repeats:
                    if row[-1] in seen:
                        continue
                    seen.add(row[-1])
                yield row


def scan_operations(scan: Scan, arguments: Sequence[Argument], calls: StatementCalls) -> Iterator[Operation]:
    """The scan's operations, one walked parent after the other as they are found."""
    if scan.walk is None:
        yield from bind_scan(scan, arguments)
        return
    for known in scans_by_view(scan, arguments):
        yield from _walked_operations(known, arguments, calls)


def _walked_operations(
    scan: Scan, arguments: Sequence[Argument], calls: StatementCalls
) -> Iterator[Operation]:
    assert scan.walk is not None
    parent = scan.walk.parent
    positions = {column.name: position for position, column in enumerate(parent.resource.columns)}
    wanted = sorted({column for _, column in scan.walk.bind})
    seen: set[tuple[SQLValue, ...]] = set()
    for row in read_scan(parent, arguments, calls):
        values = tuple(row[positions[column]] for column in wanted)
        if values not in seen:
            seen.add(values)
            yield from bind_scan(scan, arguments, dict(zip(wanted, values, strict=True)))


def _pages(scan: Scan, operations: Iterator[Operation], calls: StatementCalls) -> Iterator[Page]:
    tree = scan.method.tree
    given = {option.parameter for option in scan.options}
    if tree is None or tree.parameter in given:
        yield from calls.pages(operations)
        return
    level: Iterator[Operation] | list[Operation] = operations
    while True:
        below: list[Operation] = []
        for page in calls.pages(level):
            below.extend(_directories(tree, page))
            yield page
        if not below:
            return
        level = below


def _directories(tree: Tree, page: Page) -> Iterator[Operation]:
    """The operations that list the page's directories."""
    for item in page.items:
        if isinstance(item, dict) and item.get(tree.flag) is True:
            arguments = {**dict(page.operation.arguments), tree.parameter: item.get(tree.column)}
            yield replace(page.operation, arguments=tuple(sorted(arguments.items())))


def _repeats(scan: Scan) -> bool:
    """Whether a row may come twice: offset tokens shift, and the values of an option may overlap."""
    if not scan.resource.key or scan.pages_as_rows:
        return False
    pages = scan.method.pages
    shifting = pages is not None and (pages.offset or pages.style == "number")
    return shifting or any(option.many for option in (*scan.options, *scan.echoes))


def _warn_missing_parent(scan: Scan, page: Page, calls: StatementCalls) -> None:
    if not page.missing or scan.walk is not None or not any(s.endswith("[]") for s in scan.method.rows or ()):
        return
    given = ", ".join(
        f"{name} = {value!r}" for name, value in page.operation.arguments if _names_parent(scan, name)
    )
    calls.warn(
        Warning(
            f"{scan.resource.name}: no rows, because the API has no {given or 'such parent'}",
            reason="missing_parent",
        )
    )


def _names_parent(scan: Scan, parameter: str) -> bool:
    found = scan.method.parameters.get(parameter)
    return found is not None and found.required
