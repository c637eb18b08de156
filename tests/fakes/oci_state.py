"""What the OCI stand-in knows: items with their etags, page tokens given out, work that is under way."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import TypeAlias

from tests.fakes.oci_api import Object, OciError, OciShell, no_such_thing

Path: TypeAlias = tuple[str, ...]
"""Collections and ids in turn, decoded: `("aiDataPlatforms", "ocid1…", "workspaces", "a/b")`."""
Effect: TypeAlias = Callable[[], None]

START = datetime(2026, 1, 2, 3, 4, 5, 678_000, UTC)


@dataclass(slots=True)
class Stored:
    """An item and the etag of its present content."""

    item: Object
    etag: str


@dataclass(slots=True)
class Work:
    """A change that takes its time: it takes effect when it was asked for often enough."""

    path: Path
    """Of the work request or asynchronous operation that shows it."""
    polls: int
    effect: Effect
    failed: Effect
    """What becomes of it otherwise."""


@dataclass(frozen=True, slots=True)
class _Place:
    fingerprint: str
    keys: tuple[str, ...]
    start: int


@dataclass(slots=True)
class OciState(OciShell):
    """The whole state. Set the switches and append to `faults` at any time; `requests` is the log."""

    polls: int = 0
    """How often work that begins from now on has to be asked for before it is done."""
    work_error: str | None = None
    """What work that begins from now on fails with."""
    page_size: int = 50
    """Items on a page of a list without `limit`."""
    page_cap: int = 1000
    """More than so many are never on a page, whatever is asked."""
    tombstones: bool = False
    """What is deleted stays in lists, and can be read, with its state saying so."""
    fold_case: bool = False
    """Lists compare names without regard to case."""
    collections: dict[Path, dict[str, Stored]] = field(default_factory=dict)
    """Path of a collection → id → item, in order of creation."""
    works: dict[Path, Work] = field(default_factory=dict)
    places: dict[str, _Place] = field(default_factory=dict)
    ids: count[int] = field(default_factory=lambda: count(1))
    ticks: count[int] = field(default_factory=count)

    def now(self) -> str:
        """A time later than any before, as the API writes it."""
        moment = START + timedelta(seconds=61, milliseconds=101) * next(self.ticks)
        return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def new_key(self) -> str:
        """A key that the service makes."""
        number = next(self.ids)
        return f"{number:08x}-0c1a-4000-8000-{number * 7919:012x}"

    def put(self, path: Path, item: Object) -> Stored:
        """Store an item under its path, with an etag of its own."""
        stored = Stored(item, "")
        self.collections.setdefault(path[:-1], {})[path[-1]] = stored
        return self.seal(stored)

    def seal(self, stored: Stored) -> Stored:
        """Give an item that has changed another etag."""
        text = f"{next(self.ids)}\n{sorted(stored.item.items())!r}"
        stored.etag = hashlib.sha256(text.encode()).hexdigest()[:40]
        return stored

    def find(self, path: Path) -> Stored | None:
        """The item at a path, or None."""
        return self.collections.get(path[:-1], {}).get(path[-1])

    def get(self, path: Path) -> Stored:
        """The item at a path. Raises OciError where there is none."""
        if (stored := self.find(path)) is None:
            raise no_such_thing()
        return stored

    def items(self, path: Path) -> list[Stored]:
        """The items of a collection, in order of creation."""
        return list(self.collections.get(path, {}).values())

    def remove(self, path: Path) -> None:
        """Drop an item and everything below it."""
        self.collections.get(path[:-1], {}).pop(path[-1], None)
        for below in [key for key in self.collections if key[: len(path)] == path]:
            del self.collections[below]

    def is_there(self, platform: str, workspace: str | None) -> bool:
        """Whether there is such a platform, or such a workspace in it."""
        path: Path = ("aiDataPlatforms", platform)
        if workspace is not None:
            path = (*path, "workspaces", workspace)
        return self.find(path) is not None

    def begin(self, path: Path, shown: Object, effect: Effect, failed: Effect) -> None:
        """Begin work that is shown at a path; without polls it is done at once."""
        self.put(path, shown)
        self.works[path] = Work(path, self.polls, effect, failed)
        if self.polls == 0:
            self.advance(path)

    def advance(self, path: Path) -> None:
        """Count a poll of the work; it takes effect after the last."""
        work = self.works.get(path)
        if work is None:
            return
        work.polls = max(0, work.polls - 1)
        if work.polls > 0:
            return
        del self.works[path]
        stored = self.get(path)
        stored.item["timeFinished"] = self.now()
        if self.work_error is None:
            work.effect()
            stored.item["status"] = "SUCCEEDED"
        else:
            work.failed()
            stored.item["status"] = "FAILED"
        self.seal(stored)

    def take_page(
        self, fingerprint: str, token: str, size: int, *, keys: Callable[[], Sequence[str]]
    ) -> tuple[list[str], str]:
        """The keys of one page and the token of the next. A token shows what was there at the start."""
        if token:
            place = self.places.get(token)
            if place is None or place.fingerprint != fingerprint:
                raise OciError(400, "The page token is invalid or of a call with other parameters.")
        else:
            place = _Place(fingerprint, tuple(keys()), 0)
        end = place.start + size
        taken = list(place.keys[place.start : end])
        if end >= len(place.keys):
            return taken, ""
        next_token = hashlib.sha256(f"{place.fingerprint}\n{end}\n{place.keys}".encode()).hexdigest()
        self.places[next_token] = _Place(fingerprint, place.keys, end)
        return taken, next_token
