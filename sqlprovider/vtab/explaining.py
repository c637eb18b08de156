"""What an error does not say by itself: where its resource is named, and the names most like a wrong one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlprovider.catalog.catalog import Catalog
from sqlprovider.errors import MissingParameterError, UnknownColumnError, did_you_mean
from sqlprovider.sql.statement import Statement
from sqlprovider.sql.tables import named_in


@contextmanager
def explaining(statement: Statement, catalog: Catalog) -> Iterator[None]:
    """A refusal shows where its resource is named; an unknown column brings the names most like it."""
    try:
        yield
    except MissingParameterError as error:
        named = (table for table in named_in(statement) if str(table.name) == error.resource)
        if (table := next(named, None)) is not None:
            error.span, error.text = table.span, statement.text
        raise
    except UnknownColumnError as error:
        if error.name is not None:
            known = [
                column.name
                for table in named_in(statement)
                if table.name is not None
                for column in catalog.find(table.name).columns
            ]
            error.message += did_you_mean(error.name, tuple(dict.fromkeys(known)))
        raise
