"""One operation on its way through its pages."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from dataclasses import dataclass

from sqlprovider.errors import DataError, Error
from sqlprovider.execute.exchange import Call, Target
from sqlprovider.execute.paginate import Paginator
from sqlprovider.execute.pool import Tasks
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
        """Whether the page after the one in hand is fetched ahead."""
        self._sender = sender
        self._paginator = state
        self._is_first = True
        self._future: Future[Fetched] | None = None

    def start(self, tasks: Tasks) -> None:
        """Has the next page fetched."""
        self._future = tasks.submit(lambda: self.fetch(tasks.stop))

    def take(self, tasks: Tasks) -> Fetched:
        """The next page, once it is there."""
        if self._future is None:
            self.start(tasks)
        future, self._future = self._future, None
        assert future is not None
        return tasks.result(future)

    def fetch(self, stop: threading.Event) -> Fetched:
        """The next page, fetched in this thread."""
        address = self.target.address
        request = build_request(
            self.operation,
            base_url=address.base_url,
            page=self._paginator.parameters(),
            version=address.service.version,
        )
        repeatable = is_repeatable(self.operation.method)
        call = Call(self.operation, self.target, request, repeatable, is_first=self._is_first)
        page = self._sender.page(call, stop)
        self._is_first = False
        if page.missing:
            return Fetched(page, goes_on=False)
        try:
            return Fetched(page, self._paginator.advance(page))
        except DataError as error:
            return Fetched(page, goes_on=False, error=error)
