"""What of a statement a method can do itself: filters, equal parameters, order. Nothing here decides rows."""

from __future__ import annotations

import math
from collections.abc import Set

from sqlprovider.catalog.model import Column, Method, Resource
from sqlprovider.catalog.push import Filter, Order, Term
from sqlprovider.plan.choose import Offer
from sqlprovider.plan.model import Binding, PushedOrder, PushedTerm
from sqlprovider.plan.wire import rfc3339
from sqlprovider.values import (
    JSON,
    Const,
    Op,
    Predicate,
    Slot,
    SQLValue,
    Type,
    datetime_from_epoch_ms,
    epoch_ms_from_text,
)

_UNARY = (Op.IS_NULL, Op.NOT_NULL)
_OF_TIMES = {Op.LT, Op.LE, Op.EQ, Op.GE, Op.GT}


def push_predicates(
    resource: Resource, method: Method, offer: Offer, *, taken: Set[str]
) -> tuple[PushedTerm, ...]:
    """The predicates that the method can apply; none into a parameter the statement gives (`taken`)."""
    terms = []
    for predicate in offer.predicates:
        if not predicate.usable or not isinstance(predicate.operand, Const | Slot) or predicate.op is Op.TOP:
            continue
        if (term := _push(resource, method, predicate, taken)) is not None:
            terms.append(term)
    return tuple(terms)


def _push(resource: Resource, method: Method, predicate: Predicate, taken: Set[str]) -> PushedTerm | None:
    assert isinstance(predicate.operand, Const | Slot)
    column = resource.column(predicate.column)
    if column is None:
        return None
    if method.push.equals.get(column.name) not in (None, *taken) and predicate.op is Op.EQ:
        return PushedTerm(column.name, predicate.op, predicate.operand, predicate.key, exact=False)
    spelling = method.push.filter
    if spelling is None or spelling.parameter in taken:
        return None
    term = spelling.terms.get(column.name)
    if term is None or (column.type is Type.JSON) != (predicate.key is not None):
        return None
    if predicate.key is None and predicate.op.value not in _offered(term, column.type):
        return None
    exact = term.exact and column.type is not Type.DATETIME
    return PushedTerm(column.name, predicate.op, predicate.operand, predicate.key, exact=exact)


def _offered(term: Term, type_: Type) -> Set[str]:
    """The SQL operators that a term can say; what is said of times are bounds, widened: >= and <=."""
    if type_ is not Type.DATETIME:
        return set(term.ops)
    return _OF_TIMES if {">=", "<="} <= set(term.ops) else set()


def push_order(
    method: Method, options: tuple[Binding, ...], wanted: tuple[PushedOrder, ...]
) -> tuple[PushedOrder, ...] | None:
    """The order to ask for, if the API's is SQLite's in every term; None if it is not."""
    if not wanted:
        return ()
    order = method.push.order
    if order is None or any(option.parameter == order.parameter for option in options):
        return None
    if all(term.direction in order.exact.get(term.column, ()) for term in wanted):
        return wanted
    return None


def filter_text(
    resource: Resource, spelling: Filter, terms: list[tuple[PushedTerm, SQLValue | tuple[SQLValue, ...]]]
) -> str | None:
    """The filter that keeps every row on which the terms hold; None if nothing can be said."""
    said: list[str] = []
    for term, value in terms:
        column = resource.column(term.column)
        rule = spelling.terms.get(term.column)
        if column is None or rule is None or not _in_enum(column, value):
            continue
        match value:
            case (str(key), str(op), operand) if term.key is not None:
                text = _say(spelling, rule, Op(op), operand, key=key, type_=None)
            case tuple():
                text = _say_set(spelling, rule, term.op, value)
            case _:
                text = _say(spelling, rule, term.op, value, key=None, type_=column.type)
        if text is not None and text not in said:
            said.append(text)
    return spelling.conjunction.join(said) or None


def _in_enum(column: Column, value: SQLValue | tuple[SQLValue, ...]) -> bool:
    """A value outside the enum is not sent: SQLite decides about a predicate on a field."""
    values = value if isinstance(value, tuple) else (value,)
    return not column.enum or all(item in column.enum for item in values)


