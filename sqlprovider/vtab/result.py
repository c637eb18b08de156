"""What one statement gives."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlprovider.errors import Warning
    from sqlprovider.execute.events import RequestRecord
    from sqlprovider.execute.executor import StatementCalls
    from sqlprovider.values import Row
    from sqlprovider.vtab.database import ResultColumn


@dataclass(slots=True)
class Result:
    """What one statement gives. `columns` is None without a result set; `rows` streams and may raise."""

    columns: tuple[ResultColumn, ...] | None
    rows: Iterator[Row]
    warnings: list[Warning]
    rowcount: int = -1
    """Rows changed, or accepted by the API; -1 for a result set."""
    notices: list[str] = field(default_factory=list)
    records: list[RequestRecord] = field(default_factory=list)
    calls: StatementCalls | None = None

    @property
    def state(self) -> str:
        """COMPLETE, or LIMITED where the statement's own LIMIT ended a scan; final when `rows` are read."""
        return "LIMITED" if self.calls is not None and self.calls.limited else "COMPLETE"

    @property
    def requests(self) -> int:
        """The requests made so far."""
        return len(self.records)
