"""Plans as the rows of EXPLAIN: stable enough for golden tests."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from sqlprovider.catalog.model import Method, Verb
from sqlprovider.plan.model import Binding, Scan, describe_term
from sqlprovider.plan.mutation import Mutation
from sqlprovider.plan.projection import wanted_fields
from sqlprovider.values import Const, Op, Predicate, Ref

COLUMNS = ("step", "resource", "method", "requests", "times", "pushed", "rechecked", "note")
ANALYZED = ("sent", "used", "wasted", "rows", "ms", "state")


@dataclass(frozen=True, slots=True)
class Step:
    """One line of EXPLAIN. `requests` is None where only the answers tell."""

    resource: str
    method: str
    requests: int | None
    times: str | None
    pushed: str | None
    rechecked: str | None
    note: str | None

    def row(self, number: int) -> tuple[int | str | None, ...]:
        """The line's cells, numbered."""
        return (
            number,
            self.resource,
            self.method,
            self.requests,
            self.times,
            self.pushed,
            self.rechecked,
            self.note,
        )


def explain_scan(
    scan: Scan,
    predicates: tuple[Predicate, ...] = (),
    *,
    outer: str | None = None,
    again: Collection[str] = (),
) -> Iterator[Step]:
    """The steps of a scan, the walk's parents first.

    `predicates`: the text's; `outer`: the table before; `again`: the resources that are read more than once.
    """
    notes = []
    if scan.walk is not None:
        yield from explain_scan(scan.walk.parent, again=again)
        found = ", ".join(name for name, _ in scan.walk.bind)
        notes.append(f"per row of {scan.walk.parent.resource.name.resource}, which gives {found}")
    if scan.pages_as_rows:
        notes.append("a row is a page")
    if scan.limit:
        notes.append("page size from LIMIT")
    if scan.order:
        notes.append("in the API's order by " + ", ".join(f"{o.column} {o.direction}" for o in scan.order))
    if str(scan.resource.name) not in again and (fields := wanted_fields(scan)):
        notes.append(f"fields: {', '.join(fields)}")
    if (view := _default_view(scan)) is not None:
        notes.append(view)
    notes.extend(_defaults(scan))
    yield Step(
        resource=str(scan.resource.name),
        method=scan.method.name,
        requests=_requests(scan, predicates),
        times=_times(scan, predicates, outer),
        pushed=_pushed(scan),
        rechecked=", ".join(scan.residual) or None,
        note="; ".join(notes) or None,
    )


def explain_mutation(mutation: Mutation, *, alias: str, unread: bool) -> Iterator[Step]:
    """The steps of the write itself, after those that read the rows (`unread`: there are none)."""
    methods: list[tuple[Method, str | None]] = []
    if mutation.method is not None:
        methods.append((mutation.method, _how_sent(mutation, mutation.method, unread=unread)))
    for column in mutation.maps:
        keyed = mutation.resource.methods[column.set_key or ""]
        methods.append((keyed, f"for each key of {column.name} that differs"))
    for method, note in methods:
        yield Step(
            resource=str(mutation.resource.name),
            method=method.name,
            requests=1 if method is mutation.method else None,
            times=f"per row of {alias}",
            pushed=", ".join(mutation.columns) or None,
            rechecked=None,
            note=note,
        )


def _how_sent(mutation: Mutation, method: Method, *, unread: bool) -> str | None:
    notes = ["the rows are not read first"] if unread else []
    if method.batch is not None:
        notes.append(f"up to {method.batch.max_rows} rows a request")
    if mutation.verb is Verb.UPDATE and method.precondition is None:
        # Nothing refuses what somebody else changed meanwhile; a last look makes the gap small.
        notes.append("unguarded")
    return "; ".join(notes) or None


def _requests(scan: Scan, predicates: tuple[Predicate, ...]) -> int | None:
    if scan.walk is not None or any(segment.endswith("[]") for segment in scan.method.rows or ()):
        return None
    count = 1
    for binding in (*scan.bindings, *scan.options):
        if binding.many:
            sets = [p.operand for p in predicates if p.column == binding.column and p.op is Op.IN]
            if len(sets) != 1 or not isinstance(sets[0], Const) or not isinstance(sets[0].value, tuple):
                return None
            count *= len(set(sets[0].value) - {None})
    return count


def _times(scan: Scan, predicates: tuple[Predicate, ...], outer: str | None) -> str | None:
    """The table whose rows give a key: as the text says, else (USING, a view) the one before in the plan."""
    for binding in _all_bindings(scan):
        if isinstance(binding.operand, Const):
            continue
        said = [p.operand for p in predicates if p.column == binding.column]
        if tables := [operand.table for operand in said if isinstance(operand, Ref)]:
            return f"per row of {tables[0]}"
        if not said and outer is not None:
            return f"per row of {outer}"
    pushed = {term.column for term in scan.pushed if term.key is None}
    given = [p.operand for p in predicates if p.column in pushed and p.op is Op.EQ]
    return next((f"per row of {operand.table}" for operand in given if isinstance(operand, Ref)), None)


def _all_bindings(scan: Scan) -> tuple[Binding, ...]:
    own = (*scan.bindings, *scan.options)
    return own if scan.walk is None else (*own, *_all_bindings(scan.walk.parent))


def _pushed(scan: Scan) -> str | None:
    bound = [f"{b.column} {'IN' if b.many else '='}" for b in (*scan.bindings, *scan.options)]
    said = [describe_term(term) for term in scan.pushed]
    return ", ".join(dict.fromkeys([*bound, *said])) or None


def _defaults(scan: Scan) -> Iterator[str]:
    """What is sent though nobody gave it: an API's own default would hide rows."""
    given = {binding.parameter for binding in (*scan.bindings, *scan.options)}
    given |= {scan.method.push.equals.get(term.column, "") for term in scan.pushed}
    view = None if scan.resource.view is None else scan.resource.view.option
    for parameter in scan.method.parameters.values():
        if parameter.default is not None and parameter.name not in given and parameter.name != view:
            yield f"{parameter.wire_name} = {parameter.default!r}"


def _default_view(scan: Scan) -> str | None:
    view = scan.resource.view
    if view is None or scan.view != Const(view.default) or view.values.get(view.default) is None:
        return None
    return f"{view.option} = '{view.default}'"
