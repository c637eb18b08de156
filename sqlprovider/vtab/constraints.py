"""IndexInfo ↔ Predicates. SQLite's own positions are kept: `Slot(i)` is its i-th constraint."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import apsw

from sqlprovider.catalog.model import Resource, Role, Verb
from sqlprovider.plan.model import PushedOrder, Scan
from sqlprovider.plan.scan import Wish
from sqlprovider.values import Const, Op, Predicate, Slot

if TYPE_CHECKING:
    from collections.abc import Iterator

PUSH_FUNCTION = apsw.SQLITE_INDEX_CONSTRAINT_FUNCTION
"""How FindFunction names the push-down word to BestIndex."""

_OPS = {
    apsw.SQLITE_INDEX_CONSTRAINT_EQ: Op.EQ,
    apsw.SQLITE_INDEX_CONSTRAINT_IS: Op.IS,
    apsw.SQLITE_INDEX_CONSTRAINT_NE: Op.NE,
    apsw.SQLITE_INDEX_CONSTRAINT_LT: Op.LT,
    apsw.SQLITE_INDEX_CONSTRAINT_LE: Op.LE,
    apsw.SQLITE_INDEX_CONSTRAINT_GT: Op.GT,
    apsw.SQLITE_INDEX_CONSTRAINT_GE: Op.GE,
    apsw.SQLITE_INDEX_CONSTRAINT_LIKE: Op.LIKE,
    apsw.SQLITE_INDEX_CONSTRAINT_ISNULL: Op.IS_NULL,
    apsw.SQLITE_INDEX_CONSTRAINT_ISNOTNULL: Op.NOT_NULL,
}
_LIMITS = (apsw.SQLITE_INDEX_CONSTRAINT_LIMIT, apsw.SQLITE_INDEX_CONSTRAINT_OFFSET)
_LAST_MASK_BIT = 63
"""colUsed is a 64-bit mask: its last bit stands for every column from there on."""


@dataclass(frozen=True, slots=True)
class Offered:
    """What SQLite offers for one plan of one table."""

    predicates: tuple[Predicate, ...]
    wish: Wish
    leftover: bool
    """A constraint that no predicate stands for (another collation, the rowid): SQLite checks it."""


def offered(info: apsw.IndexInfo, resource: Resource, *, verb: Verb, sets: bool) -> Offered:
    """SQLite's offer as predicates, order, limit and the columns that are read.

    Without `sets` an IN is what SQLite makes of it: an equality, asked for one value after the other.
    """
    predicates: list[Predicate] = []
    leftover = False
    for position in range(info.nConstraint):
        if info.get_aConstraint_op(position) in _LIMITS:
            continue
        predicate = _predicate(info, resource, position, sets=sets)
        if predicate is None:
            leftover = True
        else:
            predicates.append(predicate)
    limit = () if leftover else tuple(_limit(info))
    listed = frozenset(p for p in range(info.nConstraint) if not sets and info.get_aConstraintUsage_in(p))
    wish = Wish(
        used=_used(info, resource), order=_order(info, resource), limit=limit, listed=listed, verb=verb
    )
    return Offered(tuple(predicates), wish, leftover)


def answer(info: apsw.IndexInfo, scan: Scan, *, sets: bool) -> Scan:
    """Asks SQLite for the values the scan needs; the scan as Filter will see it."""
    positions = {position: number for number, position in enumerate(sorted(scan.slots))}
    for position, number in positions.items():
        info.set_aConstraintUsage_argvIndex(position, number + 1)
        if sets and info.get_aConstraintUsage_in(position):
            info.set_aConstraintUsage_in(position, True)
        if info.get_aConstraint_op(position) == PUSH_FUNCTION:
            info.set_aConstraintUsage_omit(position, True)
    if scan.order:
        info.orderByConsumed = True
    return scan.renumbered(positions)


def _predicate(info: apsw.IndexInfo, resource: Resource, position: int, *, sets: bool) -> Predicate | None:
    number, op = info.get_aConstraint_iColumn(position), info.get_aConstraint_op(position)
    if number < 0:
        return None
    column, usable = resource.columns[number].name, info.get_aConstraint_usable(position)
    if op == PUSH_FUNCTION:
        return _pushed_key(info, column, position, usable)
    if op not in _OPS or (_OPS[op] not in (Op.IS_NULL, Op.NOT_NULL) and not _binary(info, position)):
        return None
    kind = _OPS[op]
    if sets and kind is Op.EQ and info.get_aConstraintUsage_in(position):
        kind = Op.IN
    return Predicate(column, kind, Slot(position), usable=usable)


def _binary(info: apsw.IndexInfo, position: int) -> bool:
    """`COLLATE NOCASE` looks like a plain comparison but for its collation."""
    return info.get_aConstraint_collation(position) == "BINARY"


def _pushed_key(info: apsw.IndexInfo, column: str, position: int, usable: bool) -> Predicate:
    """The push-down word: its text says key, operator and value; only a literal can be read already."""
    text = info.get_aConstraint_rhs(position) if usable else None
    key, op = "*", Op.EQ
    if isinstance(text, str):
        said = json.loads(text)
        key, op = str(said[0]), Op(said[1])
    return Predicate(column, op, Slot(position), key=key, usable=usable)


def _limit(info: apsw.IndexInfo) -> Iterator[Const | Slot]:
    for position in range(info.nConstraint):
        if info.get_aConstraint_op(position) in _LIMITS and info.get_aConstraint_usable(position):
            yield Slot(position)


def _order(info: apsw.IndexInfo, resource: Resource) -> tuple[PushedOrder, ...]:
    terms = []
    for position in range(info.nOrderBy):
        number = info.get_aOrderBy_iColumn(position)
        name = "rowid" if number < 0 else resource.columns[number].name
        terms.append(PushedOrder(name, "DESC" if info.get_aOrderBy_desc(position) else "ASC"))
    return tuple(terms)


def _used(info: apsw.IndexInfo, resource: Resource) -> frozenset[int]:
    used = {number for number in info.colUsed if number < min(_LAST_MASK_BIT, len(resource.columns))}
    if _LAST_MASK_BIT in info.colUsed:
        used.update(range(_LAST_MASK_BIT, len(resource.columns)))
    if len(used) == len(resource.columns):
        # xUpdate asks for every column, wanted or not; a row has none of the answer's own.
        used = {p for p, column in enumerate(resource.columns) if column.role is not Role.RESPONSE}
    return frozenset(used)
