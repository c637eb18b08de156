"""The positional parameters of a script, dealt out to its statements as SQLite would number them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeAlias, TypeGuard

from sqlprovider.errors import ProgrammingError
from sqlprovider.sql.query import Query

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlprovider.sql.statement import Delete, Exec, Insert, Statement, Update
    from sqlprovider.values import SQLValue

Params: TypeAlias = "Sequence[SQLValue] | Mapping[str, SQLValue]"


class Dealer:
    """Deals the parameters of a script out to its statements, as SQLite would number them."""

    def __init__(self, params: Params) -> None:
        self._params = params
        self._next = 0
        self._ahead = 0
        """What the statement takes that was read and is not yet run."""

    def deal(self, count: int) -> Params:
        """The next `count` positional parameters, or all of the named ones."""
        if isinstance(self._params, Mapping):
            return self._params
        given = tuple(self._params)[self._next : self._next + count]
        if len(given) < count:
            raise ProgrammingError(
                f"too few parameters: the statement takes {count}, and {len(given)} are given",
                reason="parameter_count",
            )
        self._next += count
        return given

    def peek(self, name: str | None, number: int) -> SQLValue:
        """The value that the statement now being read will be given. Raises ProgrammingError.

        `name` is without its sign, None for `?`; `number` counts in the statement from 1.
        """
        if isinstance(self._params, Mapping):
            if name is None or name not in self._params:
                what = f"?{number}" if name is None else f":{name}"
                raise ProgrammingError(f"no value for the parameter {what}", reason="parameter_count")
            return self._params[name]
        at = self._next + self._ahead + number - 1
        if at >= len(self._params):
            raise ProgrammingError(
                f"too few parameters: {len(self._params)} are given, and one more names a file",
                reason="parameter_count",
            )
        return self._params[at]

    def checked(self, statements: Iterator[Statement]) -> Iterator[Statement]:
        """The statements; a write that ends the text is not run first and then found to be given too much."""
        for statement in statements:
            while _is_command(statement) and self._left(statement.parameters):
                self._ahead = statement.parameters
                following = next(statements, None)
                self._ahead = 0
                if following is None:
                    self.refuse_surplus(statement.parameters)
                    break
                yield statement
                statement = following
            yield statement

    def refuse_surplus(self, count: int) -> None:
        """Raises where positional parameters are left over after the next `count`."""
        if self._left(count):
            raise ProgrammingError(
                f"too many parameters: the text takes {self._next + count}; {len(self._params)} are given",
                reason="parameter_count",
            )

    def _left(self, count: int) -> bool:
        return not isinstance(self._params, Mapping) and self._next + count < len(self._params)


def _is_command(statement: Statement) -> TypeGuard[Insert | Update | Delete | Exec]:
    """Whether it is sent to a platform."""
    if isinstance(statement, Query):
        return False
    from sqlprovider.sql.statement import Delete, Exec, Insert, Update  # noqa: PLC0415  none of SQLite's own

    return isinstance(statement, Insert | Update | Delete | Exec)


def deal_all(params: Params, count: int) -> Params:
    """The parameters of the one statement there is. Raises for too few and for too many."""
    dealer = Dealer(params)
    dealt = dealer.deal(count)
    dealer.refuse_surplus(0)
    return dealt
