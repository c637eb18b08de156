"""What a text needs to know of a resource's columns."""

from __future__ import annotations

from collections.abc import Mapping

from sqlprovider.catalog.model import Resource, Verb
from sqlprovider.sql.statement import ColumnFact


def column_facts(resource: Resource) -> Mapping[str, ColumnFact]:
    """Its columns by lower-case name."""
    pushed = {
        column
        for method in resource.verb_methods(Verb.SELECT)
        if method.push.filter is not None
        for column in method.push.filter.terms
    }
    return {
        column.name.lower(): ColumnFact(
            column.name,
            column.type,
            hidden=column.hidden,
            numeric_keys=column.numeric_keys,
            keys_pushed=column.name in pushed,
        )
        for column in resource.columns
    }
