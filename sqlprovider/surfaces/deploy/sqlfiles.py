"""SQL files: each INSERT is desired state, one object a row; EXEC is a call.

The session evaluates the statements (`Session.desired`) and sends nothing. Variables are bound as parameters.
A reference or a secret is not known to SQL: a mark is bound in its place, which comes back as a whole cell.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, replace

from sqlprovider.errors import Error, did_you_mean
from sqlprovider.surfaces.deploy.entries import Written, find_method
from sqlprovider.surfaces.deploy.model import Place, Value
from sqlprovider.surfaces.deploy.needs import Desired, Reader
from sqlprovider.surfaces.deploy.nodes import Map, Node, Number, Scalar, node_of, plain
from sqlprovider.surfaces.deploy.placeholders import Placeholder
from sqlprovider.surfaces.deploy.problems import Problems, told
from sqlprovider.surfaces.deploy.properties import Given
from sqlprovider.surfaces.deploy.sqltext import PARAMETER, Bound, Slot, SQLPlaceholderError, bind
from sqlprovider.surfaces.deploy.variables import Filled, Variables
from sqlprovider.values import Row, SQLValue, Type, cast

_SAME_MEANING = ("OR REPLACE", "OR ABORT", "OR FAIL", "ON CONFLICT")
_REFUSED = {
    "UPDATE": "UPDATE is no desired state: give the columns to the INSERT of the row",
    "DELETE": "DELETE is no desired state: leave the row out, and apply with --prune, or use destroy",
    "SELECT": "a SELECT changes nothing: put it under outputs",
    "VALUES": "VALUES change nothing",
    "SET": "settings are given on the command line",
    "CREATE": "only CREATE TEMP TABLE … AS SELECT may stand here: it gives values to later statements",
}


@dataclass(frozen=True, slots=True)
class SQLFile:
    """What a SQL file asks for."""

    entries: tuple[Written, ...] = ()
    """Their ids and items are given by `sqlids.py`."""
    preparations: tuple[tuple[str, Mapping[str, Value]], ...] = ()
    """CREATE TEMP TABLE … AS SELECT (and USE), with the values to bind."""
    warnings: tuple[str, ...] = ()
    reads: tuple[tuple[Place, tuple[str, ...]], ...] = ()
    """For each statement the resources that it reads."""


def read_sql_files(
    texts: Mapping[str, str],
    session: Reader,
    use: tuple[str, ...],
    variables: Variables,
    problems: Problems,
) -> tuple[SQLFile, ...]:
    """The files, evaluated one after the other on a session of their own."""
    if not texts:
        return ()
    with closing(session.fork()) as reading:
        return tuple(
            _SQLReader(file, reading, use, variables, problems).read(text) for file, text in texts.items()
        )


class _SQLReader:
    """Reads one file."""

    def __init__(
        self, file: str, session: Reader, use: tuple[str, ...], variables: Variables, problems: Problems
    ) -> None:
        self._file = file
        self._session = session
        self._use = use
        self._variables = variables
        self._problems = problems
        self._marks: dict[str, Slot] = {}
        self._values: dict[str, SQLValue] = {}
        self._entries: list[Written] = []
        self._preparations: list[tuple[str, Mapping[str, Value]]] = []
        self._warnings: list[str] = []
        self._reads: list[tuple[Place, tuple[str, ...]]] = []

    def read(self, text: str) -> SQLFile:
        """What the file asks for; nothing where its text cannot be evaluated (a problem says so)."""
        try:
            bound = bind(text)
        except SQLPlaceholderError as error:
            self._problems.add(Place(self._file, error.line), str(error))
            return SQLFile()
        ready = [self._bind(slot) for slot in bound.slots]
        if all(ready):
            self._evaluate(bound)
        return SQLFile(
            tuple(self._entries), tuple(self._preparations), tuple(self._warnings), tuple(self._reads)
        )

    def _evaluate(self, bound: Bound) -> None:
        at = 0
        try:
            for statement in self._session.desired(bound.sql, self._values, self._use):
                at = statement.start + len(statement.text)
                self._take(statement, self._place(bound, statement.start))
        except Error as error:
            start = next((start for start in bound.starts if start >= at), at)
            self._problems.add(self._place(bound, start), told(error))

    def _place(self, bound: Bound, start: int) -> Place:
        return Place(self._file, bound.sql.count("\n", 0, start) + 1)

    def _bind(self, slot: Slot) -> bool:
        """Gives the slot its value, or its mark; False where it has none."""
        place = Place(self._file, slot.line)
        paths = [part for part in slot.parts if isinstance(part, Placeholder)]
        found: dict[str, Filled] = {}
        for path in paths:
            if not path.is_variable:
                continue
            if (filled := self._variables.get(path.path, place)) is None:
                return False
            found[path.path] = filled
        is_late = any(path.path not in found or found[path.path].secret for path in paths)
        if is_late and not slot.is_whole:
            message = (
                f"{slot.source}: a reference or a secret is a whole value of VALUES, of a SELECT's list "
                "or of EXEC; SQL cannot reckon with it"
            )
            self._problems.add(place, message)
            return False
        if is_late or slot.is_body:
            mark = f"\ue000{slot.name}\ue001"
            self._marks[mark] = slot
            self._values[slot.name] = mark
        else:
            self._values[slot.name] = _constant(slot, found)
        return True

    def _take(self, statement: Desired, place: Place) -> None:
        if statement.reads:
            self._reads.append((place, statement.reads))
        match statement.kind:
            case "insert":
                self._insert(statement, place)
            case "exec":
                self._exec(statement, place)
            case "local":
                self._local(statement)
            case _:
                self._refuse(statement, place)

    def _insert(self, statement: Desired, place: Place) -> None:
        conflict = (statement.conflict or "OR ABORT").upper()
        if conflict not in _SAME_MEANING:
            message = f"{conflict} has no meaning here: an INSERT is desired state, made or changed as needed"
            self._problems.add(place, message)
            return
        if statement.returning:
            self._warnings.append(f"{place}: RETURNING gives nothing here: put a SELECT under outputs")
        facts = self._session.facts(statement.name)
        for row in statement.rows:
            given = self._given(statement.columns, row, place)
            self._add(Written(statement.name, None, statement.name, None, facts, given, place))

    def _exec(self, statement: Desired, place: Place) -> None:
        facts = self._session.facts(statement.name)
        method = find_method(facts, statement.method or "")
        if method is None:
            near = did_you_mean(statement.method or "", tuple(facts.methods))
            self._problems.add(place, f"{statement.name} has no method {statement.method}{near}")
            return
        id_ = f"{statement.name}.{method.name}"
        for row in statement.rows:
            given = self._given(statement.columns, row, place)
            self._add(Written(id_, None, statement.name, method, facts, given, place))

    def _add(self, entry: Written) -> None:
        self._entries.append(replace(entry, number=len(self._entries) + 1))

    def _local(self, statement: Desired) -> None:
        names = PARAMETER.findall(statement.text)
        values: dict[str, Value] = {
            name: _as_json(self._values[name]) for name in names if name in self._values
        }
        self._preparations.append((statement.text, values))

    def _refuse(self, statement: Desired, place: Place) -> None:
        words = statement.text.split(None, 1)
        head = words[0].upper() if words else ""
        message = _REFUSED.get(head, f"{head} has no place among desired state")
        self._problems.add(place, message)

    def _given(self, columns: tuple[str, ...], row: Row, place: Place) -> tuple[Given, ...]:
        if len(row) != len(columns):
            self._problems.add(place, f"{len(row)} values for {len(columns)} columns")
            return ()
        given: list[Given] = []
        for column, cell in zip(columns, row, strict=True):
            if column.lstrip("@").lower() == "json" and column.startswith("@"):
                given += self._body(cell, place)
            else:
                given.append(Given(column, self._node(column, cell, place), place))
        return tuple(given)

    def _node(self, column: str, cell: SQLValue, place: Place) -> Node:
        if isinstance(cell, bytes):
            self._problems.add(place, f"{column}: a BLOB cannot be desired state")
            cell = None
        if isinstance(cell, str) and (slot := self._marks.get(cell)) is not None:
            return Scalar(slot.source, slot.source, place)
        text = cast(cell, Type.TEXT)
        return Scalar(text if isinstance(text, str) else "", cell, place, literal=True)

    def _body(self, cell: SQLValue, place: Place) -> Iterator[Given]:
        """`@@json='{…}'`: each of its keys is a parameter; placeholders stand in its texts."""
        slot = self._marks.get(cell) if isinstance(cell, str) else None
        text = str(cell) if slot is None else slot.source
        try:
            found = node_of(json.loads(text, parse_float=Number), place, literal=slot is None)
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, Map):
            self._problems.add(place, "@@json is no JSON object")
            return
        yield from (Given(key.text, value, place) for key, value in found.pairs)


def _constant(slot: Slot, found: Mapping[str, Filled]) -> SQLValue:
    """The value of a slot of plain variables. In quotes it is a text; a map or list is JSON text."""
    first = slot.parts[0]
    if len(slot.parts) == 1 and isinstance(first, Placeholder):
        node = found[first.path].node
        return _text(node) if slot.is_text else _sql(node)
    return "".join(part if isinstance(part, str) else _text(found[part.path].node) for part in slot.parts)


def _text(node: Node) -> str:
    if isinstance(node, Scalar):
        return "" if node.value is None else node.text
    return json.dumps(plain(node), ensure_ascii=False, separators=(",", ":"))


def _sql(node: Node) -> SQLValue:
    if not isinstance(node, Scalar):
        return _text(node)
    return int(node.value) if isinstance(node.value, bool) else node.value


def _as_json(value: SQLValue) -> Value:
    return value.hex() if isinstance(value, bytes) else value
