"""One operation and where its list stands: how each page is asked for, and whether another follows."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from sqlprovider.errors import DataError, Error
from sqlprovider.execute.exchange import Call, Target
from sqlprovider.execute.paginate import Paginator
from sqlprovider.execute.request import build_request
from sqlprovider.execute.response import Page
from sqlprovider.execute.retry import is_repeatable
from sqlprovider.execute.sender import Sender
from sqlprovider.plan.model import Operation


@dataclass(frozen=True, slots=True)
class Fetched:
    """A page, and whether the list goes on; `error` is why that is not sure."""

    page: Page
    goes_on: bool
    error: Error | None = None


class Listing:
    """One operation on its way through its pages."""

    def __init__(self, sender: Sender, operation: Operation, target: Target, state: Paginator) -> None:
        self.operation = operation
        self.target = target
        self.is_eager = operation.page_size is None
        """Whether the pages after the one in hand are fetched ahead."""
        self._sender = sender
        self._paginator = state
        self._is_first = True

    @property
    def upcoming(self) -> int:
        """How many pages are known to follow: 1, or all of them where they are numbered.

        0: one, and those that were asked for already must be asked for again.
        """
        return self._paginator.upcoming

    def fetcher(
        self, step: int = 0, before: Callable[[], None] | None = None
    ) -> Callable[[threading.Event], Page]:
        """What fetches the page `step` pages after the next one, in any thread."""
        parameters, is_first = self._paginator.parameters(step), self._is_first and step == 0
        address = self.target.address

        def fetch(stop: threading.Event) -> Page:
            request = build_request(
                self.operation,
                base_url=address.base_url,
                page=parameters,
                version=address.service.version,
            )
            repeatable = is_repeatable(self.operation.method)
            call = Call(self.operation, self.target, request, repeatable, is_first, before)
            return self._sender.page(call, stop)

        return fetch

    def advance(self, page: Page) -> Fetched:
        """Moves on to the page after the one that was asked for next."""
        self._is_first = False
        if page.missing:
            return Fetched(page, goes_on=False)
        try:
            return Fetched(page, self._paginator.advance(page))
        except DataError as error:
            return Fetched(page, goes_on=False, error=error)
