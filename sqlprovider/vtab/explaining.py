"""What an error does not say by itself: where its resource is named, and the names most like a wrong one."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlprovider.errors import MissingParameterError, UnknownColumnError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlprovider.catalog.catalog import Catalog
    from sqlprovider.sql.statement import Statement, TableRef


@contextmanager
def explaining(statement: Statement, catalog: Catalog) -> Iterator[None]:
    """A refusal shows where its resource is named; an unknown column brings the names most like it."""
    try:
        yield
    except MissingParameterError as error:
        named = (table for table in _named_in(statement) if str(table.name) == error.resource)
        if (table := next(named, None)) is not None:
            error.span, error.text = table.span, statement.text
        raise
    except UnknownColumnError as error:
        if error.name is not None:
            known = [
                column.name
                for table in _named_in(statement)
                if table.name is not None
                for column in catalog.find(table.name).columns
            ]
            error.message += did_you_mean(error.name, tuple(dict.fromkeys(known)))
        raise


def _named_in(statement: Statement) -> tuple[TableRef, ...]:
    from sqlprovider.sql.tables import named_in  # noqa: PLC0415  for failures alone

    return named_in(statement)
