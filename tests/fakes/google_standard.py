"""The standard methods of a stand-in made of a discovery document: list, get, create, patch, delete, IAM,
operations (https://google.aip.dev/130).
"""

from __future__ import annotations

import re
from collections.abc import Callable

from sqlprovider.values import JSON
from tests.fakes.aip160 import compile_filter
from tests.fakes.google_api import ApiError, error_response
from tests.fakes.google_query import fingerprint, page_size, read_masked
from tests.fakes.google_rest import (
    Call,
    Handler,
    chain_of,
    changed_item,
    grammar_of,
    new_item,
    shown_item,
)
from tests.fakes.proto_json import FieldType, Message, Object, Repeated, camel
from tests.fakes.wsgi import Response

OPERATION = "GoogleLongrunningOperation"
ROOTS = ("projects", "locations")


class StaleError(ApiError):
    """A wrong etag, refused with the HTTP status that the collection's rules say."""

    def __init__(self, code: int, status: str, message: str) -> None:
        super().__init__(status, message)
        self.code = code

    @property
    def response(self) -> Response:
        return error_response(self.code, self.status, self.message)


def list_items(call: Call) -> JSON:
    """One page of the collection."""
    check_parent(call, call.name)
    items = call.state.collections.get(call.name, {})

    def show(id_: str) -> Object | None:
        return shown(call, f"{call.name}/{id_}") if id_ in items else None

    return page_of(call, lambda: list(items.items()), show, call.item_message)


def page_of(
    call: Call,
    items: Callable[[], list[tuple[str, Object]]],
    show: Callable[[str], Object | None],
    message: Message,
) -> JSON:
    """One page of (id, item), filtered, ordered and masked as the request says. `show` gives None for what
    was deleted since the first page."""
    rules = call.rules
    size = page_size(call.argument("pageSize"), default=rules.page_default, maximum=2**31)
    if size > rules.page_max and rules.page_strict:
        raise _invalid(f"page_size must be between 1 and {rules.page_max}.")
    size = min(size, rules.page_max)
    filter_, order_by, mask = (call.argument(name) for name in ("filter", "orderBy", "readMask"))
    ids, next_token = call.state.take_page(
        fingerprint(call.name, filter_, order_by, mask, str(size)),
        call.argument("pageToken"),
        size if call.rows is None else min(size, call.rows),
        keys=lambda: [id_ for id_, _ in _matching(call, items(), filter_, order_by, message)],
    )
    rows: list[JSON] = [read_masked(item, mask, message) for id_ in ids if (item := show(id_)) is not None]
    answer: Object = {rows_key(call): rows} if rows else {}
    return {**answer, "nextPageToken": next_token} if next_token else answer


def _matching(
    call: Call, items: list[tuple[str, Object]], filter_: str, order_by: str, message: Message
) -> list[tuple[str, Object]]:
    if filter_:
        if (grammar := grammar_of(call)) is None:
            raise _invalid("This stand-in takes no filter here: its grammar is not documented.")
        test = compile_filter(filter_, message, grammar)
        items = [(id_, item) for id_, item in items if test(item)]
    return _ordered(call, items, order_by or call.rules.default_order)


def _ordered(call: Call, items: list[tuple[str, Object]], order_by: str) -> list[tuple[str, Object]]:
    terms = [part.split() for part in order_by.split(",") if part.strip()]
    for name, *direction in reversed(terms):
        if name not in call.rules.orders or [word.lower() for word in direction] not in (
            [],
            ["asc"],
            ["desc"],
        ):
            raise _invalid(f"Invalid order by: {order_by!r}.")
        items = sorted(items, key=_order_of(camel(name)), reverse=direction == ["desc"])
    return items


def _order_of(field: str) -> Callable[[tuple[str, Object]], str]:
    """Times as text, without the Z: one without a fraction is before one with a fraction."""
    return lambda item: str(item[1].get(field, "")).rstrip("Z")


def rows_key(call: Call) -> str:
    """The key of the rows in a list's answer."""
    fields = call.document.message(call.method.response).fields
    return next(key for key, type_ in fields.items() if isinstance(type_, Repeated) and key != "unreachable")


def get_item(call: Call) -> JSON:
    """The item of the path."""
    return shown(call, call.name)


def shown(call: Call, name: str) -> Object:
    """An item as this API shows it."""
    return shown_item(call.api, call.state, name)


def create_item(call: Call) -> JSON:
    """A new item: what the path's collection, the id and the body say."""
    check_parent(call, call.name)
    name = f"{call.name}/{_new_id(call)}"
    return finish(call, name, "Create", plan_create(call, name, call.body))


