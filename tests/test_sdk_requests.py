"""What SQL makes Vertex AI be asked is what its official clients ask: method, path, query, body and headers.

Each call of `sdk_calls.py` and `sdk_platform_calls.py` in tests/fakes is put as SQL, and both are recorded on
the same stand-in.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from contextlib import closing
from functools import cache

import httpx
import pytest

from sqlprovider.config import load_config
from sqlprovider.session import Session, provider_names
from sqlprovider.values import JSON
from tests.fakes.recorded import ComparableRequest, normalise, record_sdk_requests
from tests.fakes.sdk_calls import SDK_CALLS
from tests.fakes.sdk_platform_calls import PLATFORM_CALLS
from tests.fakes.vertex_platform import platform_app
from tests.fakes.vertex_platform_data import vertex_jobs
from tests.fakes.wsgi import RecordedRequest

pytestmark = pytest.mark.slow

CALLS = {**SDK_CALLS, **PLATFORM_CALLS}
OPTIONS = frozenset({"updateMask", "allowMissing"})
"""Words of an UPDATE's WHERE that are no ids."""


def sql_of(call: str) -> str:
    """The statement that a call of the client is in SQL."""
    resource, method = call.split(".")
    table, parameters = f"google.aiplatform.{resource}", CALLS[call].parameters
    match method:
        case "get" | "list":
            return f"SELECT * FROM {table} WHERE {_conditions(parameters.items())}"
        case "create":
            return _insert(table, parameters)
        case "batch_create" if resource == "runs":
            return _insert(table, parameters)
        case "patch":
            keys = {name for name in parameters if name.endswith("Id") or name in OPTIONS}
            changes = ", ".join(
                f"{name} = {_literal(value)}" for name, value in parameters.items() if name not in keys
            )
            where = _conditions((name, parameters[name]) for name in parameters if name in keys)
            return f"UPDATE {table} SET {changes} WHERE {where}"
        case "delete":
            return f"DELETE FROM {table} WHERE {_conditions(parameters.items())}"
        case _:
            given = ", ".join(f"@{name} = {_literal(value)}" for name, value in parameters.items())
            return f"EXEC {table}.{method} {given}"


def _insert(table: str, parameters: Mapping[str, JSON]) -> str:
    values = ", ".join(map(_literal, parameters.values()))
    return f"INSERT INTO {table} ({', '.join(parameters)}) VALUES ({values})"


def _conditions(parameters: Iterable[tuple[str, JSON]]) -> str:
    return " AND ".join(f"{name} = {_literal(value)}" for name, value in parameters)


def _literal(value: JSON) -> str:
    if isinstance(value, int):
        return str(value)
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return "'" + text.replace("'", "''") + "'"


def record_sql_requests(call: str, *, version: str = "v1") -> list[RecordedRequest]:
    """Every request that a call makes as SQL on `vertex_jobs()`; its rows are read to the end."""
    state = vertex_jobs()
    connection = {"auth": {"type": "token", "env": "GOOGLE_TOKEN"}, "version": {"aiplatform": version}}
    config = load_config({"connections": {"google": connection}}, environ={}, providers=provider_names())
    transport = httpx.WSGITransport(platform_app(state))
    with closing(Session(config, transport=transport, environ={"GOOGLE_TOKEN": "t0ken"})) as session:
        for result in session.run(sql_of(call)):
            list(result.rows)
    return state.requests


@cache
def recorded(call: str) -> tuple[ComparableRequest, ...]:
    """What the official client sends."""
    return tuple(map(normalise, record_sdk_requests(CALLS[call])))


def official(call: str, *, version: str = "v1") -> list[ComparableRequest]:
    """The same as it would read in that version of the API."""
    paths = (request.path.replace("/v1/", f"/{version}/", 1) for request in recorded(call))
    return [request._replace(path=path) for request, path in zip(recorded(call), paths, strict=True)]


@pytest.mark.parametrize("version", ["v1", "v1beta1"])
@pytest.mark.parametrize("call", sorted(CALLS))
def test_sql_sends_what_the_official_client_sends(call: str, version: str) -> None:
    ours = [normalise(request) for request in record_sql_requests(call, version=version)]
    assert ours == official(call, version=version)