def _say(
    spelling: Filter, rule: Term, op: Op, value: SQLValue, *, key: str | None, type_: Type | None
) -> str | None:
    name = _name(rule, key)
    if name is None or (op.value not in rule.ops and type_ is not Type.DATETIME):
        return None
    if op in _UNARY:
        return f"{name} {rule.ops[op.value]}"
    if value is None or isinstance(value, bytes):
        return None
    if type_ is Type.DATETIME:
        return _say_time(spelling, rule, name, op, value)
    literal = _literal(spelling, rule, value)
    return None if literal is None else f"{name} {rule.ops[op.value]} {literal}"


def _say_set(spelling: Filter, rule: Term, op: Op, values: tuple[SQLValue, ...]) -> str | None:
    """`name IN ('a', 'b')`, all or nothing."""
    if op.value not in rule.ops or not values:
        return None
    literals = [_literal(spelling, rule, value) for value in values]
    if any(literal is None for literal in literals):
        return None
    return f"{rule.name} {rule.ops[op.value]} ({', '.join(str(literal) for literal in literals)})"


def _say_time(spelling: Filter, rule: Term, name: str, op: Op, value: SQLValue) -> str | None:
    """A bound on a time, widened by a millisecond so that no row is lost at an edge."""
    if not isinstance(value, str):
        return None
    try:
        milliseconds = epoch_ms_from_text(value)
        after = f"{name} {rule.ops['>=']} {_time(spelling, rule, milliseconds - 1)}"
        before = f"{name} {rule.ops['<=']} {_time(spelling, rule, milliseconds + 1)}"
    except ValueError:
        return None
    match op:
        case Op.GT | Op.GE:
            return after
        case Op.LT | Op.LE:
            return before
        case _:
            return spelling.conjunction.join((after, before))


def _time(spelling: Filter, rule: Term, milliseconds: int) -> str:
    """A time as the API writes it: the number, or RFC 3339 in quotes."""
    if rule.value == "number":
        return str(milliseconds)
    quote = spelling.quotes[0]
    return f"{quote}{rfc3339(datetime_from_epoch_ms(milliseconds))}{quote}"


def _literal(spelling: Filter, rule: Term, value: SQLValue) -> str | None:
    match rule.value:
        case "number":
            return _number(value)
        case "bare":
            return str(value) if isinstance(value, int | str) else None
        case _:
            return _quoted(spelling, rule, value) if isinstance(value, str) else None


def _number(value: SQLValue) -> str | None:
    """A number's text; an integer that no double holds exactly is not sent, nor is a `+` in an exponent."""
    if isinstance(value, int):
        return str(value) if int(float(value)) == value else None
    if isinstance(value, float) and math.isfinite(value):
        return repr(value).replace("e+", "e")
    return None


def _quoted(spelling: Filter, rule: Term, value: str) -> str | None:
    forbidden = spelling.forbidden + rule.forbidden
    if any(ord(character) < 32 or character in forbidden for character in value):
        return None
    for quote in spelling.quotes:
        if quote not in value and (spelling.escape != "backslash" or "\\" not in value):
            return f"{quote}{value}{quote}"
    quote = spelling.quotes[0]
    match spelling.escape:
        case "backslash":
            escaped = value.replace("\\", "\\\\").replace(quote, "\\" + quote)
            return f"{quote}{escaped}{quote}"
        case "double":
            return quote + value.replace(quote, quote * 2) + quote
        case _:
            return None


def _name(rule: Term, key: str | None) -> str | None:
    if key is None:
        return rule.name
    if not key or any(character in rule.key_forbidden or ord(character) < 32 for character in key):
        return None
    return rule.name.replace("{key}", key)


def orders_by_key(method: Method, column: str, key: str) -> bool:
    """Whether the method can order by the number under a key."""
    order = method.push.order
    if order is None or column not in order.keys or not key:
        return False
    return not any(character in order.key_forbidden or ord(character) < 32 for character in key)


def _ordered_by(order: Order, term: PushedOrder) -> str:
    if term.key is None:
        return order.columns[term.column]
    return order.keys[term.column].replace("{key}", term.key)


def order_argument(method: Method, terms: tuple[PushedOrder, ...]) -> JSON:
    """What the order parameter is sent as: the statement's order, else the stable one."""
    order = method.push.order
    if order is None:
        return None
    up, down = order.directions
    said = [f"{_ordered_by(order, term)} {up if term.direction == 'ASC' else down}".strip() for term in terms]
    texts = said or list(order.stable)
    if not texts:
        return None
    return list[JSON](texts) if order.as_list else ", ".join(texts)
