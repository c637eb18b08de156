"""One call and the cache: a read that may be shown a page that was kept, a write that drops pages.

The pages of one reading of a list belong together: a later page is shown only after the one before it was,
so that no row is lost between an old page and a new one. Where a list's tokens are offsets, its first page is
shown only if all of it was kept.
"""

from __future__ import annotations

import hashlib
import hmac
import itertools
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import httpx

from sqlprovider.catalog.model import Pages, Resource
from sqlprovider.errors import BackendError, Error, RateLimitedError, TransportError, Warning
from sqlprovider.execute.cache import parents_of
from sqlprovider.execute.cache_file import Found, Label, PageFile, Stored
from sqlprovider.execute.exchange import Call
from sqlprovider.execute.items import value_at
from sqlprovider.execute.principal import principal
from sqlprovider.execute.response import Page, decode_page
from sqlprovider.plan.model import Operation
from sqlprovider.values import Name, datetime_from_epoch_ms

if TYPE_CHECKING:
    from sqlprovider.execute.cache import StatementCache

NOT_MODIFIED = 304
_PARTIAL = 206
_DEAD = (502, 503, 504)
"""What a proxy says of a server that does not answer."""
_ETAG_KEPT = 7 * 24 * 3600.0
"""Seconds that a page is kept which can be asked for by its ETag."""


@dataclass(slots=True)
class Run:
    """One reading of a list: its id, whether its first page was shown, how many pages there were so far."""

    list: str
    is_shown: bool
    count: Iterator[int] = field(default_factory=itertools.count)


class Asked:
    """One call. What is said here holds for one of which nothing is kept."""

    page: Page | None = None
    """The page to show instead of asking."""

    def answered(self, response: httpx.Response) -> httpx.Response:
        """The API's answer; the one that was kept, where the API says that it is still right."""
        return response

    def keep(self, response: httpx.Response, page: Page) -> None:
        """Keeps a page that was decoded."""

    def instead_of(self, error: Error) -> Page | None:
        """An old page to show instead of an error."""
        return None

    def end(self) -> None:
        """The call is over, however it ended."""


class Write(Asked):
    """A write: pages are dropped before it is sent and again after it, for those asked for in between."""

    def __init__(self, call: Call, statement: StatementCache) -> None:
        self._statement = statement
        resource = statement.cache.catalog.find(call.operation.resource)
        above = statement.cache.above(resource)
        self._marks = marks_of_write(resource, above, places_of(call))
        self.end()

    def end(self) -> None:
        """Drops the pages."""
        self._statement.cache.written(self._marks, warn=self._statement.warn)


