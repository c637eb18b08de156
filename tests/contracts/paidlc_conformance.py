"""PAI-DLC: what SQL sends for each of the API's operations beside what Alibaba Cloud's own client sends."""

from __future__ import annotations

import json
import re
from collections.abc import Container, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass

from sqlprovider.catalog.model import Method, Parameter, Resource, Verb
from sqlprovider.config import load_config
from sqlprovider.session import Session, provider_names
from sqlprovider.values import JSON
from tests.contracts.comparison import Comparison
from tests.contracts.sdk_paidlc import SdkCall, recorded_sdk_requests, recording_app, sdk_calls
from tests.fakes.wsgi import RecordedRequest, canonical_path
from tests.paidlc import AUTH, ENVIRON
from tests.vertex import RawTarget

_PLACEHOLDER = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Reached:
    """The SQL method that makes an operation's call with every one of its parameters."""

    resource: Resource
    method: Method

    @property
    def name(self) -> str:
        """`alibaba.paidlc.jobs.list`."""
        return f"{self.resource.name}.{self.method.name}"


def compare() -> list[Comparison]:
    """Every operation of the client, called by EXEC. Takes some seconds."""
    with _asking() as (session, requests):
        return [_compared(call, session, requests, as_statement=False) for call in sdk_calls()]


def compare_statements() -> list[Comparison]:
    """The operations that a SELECT or an INSERT makes, put as that statement."""
    with _asking() as (session, requests):
        chosen = ((call, reached(call, session)) for call in sdk_calls())
        return [
            _compared(call, session, requests, as_statement=True)
            for call, found in chosen
            if found is not None and found.method.verb in (Verb.SELECT, Verb.INSERT)
        ]


def reached(call: SdkCall, session: Session) -> Reached | None:
    """The method for a call: one with the operation's action that takes all its parameters."""
    for resource in session.catalog.service("alibaba", "paidlc").resources.values():
        for method in resource.methods.values():
            if method.headers["x-acs-action"] == call.operation:
                taken = {parameter.wire_name for parameter in method.parameters.values()}
                if _spread(call.values, taken).keys() <= taken:
                    return Reached(resource, method)
    return None


def sql_of(call: SdkCall, found: Reached, *, as_statement: bool) -> str:
    """The call in SQL: an EXEC, or the SELECT or INSERT that the method answers."""
    by_wire_name = {p.wire_name: p for p in found.method.parameters.values()}
    in_path = [by_wire_name[name] for name in _PLACEHOLDER.findall(found.method.path)]
    given: list[tuple[Parameter, JSON]] = [*zip(in_path, call.ids, strict=True)]
    given += [(by_wire_name[name], value) for name, value in _spread(call.values, by_wire_name).items()]
    if not as_statement:
        arguments = ", ".join(f"@{p.name} = {_literal(value)}" for p, value in given)
        return f"EXEC {found.name} {arguments}"
    columns = [(f'"{p.column}"', _literal(value)) for p, value in given]
    if found.method.verb is Verb.SELECT:
        where = " AND ".join(f"{column} = {value}" for column, value in columns)
        return f"SELECT count(*) FROM {found.resource.name} WHERE {where}"
    names, values = (", ".join(part) for part in zip(*columns, strict=True))
    return f"INSERT INTO {found.resource.name} ({names}) VALUES ({values})"


def _compared(
    call: SdkCall, session: Session, requests: list[RecordedRequest], *, as_statement: bool
) -> Comparison:
    found = reached(call, session)
    if found is None:
        return Comparison(call.operation, None, equal=False, reason="no method takes all its parameters")
    requests.clear()
    for result in session.run(sql_of(call, found, as_statement=as_statement)):
        list(result.rows)
    if len(requests) != 1:
        reason = f"{len(requests)} requests were made"
        return Comparison(call.operation, found.name, equal=False, reason=reason)
    mine, theirs = requests[0], recorded_sdk_requests()[call.operation]
    left, right = _comparable(mine), _comparable(theirs)
    parts = [name for name, value in left.items() if value != right[name]]
    told = [f"{name} {left[name]!r} is {right[name]!r} there" for name in parts]
    return Comparison(call.operation, found.name, equal=not parts, reason="; ".join(told))


@contextmanager
def _asking() -> Iterator[tuple[Session, list[RecordedRequest]]]:
    """A session whose requests are written down and answered with nothing."""
    requests: list[RecordedRequest] = []
    connection: dict[str, JSON] = {"base_url": "http://127.0.0.1:9", "auth": AUTH}
    config = load_config({"connections": {"alibaba": connection}}, environ={}, providers=provider_names())
    transport = RawTarget(recording_app(requests))
    with closing(Session(config, transport=transport, environ=ENVIRON)) as session:
        yield session, requests


def _spread(values: Mapping[str, JSON], taken: Container[str]) -> dict[str, JSON]:
    """Objects of which the API takes each field under a name of its own: `TokenSettings.…`."""
    spread: dict[str, JSON] = {}
    for name, value in values.items():
        whole = name in taken or not isinstance(value, dict)
        spread.update({name: value} if whole else {f"{name}.{key}": item for key, item in _items(value)})
    return spread


def _items(value: JSON) -> Iterable[tuple[str, JSON]]:
    return value.items() if isinstance(value, dict) else ()


def _comparable(request: RecordedRequest) -> dict[str, JSON]:
    """A request without what correct clients may do differently: theirs writes True where we write true."""
    pairs: list[JSON] = [[name, _comparable_text(value)] for name, value in request.query]
    return {
        "method": request.method,
        "path": canonical_path(request.path),
        "query": sorted(pairs, key=json.dumps),
        "body": request.json() if request.body else None,
        "x-acs-action": request.headers.get("x-acs-action"),
        "x-acs-version": request.headers.get("x-acs-version"),
    }


def _comparable_text(text: str) -> str:
    return text.lower() if text in ("True", "False") else text


def _literal(value: JSON) -> str:
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, int | float):
        return str(value)
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return "'" + text.replace("'", "''") + "'"
