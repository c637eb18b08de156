"""After a lost answer: what a look can tell, what may be sent again, and what stays unknown."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from sqlprovider.catalog.model import Role, Verb
from sqlprovider.errors import DataError, Error, IntegrityError, StatementInterrupted
from sqlprovider.plan.identity import chosen_column, identity_columns, parent_columns
from sqlprovider.plan.mutation import Mutation
from sqlprovider.values import SQLValue
from sqlprovider.vtab.looks import Looks, holds
from sqlprovider.vtab.rowwrite import RowWrite, may_still_act

Values = dict[str, SQLValue]

_UNKNOWN = "whether it was done is not known"
_UNSEEN = "whether it was done cannot be seen"
_RESENDS = 2
"""How often what a look did not find is sent again."""


@dataclass(slots=True)
class Settled:
    """What became of rows whose answer was lost."""

    accepted: list[RowWrite] = field(default_factory=list)
    again: list[RowWrite] = field(default_factory=list)
    """They were not done, and sending them again cannot do them twice."""
    ended: list[tuple[RowWrite, Error, str]] = field(default_factory=list)


class Settler:
    """Looks at the rows of one write."""

    def __init__(self, mutation: Mutation, looks: Looks) -> None:
        self._mutation = mutation
        self._looks = looks

    def settle(self, rows: Sequence[RowWrite], error: Error) -> Settled:
        """What became of rows that one request held."""
        settled = Settled()
        known = [row for row in rows if self._can_look(row)]
        for row in rows:
            if row not in known:
                self._judge_unkeyed(row, error, settled)
        for row, now in self._seen(known):
            self._judge(row, now, error, settled)
        return settled

    def done_after_all(self, rows: Sequence[RowWrite]) -> list[RowWrite]:
        """The rows of these that an attempt whose answer was lost has done."""
        known = [row for row in rows if self._can_look(row)]
        done = [
            row for row, now in self._seen(known) if not isinstance(now, Error) and self._is_done(row, now)
        ]
        return done + [row for row in rows if row not in known and self._has_appeared(row)]

    def _has_appeared(self, row: RowWrite) -> bool:
        """Whether a row of that identity is there now, which a look did not find before it was sent again."""
        named = self._by_identity(row) if row.resent else None
        if named is None or len(named) != 1 or not holds(self._mutation.resource, named[0], row.sets):
            return False
        row.values |= named[0]
        return True

    def _by_identity(self, row: RowWrite) -> list[Values] | None:
        """The rows, deleted ones too, that people would take for this one; None where that cannot be said."""
        names = identity_columns(self._mutation.resource)
        known = {name: row.values.get(name) for name in names}
        if self._mutation.verb is not Verb.INSERT or not names or None in known.values():
            return None
        try:
            return self._looks.rows(known, widest=True)
        except StatementInterrupted:
            raise
        except Error:
            return None

    def _is_done(self, row: RowWrite, now: Values | None) -> bool:
        if self._mutation.verb is Verb.DELETE:
            return now is None
        # What was not read is replaced whole: a key too many is one that was to go.
        before = (row.old or now) if self._mutation.verb is Verb.UPDATE else None
        return now is not None and holds(self._mutation.resource, now, row.sets, before)

    def _judge(self, row: RowWrite, now: Values | Error | None, error: Error, settled: Settled) -> None:
        """What a look at the row's key makes of it."""
        if isinstance(now, Error):
            settled.ended.append((row, _said(error, _UNSEEN), "unknown"))
            return
        if self._is_done(row, now):
            row.values |= now or {}
            settled.accepted.append(row)
        elif self._mutation.verb is Verb.INSERT and now is not None and not self._overwrites:
            settled.ended.append((row, self._taken(row, error), "failed"))
        elif now is not None and self._only_adds:
            settled.ended.append((row, _said(error, _UNKNOWN), "unknown"))
        else:
            self._not_done(row, error, settled, self._may_be_sent_again(row))

    def _judge_unkeyed(self, row: RowWrite, error: Error, settled: Settled) -> None:
        """A row without a key of its own: only that nothing of its identity is there proves something."""
        found = self._by_identity(row)
        if isinstance(error, DataError) and self._is_repeatable and row.resent < _RESENDS:
            row.resent += 1
            settled.again.append(row)
        elif found == []:
            identity = self._mutation.resource.identity
            self._not_done(row, error, settled, identity is not None and identity.unique)
        else:
            said = _UNSEEN if found is None else f"{len(found)} of that name are there; {_UNKNOWN}"
            settled.ended.append((row, _said(error, said), "unknown"))

    def _not_done(self, row: RowWrite, error: Error, settled: Settled, safe: bool) -> None:
        """A row that a look did not find: sent again where that is safe."""
        if safe and row.resent < _RESENDS:
            row.resent += 1
            settled.again.append(row)
        elif may_still_act(error):
            settled.ended.append((row, _said(error, _UNKNOWN), "unknown"))
        else:
            settled.ended.append((row, _said(error, "a look found that it was not done"), "failed"))

    def _seen(self, rows: Sequence[RowWrite]) -> Iterable[tuple[RowWrite, Values | Error | None]]:
        """Each row with what is there now, or why that cannot be said."""
        if len(rows) == 1:
            yield rows[0], self._look(rows[0])
        elif rows:
            yield from self._look_at_many(rows)

    def _can_look(self, row: RowWrite) -> bool:
        """Whether the row, if it is there, is told from any other and from one that was there before."""
        values = row.values if row.old is None else row.old
        if self._mutation.verb is Verb.EXEC or not self._looks.has_key(values):
            return False
        if self._mutation.verb is not Verb.INSERT:
            return True
        return self._overwrites or self._is_repeatable or self._names_its_id(row)

    @property
    def _overwrites(self) -> bool:
        return self._mutation.method is not None and self._mutation.method.overwrites

    @property
    def _is_repeatable(self) -> bool:
        return self._mutation.method is not None and self._mutation.method.repeat != "never"

    @property
    def _only_adds(self) -> bool:
        """What is there may be another of the values that were added to it."""
        return self._mutation.verb is Verb.INSERT and self._is_repeatable

    def _names_its_id(self, row: RowWrite) -> bool:
        """Whether the client said which row it is: by the id it chose, or by the whole key."""
        resource = self._mutation.resource
        chosen = chosen_column(resource)
        if chosen is not None and row.sets.get(chosen) is not None:
            return True
        return bool(resource.key) and all(row.sets.get(name) is not None for name in resource.key)

    def _may_be_sent_again(self, row: RowWrite) -> bool:
        named = self._mutation.verb is Verb.INSERT and self._names_its_id(row)
        return named or self._is_repeatable or row.is_guarded or self._mutation.verb is Verb.DELETE

    def _look(self, row: RowWrite) -> Values | Error | None:
        try:
            return self._looks.by_key(row.values if row.old is None else row.old)
        except StatementInterrupted:
            raise
        except Error as error:
            return error

    def _look_at_many(self, rows: Sequence[RowWrite]) -> Iterable[tuple[RowWrite, Values | Error | None]]:
        """One look for all that lie in one place."""
        resource = self._mutation.resource
        above = [name for name in parent_columns(resource) if name in resource.key] or [
            column.name
            for column in resource.columns
            if column.name in resource.key and column.role is Role.PARAMETER
        ]
        places: dict[tuple[SQLValue, ...], list[RowWrite]] = {}
        for row in rows:
            places.setdefault(tuple(row.values.get(name) for name in above), []).append(row)
        for place, members in places.items():
            try:
                found = self._looks.rows(dict(zip(above, place, strict=True)))
            except StatementInterrupted:
                raise
            except Error as error:
                yield from ((row, error) for row in members)
                continue
            by_key = {tuple(values.get(name) for name in resource.key): values for values in found}
            for row in members:
                yield row, by_key.get(tuple(row.values.get(name) for name in resource.key))

    def _taken(self, row: RowWrite, error: Error) -> Error:
        return IntegrityError(
            f"there is a row of that id already, and it is not what was sent ({error.message})",
            reason="already_exists",
        )


def _said(error: Error, more: str) -> Error:
    """The error with what a look made of it."""
    copied = copy.copy(error)
    copied.message = f"{error.message.rstrip('.')}; {more}"
    return copied