class Read(Asked):
    """A read whose page may be shown, and is kept."""

    def __init__(
        self, call: Call, resource: Resource, who: str, statement: StatementCache, times: tuple[float, float]
    ) -> None:
        self._call = call
        self._resource = resource
        self._who = who
        self._statement = statement
        self._cache, self._stale = times
        self._now = statement.cache.now()
        self._marks = marks_of_page(resource, statement.cache.above(resource), places_of(call))
        self._key = b""
        self._found: Found | None = statement.cache.tried(self._look, None, warn=statement.warn)
        self._is_renewed = False
        old = self._old
        if old is not None and self._age <= self._limit(old) and self._belongs(old):
            self.page = self._shown(old)
        elif old is not None and old.etag is not None and call.request.method == "GET":
            call.request.headers["If-None-Match"] = old.etag

    def answered(self, response: httpx.Response) -> httpx.Response:
        """The answer that was kept, where the API says so: it is as good as new."""
        if response.status_code != NOT_MODIFIED or self._old is None:
            return response
        self._is_renewed = True
        return _response(self._old, self._call.request, etag=response.headers.get("etag"))

    def keep(self, response: httpx.Response, page: Page) -> None:
        """Keeps a page, if nothing was written while it was under way and the same asks as before."""
        if self._found is None or not _may_be_kept(response, page):
            return
        if principal(self._call.target.client.auth) != self._who:
            return
        stored = self._stored(response, page)
        until = self._now + max(self._cache, stored.keep, self._stale, _ETAG_KEPT if stored.etag else 0.0)
        generation, label = self._found.generation, self._label()
        self._statement.cache.tried(
            lambda file: file.store(self._key, label, stored, self._marks, generation, until=until),
            False,
            warn=self._statement.warn,
        )

    def instead_of(self, error: Error) -> Page | None:
        """The page that was kept, where the API is down and the user would rather see an old one."""
        old = self._old
        if old is None or not _is_down(error) or self._age > self._stale or not self._belongs(old):
            return None
        if (page := self._shown(old)) is not None:
            said = error.message.rstrip(".")
            message = f"{self._resource.name}: rows that were kept are shown, because {said}"
            hint = f"SELECT DISTINCT cached_at FROM {self._resource.name}"
            self._statement.warn(Warning(message, reason="stale", hint=hint))
        return page

    @property
    def _old(self) -> Stored | None:
        return None if self._found is None else self._found.page

    @property
    def _age(self) -> float:
        """Seconds; a page from the future is as old as can be: the clock was set back."""
        age = 0.0 if self._old is None else self._now - self._old.asked_at
        return age if age >= 0 else float("inf")

    @property
    def _pages(self) -> Pages | None:
        """How the list goes on; None where the answer is all of it."""
        pages = self._call.operation.method.pages
        return None if pages is None or pages.style in ("one", "cap") else pages

    def _limit(self, stored: Stored) -> float:
        """The age up to which a page is shown without a question."""
        if self._pages is not None and not self._call.is_first:
            run = self._statement.runs.get(self._call.operation)
            # It goes with the page before it, or not at all.
            return float("inf") if run is not None and run.is_shown and run.list == stored.list else -1.0
        return max(self._cache, stored.keep) if self._cache else -1.0

    def _belongs(self, stored: Stored) -> bool:
        """Whether a page goes with those of its list that were shown before it, and with those to come."""
        if self._pages is None:
            return True
        if not self._call.is_first:
            run = self._statement.runs.get(self._call.operation)
            return run is not None and run.list == stored.list
        shifts = self._pages.offset or self._pages.style == "number"
        if not shifts or self._call.operation.page_size is not None:
            return True
        return self._statement.cache.tried(
            lambda file: file.is_whole(stored.list), False, warn=self._statement.warn
        )

    def _look(self, file: PageFile) -> Found:
        self._key = _key(file.salt(), self._call, self._who)
        return file.find(self._key, self._marks, self._now)

    def _shown(self, stored: Stored) -> Page | None:
        """The page that was kept, decoded; None where it cannot be any more."""
        call = self._call
        response = _response(stored, call.request)
        try:
            page = decode_page(call.operation, response, errors=call.target.errors, is_first=call.is_first)
        except Error:
            self._statement.cache.tried(lambda file: file.forget(self._key), None, warn=self._statement.warn)
            return None
        if self._pages is not None and call.is_first:
            self._statement.runs[call.operation] = Run(stored.list, is_shown=True)
        self._statement.hits[str(self._resource.name), call.operation.method.name] += 1
        return replace(page, cached_at=datetime_from_epoch_ms(round(stored.asked_at * 1000)))

    def _stored(self, response: httpx.Response, page: Page) -> Stored:
        run = self._run()
        is_last, total = _end_of(self._pages, page)
        headers = {n: v for n in _kept_headers(self._resource, self._pages) if (v := page.headers.get(n))}
        return Stored(
            status=response.status_code,
            headers=headers,
            body=response.content,
            etag=response.headers.get("etag"),
            asked_at=self._now,
            keep=_keep_of(self._resource, self._call.operation, page),
            list=run.list,
            number=next(run.count),
            is_last=is_last,
            total=total,
            items=len(page.items),
        )

    def _run(self) -> Run:
        """The reading that a page is part of; begun by its first page."""
        if self._pages is None:
            return Run(uuid.uuid4().hex, is_shown=False)
        runs, operation = self._statement.runs, self._call.operation
        if self._call.is_first or operation not in runs:
            # A page that is still right keeps those after it: each of them is asked for by its own ETag.
            kept = self._old.list if self._is_renewed and self._old is not None else uuid.uuid4().hex
            runs[operation] = Run(kept, is_shown=False)
        # What comes after a page that was asked for is asked for too.
        runs[operation].is_shown = False
        return runs[operation]

    def _label(self) -> Label:
        operation, request = self._call.operation, self._call.request
        return Label(
            operation.resource.connection,
            str(operation.resource),
            operation.method.name,
            request.method,
            str(request.url),
        )


