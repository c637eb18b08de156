"""What becomes of writes that wait for COMMIT: they are checked as they are staged, and sent in order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from sqlprovider.config import Settings
from sqlprovider.errors import Error, NotSupportedError
from sqlprovider.values import SQLValue
from sqlprovider.vtab.engine import Engine
from sqlprovider.vtab.looks import Looks
from sqlprovider.vtab.rowwrite import Report
from sqlprovider.vtab.run import Run
from sqlprovider.vtab.staging import Staging
from sqlprovider.vtab.writer import Planned, Writer, Written, refuse_rows

LastWrite = tuple[dict[str, SQLValue], ...]


def stage(planned: Planned, staging: Staging, settings: Settings) -> Written:
    """Keeps a write for COMMIT. Raises what it is refused for, and where it would have to answer now."""
    if planned.returning is not None:
        raise NotSupportedError(
            f"{planned.mutation.where}: RETURNING inside a transaction: the row is sent at COMMIT",
            reason="returning_staged",
            hint="COMMIT first, or leave RETURNING out",
        )
    rows = list(planned.rows)
    refuse_rows(planned.mutation, rows, settings)
    for sequence, row in enumerate(rows, 1):
        row.sequence, row.state = sequence, "staged"
    staging.add(replace(planned, rows=rows))
    return Written(0, None, Report(planned.mutation, rows).last_write(), tuple(rows))


def send_staged(staging: Staging, engine: Engine, run: Run) -> LastWrite:
    """Sends what is staged, in order. Raises the first failure, with what became of every row of all."""
    writer, done = Writer(engine, run), list[dict[str, SQLValue]]()
    waiting = staging.take()
    touched = set[object]()
    for place, planned in enumerate(waiting):
        for row in planned.rows:
            row.state = "not_tried"
        try:
            _read_again(planned, touched, engine, run)
            done += writer.write(planned).last_write
        except Error as error:
            left = [row for later in waiting[place + 1 :] for row in _not_tried(later)]
            error.rows = _numbered([*done, *error.rows, *left])
            raise
    return _numbered(done)


def _read_again(planned: Planned, touched: set[object], engine: Engine, run: Run) -> None:
    """Rows that an earlier write of the transaction has changed are not as they were read."""
    resource = planned.mutation.resource
    looks = Looks(resource, engine, run)
    for row in planned.rows:
        known = row.values if row.old is None else row.old
        key = (resource.name, *(known.get(name) for name in resource.key))
        if row.again is not None and key in touched and looks.has_key(known):
            now = looks.by_key(known)
            if now is None:
                row.operations, row.state = (), "missing"
            else:
                row.operations, row.old = row.again(now), now
        touched.add(key)


def _not_tried(planned: Planned) -> Iterator[dict[str, SQLValue]]:
    rows = list(planned.rows)
    for row in rows:
        row.state = "not_tried"
    yield from Report(planned.mutation, rows).last_write()


def _numbered(rows: list[dict[str, SQLValue]]) -> LastWrite:
    return tuple({**row, "sequence": sequence} for sequence, row in enumerate(rows, 1))
