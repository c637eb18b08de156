"""How a list goes on: one small class per scheme. Pure: pages in, the next page's parameters out.

A list ends only where the API says so. Whatever else looks like an end is a DataError, raised when the
consumer asks for more than the page in hand: a statement that has all it wants does not fail.
"""

from __future__ import annotations

from typing import Protocol

from sqlprovider.catalog.model import Pages, Wire
from sqlprovider.errors import DataError
from sqlprovider.execute.items import kind_of, pointer, value_at
from sqlprovider.execute.response import Page
from sqlprovider.plan.model import Operation
from sqlprovider.values import JSON


class Paginator(Protocol):
    """Where one operation's list stands."""

    @property
    def upcoming(self) -> int:
        """How many pages from the one at hand on can be asked for already.

        0: one, and those that were asked for before are not to be used.
        """

    def parameters(self, step: int = 0) -> dict[str, JSON]:
        """What the request for the page at hand takes beside the operation's arguments, by parameter name.

        `step`: for a page so many after it, below `upcoming`.
        """

    def advance(self, page: Page) -> bool:
        """Moves on to the page after this one; False: this was the last. DataError where neither is sure."""


def paginator(operation: Operation) -> Paginator:
    """The scheme of the operation's method, at its first page: an explicit token or number starts there."""
    pages = operation.method.pages
    if pages is None:
        return OnePage()
    match pages.style:
        case "token":
            return TokenPages(operation, pages)
        case "header":
            return HeaderPages(operation, pages)
        case "number":
            return NumberPages(operation, pages)
        case "cap":
            return CappedPage(operation, pages)
        case "one":
            return OnePage()


class OnePage:
    """The whole list is in one answer."""

    upcoming = 1

    def parameters(self, step: int = 0) -> dict[str, JSON]:
        """Nothing."""
        return {}

    def advance(self, page: Page) -> bool:
        """Never."""
        return False


class TokenPages:
    """The answer's token asks for the next page; absent or empty, this was the last."""

    upcoming = 1

    def __init__(self, operation: Operation, pages: Pages) -> None:
        self._pages = pages
        self._size = _size(operation, pages)
        self._parameter = pages.parameter or ""
        self._token: JSON = None
        self._seen: set[str] = set()
        start = dict(operation.arguments).get(self._parameter)
        if start is not None:
            self._seen.add(str(start))

    def parameters(self, step: int = 0) -> dict[str, JSON]:
        """The page size, and after the first page the token."""
        return self._size if self._token is None else {**self._size, self._parameter: self._token}

    def advance(self, page: Page) -> bool:
        """A short page with a token goes on; a token that came before would go round for ever."""
        token, at = self._next(page)
        if token is None or token == "":
            return False
        if not isinstance(token, str):
            raise DataError(
                f"the token of the next page is {kind_of(token)}, not text", reason="wrong_token", pointer=at
            )
        if token in self._seen:
            raise DataError(
                "the API gave a page token that it had given before: the list has no end",
                reason="repeated_token",
                pointer=at,
            )
        self._seen.add(token)
        self._token = token
        return True

    def _next(self, page: Page) -> tuple[JSON, str]:
        """The token and where it is."""
        return value_at(page.answer, self._pages.token), pointer(self._pages.token)


class HeaderPages(TokenPages):
    """The same with the token in a header of the answer."""

    def _next(self, page: Page) -> tuple[JSON, str]:
        name = self._pages.token[0]
        return page.headers.get(name.lower()), f"header {name}"


