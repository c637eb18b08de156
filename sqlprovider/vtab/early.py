"""Reads that need nothing of another table, begun before SQLite comes to them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice

from sqlprovider.execute.feed import IN_FLIGHT
from sqlprovider.plan.bind import Argument, bind_scan, scans_by_view
from sqlprovider.plan.forecast import Given, forecast_arguments
from sqlprovider.plan.model import Operation, Scan
from sqlprovider.sql.statement import Query
from sqlprovider.vtab.queryplan import PlannedScan
from sqlprovider.vtab.reading import Reading


def begin_early(reading: Reading, scans: Sequence[PlannedScan], query: Query, given: Given) -> None:
    """Begins the scans whose every value the text says; a wrong guess costs a request."""
    if query.limit is not None:
        return  # it may end before it comes to them
    named = Counter(table.alias.lower() for table in query.tables)
    predicates = {table.alias.lower(): table.predicates for table in query.tables}
    for scan in scans:
        alias = scan.alias.lower()
        if named[alias] != 1 or not isinstance(scan.plan, Scan):
            continue
        arguments = forecast_arguments(scan.plan, predicates[alias], given)
        if arguments is not None:
            room = max(0, min(IN_FLIGHT, reading.calls.to_spare))
            for operation in islice(_first_operations(scan.plan, arguments), room):
                reading.feeds.ask(operation)


def _first_operations(scan: Scan, arguments: Sequence[Argument]) -> Iterator[Operation]:
    """The operations that wait for no answer: the scan's own, or those of the outermost parents."""
    if scan.walk is None:
        yield from bind_scan(scan, arguments)
        return
    for known in scans_by_view(scan, arguments):
        assert known.walk is not None
        yield from _first_operations(known.walk.parent, arguments)
