"""What a stand-in for one of Google's APIs knows: items by name, operations, page tokens given out."""

from __future__ import annotations

import hashlib
import threading
import time
import zlib
from abc import ABC, abstractmethod
from base64 import b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import count

from tests.fakes.faults import Fault
from tests.fakes.google_api import GRPC_CODE, ApiError
from tests.fakes.proto_json import Object, timestamp_text
from tests.fakes.wsgi import RecordedRequest

START = 1_767_323_045_000_000_000
"""2026-01-02T03:04:05Z."""


@dataclass(slots=True)
class SteppingClock:
    """Nanoseconds since 1970; each reading is later by `step`, which makes times of 0 to 9 digits."""

    moment: int = START
    step: int = 61_000_100_003

    def __call__(self) -> int:
        self.moment += self.step
        return self.moment


@dataclass(slots=True)
class Operation:
    """A long-running operation: it takes effect when it has been polled often enough, and then is done."""

    name: str
    polls: int
    metadata: Object
    effect: Callable[[], Object]
    error: ApiError | None
    done: bool = False
    response: Object = field(default_factory=dict)

    def advance(self) -> None:
        """Count a poll; take effect after the last."""
        if self.done:
            return
        if self.polls > 0:
            self.polls -= 1
        if self.polls == 0:
            self.done = True
            if self.error is None:
                self.response = self.effect()

    def cancel(self) -> None:
        """End it without its effect."""
        if not self.done:
            self.done = True
            self.error = ApiError("CANCELLED", "The operation was cancelled.")

    def view(self) -> Object:
        """The operation as the API shows it: `done` is left out while it is false."""
        shown: Object = {"name": self.name, "metadata": self.metadata}
        if not self.done:
            return shown
        shown["done"] = True
        if self.error is None:
            return {**shown, "response": self.response}
        return {**shown, "error": {"code": GRPC_CODE[self.error.status], "message": self.error.message}}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page token goes on: in which list, of which parameters, from where."""

    fingerprint: str
    keys: tuple[str, ...]
    start: int
    page: int


@dataclass(slots=True)
class GoogleState(ABC):
    """The whole state. Set the switches and append to `faults` at any time; `requests` is the log."""

    clock: Callable[[], int] = field(default_factory=SteppingClock)
    sleep: Callable[[float], None] = time.sleep
    project_numbers: bool = False
    """`name` carries projects/<number>, as the live service may answer, though the request had the id."""
    forbidden: set[str] = field(default_factory=set)
    """Projects for which every call is PERMISSION_DENIED."""
    polls: int = 0
    """How often an operation that starts from now on has to be asked for before it is done."""
    operation_error: ApiError | None = None
    """What operations that start from now on fail with."""
    faults: list[Fault] = field(default_factory=list)
    requests: list[RecordedRequest] = field(default_factory=list)
    numbers: dict[str, str] = field(default_factory=lambda: {"p": "123456789012"})
    """Project id → project number; others are made up when needed."""
    collections: dict[str, dict[str, Object]] = field(default_factory=dict)
    """`projects/p/locations/l/tensorboards` → id → item, in order of creation."""
    policies: dict[str, Object] = field(default_factory=dict)
    """Item → its IAM policy."""
    fold_case: bool = False
    """Filters compare text without regard to case."""
    wild_equals: bool = False
    """In filters, `*` stands for any text after `=` too, and not only after `:`."""
    operations: dict[str, Operation] = field(default_factory=dict)
    places: dict[str, Place] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)
    ids: count[int] = field(default_factory=lambda: count(1))

    @abstractmethod
    def kind(self, name: str) -> str:
        """What an item of that name is, for messages."""

    @abstractmethod
    def add(self, name: str, item: Object | None = None) -> Object:
        """Put an item in; times and etag are given unless the item has them. Fields are kept as they are."""

    @abstractmethod
    def view(self, name: str) -> Object:
        """The item as the API shows it: computed fields added, fields in the message's order."""

    def put(self, name: str, item: Object) -> None:
        """Store an item."""
        path, _, id_ = name.rpartition("/")
        self.collections.setdefault(path, {})[id_] = item

    def seal(self, name: str) -> Object:
        """Give the item the etag of its present content."""
        item = self.get(name)
        item.pop("etag", None)
        digest = hashlib.sha256(repr(sorted(item.items())).encode()).digest()
        item["etag"] = b64encode(digest[:15]).decode()
        return item

    def find(self, name: str) -> Object | None:
        """The stored item, or None."""
        path, _, id_ = name.rpartition("/")
        return self.collections.get(path, {}).get(id_)

    def get(self, name: str) -> Object:
        """The stored item, or NOT_FOUND."""
        if (item := self.find(name)) is None:
            raise ApiError("NOT_FOUND", f"{self.kind(name)} {name} is not found.")
        return item

    def remove(self, name: str) -> None:
        """Drop an item and everything below it."""
        path, _, id_ = name.rpartition("/")
        self.collections.get(path, {}).pop(id_, None)
        for below in [key for key in self.collections if key.startswith(name + "/")]:
            del self.collections[below]

    def items(self, path: str) -> list[Object]:
        """The stored items of one collection, in order of creation."""
        return list(self.collections.get(path, {}).values())

    def shown_name(self, name: str) -> str:
        """The name with the project's number in place of its id, where `project_numbers` says so."""
        if not self.project_numbers:
            return name
        root, project, *rest = name.split("/")
        return "/".join([root, self.project_number(project), *rest])

    def project_number(self, project: str) -> str:
        """The number of a project."""
        return self.numbers.setdefault(project, str(10**11 + zlib.crc32(project.encode())))

    def stored_name(self, name: str) -> str:
        """The name with the project's id in place of its number."""
        root, project, *rest = name.split("/")
        ids = {number: id_ for id_, number in self.numbers.items()}
        return "/".join([root, ids.get(project, project), *rest])

    def start(self, name: str, effect: Callable[[], Object], *, metadata_type: str) -> Object:
        """Begin an operation on an item; without polls it is done at once."""
        now = timestamp_text(self.clock())
        operation = Operation(
            name=f"{self.shown_name(name)}/operations/{next(self.ids):019d}",
            polls=self.polls,
            metadata={"@type": metadata_type, "genericMetadata": {"createTime": now, "updateTime": now}},
            effect=effect,
            error=self.operation_error,
        )
        self.operations[self.stored_name(operation.name)] = operation
        if self.polls == 0:
            operation.advance()
        return operation.view()

    def operation(self, name: str) -> Operation:
        """The operation of that name, or NOT_FOUND."""
        if (found := self.operations.get(name)) is None:
            raise ApiError("NOT_FOUND", f"Operation {name} is not found.")
        return found

    def take_page(
        self, fingerprint: str, token: str, size: int, *, keys: Callable[[], Sequence[str]]
    ) -> tuple[list[str], str]:
        """The keys of one page and the token of the next. A token shows what was there at the start."""
        if token:
            place = self.places.get(token)
            if place is None or place.fingerprint != fingerprint:
                raise ApiError(
                    "INVALID_ARGUMENT", "The page token is invalid or of a call with other parameters."
                )
        else:
            place = Place(fingerprint, tuple(keys()), 0, 1)
        end = place.start + size
        if end >= len(place.keys):
            return list(place.keys[place.start :]), ""
        following = Place(fingerprint, place.keys, end, place.page + 1)
        next_token = _token(following)
        self.places[next_token] = following
        return list(place.keys[place.start : end]), next_token

    def page_number(self, token: str) -> int:
        """Which page of its list a token asks for; 1 without a token."""
        return place.page if (place := self.places.get(token)) is not None else 1


def _token(place: Place) -> str:
    text = "\n".join((place.fingerprint, str(place.start), str(place.page), *place.keys))
    return b64encode(hashlib.sha256(text.encode()).digest()).decode()
