"""Rows of parents that a statement's own answers have shown: whether they exist need not be asked again.

One answer may hold the rows of several resources: a list of runs holds their metrics too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import replace

from sqlprovider.catalog.model import Method, Resource, Verb
from sqlprovider.errors import DataError
from sqlprovider.execute.items import items_at
from sqlprovider.execute.response import Page
from sqlprovider.execute.rows import RowDecoder
from sqlprovider.plan.model import Scan
from sqlprovider.values import Row


class KnownRows:
    """The keys of the rows seen of the resources that scans of the statement ask whether they exist."""

    def __init__(self, parents: Iterable[Resource] = ()) -> None:
        self._parents = tuple(parents)
        self._keys: set[tuple[str, str | None, Row]] = set()
        self._readers: dict[tuple[str, str], tuple[tuple[Resource, Method, RowDecoder], ...]] = {}

    @property
    def are_asked(self) -> bool:
        """Whether any scan asks for them."""
        return bool(self._parents)

    def look_into(self, page: Page) -> None:
        """Takes up the rows of the parents that a page holds."""
        if not self._parents or page.missing or page.operation.fields is not None:
            return
        method = page.operation.method
        called = (method.http_method, method.path)
        if called not in self._readers:
            self._readers[called] = tuple(self._found(*called))
        for resource, reading, decoder in self._readers[called]:
            items, parents = items_at(page.answer, reading)
            operation = replace(page.operation, resource=resource.name, method=reading, echo=())
            held = replace(page, operation=operation, items=items, parents=parents)
            name, view = str(resource.name), page.operation.view
            with suppress(DataError):  # who reads them will say so
                self._keys.update((name, view, key) for key in decoder.decode(held).rows)

    def has(self, resource: Resource, view: str | None, key: Row) -> bool:
        """Whether a row of that key was seen in that view."""
        return (str(resource.name), view, key) in self._keys

    def _found(self, http_method: str, path: str) -> Iterator[tuple[Resource, Method, RowDecoder]]:
        """The parents that are read by such a call too."""
        for resource in self._parents:
            names = [column.name for column in resource.columns]
            positions = [names.index(name) for name in resource.key if name in names]
            for method in resource.verb_methods(Verb.SELECT):
                if positions and (method.http_method, method.path) == (http_method, path):
                    scan = Scan(resource, method, (), used=frozenset(positions))
                    yield resource, method, RowDecoder(scan, positions)
                    break
