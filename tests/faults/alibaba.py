"""The writes of PAI-DLC's TensorBoards and jobs. Nobody chooses an id here, and no create can be repeated."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import partial

from sqlprovider.values import JSON
from tests.fakes.paidlc import PaidlcState, paidlc_app
from tests.fakes.paidlc_state import NOW, ApiError, Object, time_text
from tests.faults.model import Counts, Lab, Platform, Scenario, Stage, markers_of
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


def _refusal(status: int, message: str) -> JSON:
    body: JSON = json.loads(ApiError(status, _CODES.get(status, "InternalError"), message).response("R").body)
    return body


ALIBABA = Platform("alibaba", {"auth": AUTH}, ENVIRON, _refusal)


def scenarios() -> Iterator[Scenario]:
    """Every one of PAI-DLC's."""
    for table, key in (("tensorboards", "TensorboardId"), ("jobs", "JobId")):
        of_table = partial(Scenario, ALIBABA, f"alibaba.paidlc.{table}")
        yield of_table("create", partial(_create, table, {}), "INSERT")
        for note in ("unread", "read first"):
            stage = partial(_update, table, key, note == "read first")
            yield of_table("update", stage, "UPDATE", note=note, look=True, repeats=True)
        yield of_table("delete", partial(_delete, table, key), "DELETE", look=True, repeats=True)
    jobs = partial(Scenario, ALIBABA, "alibaba.paidlc.jobs")
    yield jobs("create_from_template", partial(_create, "jobs", {"TemplateId": "tpl"}), "INSERT")
    yield from _calls()


def _state() -> PaidlcState:
    state = PaidlcState(keys={KEY_ID: SECRET})
    state.templates["tpl"] = {"TemplateId": "tpl", "DefaultVersion": 1, "Versions": []}
    return state


def _objects(state: PaidlcState, table: str) -> dict[str, Object]:
    return state.jobs if table == "jobs" else state.tensorboards


def _stage(state: PaidlcState, sql: str, markers: Sequence[str], counts: Counts) -> Stage:
    return Stage(paidlc_app(state), sql, markers, counts)


def _create(table: str, more: Row, lab: Lab, count: int) -> Stage:
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


def _update(table: str, key: str, is_read: bool, lab: Lab, count: int) -> Stage:
    state, markers = _existing(table, key, count, "Stopped")
    where = {"Status": "Stopped"} if is_read else {key: markers}
    sql = update(f"alibaba.paidlc.{table}", {"Accessibility": "PUBLIC"}, where)
    items = _objects(state, table)
    return _stage(
        state, sql, markers, lambda: {m: int(items[m]["Accessibility"] == "PUBLIC") for m in markers}
    )


def _delete(table: str, key: str, lab: Lab, count: int) -> Stage:
    state, markers = _existing(table, key, count, "Stopped")
    items = _objects(state, table)
    sql = delete(f"alibaba.paidlc.{table}", {key: markers})
    return _stage(state, sql, markers, lambda: {marker: int(marker not in items) for marker in markers})


_TURNS = (
    ("tensorboards", "start", "TensorboardId", "Stopped", "Running"),
    ("tensorboards", "stop", "TensorboardId", "Running", "Stopped"),
    ("jobs", "stop", "JobId", "Running", "Stopped"),
)
"""Table, method, its key, the status before and after."""


def _calls() -> Iterator[Scenario]:
    for table, method, key, before, after in _TURNS:
        stage = partial(_turn, table, method, key, before, after)
        yield Scenario(ALIBABA, f"alibaba.paidlc.{table}", method, stage, "EXEC")
    jobs = partial(Scenario, ALIBABA, "alibaba.paidlc.jobs")
    tag = {"RegionId": "cn-hangzhou", "Tag": json.dumps([{"Key": "team", "Value": "a"}])}
    untag = {"TagKey": json.dumps(["team"])}
    yield jobs("tag", partial(_tags, "tag", {}, tag), "EXEC", repeats=True)
    yield jobs("untag", partial(_tags, "untag", {"team": "a"}, untag), "EXEC", repeats=True)


def _turn(table: str, method: str, key: str, before: str, after: str, lab: Lab, count: int) -> Stage:
    state, (marker,) = _existing(table, key, 1, before)
    items = _objects(state, table)
    sql = execute(f"alibaba.paidlc.{table}.{method}", {key: marker})
    return _stage(state, sql, [marker], lambda: {marker: int(items[marker]["Status"] == after)})


def _tags(method: str, before: Mapping[str, str], given: Mapping[str, str], lab: Lab, count: int) -> Stage:
    state, (marker,) = _existing("jobs", "JobId", 1, "Running")
    state.tags[marker] = dict(before)
    arguments = {"ResourceType": "job", "ResourceId": json.dumps([marker]), **given}
    sql = execute(f"alibaba.paidlc.jobs.{method}", arguments)
    return _stage(state, sql, [marker], lambda: {marker: int(state.tags[marker] != before)})
