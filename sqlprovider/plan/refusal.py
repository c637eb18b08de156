"""A Refusal as the error that the user sees: what each method lacks, and the shortest line that works."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sqlprovider.catalog.model import Parameter, Verb
from sqlprovider.errors import MissingParameterError, NotSupportedError, ProgrammingError
from sqlprovider.plan.model import Candidate, Refusal


def refusal_error(refusal: Refusal) -> ProgrammingError | NotSupportedError:
    """The error that says why no method fits."""
    resource, verb = refusal.resource, refusal.verb
    if refusal.message is not None:
        kind = ProgrammingError if verb in resource.verbs else NotSupportedError
        return kind(refusal.message, hint=refusal.hint)
    if not refusal.candidates:
        return NotSupportedError(
            f"{verb.value} on {resource.name}: it has no such verb; it has "
            f"{', '.join(v.value for v in resource.verbs)}",
            hint=resource.refuses.get(verb) or f"SHOW METHODS IN {resource.name}",
        )
    lines = [_first_line(refusal), *_gaps(refusal.candidates)]
    return MissingParameterError("\n".join(lines), hint=_hint(refusal), resource=str(resource.name))


def _gaps(candidates: Iterable[Candidate]) -> Iterator[str]:
    """One line a method, the one that lacks the fewest first."""
    facts = [
        (
            candidate.method.name,
            *(", ".join(names) or "nothing" for names in (candidate.method.required, candidate.missing)),
        )
        for candidate in sorted(candidates, key=lambda candidate: len(candidate.missing))
    ]
    name_width, needs_width = (max(len(fact[position]) for fact in facts) for position in (0, 1))
    for name, needs, lacks in facts:
        yield f"  {name:{name_width}}  needs {needs:{needs_width}}   missing: {lacks}"


def _first_line(refusal: Refusal) -> str:
    head = f"{refusal.verb.value} on {refusal.resource.name}: no method has its required parameters"
    if refusal.walks or refusal.verb not in (Verb.UPDATE, Verb.DELETE):
        return head
    return f"{head}; the rows to write are not looked for in every parent, so the WHERE must name one"


def _hint(refusal: Refusal) -> str:
    """The shortest line that works: what a walk can find need not be written for a SELECT."""
    if refusal.verb is Verb.INSERT:
        needed = ", ".join(refusal.candidates[0].method.required)
        name = refusal.resource.name
        return f"INSERT INTO {name} ({needed}, …)          see: SHOW INSERT INTO {name}"
    see = f"see: SHOW METHODS IN {refusal.resource.name}"
    shortest = min((_needed(refusal, candidate) for candidate in refusal.candidates), key=len)
    opening = "AND" if refusal.offered else "WHERE"
    line = opening + " " + " AND ".join(f"{name} = '…'" for name in shortest) if shortest else ""
    return f"{line}          {see}" if line else see


def _needed(refusal: Refusal, candidate: Candidate) -> list[str]:
    parameters = [candidate.method.parameters[name] for name in candidate.missing]
    if refusal.walks:
        walked = {name for parent in refusal.resource.parents for name in parent.bind}
        parameters = [p for p in parameters if p.root or p.name not in walked]
    return list(_column_names(parameters))


def _column_names(parameters: Iterable[Parameter]) -> Iterable[str]:
    return (parameter.column or parameter.name for parameter in parameters)