def plan_create(call: Call, name: str, body: Object) -> Callable[[], Object]:
    """Check the creation of an item; what is given back carries it out."""
    chain = chain_of(name)
    schema = call.api.item_schema(chain, call.version)
    roles = call.document.roles(schema)
    kind = call.document.message(schema).name
    given = {key: value for key, value in body.items() if roles[key] != "output" and key != "name"}
    wanted = [key for key, role in roles.items() if role == "required" and key != "name"]
    if missing := [key for key in wanted if key not in given]:
        raise _invalid(f"{kind}.{missing[0]} is required.")
    if call.state.find(name) is not None:
        raise ApiError("ALREADY_EXISTS", f"{kind} {name} already exists.")

    def effect() -> Object:
        new_item(call.api, call.state, name, given)
        return shown(call, name)

    return effect


def _new_id(call: Call) -> str:
    rules = call.rules
    parameter = next((key for key in sorted(call.method.query) if key.endswith("Id")), None)
    if rules.id_field is not None:
        id_ = str(call.body.get(rules.id_field, ""))
        if not id_:
            raise _invalid(f"{rules.id_field} is required.")
    else:
        id_ = call.request.value(parameter) if parameter is not None else ""
    if not id_:
        return f"{8_000_000_000_000_000_000 + next(call.state.ids)}"
    if re.fullmatch(rules.id_pattern, id_) is None:
        raise _invalid(f"The id {id_!r} does not match {rules.id_pattern}.")
    return id_


def patch_item(call: Call) -> JSON:
    """Change the masked fields; a masked field that the body lacks is cleared."""
    if call.request.value("allowMissing") == "true" and call.state.find(call.name) is None:
        check_parent(call, call.name.rpartition("/")[0])
        return finish(call, call.name, "Create", plan_create(call, call.name, call.body))
    item = call.state.get(call.name)
    if not call.rules.etag_in_mask or "etag" in call.request.value("updateMask").split(","):
        check_etag(call, item, str(call.body.get("etag", "")))
    changed = dict(item)
    for path in _mask(call):
        _set(changed, call.body, path)

    def effect() -> Object:
        stored = call.state.get(call.name)
        stored.clear()
        stored.update(changed)
        changed_item(call.api, call.state, call.name)
        return shown(call, call.name)

    return finish(call, call.name, "Update", effect)


def _mask(call: Call) -> list[tuple[str, ...]]:
    """The mask's paths that are written: what is the server's own is passed over, what is fixed refused."""
    roles = call.document.roles(call.api.item_schema(call.method.chain, call.version))
    text = call.request.value("updateMask")
    paths = [_path(part.strip(), call.item_message) for part in text.split(",") if part.strip()]
    if not paths:
        raise _invalid("update_mask is required.")
    if ("*",) in paths:
        paths = [(key,) for key, role in roles.items() if role in ("required", "optional")]
    for path in paths:
        if path[0] not in roles:
            raise _invalid(f"Invalid field mask: {'.'.join(path)!r} is no field of {call.item_message.name}.")
        if roles[path[0]] == "immutable" or path[0] == "name":
            raise _invalid(f"{call.item_message.name}.{path[0]} is immutable.")
        if call.rules.masks is not None and ".".join(path) not in call.rules.masks:
            raise _invalid(f"The update mask may not hold {'.'.join(path)!r}.")
    return [path for path in paths if roles[path[0]] != "output" and path[0] != "etag"]


def _path(text: str, message: Message) -> tuple[str, ...]:
    """`default_version.name` → `("defaultVersion", "name")`; the key of a map stays as it is."""
    found: list[str] = []
    within: FieldType | None = message
    for part in text.split("."):
        name = camel(part) if isinstance(within, Message) else part
        within = within.fields.get(name) if isinstance(within, Message) else None
        found.append(name)
    return tuple(found)


def _set(target: Object, body: Object, path: tuple[str, ...]) -> None:
    head, *rest = path
    if rest:
        below, given = target.get(head), body.get(head)
        inner: Object = dict(below) if isinstance(below, dict) else {}
        _set(inner, given if isinstance(given, dict) else {}, tuple(rest))
        target[head] = inner
    elif head in body:
        target[head] = body[head]
    else:
        target.pop(head, None)


