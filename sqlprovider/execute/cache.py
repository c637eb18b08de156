"""Pages kept across statements: what may be kept and shown, to whom, and for how long.

`Cache` is a session's, `StatementCache` what one statement sees of it, `asked` what becomes of one call.
Off unless the settings `cache` or `stale`, or those of a connection, ask for it. A page is kept whole or not
at all: the answer to a method that reads, a success, decoded without complaint, of a resource without
secrets. The file's own errors are one warning, and the session goes on without a cache.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from sqlprovider.catalog.catalog import Catalog
from sqlprovider.catalog.model import Resource
from sqlprovider.config import ConnectionConfig, Settings
from sqlprovider.errors import Warning
from sqlprovider.execute.exchange import Call
from sqlprovider.plan.model import Operation
from sqlprovider.values import Name, datetime_from_epoch_ms

if TYPE_CHECKING:
    from sqlprovider.execute.cache_call import Asked, Run
    from sqlprovider.execute.cache_file import CachedPage, PageFile

T = TypeVar("T")
Warn = Callable[[Warning], None]

FOLDER_VARIABLE = "SQLPROVIDER_CACHE_DIR"

_FILE = "pages.sqlite3"


@dataclass(frozen=True, slots=True)
class CacheRecord:
    """One page that was kept: a row of `sqlprovider.cache`."""

    connection: str
    resource: str
    method: str
    http_method: str
    url: str
    cached_at: str
    """When it was asked for, as a DATETIME."""
    age: float
    """Seconds since then."""
    rows: int
    """Items of the page."""
    bytes: int
    etag: str | None


class Cache:
    """The pages kept, as one session uses them. Nothing is opened before it is needed."""

    def __init__(
        self,
        connections: Mapping[str, ConnectionConfig],
        catalog: Catalog,
        *,
        environ: Mapping[str, str],
        now: Callable[[], float],
        file: PageFile | None = None,
    ) -> None:
        self.catalog = catalog
        self.now = now
        self._connections = {name.lower(): connection for name, connection in connections.items()}
        self._environ = environ
        self._file = file
        self._above: dict[Name, tuple[Name, ...]] = {}
        self._is_off = False
        self._lock = threading.Lock()

    def statement(self, settings: Settings, *, shows: bool, warn: Warn) -> StatementCache:
        """What one statement sees. `shows`: it only reads, so it may be shown pages that were kept."""
        return StatementCache(self, settings, shows=shows, warn=warn)

    def times(self, connection: str, settings: Settings) -> tuple[float, float]:
        """`cache` and `stale` in force for a connection: its own, else the settings."""
        own = self._connections[connection.lower()]
        return (
            settings.cache if own.cache is None else own.cache,
            settings.stale if own.stale is None else own.stale,
        )

    def records(self) -> list[CacheRecord]:
        """The pages that count, the latest first, whichever session has kept them."""
        now = self.now()
        return [
            CacheRecord(
                page.label.connection,
                page.label.resource,
                page.label.method,
                page.label.http_method,
                page.label.url,
                datetime_from_epoch_ms(round(page.asked_at * 1000)),
                round(now - page.asked_at, 1),
                page.items,
                page.bytes,
                page.etag,
            )
            for page in self.pages()
        ]

    def pages(self) -> Sequence[CachedPage]:
        """The pages of the file that count, the latest first."""
        return self.tried(lambda file: file.pages(), [], warn=None) if self.exists() else []

    def exists(self) -> bool:
        """Whether there is a file: somebody has kept a page."""
        try:
            path = _path(self._environ) if self._file is None else self._file.path
            return path.exists()
        except (OSError, RuntimeError):
            return False

    def tried(self, act: Callable[[PageFile], T], otherwise: T, *, warn: Warn | None) -> T:
        """What is done with the file; `otherwise` where that fails, with one warning a session."""
        from sqlprovider.execute.cache_file import CacheFault  # noqa: PLC0415  loads sqlite3

        if self._is_off:
            return otherwise
        try:
            return act(self._opened())
        except CacheFault as fault:
            if not fault.is_busy:
                self._give_up(fault, "pages are not kept", warn)
            return otherwise
        except RuntimeError:
            self._give_up("there is no home folder", "pages are not kept", warn)
            return otherwise

    def written(self, marks: Iterable[str], *, warn: Warn) -> None:
        """No page with one of these marks counts any more, whoever has kept it."""
        from sqlprovider.execute.cache_file import CacheFault  # noqa: PLC0415  loads sqlite3

        try:
            self._opened().raise_marks(tuple(marks))
        except (CacheFault, RuntimeError) as fault:
            self._give_up(fault, "it does not know of this write, and other sessions may show old rows", warn)

    def above(self, resource: Resource) -> tuple[Name, ...]:
        """The resources that a resource lies in, directly or not."""
        if (found := self._above.get(resource.name)) is None:
            reached: dict[Name, None] = {}
            ahead = [resource]
            while ahead:
                for parent in parents_of(ahead.pop()):
                    if parent not in reached:
                        reached[parent] = None
                        ahead.append(self.catalog.find(parent))
            found = self._above[resource.name] = tuple(reached)
        return found

    def _opened(self) -> PageFile:
        from sqlprovider.execute.cache_file import PageFile  # noqa: PLC0415  loads sqlite3

        with self._lock:
            if self._file is None:
                self._file = PageFile(_path(self._environ))
            return self._file

    def _give_up(self, why: object, what: str, warn: Warn | None) -> None:
        with self._lock:
            was_off, self._is_off = self._is_off, True
            file = self._file
        where = "" if file is None else f" ({file.path})"
        if file is not None:
            file.give_up(why)
        if warn is not None and not was_off:
            hint = f"SET cache = 0, or set {FOLDER_VARIABLE} to a folder that can be written"
            warn(Warning(f"the cache cannot be used, {what}: {why}{where}", reason="cache", hint=hint))


class StatementCache:
    """What one statement sees of the cache."""

    def __init__(self, cache: Cache, settings: Settings, *, shows: bool, warn: Warn) -> None:
        self.cache = cache
        self.warn = warn
        self.hits: Counter[tuple[str, str]] = Counter()
        """(resource, method) → pages that were shown without an exchange."""
        self.runs: dict[Operation, Run] = {}
        """How each list of several pages is read; the pages' threads share it."""
        self._settings = settings
        self._shows = shows

    def ask(self, call: Call) -> Asked | None:
        """What the cache has to do with a call; None: nothing."""
        operation = call.operation
        if operation.method.effect == "write":
            return self._write(call) if self.cache.exists() else None
        if not self._shows:
            return None
        cache, stale = self.cache.times(operation.resource.connection, self._settings)
        if not cache and not stale:
            return None
        from sqlprovider.execute.cache_call import read_of  # noqa: PLC0415  only who has a cache pays for it

        return read_of(call, self, cache=cache, stale=stale)

    def known(self, resource: str, method: str) -> tuple[int, float] | None:
        """How many pages of a method may be shown, and the age of the oldest; None: no page."""
        limit, _ = self.cache.times(resource.partition(".")[0], self._settings)
        if not limit or not self._shows:
            return None
        found = [p for p in self.cache.pages() if (p.label.resource, p.label.method) == (resource, method)]
        now = self.cache.now()
        ages = [now - page.asked_at for page in found if 0 <= now - page.asked_at <= max(limit, page.keep)]
        return (len(ages), max(ages)) if ages else None

    def _write(self, call: Call) -> Asked:
        from sqlprovider.execute.cache_call import Write  # noqa: PLC0415  only who has a cache pays for it

        return Write(call, self)


def parents_of(resource: Resource) -> list[Name]:
    """The resources that a resource lies in."""
    return [Name(resource.name.connection, p.service, p.resource) for p in resource.parents]


def _path(environ: Mapping[str, str]) -> Path:
    """The file. Raises RuntimeError where there is no home."""
    if named := environ.get(FOLDER_VARIABLE):
        return Path(named).expanduser().absolute() / _FILE
    import platformdirs  # noqa: PLC0415  only who has a cache, or writes, pays for it

    return Path(platformdirs.user_cache_path("sqlprovider", appauthor=False)) / _FILE
