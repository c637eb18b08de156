"""The PAI-DLC stand-in as a backend of cases and of the oracle; every request to it is signed and checked."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime

from sqlprovider.catalog.model import Resource
from sqlprovider.values import JSON, SQLValue, Type
from tests.cases import Backend
from tests.fakes.paidlc import PaidlcState, paidlc_app, paidlc_small, rows
from tests.oracle import compact
from tests.vertex import RawTarget

STATES: Mapping[str, Callable[[], PaidlcState]] = {"paidlc": paidlc_small}
"""What a case's `-- backend:` begins with."""
KEY_ID, SECRET = "LTAI-of-tests", "planted-paidlc-secret"
ENVIRON = {"PAI_ID": KEY_ID, "PAI_SECRET": SECRET}
AUTH: dict[str, JSON] = {"type": "access_key", "id_env": "PAI_ID", "secret_env": "PAI_SECRET"}


def paidlc_backend(state: PaidlcState) -> Backend:
    """The stand-in over that state, which lets in the key of the tests alone."""
    state.keys = {KEY_ID: SECRET}

    def objects(resource: Resource) -> Iterable[Mapping[str, SQLValue]]:
        types = {column.name: column.type for column in resource.columns}
        for row in rows(state, resource.name.resource):
            yield {name: _value(value, types[name]) for name, value in row.items() if name in types}

    connection: dict[str, JSON] = {"base_url": "http://127.0.0.1:9", "auth": AUTH}
    return Backend("alibaba", connection, RawTarget(paidlc_app(state)), objects, environ=ENVIRON)


def _value(value: JSON, type_: Type) -> SQLValue:
    """A JSON value of this API, which says times in ISO 8601 and many a number in text."""
    if value is None:
        return None
    match type_:
        case Type.DATETIME:
            return _time(str(value)) if value else None
        case Type.JSON:
            return compact(value)
        case Type.BOOLEAN:
            return int(value is True)
        case Type.INTEGER:
            return int(str(value))
        case Type.REAL:
            return float(str(value))
        case _:
            return value if isinstance(value, str) else json.dumps(value)


def _time(text: str) -> str:
    return f"{datetime.fromisoformat(text).astimezone(UTC):%Y-%m-%d %H:%M:%S}.000"
