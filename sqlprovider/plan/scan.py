"""plan_scan(): the one entry for reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from sqlprovider.catalog.model import Parent, Resource, Role, Verb
from sqlprovider.plan.choose import FindResource, Fit, Offer, fits, given_options, refuse
from sqlprovider.plan.model import Binding, PushedOrder, PushedTerm, Refusal, Scan, Walk
from sqlprovider.plan.pushdown import orders_by_key, push_order, push_predicates
from sqlprovider.values import Const, Op, Predicate, Slot, Type

_COMPARISONS = (Op.EQ, Op.NE, Op.LT, Op.LE, Op.GT, Op.GE, Op.IN, Op.IS)
NESTED_ROWS = 10
LIST_ROWS = 50
"""Rows a list is taken to have; SQLite has no statistics of an API, only the ratios matter."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a statement wants of a scan beside its predicates."""

    used: frozenset[int] = frozenset()
    order: tuple[PushedOrder, ...] = ()
    limit: tuple[Const | Slot, ...] = ()
    listed: frozenset[int] = frozenset()
    """Slots that SQLite fills with one value of an IN after the other."""
    verb: Verb = Verb.SELECT
    """UPDATE or DELETE: the scan finds the rows to write, which is never done by a walk."""

    @property
    def walk(self) -> bool:
        """Whether missing parameters may be found by listing parents."""
        return self.verb is Verb.SELECT


@dataclass(frozen=True, slots=True)
class Estimate:
    """Requests a scan makes and rows it gives, for SQLite's choice of join order."""

    requests: float
    rows: float


def plan_scan(
    resource: Resource,
    predicates: tuple[Predicate, ...],
    *,
    find: FindResource,
    defaults: Mapping[str, str],
    wish: Wish = Wish(),
) -> Scan | Refusal:
    """The scan that answers `resource` under the predicates, or why none does."""
    offer = Offer(predicates, defaults)
    found = fits(resource, offer)
    if not found:
        return _no_select(resource, offer)
    if (mixed := _mixed_response(resource, wish)) is not None:
        return Refusal(resource, wish.verb, predicates, (), *mixed)
    if (late := _late_options(resource, offer)) is not None:
        return Refusal(resource, wish.verb, predicates, (), *late)
    scans = [scan for fit in found if (scan := _scan(resource, fit, offer, find, wish)) is not None]
    if not scans:
        return refuse(resource, wish.verb, offer, found, walks=wish.walk)
    best = max(scans, key=_preference)
    if (unknown := _unknown_headers(best, offer)) is not None:
        return Refusal(resource, wish.verb, predicates, (), *unknown)
    return best


def estimate(scan: Scan) -> Estimate:
    """Requests and rows, from the shape of the scan alone."""
    lists = sum(segment.endswith("[]") for segment in scan.method.rows or ())
    paged = scan.method.pages is not None and scan.method.pages.style != "one"
    requests, rows = (2.0 if paged else 1.0), float(LIST_ROWS**lists if paged else NESTED_ROWS**lists)
    for binding in (*scan.bindings, *scan.options):
        parameter = scan.method.parameters.get(binding.parameter)
        together = parameter is not None and parameter.several is not None
        if binding.many:
            requests, rows = requests * (1 if together else 10), rows * 10
        elif together:
            requests *= 0.1  # the keys of a loop go together
    if scan.walk is not None:
        parent = estimate(scan.walk.parent)
        requests, rows = parent.requests + parent.rows * requests, parent.rows * rows
    if scan.pushed:
        requests, rows = requests * 0.9, max(1.0, rows * 0.5)
    if scan.probes:
        # What a loop asks for again is not read again.
        requests, rows = requests * 0.9, max(1.0, rows * 0.1)
    return Estimate(requests, rows)


