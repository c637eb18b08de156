"""Plans, as frozen data: printable, comparable, hashable. A closure in a plan is a bug."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from sqlprovider.catalog.model import Method, Path, Resource, Verb
from sqlprovider.values import JSON, Const, Name, Op, Predicate, Slot, Type

Reads = frozenset[tuple[Path, Type | None]]
"""Places in an item. With a type: what is there is the cell of a column of that type, as it is."""


@dataclass(frozen=True, slots=True, eq=False)
class Operation:
    """One logical call, fully bound: all its pages belong to it.

    `arguments` are wire-ready JSON values by parameter name, sorted; `body` is what EXEC's `@@json` gave.
    """

    resource: Name
    method: Method
    arguments: tuple[tuple[str, JSON], ...]
    echo: tuple[tuple[str, str | int | float | bytes | None], ...] = ()
    """SQL values of the parameters as they were bound, by column: what comes back on the rows."""
    body: JSON = None
    view: str | None = None
    """The view in force: rows it hides are dropped, whichever method answered."""
    page_size: int | None = None
    """Rows wanted a page, where the statement needs fewer than the API's largest page."""
    rows: tuple[Mapping[str, JSON], ...] = ()
    """For a batch: the arguments of each row."""
    fields: str | None = None
    """What the method's `push.fields` takes: the fields that are wanted of an item; None: every one."""
    reads: Reads | None = None
    """All that is read of an item; None: items are wanted as they are."""

    @property
    def name(self) -> str:
        """`lab.bench.trials.search`, for messages."""
        return f"{self.resource}.{self.method.name}"


def without_secrets(operation: Operation) -> Operation:
    """The operation as it may be shown: `***` for each value that the document marks secret."""
    secret = {p.name: p.wire_name for p in operation.method.parameters.values() if p.secret}
    if not secret:
        return operation

    def shown(given: Mapping[str, JSON]) -> dict[str, JSON]:
        return {name: "***" if name in secret else value for name, value in given.items()}

    body = operation.body
    if isinstance(body, dict):
        body = {name: "***" if name in secret.values() else value for name, value in body.items()}
    return replace(
        operation,
        arguments=tuple(shown(dict(operation.arguments)).items()),
        rows=tuple(shown(row) for row in operation.rows),
        body=body,
    )


@dataclass(frozen=True, slots=True)
class Binding:
    """parameter ← operand. `many`: the operand is a set (IN), one operation a value."""

    parameter: str
    column: str
    operand: Const | Slot
    many: bool = False


@dataclass(frozen=True, slots=True)
class PushedTerm:
    """One predicate that the API applies. `operand` is a value in hand at Filter."""

    column: str
    op: Op
    operand: Const | Slot
    key: str | None
    exact: bool


@dataclass(frozen=True, slots=True)
class PushedOrder:
    """`column direction`, taken by the API and equal to SQLite's."""

    column: str
    direction: str
    key: str | None = None
    """By the number under this key of a JSON column."""


@dataclass(frozen=True, slots=True)
class Walk:
    """Missing parameters are taken from the rows of a parent's scan: (parameter, parent's column)."""

    parent: Scan
    bind: tuple[tuple[str, str], ...]
    views: tuple[tuple[str, Scan], ...] = ()
    """The parent's scan by the view of the rows, where Filter is told the view; `parent` is the widest."""

    @property
    def slots(self) -> frozenset[int]:
        """The positions of the values that the parent's scan must be given."""
        return self.parent.slots.union(*(scan.slots for _, scan in self.views))

    def renumbered(self, positions: Mapping[int, int]) -> Walk:
        """The same walk, its slots at other positions."""
        return replace(
            self,
            parent=self.parent.renumbered(positions),
            views=tuple((view, scan.renumbered(positions)) for view, scan in self.views),
        )


