"""What a manifest's own SELECTs say (`when`, outputs), and the facts of its resources."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from sqlprovider.surfaces.deploy.model import Entry, Manifest, Value
from sqlprovider.surfaces.deploy.values import Known, Rows, as_json, bound, resolve
from sqlprovider.values import JSON, SQLValue

if TYPE_CHECKING:
    from sqlprovider.session import ResourceFacts, Result, Session


class Reader:
    """Reads with one session, on which the files' own tables are made first."""

    def __init__(self, session: Session, manifest: Manifest) -> None:
        self._session = session
        self._facts: dict[str, ResourceFacts] = {}
        for position, sql in enumerate(manifest.preparations):
            values = manifest.preparation_values
            self._run(sql, _constants(values[position] if position < len(values) else {}))

    def facts(self, resource: str) -> ResourceFacts:
        """What is known of a resource without asking it."""
        if resource not in self._facts:
            self._facts[resource] = self._session.facts(resource)
        return self._facts[resource]

    def is_wanted(self, entry: Entry, rows: Rows) -> bool | None:
        """What the entry's `when` says; None where it reads what is not made yet."""
        if entry.when is None:
            return True
        given = {name: resolve(value, rows) for name, value in entry.when_values.items()}
        if any(known.unknown for known in given.values()):
            return None
        rows_found, _ = self._run(entry.when, _params(given))
        first = rows_found[0][0] if rows_found and rows_found[0] else None
        return first not in (None, 0, 0.0, "", "0")

    def output(self, sql: str, values: Mapping[str, Value], rows: Rows) -> JSON:
        """What a SELECT gives: a value where it is one column of at most one row, else a list of objects."""
        given = {name: resolve(value, rows) for name, value in values.items()}
        found, names = self._run(sql, _params(given))
        if len(names) == 1 and len(found) <= 1:
            return found[0][0] if found else None
        return [dict(zip(names, row, strict=True)) for row in found]

    def _run(self, sql: str, params: Mapping[str, SQLValue]) -> tuple[list[list[JSON]], list[str]]:
        found: list[list[JSON]] = []
        names: list[str] = []
        for result in self._session.run(sql, dict(params)):
            if result.columns is not None:
                names = [column.name for column in result.columns]
                found = list(_as_json(result))
        return found, names


def _as_json(result: Result) -> list[list[JSON]]:
    types = [column.type for column in result.columns or ()]
    return [[as_json(value, type_) for value, type_ in zip(row, types, strict=True)] for row in result.rows]


def _params(given: Mapping[str, Known]) -> dict[str, SQLValue]:
    return {name: bound(known.value, None) for name, known in given.items()}


def _constants(values: Mapping[str, Value]) -> dict[str, SQLValue]:
    return _params({name: resolve(value, Rows()) for name, value in values.items()})
