"""Scan + values → Operations. IN sets fan out here, sorted, so that the same statement asks the same way."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from sqlprovider.catalog.model import Parameter, View
from sqlprovider.errors import ProgrammingError, Warning
from sqlprovider.plan.model import Binding, Operation, PushedTerm, Scan
from sqlprovider.plan.projection import fields_text, wanted_reads
from sqlprovider.plan.pushdown import filter_text, order_argument
from sqlprovider.plan.wire import default_value, shorten, to_wire
from sqlprovider.values import (
    JSON,
    Const,
    Slot,
    SQLValue,
    cast,
    datetime_from_epoch_ms,
    datetime_from_text,
)

_OTHER_FORM = re.compile(r"\d{4}-\d\d-\d\d(?:[Tt].*|.*(?:[Zz]|[+-]\d\d:?\d\d))")
_LIST_SIZE = 100
"""Values that one call takes at once, where no page's size says it."""
Argument = SQLValue | frozenset[SQLValue]
"""What SQLite gives Filter for one slot: a value, or the whole set of an IN."""


def bind_scan(
    scan: Scan, arguments: Sequence[Argument], parent: Mapping[str, SQLValue] | None = None
) -> Iterator[Operation]:
    """The operations of a scan. `parent` gives the walked parameters. A NULL key matches no row."""
    fixed = _fixed(scan, parent)
    if not _is_wanted(scan, fixed, arguments):
        return
    bindings = [b for b in (*scan.bindings, *scan.options, *scan.echoes) if b.parameter not in fixed]
    sets = [_calls(scan, binding, _named_values(scan, binding, arguments)) for binding in bindings]
    shared = _shared(scan, arguments)
    like = Operation(
        resource=scan.resource.name,
        method=scan.method,
        arguments=(),
        page_size=_page_size(scan, arguments),
        fields=fields_text(scan),
        reads=wanted_reads(scan),
    )
    for groups in itertools.product(*sets):
        pairs = list(zip(bindings, groups, strict=True))
        alone = {b.parameter: group[0] for b, group in pairs if len(group) == 1}
        joined = dict(_joined(scan, b, group) for b, group in pairs if len(group) > 1)
        yield _operation(scan, {**fixed, **alone}, {**shared, **joined}, like)


def scans_by_view(scan: Scan, arguments: Sequence[Argument]) -> Iterator[Scan]:
    """The scan for each view that Filter is told: the parents to walk are those of that view."""
    view, walk = scan.resource.view, scan.walk
    if view is None or walk is None or not walk.views:
        yield scan
        return
    (given,) = (binding for binding in (*scan.options, *scan.echoes) if binding.column == view.option)
    for value in bound_values(scan, given, arguments):
        known = replace(given, operand=Const(value), many=False)
        yield replace(
            scan,
            options=tuple(known if binding is given else binding for binding in scan.options),
            echoes=tuple(known if binding is given else binding for binding in scan.echoes),
            walk=replace(walk, parent=dict(walk.views)[_checked_view(scan, view, value)], views=()),
        )


def _view_in_force(scan: Scan, chosen: Mapping[str, SQLValue]) -> str | None:
    """The value of the view's option for one operation; None where the resource has no view."""
    view = scan.resource.view
    return None if view is None else _checked_view(scan, view, chosen.get(view.option, view.default))


def _checked_view(scan: Scan, view: View, value: SQLValue) -> str:
    if not isinstance(value, str) or value not in view.values:
        raise ProgrammingError(
            f"SELECT on {scan.resource.name}: {view.option} cannot be {value!r}; it is one of "
            f"{', '.join(view.values)}",
            reason="not_in_enum",
            hint=f"AND {view.option} = '{view.default}'",
        )
    return value


def operand_value(operand: Const | Slot, arguments: Sequence[Argument]) -> Argument | tuple[SQLValue, ...]:
    """The operand's value, in hand at Filter."""
    return operand.value if isinstance(operand, Const) else arguments[operand.position]


def check_times(scan: Scan, arguments: Sequence[Argument]) -> None:
    """Refuses comparisons with DATETIME columns that would compare wrongly, before anything is sent."""
    for term in scan.times:
        _check_time(scan, term, operand_value(term.operand, arguments))