class NumberPages:
    """Pages are numbered, and a total says how many rows there are."""

    def __init__(self, operation: Operation, pages: Pages) -> None:
        self._pages = pages
        self._size = _size(operation, pages)
        self._parameter = pages.parameter or ""
        start = dict(operation.arguments).get(self._parameter)
        self._number = int(start) if isinstance(start, int | str) and str(start).isdigit() else pages.first
        # What lies before an explicit start is not known, for the server may cap the page size: then the end
        # is an empty page, not the total.
        self._counts = self._number == pages.first and bool(pages.total)
        self._rows = 0
        self._total = 0
        self._longest = 0
        """Rows of the longest page so far, where the total counts."""
        self._is_moving = False
        self._last: list[JSON] = []

    @property
    def upcoming(self) -> int:
        """As many as the total says, should the others be as long as the first; 0 while the total moves.

        Pages that were answered in another order than that of their numbers may then lack a row.
        """
        if not self._longest:
            return 1
        if self._is_moving:
            return 0
        return max(1, -(-(self._total - self._rows) // self._longest))

    def parameters(self, step: int = 0) -> dict[str, JSON]:
        """The page size and the number."""
        return {**self._size, self._parameter: self._number + step}

    def advance(self, page: Page) -> bool:
        """Counts rows, not pages: a server may give fewer a page than were asked for."""
        self._rows += len(page.items)
        if not (self._is_more_by_total(page) if self._counts else bool(page.items)):
            return False
        if page.items and page.items == self._last:
            raise DataError(
                f"page {self._number} is the same as the page before: the API does not count pages",
                reason="repeated_page",
            )
        self._last = page.items
        self._number += 1
        return True

    def _is_more_by_total(self, page: Page) -> bool:
        total, at = read_total(page, self._pages), pointer(self._pages.total)
        if total < self._total:
            raise DataError(
                f"the total fell from {self._total} to {total} while the list was read: rows may be missing",
                reason="wrong_total",
                pointer=at,
            )
        self._is_moving = bool(self._longest) and total != self._total
        self._total = total
        self._longest = max(self._longest, len(page.items))
        if self._rows > total or (self._rows < total and not page.items):
            raise DataError(
                f"the API says there are {total} rows and gave {self._rows}", reason="wrong_total", pointer=at
            )
        return self._rows < total


class CappedPage:
    """At most so many rows, and no word on whether there are more: an answer that is full proves nothing."""

    upcoming = 1

    def __init__(self, operation: Operation, pages: Pages) -> None:
        self._pages = pages
        given = dict(operation.arguments).get(pages.size or "")
        self._cap = int(given) if isinstance(given, int | str) and str(given).isdigit() else pages.size_max
        # A smaller page for a LIMIT would look full: the cap itself is asked for.
        self._size = {} if given is not None else _sized(operation, pages, pages.size_max)

    def parameters(self, step: int = 0) -> dict[str, JSON]:
        """The cap."""
        return self._size

    def advance(self, page: Page) -> bool:
        """Never; a full answer is an error."""
        if self._cap is not None and len(page.items) >= self._cap:
            raise DataError(
                f"the answer holds {len(page.items)} rows, the most that was asked for: there may be more",
                reason="capped",
                hint=_way_out(page.operation, self._pages),
            )
        return False


def _way_out(operation: Operation, pages: Pages) -> str | None:
    """What makes a capped answer whole: a larger cap, or less to answer."""
    columns = [operation.method.parameters[name].column or name for name in pages.bounds]
    narrower = " AND ".join(f"{name} = '…'" for name in columns)
    larger = None
    if pages.size is not None:
        larger = f"AND {operation.method.parameters[pages.size].column or pages.size} = …, a larger number"
    return "; or ".join(filter(None, (larger, narrower and f"less at a time: AND {narrower}"))) or None


def _size(operation: Operation, pages: Pages) -> dict[str, JSON]:
    """The largest page, or what the statement needs; nothing where it gives a page size of its own."""
    if pages.size is None or pages.size in dict(operation.arguments):
        return {}
    wanted = [size for size in (operation.page_size, pages.size_max) if size is not None]
    return _sized(operation, pages, min(wanted, default=None))


def _sized(operation: Operation, pages: Pages, size: int | None) -> dict[str, JSON]:
    if pages.size is None or size is None:
        return {}
    parameter = operation.method.parameters.get(pages.size)
    as_text = parameter is not None and parameter.wire is Wire.INT64
    return {pages.size: str(size) if as_text else size}


def read_total(page: Page, pages: Pages) -> int:
    """The total that a page says. Raises DataError where it says none."""
    total, at = value_at(page.answer, pages.total), pointer(pages.total)
    if isinstance(total, str) and total.isdigit():
        return int(total)
    if isinstance(total, bool) or not isinstance(total, int) or total < 0:
        raise DataError(f"the total {at} is {kind_of(total)}, not a count", reason="wrong_total", pointer=at)
    return total
