"""The writes of PAI-DLC's TensorBoards and jobs. Nobody chooses an id here, and no create can be repeated."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence

from sqlprovider.values import JSON
from tests.fakes.paidlc import PaidlcState, paidlc_app
from tests.fakes.paidlc_state import NOW, ApiError, Object, time_text
from tests.faults.model import Lab, Platform, Scenario, Stage, markers_of
from tests.faults.statements import Row, delete, execute, insert, update
from tests.paidlc import AUTH, ENVIRON, KEY_ID, SECRET

_CODES = {
    400: "InvalidParameter",
    401: "InvalidAccessKeyId.Inactive",
    403: "Forbidden",
    404: "NotFound",
    409: "Conflict",
    412: "PreconditionFailed",
    429: "Throttling",
    503: "ServiceUnavailable",
}
_SPECS = json.dumps([{"Type": "Worker", "PodCount": 1, "EcsSpec": "ecs.c6.large", "Image": "i"}])
_TABLES = ("tensorboards", "jobs")


def _refusal(status: int, message: str) -> JSON:
    body: JSON = json.loads(ApiError(status, _CODES.get(status, "InternalError"), message).response("R").body)
    return body


ALIBABA = Platform("alibaba", {"auth": AUTH}, ENVIRON, _refusal)


def scenarios() -> Iterator[Scenario]:
    """Every one of PAI-DLC's."""
    for table, key in zip(_TABLES, ("TensorboardId", "JobId"), strict=True):
        yield _scenario(table, "create", lambda count, table=table: _create(table, {}, count), "INSERT")
        for note, is_read in (("unread", False), ("read first", True)):
            yield _scenario(
                table,
                "update",
                lambda count, table=table, key=key, is_read=is_read: _update(table, key, count, is_read=is_read),
                "UPDATE",
                note=note,
                look=True,
                repeats=True,
            )
        yield _scenario(
            table,
            "delete",
            lambda count, table=table, key=key: _delete(table, key, count),
            "DELETE",
            look=True,
            repeats=True,
        )
    yield _scenario(
        "jobs",
        "create_from_template",
        lambda count: _create("jobs", {"TemplateId": "tpl"}, count),
        "INSERT",
    )
    yield from _calls()


def _scenario(
    table: str,
    method: str,
    stage: Callable[[int], Stage],
    verb: str,
    *,
    note: str = "",
    look: bool = False,
    repeats: bool = False,
) -> Scenario:
    return Scenario(
        ALIBABA,
        f"alibaba.paidlc.{table}",
        method,
        lambda lab, count: stage(count),
        verb,
        note=note,
        look=look,
        repeats=repeats,
    )


def _state() -> PaidlcState:
    state = PaidlcState(keys={KEY_ID: SECRET})
    state.templates["tpl"] = {"TemplateId": "tpl", "DefaultVersion": 1, "Versions": []}
    return state


def _objects(state: PaidlcState, table: str) -> dict[str, Object]:
    return state.jobs if table == "jobs" else state.tensorboards


def _stage(
    state: PaidlcState, sql: str, markers: Sequence[str], counts: Callable[[], Mapping[str, int]]
) -> Stage:
    return Stage(paidlc_app(state), sql, markers, counts)


def _create(table: str, more: Row, count: int) -> Stage:
    state, markers = _state(), markers_of(count)
    needed: Row = {"JobType": "TFJob", "JobSpecs": _SPECS, "UserCommand": "true"} if table == "jobs" else {}
    rows: list[Row] = [{"DisplayName": f"name {marker}", **(more or needed)} for marker in markers]

    def counts() -> Mapping[str, int]:
        names = [item.get("DisplayName") for item in _objects(state, table).values()]
        return {marker: names.count(f"name {marker}") for marker in markers}

    return _stage(state, insert(f"alibaba.paidlc.{table}", rows), markers, counts)


def _existing(table: str, key: str, count: int, status: str) -> tuple[PaidlcState, list[str]]:
    state, markers = _state(), markers_of(count)
    for marker in markers:
        _objects(state, table)[marker] = {
            key: marker,
            "DisplayName": f"name {marker}",
            "Status": status,
            "Priority": 1,
            "Accessibility": "PRIVATE",
            "GmtCreateTime": time_text(NOW),
        }
    return state, markers


def _update(table: str, key: str, count: int, *, is_read: bool) -> Stage:
    state, markers = _existing(table, key, count, "Stopped")
    where = {"Status": "Stopped"} if is_read else {key: markers}
    sql = update(f"alibaba.paidlc.{table}", {"Accessibility": "PUBLIC"}, where)
    items = _objects(state, table)
    return _stage(state, sql, markers, lambda: {m: int(items[m]["Accessibility"] == "PUBLIC") for m in markers})


def _delete(table: str, key: str, count: int) -> Stage:
    state, markers = _existing(table, key, count, "Stopped")
    items = _objects(state, table)
    sql = delete(f"alibaba.paidlc.{table}", {key: markers})
    return _stage(state, sql, markers, lambda: {marker: int(marker not in items) for marker in markers})


def _calls() -> Iterator[Scenario]:
    for table, method, key, before, after in (
        ("tensorboards", "start", "TensorboardId", "Stopped", "Running"),
        ("tensorboards", "stop", "TensorboardId", "Running", "Stopped"),
        ("jobs", "stop", "JobId", "Running", "Stopped"),
    ):

        def stage(
            count: int,
            table: str = table,
            method: str = method,
            key: str = key,
            before: str = before,
            after: str = after,
        ) -> Stage:
            state, (marker,) = _existing(table, key, 1, before)
            items = _objects(state, table)
            sql = execute(f"alibaba.paidlc.{table}.{method}", {key: marker})
            return _stage(state, sql, [marker], lambda: {marker: int(items[marker]["Status"] == after)})

        yield _scenario(table, method, stage, "EXEC")
    for method, before_tags, given in (
        ("tag", {}, {"RegionId": "cn-hangzhou", "Tag": json.dumps([{"Key": "team", "Value": "a"}])}),
        ("untag", {"team": "a"}, {"TagKey": json.dumps(["team"])}),
    ):

        def tags(
            count: int,
            method: str = method,
            before: Mapping[str, str] = before_tags,
            given: Mapping[str, str] = given,
        ) -> Stage:
            state, (marker,) = _existing("jobs", "JobId", 1, "Running")
            state.tags[marker] = dict(before)
            arguments = {"ResourceType": "job", "ResourceId": json.dumps([marker]), **given}
            sql = execute(f"alibaba.paidlc.jobs.{method}", arguments)
            return _stage(state, sql, [marker], lambda: {marker: int(state.tags[marker] != before)})

        yield _scenario("jobs", method, tags, "EXEC", repeats=True)