def delete_item(call: Call) -> JSON:
    """Drop the item and what is below it."""
    check_etag(call, call.state.get(call.name), call.request.value("etag"))
    below = any(items and path.startswith(call.name + "/") for path, items in call.state.collections.items())
    if below and "force" in call.method.query and call.request.value("force") != "true":
        raise ApiError("FAILED_PRECONDITION", f"{call.name} is not empty; force was not given.")

    def effect() -> Object:
        call.state.remove(call.name)
        return {"@type": "type.googleapis.com/google.protobuf.Empty"}

    if not is_operation(call):
        effect()
        return {}
    return call.start(call.name, "DeleteOperationMetadata", effect)


def check_etag(call: Call, item: Object, given: str) -> None:
    """Refuse a change of an item that is not what the caller has read."""
    if given and given != item.get("etag"):
        code, status = call.rules.stale
        raise StaleError(code, status, f"The etag {given!r} is not that of {call.name}.")


def check_parent(call: Call, path: str) -> None:
    """Projects and locations are taken to exist; everything below must."""
    parent = path.rpartition("/")[0]
    if chain_of(parent)[-1] not in ROOTS:
        call.state.get(parent)


def finish(call: Call, name: str, done: str, effect: Callable[[], Object]) -> JSON:
    """Carry a write out: now, or as an operation where the method answers with one."""
    if not is_operation(call):
        return effect()
    kind = call.document.message(call.api.item_schema(chain_of(name), call.version)).name
    return call.start(name, f"{done}{kind}OperationMetadata", call.typed(kind, effect))


def is_operation(call: Call) -> bool:
    """Whether the method answers with a long-running operation."""
    return call.method.response.replace("__", "") == OPERATION


def get_policy(call: Call) -> JSON:
    """The policy of an item; without one, an empty one."""
    call.state.get(call.name)
    return call.state.policies.get(call.name, {"version": 1, "etag": "ACAB"})


def set_policy(call: Call) -> JSON:
    """Replace the policy, if the etag is none or the present one."""
    call.state.get(call.name)
    policy = call.body.get("policy")
    if not isinstance(policy, dict):
        raise _invalid("policy is required.")
    present = call.state.policies.get(call.name, {}).get("etag", "ACAB")
    if policy.get("etag", present) != present:
        raise ApiError("ABORTED", "There were concurrent policy changes.")
    stored = {**policy, "etag": f"BwX{next(call.state.ids):09d}"}
    call.state.policies[call.name] = stored
    return stored


def check_permissions(call: Call) -> JSON:
    """Which of the permissions the caller has: all but those that delete."""
    call.state.get(call.name)
    asked = call.body.get("permissions") or call.request.values("permissions")
    held: list[JSON] = (
        [name for name in asked if "delete" not in str(name)] if isinstance(asked, list) else []
    )
    return {"permissions": held} if held else {}


def get_operation(call: Call) -> JSON:
    """How an operation stands; asking brings it on."""
    operation = call.state.operation(call.name)
    operation.advance()
    return operation.view()


def list_operations(call: Call) -> JSON:
    """The operations of an item, in one page."""
    found = [op.view() for name, op in call.state.operations.items() if name.startswith(f"{call.name}/")]
    rows: list[JSON] = list(found)
    return {"operations": rows} if rows else {}


def cancel_operation(call: Call) -> JSON:
    """Ends an operation that is not done."""
    call.state.operation(call.name).cancel()
    return {}


def delete_operation(call: Call) -> JSON:
    """Forgets an operation."""
    call.state.operation(call.name)
    del call.state.operations[call.name]
    return {}


_OPERATIONS: dict[str, Handler] = {
    "get": get_operation,
    "list": list_operations,
    "cancel": cancel_operation,
    "delete": delete_operation,
    "wait": get_operation,
}


def _of_items(name: str, handler: Handler) -> Handler:
    return lambda call: _OPERATIONS[name](call) if call.method.chain[-1] == "operations" else handler(call)


def _unimplemented(call: Call) -> JSON:
    raise ApiError("UNIMPLEMENTED", f"This stand-in has no {call.method.id}.")


STANDARD: dict[str, Handler] = {
    "list": _of_items("list", list_items),
    "get": _of_items("get", get_item),
    "create": create_item,
    "patch": patch_item,
    "delete": _of_items("delete", delete_item),
    "cancel": _of_items("cancel", _unimplemented),
    "wait": _of_items("wait", _unimplemented),
    "getIamPolicy": get_policy,
    "setIamPolicy": set_policy,
    "testIamPermissions": check_permissions,
}


def _invalid(message: str) -> ApiError:
    return ApiError("INVALID_ARGUMENT", message)