def read_of(call: Call, statement: StatementCache, *, cache: float, stale: float) -> Read | None:
    """What the cache has to do with a read; None where its page must not be kept."""
    operation, headers = call.operation, call.request.headers
    if operation.method.wait or call.request.method not in ("GET", "POST"):
        return None
    if "if-none-match" in headers or "if-match" in headers or "range" in headers:
        return None
    resource = statement.cache.catalog.find(operation.resource)
    if _is_secret(resource, operation) or (who := principal(call.target.client.auth)) is None:
        return None
    return Read(call, resource, who, statement, (cache, stale))


def places_of(call: Call) -> tuple[str, str]:
    """Where a call goes: a write is felt by the connection, and by every other one to that address."""
    url = call.request.url
    return call.operation.resource.connection.lower(), f"{url.scheme}://{url.netloc.decode('ascii')}"


def marks_of_page(resource: Resource, above: tuple[Name, ...], places: tuple[str, str]) -> tuple[str, ...]:
    """What is written to the resource, or to anything below what it lies in, is written to its pages."""
    names = (_at(resource.name), *(_below(name) for name in above))
    return tuple(f"{place} {name}" for place in places for name in names)


def marks_of_write(resource: Resource, above: tuple[Name, ...], places: tuple[str, str]) -> tuple[str, ...]:
    """Pages of the resource, of all that it lies in, of all that lies in it, and of all beside it.

    What lies beside it, in the same parent, is often the same objects seen in another way.
    """
    names = {_at(resource.name): None, _below(resource.name): None}
    names |= dict.fromkeys(_at(name) for name in above)
    names |= dict.fromkeys(_below(name) for name in parents_of(resource))
    return tuple(f"{place} {name}" for place in places for name in names)


def _at(name: Name) -> str:
    return f"{name.service}.{name.resource}"


def _below(name: Name) -> str:
    return f"{name.service}.{name.resource}/"


def _key(salt: bytes, call: Call, who: str) -> bytes:
    """What tells a page from every other. The credentials are in it as a keyed hash only."""
    request, resource = call.request, call.operation.resource
    headers = sorted(request.headers.multi_items())
    told = (who, str(resource).lower(), request.method, str(request.url), headers, request.content)
    return hmac.new(salt, repr(told).encode(), hashlib.sha256).digest()


def _is_secret(resource: Resource, operation: Operation) -> bool:
    """Whether an answer, or the request for it, may hold what must not lie on a disk."""
    given = {name for name, _ in operation.arguments}
    asked = any(p.secret and p.name in given for p in operation.method.parameters.values())
    return asked or any(column.secret for column in resource.columns)


def _may_be_kept(response: httpx.Response, page: Page) -> bool:
    forbids = "no-store" in response.headers.get("cache-control", "").lower()
    return response.is_success and response.status_code != _PARTIAL and not page.missing and not forbids


def _is_down(error: Error) -> bool:
    if isinstance(error, BackendError):
        return error.status in _DEAD
    return isinstance(error, RateLimitedError | TransportError)


def _kept_headers(resource: Resource, pages: Pages | None) -> set[str]:
    """The headers, in lower case, that rows or the way to the next page are made of."""
    named = {column.header.lower() for column in resource.columns if column.header}
    return named | ({pages.token[0].lower()} if pages is not None and pages.style == "header" else set())


def _end_of(pages: Pages | None, page: Page) -> tuple[bool, int | None]:
    """Whether a page is its list's last, and how many rows the list has, where that is said."""
    if pages is None:
        return True, None
    total = value_at(page.answer, pages.total) if pages.total else None
    known = total if isinstance(total, int) and not isinstance(total, bool) else None
    match pages.style:
        case "token":
            return not value_at(page.answer, pages.token), known
        case "header":
            return not page.headers.get(pages.token[0].lower()), known
        case _:
            return False, known


def _keep_of(resource: Resource, operation: Operation, page: Page) -> float:
    """How long the document lets an object be kept that hardly changes any more; 0: no longer than others."""
    finished = resource.finished
    is_list = any(segment.endswith("[]") for segment in operation.method.rows or ())
    if finished is None or is_list or len(page.items) != 1:
        return 0.0
    return finished.keep if value_at(page.items[0], finished.path) in finished.values else 0.0


def _response(stored: Stored, request: httpx.Request, *, etag: str | None = None) -> httpx.Response:
    """The answer that was kept."""
    headers = dict(stored.headers)
    if (tag := etag or stored.etag) is not None:
        headers["etag"] = tag
    return httpx.Response(stored.status, headers=headers, content=stored.body, request=request)