def _scan(resource: Resource, fit: Fit, offer: Offer, find: FindResource, wish: Wish) -> Scan | None:
    if fit.unknown_options:
        return None
    walk = _walk(resource, fit, offer, find, wish)
    if walk is None and (fit.missing or _must_confirm(resource, offer) is not None):
        return None
    options, echoes = _options(resource, fit, offer), _echoes(resource, fit, offer)
    pushed = push_predicates(resource, fit.method, offer, taken={option.parameter for option in options})
    scan = Scan(
        resource=resource,
        method=fit.method,
        bindings=fit.bindings,
        options=options,
        echoes=echoes,
        pushed=pushed,
        used=wish.used,
        residual=_residual(offer, fit, (*options, *echoes), pushed),
        pages_as_rows=_pages_as_rows(resource, wish.used),
        whole=wish.verb is not Verb.SELECT,
        walk=walk,
        view=_view(resource, offer),
        times=_times(resource, offer),
        viewed=_viewed(resource, offer),
    )
    scan = _with_order_and_limit(scan, offer, wish)
    return replace(scan, top=_top(scan, offer), probes=_probes(scan, offer, wish))


def _top(scan: Scan, offer: Offer) -> PushedTerm | None:
    """What the first rows are, where one list answers and no condition is left that could drop one."""
    said = [predicate for predicate in offer.predicates if predicate.op is Op.TOP and predicate.usable]
    others = [predicate for predicate in offer.predicates if predicate.op is not Op.TOP]
    bound = {binding.column for binding in scan.bindings if not binding.many}
    if len(said) != 1 or not isinstance(said[0].operand, Slot) or said[0].key is None:
        return None
    is_left = any(p.op is not Op.EQ or not p.usable or p.column not in bound for p in others)
    twice = len({predicate.column for predicate in others}) < len(others)
    if (
        is_left
        or twice
        or not is_one_list(scan)
        or not orders_by_key(scan.method, said[0].column, said[0].key)
    ):
        return None
    return PushedTerm(said[0].column, Op.TOP, said[0].operand, said[0].key, exact=False)


def is_one_list(scan: Scan) -> bool:
    """Whether one operation answers, in an order that is not settled yet."""
    order = scan.method.push.order
    many = any(binding.many for binding in (*scan.bindings, *scan.options, *scan.echoes))
    given = {option.parameter for option in scan.options}
    return (
        order is not None
        and order.parameter not in given
        and scan.walk is None
        and scan.method.tree is None
        and not (many or scan.order or scan.limit or scan.pages_as_rows)
    )


def _probes(scan: Scan, offer: Offer, wish: Wish) -> tuple[PushedTerm, ...]:
    """Equalities on fields whose values serve nothing else: joins on what is no key of the API's."""
    items = {column.name for column in scan.resource.columns if column.role is Role.ITEM}
    return tuple(
        PushedTerm(predicate.column, predicate.op, predicate.operand, None, exact=False)
        for predicate in offer.predicates
        if predicate.usable and predicate.op is Op.EQ and predicate.key is None and predicate.column in items
        if isinstance(predicate.operand, Slot)
        if predicate.operand.position not in (scan.read_slots | wish.listed)
    )


def _walk(resource: Resource, fit: Fit, offer: Offer, find: FindResource, wish: Wish) -> Walk | None:
    """The parents' scan that gives what is missing; None if nothing need be asked, or nothing can be."""
    confirm = _must_confirm(resource, offer)
    if not fit.missing and confirm is None:
        return None
    if any(parameter.root for parameter in fit.missing) or (fit.missing and not wish.walk):
        return None
    needed = {parameter.name for parameter in fit.missing}
    for parent in resource.parents:
        if needed <= parent.bind.keys() and (walk := _walk_parent(resource, parent, offer, find, wish)):
            return walk
    return None


def _walk_parent(
    resource: Resource, parent: Parent, offer: Offer, find: FindResource, wish: Wish
) -> Walk | None:
    target, given = find(parent), _view(resource, offer)
    predicates = tuple(
        replace(predicate, column=parent.bind[predicate.column])
        for predicate in offer.predicates
        if predicate.column in parent.bind and predicate.key is None
    )
    columns = {column.name: position for position, column in enumerate(target.columns)}
    parents = Wish(used=frozenset(columns[name] for name in parent.bind.values()), verb=wish.verb)

    def planned(view: Const | Slot | None) -> Scan | Refusal:
        said = _parent_view(resource, target, parent, view)
        return plan_scan(target, (*predicates, *said), find=find, defaults=offer.defaults, wish=parents)

    scan = planned(given)
    if isinstance(scan, Refusal):
        return None
    views = resource.view.values if resource.view is not None and isinstance(given, Slot) else ()
    by_view = tuple((view, found) for view in views if isinstance(found := planned(Const(view)), Scan))
    return Walk(scan, tuple(sorted(parent.bind.items())), by_view)


