"""A stand-in for any of Google's REST APIs, made of its discovery document, rules for what that does not say,
and handlers for the methods that are not standard ones.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from sqlprovider.values import JSON
from tests.fakes.aip160 import Grammar
from tests.fakes.google_api import ApiError
from tests.fakes.google_app import check_permission, check_query, google_app
from tests.fakes.google_discovery import ApiMethod, Document, discovery_document
from tests.fakes.google_query import partial
from tests.fakes.google_state import GoogleState
from tests.fakes.proto_json import Message, Object, decode, timestamp_text
from tests.fakes.wsgi import RecordedRequest, Response

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


@dataclass(frozen=True, slots=True)
class Rules:
    """What a discovery document says of a collection in prose only, or not at all."""

    grammar: Grammar | None = None
    """None: a filter is refused."""
    functions: Mapping[str, Callable[[GoogleState, Object, str], bool]] = field(default_factory=dict)
    """The functions that a filter may call, with an item and their argument."""
    orders: tuple[str, ...] = ()
    default_order: str = ""
    page_default: int = 100
    page_max: int = 1000
    page_strict: bool = False
    """A page size above the maximum is refused, and not cut down to it."""
    id_pattern: str = r"[a-z0-9][a-z0-9-]{0,127}"
    id_field: str | None = None
    """The item's field that holds the id of a new one."""
    masks: tuple[str, ...] | None = None
    """The only paths that an update mask may hold."""
    created: Callable[[Object, str], None] | None = None
    """What the server adds to a new item; the text is the time."""
    stale: tuple[int, str] = (409, "ABORTED")
    """How a wrong etag is refused."""
    etag_in_mask: bool = False
    """A patch heeds the etag only where the mask names it."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call: the request read. `name` has the project's id, whatever was sent."""

    api: Api
    state: GoogleState
    method: ApiMethod
    document: Document
    name: str
    version: str
    request: RecordedRequest
    body: Object
    rows: int | None
    """A fault's: at most so many rows on this page."""

    def argument(self, key: str) -> str:
        """A parameter's text, from the query or, for a list that is asked for by POST, from the body."""
        value = self.body.get(key, "") if self.request.method == "POST" else self.request.value(key)
        return value if isinstance(value, str) else str(value)

    @property
    def item_message(self) -> Message:
        """The message of the collection's items."""
        return self.document.message(self.api.item_schema(self.method.chain, self.version))

    @property
    def rules(self) -> Rules:
        """The collection's rules."""
        return self.api.rules.get(".".join(self.method.chain), Rules())

    def type_url(self, message: str) -> str:
        """The `@type` of a message of this API."""
        return f"type.googleapis.com/{self.api.package.format(version=self.version)}.{message}"

    def start(self, name: str, metadata: str, effect: Callable[[], Object]) -> JSON:
        """Begin a long-running operation on an item."""
        owner = self.api.operation_owner(name)
        return self.state.start(owner, effect, metadata_type=self.type_url(metadata))

    def typed(self, message: str, effect: Callable[[], Object]) -> Callable[[], Object]:
        """An operation's effect whose result says what it is."""
        return lambda: {"@type": self.type_url(message), **effect()}


Handler = Callable[[Call], JSON]


@dataclass(frozen=True, slots=True)
class Api:
    """One API and how its stand-in behaves."""

    name: str
    versions: tuple[str, ...]
    host: str
    package: str
    rules: Mapping[str, Rules]
    """By chain, `projects.locations.customJobs`."""
    handlers: Mapping[str, Handler]
    """By method, `projects.locations.customJobs.cancel`, or by `*.` and its name."""
    operation_owner: Callable[[str], str] = lambda name: name
    standard: Mapping[str, Handler] = field(default_factory=dict)

    def document(self, version: str) -> Document:
        """The document of one version."""
        return discovery_document(self.name, version)

    def item_schema(self, chain: tuple[str, ...], version: str) -> str:
        """The schema of a collection's items."""
        methods = self.document(version).methods
        for name in ("get", "create", "patch"):
            if (method := methods.get(".".join((*chain, name)))) is not None:
                return (method.request if name == "create" else None) or method.response
        raise ApiError("NOT_FOUND", f"{'.'.join(chain)} is no collection.")

    def handler(self, method: ApiMethod) -> Handler | None:
        """What carries a method out."""
        special = self.handlers.get(method.id) or self.handlers.get(f"*.{method.name}")
        return special or self.standard.get(method.name)


