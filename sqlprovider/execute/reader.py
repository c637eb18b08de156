"""Scan → rows, a page at a time: the walk over parents, the operations, their pages, the rows."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from sqlprovider.catalog.model import Tree
from sqlprovider.errors import Warning
from sqlprovider.execute.executor import StatementCalls
from sqlprovider.execute.failure import operation_context
from sqlprovider.execute.feed import Feed, Feeds, Pages
from sqlprovider.execute.response import Page
from sqlprovider.execute.rows import PageRows, RowDecoder
from sqlprovider.plan.bind import Argument, bind_scan, bound_parent_key, operand_value, scans_by_view
from sqlprovider.plan.model import Operation, Scan
from sqlprovider.values import SQLValue


@dataclass(frozen=True, slots=True)
class Check:
    """What the cells at a position must be one of."""

    position: int
    values: frozenset[SQLValue]


class ScanReader:
    """The rows of one scan under the values it is given; requests are made as pages are taken.

    `columns` are the positions of the cells wanted, in order; None: every column of the table, those that the
    statement does not read being None.
    """

    def __init__(
        self,
        scan: Scan,
        arguments: Sequence[Argument],
        calls: StatementCalls,
        feeds: Feeds,
        columns: Sequence[int] | None = None,
        checks: Sequence[Check] = (),
    ) -> None:
        self._scan = scan
        self._calls = calls
        self._decoder = RowDecoder(scan, columns)
        self._checks = checks
        self._checked = RowDecoder(scan, [check.position for check in checks]) if checks else None
        self._repeats = _repeats(scan)
        self._seen: set[int] = set()
        self._feeds = feeds
        self._last: tuple[Feed, int, int] | None = None
        self._walks: list[_Walk] = []
        found = self._operations(arguments)
        self._found = _Directories(scan.method.tree, found) if _is_tree(scan) else None
        self._pages = Pages(feeds, self._found or found)

    def start(self) -> None:
        """Asks for what can be asked for without waiting for an answer."""
        if self._scan.walk is None:
            self._pages.start()
        elif self._walks:
            self._walks[0].start(self._pages)

    @property
    def is_ready(self) -> bool:
        """Whether the next page is at hand."""
        return self._pages.is_ready

    def __iter__(self) -> Iterator[PageRows]:
        return self

    def __next__(self) -> PageRows:
        page, feed, place = next(self._pages)
        self._last = feed, place, page.size
        _warn_missing_parent(self._scan, page, self._calls)
        if self._found is not None:
            self._found.look_into(page)
        with operation_context(page.operation):
            rows = self._decoder.decode(page)
            self._feeds.rows.look_into(page)
            if self._checked is not None:
                rows = self._right(rows, self._checked.decode(page))
            return self._unrepeated(rows) if self._repeats else rows

    @property
    def origin(self) -> tuple[Feed, int, int]:
        """Where the page that was taken last came from: its feed, its place there, its bytes."""
        assert self._last is not None
        return self._last

    def go_on(self) -> None:
        """Has the next page fetched while the rows of the last one are looked at."""
        self._pages.go_on()

    @property
    def is_last(self) -> bool:
        """Whether the page that was taken last ends everything; False where that is not known."""
        return self._pages.is_over

    def use(self) -> None:
        """Counts the page that was taken last as wanted."""
        feed, place, _ = self.origin
        self._feeds.use(feed, place)

    def close(self) -> None:
        """Ends the reading; what is queued is dropped."""
        self._pages.close()
        for walk in self._walks:
            walk.parents.close()

    def _operations(self, arguments: Sequence[Argument]) -> Iterator[Operation]:
        """The scan's operations, one walked parent after the other as they are found."""
        if self._scan.walk is None:
            return bind_scan(self._scan, arguments)
        scans = scans_by_view(self._scan, arguments)
        self._walks = [_Walk(scan, arguments, self._calls, self._feeds) for scan in scans]
        return (operation for walk in self._walks for operation in walk.operations())

    def _right(self, rows: PageRows, checked: PageRows) -> PageRows:
        """The rows whose cells are what was asked for."""
        cells = zip(*checked.rows, strict=True)
        verdicts = [
            [cell in check.values for cell in column]
            for check, column in zip(self._checks, cells, strict=False)
        ]
        right = [all(verdict) for verdict in zip(*verdicts, strict=True)]
        return rows if all(right) else rows.only(right)

    def _unrepeated(self, rows: PageRows) -> PageRows:
        """Without the rows that came before."""
        known = len(self._seen)
        fresh = []
        for rowid in rows.rowids:
            fresh.append(rowid not in self._seen)
            self._seen.add(rowid)
        return rows if len(self._seen) - known == len(fresh) else rows.only(fresh)


