"""What one statement has sent: counted against `max_requests`, and recorded."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlprovider.errors import RequestLimitError

if TYPE_CHECKING:
    from sqlprovider.config import Settings
    from sqlprovider.execute.events import OnEvent, RequestRecord


@dataclass(slots=True)
class Ledger:
    """Counts and records; the pool's threads share it."""

    settings: Settings
    on_event: OnEvent | None = None
    records: list[RequestRecord] = field(default_factory=list)
    _sent: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def to_spare(self) -> int:
        """How many exchanges may be guesses: half of the limit is kept for what is needed."""
        return self.settings.max_requests // 2 - self._sent

    def take(self) -> int:
        """The number of the exchange about to be made. Raises RequestLimitError where there is none left."""
        limit = self.settings.max_requests
        with self._lock:
            if self._sent >= limit:
                raise RequestLimitError(
                    f"the statement needs more than {limit} requests; {self._sent} were sent so far",
                    hint=f"--max-requests {2 * limit}, or SET max_requests = {2 * limit}",
                )
            self._sent += 1
            return self._sent

    def add(self, record: RequestRecord, *, silent: bool = False) -> None:
        """Keeps a record and tells the listener, one record at a time."""
        with self._lock:
            self.records.append(record)
            if self.on_event is not None and not silent:
                self.on_event(record)
