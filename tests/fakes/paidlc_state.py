"""What the PAI-DLC stand-in knows: objects by id in the API's own words, a clock, and switches."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count

from sqlprovider.values import JSON
from tests.fakes.faults import Fault
from tests.fakes.wsgi import RecordedRequest, Response

Object = dict[str, JSON]
NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
"""When the stand-in believes it is: the window of seven days begins on 2026-02-22."""


class ApiError(Exception):
    """A refusal in Alibaba Cloud's shape."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.message = message

    def response(self, request_id: str, *, headers: tuple[tuple[str, str], ...] = ()) -> Response:
        """The error as an HTTP answer."""
        body: Object = {
            "RequestId": request_id,
            "HostId": "pai-dlc.cn-hangzhou.aliyuncs.com",
            "Code": self.code,
            "Message": self.message,
            "Recommend": f"https://api.aliyun.com/troubleshoot?q={self.code}&product=pai-dlc",
        }
        return Response.of_json(self.status, body, headers=(("x-acs-request-id", request_id), *headers))


@dataclass(frozen=True, slots=True)
class Stamped:
    """A line that was written at a time: an event, or a line of a log."""

    at: datetime
    text: str
    container: str = "main"


@dataclass(slots=True)
class PaidlcState:
    """The whole state. Set the switches and append to `faults` at any time; `requests` is the log."""

    now: Callable[[], datetime] = lambda: NOW
    sleep: Callable[[float], None] = time.sleep
    keys: dict[str, str] | None = None
    """AccessKey id → secret, whose requests are let in; None: everybody is."""
    tokens: dict[str, str] = field(default_factory=dict)
    """AccessKey id → its STS token, for keys that are temporary."""
    page_cap: int = 50
    """A page has no more rows than this, however many are asked for."""
    arrivals: int = 0
    """So many jobs are made while lists are read: one before each page but the first."""
    departures: int = 0
    """So many jobs are deleted so, the oldest first."""
    faults: list[Fault] = field(default_factory=list)
    requests: list[RecordedRequest] = field(default_factory=list)
    jobs: dict[str, Object] = field(default_factory=dict)
    """All that is known of each job; the list and GetJob each show a part."""
    tags: dict[str, dict[str, str]] = field(default_factory=dict)
    tensorboards: dict[str, Object] = field(default_factory=dict)
    templates: dict[str, Object] = field(default_factory=dict)
    """With `Versions`, the oldest first."""
    ray_servers: dict[str, Object] = field(default_factory=dict)
    specs: list[Object] = field(default_factory=list)
    events: dict[str, list[Stamped]] = field(default_factory=dict)
    """JobId, or JobId/PodId → its events."""
    logs: dict[str, list[Stamped]] = field(default_factory=dict)
    """JobId/PodId → its lines."""
    checks: dict[str, list[list[JSON]]] = field(default_factory=dict)
    signals: dict[str, dict[str, Object]] = field(default_factory=dict)
    metrics: dict[tuple[str, str], dict[str, list[tuple[datetime, float]]]] = field(default_factory=dict)
    """(JobId, MetricType) → PodId → points."""
    points: dict[str, list[Object]] = field(default_factory=dict)
    """JobId → what the monitoring service has of it."""
    nonces: set[str] = field(default_factory=set)
    lock: threading.RLock = field(default_factory=threading.RLock)
    ids: count[int] = field(default_factory=lambda: count(1))

    def new_id(self, prefix: str) -> str:
        """An id that was not given before."""
        return f"{prefix}-new-{next(self.ids)}"

    def job(self, job_id: str) -> Object:
        """The job, or NotFound."""
        return _found(self.jobs, job_id, "NotFound", "Job")

    def tensorboard(self, id_: str) -> Object:
        """The TensorBoard, or NotFound."""
        return _found(self.tensorboards, id_, "NotFound", "Tensorboard")

    def template(self, id_: str) -> Object:
        """The template, or NotFound.JobTemplate."""
        return _found(self.templates, id_, "NotFound.JobTemplate", "JobTemplate")

    def ray_server(self, id_: str) -> Object:
        """The Ray history server, or NotFound."""
        return _found(self.ray_servers, id_, "NotFound", "RayHistoryServer")

    def pod(self, job_id: str, pod_id: str) -> Object:
        """The pod of a job, or NotFound."""
        for pod in objects(self.job(job_id).get("Pods")):
            if pod["PodId"] == pod_id:
                return pod
        raise ApiError(404, "NotFound", f"Pod {pod_id} of job {job_id} is not found.")


def _found(kept: Mapping[str, Object], id_: str, code: str, what: str) -> Object:
    if (found := kept.get(id_)) is None:
        raise ApiError(404, code, f"{what} {id_} is not found.")
    return found


def objects(value: JSON) -> list[Object]:
    """The objects of a list; none where there is no list."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def text_of(item: Object, name: str) -> str:
    """A field as text; the empty text where there is none."""
    value = item.get(name)
    return "" if value is None else str(value)


def time_text(moment: datetime) -> str:
    """`2026-03-01T12:00:00Z`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def read_time(text: str) -> datetime:
    """A time as the API takes it. Raises ApiError for any other form."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None or "T" not in text:
        raise ApiError(400, "InvalidParameter", f"{text!r} is no ISO 8601 time in UTC.")
    return moment


def window(state: PaidlcState, start: str, end: str, *, default: timedelta) -> tuple[datetime, datetime]:
    """The time range that a request asks for: unless it says otherwise, from `default` ago until now."""
    until = read_time(end) if end else state.now()
    return (read_time(start) if start else state.now() - default), until