@dataclass(frozen=True, slots=True)
class Scan:
    """A planned read of one resource by one method."""

    resource: Resource
    method: Method
    bindings: tuple[Binding, ...]
    options: tuple[Binding, ...] = ()
    """Options given by the statement: sent, and echoed; never conditions."""
    echoes: tuple[Binding, ...] = ()
    """Options that the method does not take but whose columns the statement asks back (a write's options)."""
    pushed: tuple[PushedTerm, ...] = ()
    order: tuple[PushedOrder, ...] = ()
    limit: tuple[Const | Slot, ...] = ()
    """LIMIT and OFFSET, if every predicate is exact and the order is the API's: rows wanted are their sum."""
    used: frozenset[int] = frozenset()
    """Positions of the columns that the statement reads."""
    residual: tuple[str, ...] = ()
    """Columns of predicates that SQLite checks again."""
    pages_as_rows: bool = False
    """Only response fields, parameters and options are read: a row is a page."""
    whole: bool = False
    """Every field of the rows is asked for, used or not: they are found to be written."""
    walk: Walk | None = None
    view: Const | Slot | None = None
    times: tuple[PushedTerm, ...] = ()
    """Comparisons with DATETIME columns, whose values are held against the form in which such columns are."""

    viewed: tuple[PushedTerm, ...] = ()
    """What is asked of the column by which the default view hides rows."""
    top: PushedTerm | None = None
    """The first rows by the number under a key are all that is wanted, and nothing drops any of them."""
    probes: tuple[PushedTerm, ...] = ()
    """Equalities that the API is told nothing of: rows that were read already are found by them."""

    @property
    def slots(self) -> frozenset[int]:
        """The positions of the values that Filter must be given."""
        return self.read_slots | self.probe_slots

    @property
    def read_slots(self) -> frozenset[int]:
        """Those that decide what is read."""
        operands: list[Const | Slot | None] = [
            *(b.operand for b in (*self.bindings, *self.options, *self.echoes)),
            *(term.operand for term in (*self.pushed, *self.times, *self.viewed)),
            None if self.top is None else self.top.operand,
            *self.limit,
            self.view,
        ]
        own = {operand.position for operand in operands if isinstance(operand, Slot)}
        return frozenset(own if self.walk is None else own | self.walk.slots)

    @property
    def probe_slots(self) -> frozenset[int]:
        """Those that only pick rows."""
        return frozenset(term.operand.position for term in self.probes if isinstance(term.operand, Slot))

    def renumbered(self, positions: Mapping[int, int]) -> Scan:
        """The same scan, its slots at other positions."""

        def moved(operand: Const | Slot) -> Const | Slot:
            return Slot(positions[operand.position]) if isinstance(operand, Slot) else operand

        def all_moved(bindings: tuple[Binding, ...]) -> tuple[Binding, ...]:
            return tuple(replace(binding, operand=moved(binding.operand)) for binding in bindings)

        return replace(
            self,
            bindings=all_moved(self.bindings),
            options=all_moved(self.options),
            echoes=all_moved(self.echoes),
            pushed=tuple(replace(term, operand=moved(term.operand)) for term in self.pushed),
            times=tuple(replace(term, operand=moved(term.operand)) for term in self.times),
            viewed=tuple(replace(term, operand=moved(term.operand)) for term in self.viewed),
            top=None if self.top is None else replace(self.top, operand=moved(self.top.operand)),
            probes=tuple(replace(term, operand=moved(term.operand)) for term in self.probes),
            limit=tuple(moved(operand) for operand in self.limit),
            view=None if self.view is None else moved(self.view),
            walk=None if self.walk is None else self.walk.renumbered(positions),
        )

    @property
    def key(self) -> str:
        """The readable text that SQLite stores as idxStr and EXPLAIN prints."""
        parts = [f"{binding.column} in" if binding.many else binding.column for binding in self.bindings]
        text = f"{self.method.name}({', '.join(parts)})"
        if self.pushed:
            text += " push(" + ", ".join(sorted({describe_term(term) for term in self.pushed})) + ")"
        if self.order:
            text += " order(" + ", ".join(f"{o.column} {o.direction}" for o in self.order) + ")"
        if self.limit:
            text += " limit"
        if self.top is not None:
            text += f" first({self.top.column}->>'{self.top.key}')"
        if self.walk is not None:
            text += f" walk {self.walk.parent.resource.name}.{self.walk.parent.key}"
        return text


def describe_term(term: PushedTerm) -> str:
    """`status =`, `metrics->>'val_acc' >`."""
    column = term.column if term.key is None else f"{term.column}->>'{term.key}'"
    return f"{column} {term.op.value}"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A method that did not fit: what it needs and what of that is missing."""

    method: Method
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why no method fits."""

    resource: Resource
    verb: Verb
    offered: tuple[Predicate, ...]
    candidates: tuple[Candidate, ...]
    message: str | None = None
    """Another reason than missing parameters."""
    hint: str | None = None
    walks: bool = True
    """Whether a walk could have found what is missing (not for the rows of an UPDATE or DELETE)."""
