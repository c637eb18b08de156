"""Which method answers: resource + predicates → the candidates, each with its bindings and what it lacks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sqlprovider.catalog.model import Method, Parameter, Parent, Resource, Role, Verb
from sqlprovider.plan.model import Binding, Candidate, Refusal
from sqlprovider.values import Const, Op, Predicate, Slot

FindResource = Callable[[Parent], Resource]
"""The parent's resource, of the same connection."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What a statement gives for a scan: its usable predicates and the connection's defaults."""

    predicates: tuple[Predicate, ...]
    defaults: Mapping[str, str]

    def binding(self, parameter: Parameter, *, use_default: bool = True) -> Binding | None:
        """The parameter's binding: a predicate on its column, else a default of the connection."""
        column = parameter.column or parameter.name
        if (predicate := self.equality(column)) is not None:
            operand = predicate.operand
            if isinstance(operand, Const | Slot):
                return Binding(parameter.name, column, operand, many=predicate.op is Op.IN)
        if use_default and (default := self.default(parameter.name)) is not None:
            return Binding(parameter.name, column, Const(default))
        return None

    def equality(self, column: str) -> Predicate | None:
        """The predicate that binds a column: one value before a set of them."""
        found = [p for p in self.predicates if p.usable and p.key is None and p.column == column]
        for op in (Op.EQ, Op.IS, Op.IN):
            for predicate in found:
                if predicate.op is op and predicate.operand != Const(None):
                    return predicate
        return None

    def default(self, parameter: str) -> str | None:
        """The connection's default for a parameter."""
        return self.defaults.get(parameter)


@dataclass(frozen=True, slots=True)
class Fit:
    """A reading method held against an offer."""

    method: Method
    bindings: tuple[Binding, ...]
    missing: tuple[Parameter, ...]
    unknown_options: tuple[str, ...]


def fits(resource: Resource, offer: Offer) -> tuple[Fit, ...]:
    """Every reading method, with what the offer binds of it and what it lacks."""
    options = given_options(resource, offer)
    return tuple(_fit(method, offer, options) for method in resource.verb_methods(Verb.SELECT))


def _fit(method: Method, offer: Offer, options: tuple[str, ...]) -> Fit:
    bindings, missing = [], []
    for parameter in method.parameters.values():
        if not parameter.required:
            continue
        if (binding := offer.binding(parameter)) is None:
            missing.append(parameter)
        else:
            bindings.append(binding)
    taken = {parameter.column for parameter in method.parameters.values()}
    unknown = tuple(option for option in options if option not in taken)
    return Fit(method, tuple(bindings), tuple(missing), unknown)


def given_options(resource: Resource, offer: Offer) -> tuple[str, ...]:
    """The option columns that the offer gives and some reading method takes, but for the view's."""
    taken = {p.column for m in resource.verb_methods(Verb.SELECT) for p in m.parameters.values()}
    view = None if resource.view is None else resource.view.option
    return tuple(
        column.name
        for column in resource.columns
        if column.role is Role.OPTION
        and column.name in taken
        and column.name != view
        and offer.equality(column.name) is not None
    )


def candidates(found: tuple[Fit, ...]) -> tuple[Candidate, ...]:
    """What each method lacks, for a refusal."""
    return tuple(Candidate(fit.method, tuple(parameter.name for parameter in fit.missing)) for fit in found)


def refuse(
    resource: Resource, verb: Verb, offer: Offer, found: tuple[Fit, ...], *, walks: bool = True
) -> Refusal:
    """The refusal that lists what each candidate lacks."""
    if all(fit.unknown_options and not fit.missing for fit in found):
        options = ", ".join(sorted({option for fit in found for option in fit.unknown_options}))
        message = f"{verb.value} on {resource.name}: no method takes {options} together with what is given"
        return Refusal(resource, verb, offer.predicates, (), message, f"SHOW METHODS IN {resource.name}")
    lacking = tuple(fit for fit in found if fit.missing or not fit.unknown_options)
    return Refusal(resource, verb, offer.predicates, candidates(lacking), walks=walks)