def hidden_by_view(scan: Scan, arguments: Sequence[Argument]) -> Warning | None:
    """The warning for a statement that asks for rows which the default view hides."""
    view = scan.resource.view
    shown = None if view is None else view.values.get(view.default)
    if view is None or shown is None:
        return None
    for term in scan.viewed:
        value = operand_value(term.operand, arguments)
        wanted = value if isinstance(value, frozenset | tuple) else (value,)
        if hidden := [item for item in wanted if item not in shown]:
            return Warning(
                f"{scan.resource.name}: {term.column} = {hidden[0]!r} is hidden by the API's own view "
                f"({view.option} = '{view.default}')",
                reason="hidden_by_view",
                hint=f"AND {view.option} = '{view.widest}'",
            )
    return None


def _check_time(scan: Scan, term: PushedTerm, value: Argument | tuple[SQLValue, ...]) -> None:
    """DATETIME columns are texts: a number, or a text with T, Z or an offset, is not their form."""
    for item in value if isinstance(value, frozenset | tuple) else (value,):
        if (right := comparable_time(item)) is not None:
            raise ProgrammingError(
                f"{scan.resource.name}: {term.column} is text in UTC such as '2026-01-02 03:04:05.678'; "
                f"{shorten(item)} would compare wrongly with it",
                reason="time_form",
                hint=f"{term.column} {term.op.value} '{right}'",
            )


def comparable_time(value: SQLValue) -> str | None:
    """The form that compares rightly; None where the value has it already, or is no time at all."""
    try:
        if isinstance(value, int | float):
            return datetime_from_epoch_ms(value)
        if isinstance(value, str) and _OTHER_FORM.fullmatch(value.strip()):
            return datetime_from_text(value)
    except ValueError:
        return "2026-01-02 03:04:05.678"
    return None


def _fixed(scan: Scan, parent: Mapping[str, SQLValue] | None) -> dict[str, SQLValue]:
    """What the parent's row gives: parameter → value."""
    if scan.walk is None or parent is None:
        return {}
    taken = {parameter.name for parameter in scan.method.parameters.values()}
    return {name: parent[column] for name, column in scan.walk.bind if name in taken}


def _is_wanted(scan: Scan, fixed: Mapping[str, SQLValue], arguments: Sequence[Argument]) -> bool:
    """Whether what the parent's row gives is what the statement gives too: it prunes the walk."""
    given = (binding for binding in scan.bindings if binding.parameter in fixed)
    return all(fixed[binding.parameter] in bound_values(scan, binding, arguments) for binding in given)


def _named_values(scan: Scan, binding: Binding, arguments: Sequence[Argument]) -> list[SQLValue]:
    """The values that can name something: nothing is asked for a BLOB, or for what the pattern rules out."""
    values = bound_values(scan, binding, arguments)
    parameter = scan.method.parameters.get(binding.parameter)
    if parameter is not None and parameter.required:
        values = [value for value in values if not isinstance(value, bytes)]
    if parameter is None or parameter.pattern is None:
        return values
    return [value for value in values if re.fullmatch(parameter.pattern, str(value))]


def _calls(scan: Scan, binding: Binding, values: Sequence[SQLValue]) -> list[Sequence[SQLValue]]:
    """The values, those together that one call takes at once."""
    parameter, pages = scan.method.parameters.get(binding.parameter), scan.method.pages
    given = {option.parameter for option in scan.options}
    if parameter is None or parameter.several is None or parameter.several in given:
        return [[value] for value in values]
    fit = [value for value in values if "," not in str(value)]
    most = _LIST_SIZE if pages is None or pages.size_max is None else pages.size_max
    groups = [fit[start : start + most] for start in range(0, len(fit), most)]
    return [*groups, *([value] for value in values if "," in str(value))]


def _joined(scan: Scan, binding: Binding, values: Sequence[SQLValue]) -> tuple[str, JSON]:
    """The parameter that takes several values at once, and these."""
    parameter = scan.method.parameters[binding.parameter]
    where = f"SELECT on {scan.resource.name}"
    texts = [str(to_wire(value, parameter, where=where)) for value in values]
    return parameter.several or parameter.name, ",".join(texts)


def bound_parent_key(scan: Scan, arguments: Sequence[Argument]) -> dict[str, SQLValue] | None:
    """The key of the one parent that a walked scan can lie in; None where there may be more."""
    if scan.walk is None or not scan.walk.parent.resource.key:
        return None
    bindings = {binding.parameter: binding for binding in scan.bindings}
    key: dict[str, SQLValue] = {}
    for parameter, column in scan.walk.bind:
        values = bound_values(scan, bindings[parameter], arguments) if parameter in bindings else []
        if len(values) == 1:
            key[column] = values[0]
    return key if key.keys() >= set(scan.walk.parent.resource.key) else None