def _parent_view(
    resource: Resource, target: Resource, parent: Parent, given: Const | Slot | None
) -> tuple[Predicate, ...]:
    """The view in force, said in the parent's words."""
    if target.view is None:
        return ()
    if parent.fixed_view is not None:
        return (Predicate(target.view.option, Op.EQ, Const(parent.fixed_view)),)
    if resource.view is None:
        return ()
    if isinstance(given, Const):
        value = parent.view.get(str(given.value), target.view.default)
    else:
        value = target.view.widest
    return (Predicate(target.view.option, Op.EQ, Const(value)),)


def _must_confirm(resource: Resource, offer: Offer) -> Parent | None:
    """The parent whose row set decides, unless the view shows everything."""
    parent = next((parent for parent in resource.parents if parent.confirm), None)
    if parent is None or resource.view is None:
        return parent
    given = _view(resource, offer)
    if isinstance(given, Const) and resource.view.values.get(str(given.value), ()) is None:
        return None
    return parent


def _view(resource: Resource, offer: Offer) -> Const | Slot | None:
    if resource.view is None:
        return None
    given = offer.equality(resource.view.option)
    if given is not None and isinstance(given.operand, Const | Slot):
        return given.operand
    return Const(resource.view.default)


def _options(resource: Resource, fit: Fit, offer: Offer) -> tuple[Binding, ...]:
    """The optional parameters of the method that the statement gives (or the connection's defaults)."""
    columns = {*given_options(resource, offer)}
    if resource.view is not None:
        columns.add(resource.view.option)
    found = []
    for parameter in fit.method.parameters.values():
        if parameter.required or parameter.column not in columns:
            continue
        if (binding := offer.binding(parameter, use_default=False)) is not None:
            found.append(binding)
    return tuple(found)


def _echoes(resource: Resource, fit: Fit, offer: Offer) -> tuple[Binding, ...]:
    """Options that the method does not take: they come back as the statement gave them."""
    taken = {parameter.column for parameter in fit.method.parameters.values()}
    return tuple(
        Binding(column.name, column.name, predicate.operand, many=predicate.op is Op.IN)
        for column in resource.columns
        if column.role is Role.OPTION and column.name not in taken
        if (predicate := offer.equality(column.name)) is not None
        if isinstance(predicate.operand, Const | Slot)
    )


def _times(resource: Resource, offer: Offer) -> tuple[PushedTerm, ...]:
    """Comparisons with DATETIME columns whose values will be at hand."""
    return tuple(
        PushedTerm(column.name, predicate.op, predicate.operand, None, exact=False)
        for predicate in offer.predicates
        if predicate.usable and isinstance(predicate.operand, Const | Slot)
        if predicate.op in _COMPARISONS
        if (column := resource.column(predicate.column)) is not None and column.type is Type.DATETIME
    )


def _viewed(resource: Resource, offer: Offer) -> tuple[PushedTerm, ...]:
    """Equalities on the view's own column where the statement leaves the view as it is."""
    view = resource.view
    if view is None or view.column is None or offer.equality(view.option) is not None:
        return ()
    return tuple(
        PushedTerm(view.column, predicate.op, predicate.operand, None, exact=False)
        for predicate in offer.predicates
        if predicate.column == view.column and predicate.usable and predicate.op in (Op.EQ, Op.IN)
        if isinstance(predicate.operand, Const | Slot)
    )


