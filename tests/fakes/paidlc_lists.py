"""Lists of the PAI-DLC stand-in: its filters, its window of seven days, its order and its pages."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta

from sqlprovider.values import JSON
from tests.fakes.paidlc_state import ApiError, Object, PaidlcState, objects, read_time, text_of, window

WEEK = timedelta(days=7)
Query = Mapping[str, str]
Test = Callable[[Object, str], bool]


def equals(field: str) -> Test:
    """The parameter is the field's value."""
    return lambda item, value: text_of(item, field) == value


def contains(field: str) -> Test:
    """The parameter is somewhere in the field, in any case."""
    return lambda item, value: value.lower() in text_of(item, field).lower()


def same_text(field: str) -> Test:
    """The parameter is the field's value, in any case."""
    return lambda item, value: text_of(item, field).lower() == value.lower()


def one_of(field: str) -> Test:
    """The parameter names the field's value among others, with commas between."""
    return lambda item, value: text_of(item, field) in value.split(",")


def in_settings(field: str) -> Test:
    """The parameter is the value of one of a job's settings."""
    return lambda item, value: text_of(_settings(item), field) == value


def matching(items: Iterable[Object], query: Query, tests: Mapping[str, Test]) -> list[Object]:
    """The items that pass every filter which the query gives."""
    given = [(tests[name], value) for name, value in query.items() if name in tests and value]
    return [item for item in items if all(test(item, value) for test, value in given)]


def in_window(state: PaidlcState, items: Sequence[Object], query: Query) -> list[Object]:
    """The items created in the time range: without one, in the last seven days."""
    field = query.get("TimeRangeField") or "GmtCreateTime"
    start, end = window(state, query.get("StartTime", ""), query.get("EndTime", ""), default=WEEK)
    return [item for item in items if item.get(field) and start <= read_time(text_of(item, field)) <= end]


def ordered(items: Sequence[Object], query: Query, fields: Sequence[str]) -> list[Object]:
    """The items by SortBy and Order: without them the latest comes first. Ties stay as they were made."""
    by, order = query.get("SortBy") or "GmtCreateTime", query.get("Order") or "desc"
    if by.lower() not in (field.lower() for field in fields):
        raise ApiError(400, "InvalidParameter", f"SortBy cannot be {by!r}.")
    if order not in ("asc", "desc"):
        raise ApiError(400, "InvalidParameter", f"Order cannot be {order!r}.")
    field = next(name for name in fields if name.lower() == by.lower())
    return sorted(items, key=lambda item: text_of(item, field), reverse=order == "desc")


def page_of(state: PaidlcState, items: Sequence[Object], query: Query, *, rows: int | None) -> list[JSON]:
    """One page, counted from 1. `rows` is a fault's: at most so many are given, whatever their place."""
    number, size = _count(query, "PageNumber", 1), min(_count(query, "PageSize", 10), state.page_cap)
    found = list[JSON](items[(number - 1) * size : number * size])
    return found if rows is None else found[:rows]


def page_number(query: Query) -> int:
    """Which page is asked for."""
    text = query.get("PageNumber") or "1"
    return int(text) if text.isdigit() else 1


def tagged(state: PaidlcState, items: Sequence[Object], text: str) -> list[Object]:
    """The jobs that have all these tags, given as a JSON object."""
    if not text:
        return list(items)
    try:
        wanted = json.loads(text)
    except ValueError:
        wanted = None
    if not isinstance(wanted, dict):
        raise ApiError(400, "InvalidParameter", "Tags is no JSON object.")
    return [item for item in items if wanted.items() <= tags_of(state, item).items()]


def tags_of(state: PaidlcState, job: Object) -> dict[str, JSON]:
    """A job's tags: those it was made with, and those it was given since."""
    made = _settings(job).get("Tags")
    return {**(made if isinstance(made, dict) else {}), **state.tags.get(text_of(job, "JobId"), {})}


def pods_of(job: Object) -> list[Object]:
    """A job's pods."""
    return objects(job.get("Pods"))


def _settings(job: Object) -> Object:
    settings = job.get("Settings")
    return settings if isinstance(settings, dict) else {}


def _count(query: Query, name: str, default: int) -> int:
    text = query.get(name) or str(default)
    if not text.isdigit() or int(text) < 1:
        raise ApiError(400, "InvalidParameter", f"{name} cannot be {text!r}: it is a number from 1 on.")
    return int(text)