class _Walk:
    """The operations that the rows of a parent's scan give."""

    def __init__(
        self, scan: Scan, arguments: Sequence[Argument], calls: StatementCalls, feeds: Feeds
    ) -> None:
        assert scan.walk is not None
        parent = scan.walk.parent
        self._scan = scan
        self._feeds = feeds
        self._arguments = arguments
        self._wanted = sorted({column for _, column in scan.walk.bind})
        names = [column.name for column in parent.resource.columns]
        positions = [names.index(column) for column in self._wanted]
        self.parents = ScanReader(parent, arguments, calls, feeds, positions)

    def start(self, pages: Pages) -> None:
        """Asks for what can be asked for without waiting: the parents, or what lies in a known one."""
        if self._given() is not None:
            pages.start()
        else:
            self.parents.start()

    def operations(self) -> Iterator[Operation]:
        """One after the other as the parents are found."""
        if (given := self._given()) is not None:
            yield from bind_scan(self._scan, self._arguments, given)
            return
        seen: set[tuple[SQLValue, ...]] = set()
        for page in self.parents:
            self.parents.use()
            self.parents.go_on()
            for values in page.rows:
                if values not in seen:
                    seen.add(values)
                    given = dict(zip(self._wanted, values, strict=True))
                    yield from bind_scan(self._scan, self._arguments, given)

    def _given(self) -> dict[str, SQLValue] | None:
        """What the parent's row would say, where its key is given and the statement has seen that row."""
        assert self._scan.walk is not None
        parent = self._scan.walk.parent
        key = bound_parent_key(self._scan, self._arguments)
        if key is None or not set(self._wanted) <= key.keys():
            return None
        view = None if parent.view is None else operand_value(parent.view, self._arguments)
        if not isinstance(view, str | None):
            return None
        if not self._feeds.rows.has(parent.resource, view, tuple(key[name] for name in parent.resource.key)):
            return None
        return {column: key[column] for column in self._wanted}


class _Directories:
    """The operations of a tree: those that list the directories come after those that found them."""

    def __init__(self, tree: Tree | None, operations: Iterable[Operation]) -> None:
        assert tree is not None
        self._tree = tree
        self._operations = iter(operations)
        self._below: deque[Operation] = deque()

    def __iter__(self) -> Iterator[Operation]:
        return self

    def __next__(self) -> Operation:
        """The next one; after StopIteration there may be more, once a page was looked into."""
        if (operation := next(self._operations, None)) is not None:
            return operation
        if self._below:
            return self._below.popleft()
        raise StopIteration

    def look_into(self, page: Page) -> None:
        """Takes up the page's directories."""
        for item in page.items:
            if isinstance(item, dict) and item.get(self._tree.flag) is True:
                arguments = dict(page.operation.arguments)
                arguments[self._tree.parameter] = item.get(self._tree.column)
                self._below.append(replace(page.operation, arguments=tuple(sorted(arguments.items()))))


def _is_tree(scan: Scan) -> bool:
    tree = scan.method.tree
    return tree is not None and tree.parameter not in {option.parameter for option in scan.options}


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
