"""decide(): what is to be done with one object, from what its entry wants and what is there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn, Protocol

from sqlprovider.errors import ProgrammingError
from sqlprovider.surfaces.deploy.change import Action, Change
from sqlprovider.surfaces.deploy.diff import Field, diff
from sqlprovider.surfaces.deploy.identity import Identity, key_text
from sqlprovider.surfaces.deploy.live import Found
from sqlprovider.surfaces.deploy.values import LiveRow
from sqlprovider.surfaces.deploy.wanted import Wanted, insert_name

if TYPE_CHECKING:
    from sqlprovider.session import ResourceFacts


@dataclass(frozen=True, slots=True)
class Seen:
    """One entry, before it is known what is live."""

    wanted: Wanted
    identity: Identity | None
    """None for a call."""
    is_wanted: bool | None
    """What its `when` says; None: it reads what is not made yet."""
    parents: tuple[str, ...] = ()
    parent_changes: tuple[Change, ...] = ()

    @property
    def below_restored(self) -> bool:
        """Whether something above it is deleted and will be live again: what is below counts as live then."""
        return any(p.action is Action.RESTORE or p.below_restored for p in self.parent_changes)

    @property
    def is_looked_for(self) -> bool:
        """Below what is not there, nothing is; and what is not known yet cannot be looked for."""
        known = self.identity is not None and self.identity.values is not None
        return (
            known and self.is_wanted is not False and not any(parent.absent for parent in self.parent_changes)
        )


class Asked(Protocol):
    """What of the command line matters here."""

    @property
    def resend(self) -> bool: ...
    @property
    def destroy(self) -> bool: ...


def decide(seen: Seen, found: Found, asked: Asked) -> Change:
    """The change. Raises ProgrammingError where the live state cannot be made what is wanted."""
    entry = seen.wanted.entry
    if seen.is_wanted is False:
        return _change(seen, Action.NOTHING, None, reason="its `when` says no")
    if entry.method is not None:
        return _called(seen)
    # Rows without a key may repeat: one that holds what is wanted is enough.
    repeats = seen.identity is not None and seen.identity.content is not None
    if len(found.live) > 1 and not repeats:
        _refuse_several(seen, found)
    row = found.live[0] if found.live else None
    if asked.destroy:
        return _destroyed(seen, row)
    if row is None:
        return _restored(seen, found) or _created(seen, _why_new(seen, found))
    return _kept(seen, row, resend=asked.resend)


def can_delete(facts: ResourceFacts) -> bool:
    """Whether the API deletes one of it."""
    return any(method.verb == "DELETE" and not method.has_batch_body for method in facts.methods.values())


def _change(
    seen: Seen,
    action: Action,
    row: LiveRow | None,
    *,
    reason: str | None = None,
    fields: tuple[Field, ...] = (),
    absent: bool = False,
) -> Change:
    identity = seen.identity
    key = None if row is None else key_text(seen.wanted.facts, row)
    if identity is not None and (key is None or identity.secret):
        key = identity.text or None
    return Change(
        seen.wanted.entry.label,
        seen.wanted.facts,
        action,
        key=key,
        reason=reason,
        fields=fields,
        entry=seen.wanted.entry,
        identity=identity,
        row=row,
        parents=seen.parents,
        secrets=frozenset(seen.wanted.secrets),
        below_restored=seen.below_restored,
        absent=absent,
        undecided=seen.is_wanted is None,
    )


def _called(seen: Seen) -> Change:
    reason = "its `when` is known only after apply" if seen.is_wanted is None else None
    return _change(seen, Action.EXEC, None, fields=_all_fields(seen.wanted), reason=reason)


def _all_fields(wanted: Wanted) -> tuple[Field, ...]:
    found = []
    for name, known in wanted.values.items():
        written = name if wanted.entry.method is not None else insert_name(wanted.facts, name)
        secret = known.secret or _is_secret(wanted, written)
        new = None if secret or known.unknown else known.value
        found.append(Field(written, None, new, known.unknown, secret))
    return tuple(found)


def _is_secret(wanted: Wanted, name: str) -> bool:
    if (method := wanted.entry.method) is not None:
        return name in wanted.facts.methods[method].secrets
    column = wanted.facts.columns.get(name)
    return column is not None and column.secret


def _created(seen: Seen, reason: str | None) -> Change:
    facts = seen.wanted.facts
    if not any(m.verb == "INSERT" and not m.has_batch_body for m in facts.methods.values()):
        _refuse(seen, "is not there, and the API creates none", reason="not_creatable")
    given = [name for name in seen.wanted.untaken() if name in facts.key and name not in facts.parents]
    if given:
        shown = seen.identity.text if seen.identity is not None else ""
        _refuse(
            seen, f"{shown} is not there; the API itself gives {', '.join(given)}", reason="not_creatable"
        )
    return _change(seen, Action.CREATE, None, reason=reason, fields=_all_fields(seen.wanted), absent=True)


def _why_new(seen: Seen, found: Found) -> str | None:
    if len(found.deleted) > 1 and seen.wanted.facts.restore is not None:
        return f"{len(found.deleted)} deleted ones have this identity; none of them is restored"
    return None


def _restored(seen: Seen, found: Found) -> Change | None:
    facts, identity = seen.wanted.facts, seen.identity
    if len(found.deleted) != 1 or facts.restore is None or identity is None:
        return None
    row = found.deleted[0]
    fields = diff(seen.wanted.entry, facts, seen.wanted.values, identity, row, resend=False)
    fixed = [field.name for field in fields if not field.settable]
    if fixed and facts.identity_unique:
        _refuse(
            seen,
            f"exists as deleted with another {', '.join(fixed)}, which cannot be changed, and keeps its name",
            reason="deleted_exists",
        )
    if fixed:
        return None
    return _change(seen, Action.RESTORE, row, reason="it exists as deleted", fields=fields)


def _kept(seen: Seen, row: LiveRow, *, resend: bool) -> Change:
    facts, identity = seen.wanted.facts, seen.identity
    assert identity is not None
    fields = diff(seen.wanted.entry, facts, seen.wanted.values, identity, row, resend=resend)
    replaced = [parent.id for parent in seen.parent_changes if parent.action is Action.REPLACE]
    if replaced:
        return _replaced(seen, row, fields, f"{replaced[0]}, below which it is, is replaced", goes_along=True)
    if fixed := [field.name for field in fields if not field.settable]:
        return _replaced(seen, row, fields, f"{', '.join(fixed)} cannot be changed", goes_along=False)
    return _change(seen, Action.UPDATE if fields else Action.NOTHING, row, fields=fields)


def _replaced(
    seen: Seen, row: LiveRow, fields: tuple[Field, ...], reason: str, *, goes_along: bool
) -> Change:
    facts = seen.wanted.facts
    if seen.wanted.entry.protect:
        _refuse(seen, f"is protected and would be replaced: {reason}", reason="protected")
    if not goes_along and not can_delete(facts):
        _refuse(
            seen, f"would be replaced, because {reason}, and the API deletes none", reason="not_replaceable"
        )
    if not goes_along and facts.restore is not None and facts.identity_unique:
        _refuse(
            seen,
            f"would be replaced, because {reason}, and the API keeps the name of what is deleted",
            reason="not_replaceable",
        )
    return _change(seen, Action.REPLACE, row, reason=reason, fields=fields)


def _destroyed(seen: Seen, row: LiveRow | None) -> Change:
    if row is None:
        return _change(seen, Action.NOTHING, None, reason="it is not there", absent=True)
    if seen.wanted.entry.protect:
        _refuse(seen, "is protected: nothing is destroyed", reason="protected")
    if can_delete(seen.wanted.facts):
        return _change(seen, Action.DELETE, row)
    above = [parent.id for parent in seen.parent_changes if parent.action is Action.DELETE]
    if not above:
        _refuse(seen, "cannot be deleted: the API has no method that does", reason="not_deletable")
    return _change(seen, Action.DELETE, row, reason=f"it goes with {above[0]}")


def _refuse_several(seen: Seen, found: Found) -> NoReturn:
    facts, identity = seen.wanted.facts, seen.identity
    keys = [key_text(facts, row) or "?" for row in found.live]
    shown = "" if identity is None else f" with {identity.text}"
    _refuse(
        seen,
        f"{len(keys)} live objects{shown} are there, and which one is meant is not said: {'; '.join(keys)}",
        reason="ambiguous_identity",
    )


def _refuse(seen: Seen, what: str, *, reason: str) -> NoReturn:
    entry = seen.wanted.entry
    raise ProgrammingError(f"{entry.place}: {entry.label} ({entry.resource}): {what}", reason=reason)
