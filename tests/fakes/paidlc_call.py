"""One call of the PAI-DLC stand-in, read: what its handlers are given."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TypeAlias

from sqlprovider.values import JSON
from tests.fakes.paidlc_lists import page_number
from tests.fakes.paidlc_operations import Operation
from tests.fakes.paidlc_state import ApiError, Object, PaidlcState, Stamped, text_of, time_text, window

_WEEK = timedelta(days=7)
_MOST = 2000


@dataclass(frozen=True, slots=True)
class Call:
    """One call of an operation."""

    state: PaidlcState
    operation: Operation
    ids: Mapping[str, str]
    query: Mapping[str, str]
    body: Object = field(default_factory=dict)
    rows: int | None = None
    """A fault's: at most so many rows on this page."""

    def need(self, *names: str) -> None:
        """Refuses a call that lacks one of them."""
        for name in names:
            if self.body.get(name) is None and not self.query.get(name):
                raise ApiError(400, "MissingParameter", f"{name} is required.")

    def json_list(self, name: str) -> list[str]:
        """A parameter of the query that is a JSON list of texts; empty where it is not given."""
        try:
            value = json.loads(self.query.get(name) or "[]")
        except ValueError:
            value = None
        if not isinstance(value, list):
            raise ApiError(400, "InvalidParameter", f"{name} is no JSON list.")
        return [str(item) for item in value]

    def shift(self) -> None:
        """What happens while a list is read: before each page but the first a job comes or goes."""
        state = self.state
        if page_number(self.query) == 1:
            return
        if state.arrivals > 0:
            state.arrivals -= 1
            job_id = state.new_id("dlc")
            made = time_text(state.now())
            state.jobs[job_id] = {
                "JobId": job_id,
                "DisplayName": "late",
                "Status": "Queuing",
                "GmtCreateTime": made,
            }
        if state.departures > 0:
            state.departures -= 1
            del state.jobs[min(state.jobs, key=lambda id_: text_of(state.jobs[id_], "GmtCreateTime"))]


Handler: TypeAlias = Callable[[Call], JSON]


def capped(call: Call, lines: Sequence[Stamped], parameter: str) -> list[JSON]:
    """The last of the lines of the time range: without one, of seven days; without a number, 2000."""
    start, end = window(
        call.state, call.query.get("StartTime", ""), call.query.get("EndTime", ""), default=_WEEK
    )
    most = call.query.get(parameter) or str(_MOST)
    if not most.isdigit() or int(most) < 1:
        raise ApiError(400, "InvalidParameter", f"{parameter} cannot be {most!r}.")
    found = [f"{time_text(line.at)} {line.text}" for line in lines if start <= line.at <= end]
    return list[JSON](found[-int(most) :])