def rest_app(api: Api, state: GoogleState, *, token: str | None = None) -> WSGIApplication:
    """The API over that state. With a token, requests must carry it as bearer."""

    def dispatch(request: RecordedRequest, rows: int | None) -> Response:
        return answer(api, state, request, rows) or Response.of_html(404)

    return google_app(state, dispatch, token=token)


def answer(api: Api, state: GoogleState, request: RecordedRequest, rows: int | None) -> Response | None:
    """The answer to a request; None where the API has no such method."""
    path, http_method = request.path, request.method
    if path.startswith("/ui/"):
        # Where the official clients poll operations, and ask for policies by GET.
        path = path.replace("/ui/", f"/{api.versions[0]}/", 1)
        http_method = "POST" if path.endswith(":getIamPolicy") else http_method
    version = path.split("/")[1]
    if version not in api.versions or (found := api.document(version).find(http_method, path)) is None:
        return None
    name = state.stored_name(found.name)
    check_permission(state, name, host=api.host)
    check_query(request, found.method.query)
    document = api.document(version)
    if (handler := api.handler(found.method)) is None:
        raise ApiError("UNIMPLEMENTED", f"This stand-in has no {found.method.id}.")
    body = read_body(request, document, found.method)
    value = handler(Call(api, state, found.method, document, name, version, request, body, rows))
    if fields := request.value("fields"):
        value = partial(value, fields)
    return Response.of_json(200, value)


def read_body(request: RecordedRequest, document: Document, method: ApiMethod) -> Object:
    """The body in its one form, read as the message that the method takes."""
    try:
        value = request.json()
    except (ValueError, json.JSONDecodeError):
        raise ApiError("INVALID_ARGUMENT", "Invalid JSON payload received.") from None
    if method.request is None:
        if value not in (None, {}):
            raise ApiError("INVALID_ARGUMENT", "Invalid JSON payload received. This method takes no body.")
        return {}
    return decode(document.message(method.request), {} if value is None else value)


def chain_of(name: str) -> tuple[str, ...]:
    """The collections of a name or of a collection's path."""
    return tuple(name.split("/")[0::2])


def ids_of(name: str) -> Object:
    """`projects/p/locations/l/…` as `{"projectsId": "p", "locationsId": "l", …}`."""
    parts = name.split("/")
    return {f"{collection}Id": id_ for collection, id_ in zip(parts[0::2], parts[1::2], strict=True)}


def new_item(api: Api, state: GoogleState, name: str, item: Object) -> Object:
    """Store an item as the server does: its name, its times and its etag are added unless it has them."""
    chain = chain_of(name)
    document = api.document(api.versions[-1])
    fields = document.message(api.item_schema(chain, api.versions[-1])).fields
    rules = api.rules.get(".".join(chain), Rules())
    now = timestamp_text(state.clock())
    given: Object = {"name": name, "createTime": now, "updateTime": now}
    stored: Object = {key: value for key, value in given.items() if key in fields}
    if rules.id_field is not None and rules.id_field != "name":
        stored[rules.id_field] = name.rpartition("/")[2]
    stored |= item
    if rules.created is not None:
        rules.created(stored, now)
    state.put(name, stored)
    return state.seal(name) if "etag" in fields else stored


def changed_item(api: Api, state: GoogleState, name: str) -> None:
    """The item was changed now."""
    fields = api.document(api.versions[-1]).message(api.item_schema(chain_of(name), api.versions[-1])).fields
    if "updateTime" in fields:
        state.get(name)["updateTime"] = timestamp_text(state.clock())
    if "etag" in fields:
        state.seal(name)


def shown_item(api: Api, state: GoogleState, name: str) -> Object:
    """The item as the API shows it: fields in the message's order, the project as the state shows it."""
    item = state.get(name)
    fields = api.document(api.versions[-1]).message(api.item_schema(chain_of(name), api.versions[-1])).fields
    shown = {key: item[key] for key in fields if key in item}
    return {**shown, "name": state.shown_name(name)} if "name" in shown else shown


def grammar_of(call: Call) -> Grammar | None:
    """The list's filter language, under the switches of the state."""
    grammar = call.rules.grammar
    if grammar is None:
        return None
    state = call.state

    def bound(function: Callable[[GoogleState, Object, str], bool]) -> Callable[[Object, str], bool]:
        return lambda item, argument: function(state, item, argument)

    functions = {name: bound(function) for name, function in call.rules.functions.items()}
    return replace(grammar, functions=functions, fold_case=state.fold_case, wild_equals=state.wild_equals)