def _residual(
    offer: Offer, fit: Fit, options: tuple[Binding, ...], pushed: tuple[PushedTerm, ...]
) -> tuple[str, ...]:
    done = {binding.column for binding in (*fit.bindings, *options)}
    exact = {term.column for term in pushed if term.exact}
    names = {
        p.column if p.key is None else f"{p.column}->>'{p.key}'"
        for p in offer.predicates
        if p.usable and (p.column not in done or p.op not in (Op.EQ, Op.IS, Op.IN)) and p.column not in exact
        if p.op is not Op.TOP
    }
    return tuple(sorted(names))


def _with_order_and_limit(scan: Scan, offer: Offer, wish: Wish) -> Scan:
    """The API's order is SQLite's only for one operation; LIMIT counts only if every predicate is exact."""
    several = scan.walk is not None or any(b.many for b in (*scan.bindings, *scan.options, *scan.echoes))
    if several or scan.pages_as_rows:
        return scan
    order = push_order(scan.method, scan.options, wish.order)
    if order is None:
        return scan
    unusable = any(not predicate.usable for predicate in offer.predicates)
    limit = () if unusable or scan.residual else wish.limit
    return replace(scan, order=order, limit=limit)


def _pages_as_rows(resource: Resource, used: frozenset[int]) -> bool:
    roles = {resource.columns[position].role for position in used}
    return Role.RESPONSE in roles


def _mixed_response(resource: Resource, wish: Wish) -> tuple[str, str] | None:
    """The refusal's message and hint if item columns stand beside the response's own fields."""
    columns = [resource.columns[position] for position in sorted(wish.used)]
    response = [column.name for column in columns if column.role is Role.RESPONSE]
    items = [column.name for column in columns if column.role is Role.ITEM]
    if not response or not items:
        return None
    message = (
        f"SELECT on {resource.name}: {', '.join(response)}, of the answer around the rows, cannot "
        f"stand beside columns of its rows ({', '.join(items)})"
    )
    return message, f"SELECT {', '.join(response)} FROM {resource.name} …, without {', '.join(items)}"


def _late_options(resource: Resource, offer: Offer) -> tuple[str, str] | None:
    """The refusal's message and hint if an option's value comes from a table that is read after this one.

    An option comes back as it was given: without it every row would be lost to the comparison.
    """
    options = {column.name for column in resource.columns if column.role is Role.OPTION}
    late = [
        p.column for p in offer.predicates if not p.usable and p.column in options and p.op in (Op.EQ, Op.IS)
    ]
    if not late or all(offer.equality(name) is not None for name in late):
        return None
    names = ", ".join(dict.fromkeys(late))
    return (
        f"SELECT on {resource.name}: nothing gives the value of {names} before it is read",
        f"AND {late[0]} = '…'",
    )


def _unknown_headers(scan: Scan, offer: Offer) -> tuple[str, str] | None:
    """The refusal's message and hint if a list is asked about a header of the answer to one object.

    The column is NULL there: every row would be lost to the comparison.
    """
    if not any(segment.endswith("[]") for segment in scan.method.rows or ()):
        return None
    named = {column.name for column in scan.resource.columns if column.header is not None}
    asked = [p.column for p in offer.predicates if p.usable and p.column in named]
    if not asked:
        return None
    keys = " AND ".join(f"{name} = '…'" for name in scan.resource.key)
    return f"SELECT on {scan.resource.name}: a list does not say {asked[0]}; ask for the row by its key", keys


def _no_select(resource: Resource, offer: Offer) -> Refusal:
    verbs = ", ".join(verb.value for verb in resource.verbs)
    return Refusal(
        resource,
        Verb.SELECT,
        offer.predicates,
        (),
        f"SELECT on {resource.name}: no method reads it; it has {verbs}",
        f"SHOW METHODS IN {resource.name}",
    )


def _preference(scan: Scan) -> tuple[bool, int, int, float]:
    """No walk before a walk; then every option sent; then the most specific; then the cheapest.

    A view need not be sent: the rows of every method are held against it.
    """
    cost = estimate(scan)
    view = None if scan.resource.view is None else scan.resource.view.option
    return (
        scan.walk is None,
        -sum(echo.column != view for echo in scan.echoes),
        len(scan.bindings),
        -(cost.requests + cost.rows),
    )