def bound_values(scan: Scan, binding: Binding, arguments: Sequence[Argument]) -> list[SQLValue]:
    """The values a binding stands for, cast to its column's affinity; sorted, NULLs left out."""
    value = operand_value(binding.operand, arguments)
    column = scan.resource.column(binding.column)
    values = value if isinstance(value, frozenset | tuple) else (value,)
    distinct = {item if column is None else cast(item, column.type) for item in values}
    return sorted((item for item in distinct if item is not None), key=lambda item: (str(type(item)), item))


def _shared(scan: Scan, arguments: Sequence[Argument]) -> dict[str, JSON]:
    """Arguments that are the same for every operation: filter text, order, equal parameters."""
    shared: dict[str, JSON] = {}
    method = scan.method
    terms = [(term, _term_value(term, arguments)) for term in scan.pushed]
    for term, value in terms:
        name = method.push.equals.get(term.column)
        if name is not None and term.key is None and not isinstance(value, tuple):
            shared[name] = _pushed_equal(scan, method.parameters[name], term, value)
    spelling = method.push.filter
    if spelling is not None and (text := filter_text(scan.resource, spelling, terms)) is not None:
        shared[spelling.parameter] = text
    order = method.push.order
    given = {option.parameter for option in scan.options}
    if order is not None and order.parameter not in given:
        shared[order.parameter] = order_argument(method, scan.order)
    return {name: value for name, value in shared.items() if value is not None}


def _pushed_equal(scan: Scan, parameter: Parameter, term: PushedTerm, value: SQLValue) -> JSON:
    """A value outside the enum is not pushed: SQLite decides about a predicate on a field."""
    column = scan.resource.column(term.column)
    typed = value if column is None else cast(value, column.type)
    if parameter.enum and typed not in parameter.enum:
        return None
    try:
        return to_wire(typed, parameter, where=f"SELECT on {scan.resource.name}")
    except ProgrammingError:
        return None


def is_applied(scan: Scan, term: PushedTerm, arguments: Sequence[Argument]) -> bool:
    """Whether the API is told of a term: some values cannot be said in its language."""
    spelling = scan.method.push.filter
    if spelling is None:
        return False
    return filter_text(scan.resource, spelling, [(term, _term_value(term, arguments))]) is not None


def _term_value(term: PushedTerm, arguments: Sequence[Argument]) -> SQLValue | tuple[SQLValue, ...]:
    """A term's value; for a JSON key the (key, operator, value) that the push-down word carries."""
    value = operand_value(term.operand, arguments)
    if isinstance(value, frozenset):
        return tuple(sorted((v for v in value if v is not None), key=str))
    if term.key is not None and isinstance(value, str):
        key, op, operand = json.loads(value)
        return (key, op, operand)
    return value


def _page_size(scan: Scan, arguments: Sequence[Argument]) -> int | None:
    if not scan.limit:
        return None
    wanted = 0
    for operand in scan.limit:
        value = operand_value(operand, arguments)
        if not isinstance(value, int) or value < 0:
            return None
        wanted += value
    return max(1, wanted)


def _operation(
    scan: Scan, chosen: Mapping[str, SQLValue], shared: Mapping[str, JSON], like: Operation
) -> Operation:
    """One operation of several that differ in what was chosen."""
    method, where = scan.method, f"SELECT on {scan.resource.name}"
    view = _view_in_force(scan, chosen)
    arguments: dict[str, JSON] = {}
    for parameter in method.parameters.values():
        if parameter.name in chosen:
            arguments[parameter.name] = to_wire(chosen[parameter.name], parameter, where=where)
        elif parameter.name in shared:
            arguments[parameter.name] = shared[parameter.name]
        elif scan.resource.view is not None and parameter.name == scan.resource.view.option:
            arguments[parameter.name] = view
        elif (default := default_value(parameter)) is not None:
            arguments[parameter.name] = default
    return replace(
        like,
        arguments=tuple(sorted(arguments.items())),
        echo=tuple(sorted(_echo(scan, chosen).items())),
        view=view,
    )


def _echo(scan: Scan, chosen: Mapping[str, SQLValue]) -> dict[str, SQLValue]:
    """Column → the value it was bound to, with its affinity."""
    columns = {b.parameter: b.column for b in (*scan.bindings, *scan.options, *scan.echoes)}
    echo: dict[str, SQLValue] = {}
    for name, value in chosen.items():
        parameter = scan.method.parameters.get(name)
        column_name = columns.get(name) or (name if parameter is None else parameter.column or name)
        column = scan.resource.column(column_name)
        if column is not None:
            echo[column.name] = cast(value, column.type)
    return echo
