"""Reading and changing the items of the Vertex stand-in's collections."""

from __future__ import annotations

import re
from collections.abc import Callable

from sqlprovider.values import JSON
from tests.fakes.google_api import ApiError
from tests.fakes.google_query import filter_test, fingerprint, ordered, page_size, read_masked
from tests.fakes.proto_json import Object, mask_paths
from tests.fakes.vertex_messages import COLLECTIONS, Collection
from tests.fakes.vertex_points import objects, text
from tests.fakes.vertex_state import VertexState, collection_of
from tests.fakes.wsgi import RecordedRequest

MAX_BATCH = 1000
Effect = Callable[[], Object]


def list_items(state: VertexState, path: str, request: RecordedRequest, *, rows: int | None) -> Object:
    """One page of a collection. `rows` is a fault's: at most so many on this page."""
    check_parent(state, path)
    collection = collection_at(path)
    size = page_size(request.value("pageSize"), default=collection.page_default, maximum=collection.page_max)
    filter_, order_by, mask = (request.value(name) for name in ("filter", "orderBy", "readMask"))
    names, next_token = state.take_page(
        fingerprint(path, filter_, order_by, mask, str(size)),
        request.value("pageToken"),
        size if rows is None else min(size, rows),
        keys=lambda: _matching(state, path, filter_, order_by),
    )
    present = [state.view(name) for name in names if state.find(name) is not None]
    shown: list[JSON] = [read_masked(item, mask, collection.message) for item in present]
    answer: Object = {collection.rows: shown} if shown else {}
    return {**answer, "nextPageToken": next_token} if next_token else answer


def _matching(state: VertexState, path: str, filter_: str, order_by: str) -> list[str]:
    message = collection_at(path).message
    test = filter_test(filter_, message)
    items = [item for item in state.items(path) if test(item)]
    return [text(item, "name") for item in ordered(items, order_by, message)]


def collection_at(path: str) -> Collection:
    """The collection of `…/experiments/e/runs`."""
    return COLLECTIONS[path.rpartition("/")[2]]


def check_parent(state: VertexState, path: str) -> None:
    """Projects and locations are taken to exist; everything below must."""
    parent = path.rpartition("/")[0]
    if parent.count("/") > 3:
        state.get(parent)


def plan_create(state: VertexState, path: str, id_: str, item: Object) -> Effect:
    """Check the creation of an item; what is given back carries it out."""
    check_parent(state, path)
    collection = collection_at(path)
    id_ = _checked_id(state, path, id_)
    given = {key: value for key, value in item.items() if key in collection.mutable | collection.immutable}
    if missing := [field for field in collection.required if field not in given]:
        raise _invalid(f"{collection.message.name}.{missing[0]} is required.")
    _check_fields(given)
    name = f"{path}/{id_}"
    if state.find(name) is not None:
        raise ApiError("ALREADY_EXISTS", f"{collection.message.name} {name} already exists.")
    _check_display_name(state, name, given)

    def effect() -> Object:
        state.add(name, given)
        _keep_one_default(state, name)
        return state.view(name)

    return effect


def _checked_id(state: VertexState, path: str, id_: str) -> str:
    collection = collection_at(path)
    if not id_:
        if collection.id_required:
            raise _invalid(f"{collection.id_parameter} is required.")
        return f"{8_000_000_000_000_000_000 + next(state.ids)}"
    if re.fullmatch(collection.id_pattern, id_) is None:
        raise _invalid(f"{collection.id_parameter} {id_!r} does not match {collection.id_pattern}.")
    return id_


def create_batch(
    state: VertexState, collection: Collection, body: Object, *, paths: Callable[[str], str]
) -> Object:
    """`runs:batchCreate` and `experiments/e:batchCreate`: at most 1000, all or none.

    `paths` gives the collection below a request's parent, or refuses the parent.
    """
    requests = objects(body, "requests")
    if not 1 <= len(requests) <= MAX_BATCH:
        raise _invalid(f"{len(requests)} requests: there must be 1 to {MAX_BATCH}.")
    field = collection.message.name[0].lower() + collection.message.name[1:]
    effects: list[Effect] = []
    seen: set[tuple[str, str]] = set()
    for request in requests:
        path = paths(state.stored_name(text(request, "parent") or "projects/"))
        id_ = text(request, f"{field}Id")
        item = request.get(field)
        effects.append(plan_create(state, path, id_, item if isinstance(item, dict) else {}))
        names = {(path, f"id {id_}")} if id_ else set()
        if isinstance(item, dict) and collection.unique_name:
            names.add((path, f"display_name {text(item, 'displayName')}"))
        if twice := names & seen:
            raise ApiError("ALREADY_EXISTS", f"{sorted(twice)[0][1]} stands twice in the batch.")
        seen |= names
    return {collection.rows: [effect() for effect in effects]}


def plan_patch(state: VertexState, name: str, mask: str, body: Object) -> Effect:
    """Check an update; what is given back carries it out. A masked field that the body lacks is cleared."""
    item = state.get(name)
    collection = collection_of(name)
    paths = _writable_paths(collection, mask)
    if (etag := text(body, "etag")) and etag != item["etag"]:
        raise ApiError("ABORTED", f"The etag {etag!r} is not that of {name}, {item['etag']!r}.")
    changed = dict(item)
    for field, *key in paths:
        _set(changed, body, field, key[0] if key else None)
    if missing := [field for field in collection.required if not changed.get(field)]:
        raise _invalid(f"{collection.message.name}.{missing[0]} is required.")
    _check_fields({key: value for key, value in changed.items() if key in collection.mutable})
    _check_display_name(state, name, changed)

    def effect() -> Object:
        stored = state.get(name)
        stored.clear()
        stored.update(changed)
        state.touch(name)
        _keep_one_default(state, name)
        return state.view(name)

    return effect


def _writable_paths(collection: Collection, mask: str) -> list[tuple[str, ...]]:
    """The mask's paths that are written: the server's own fields are passed over, immutable ones refused."""
    paths = mask_paths(mask, collection.message)
    if not paths:
        raise _invalid("update_mask is required.")
    if ("*",) in paths:
        paths = [(field,) for field in sorted(collection.mutable)]
    if immutable := [path[0] for path in paths if path[0] in collection.immutable]:
        raise _invalid(f"{collection.message.name}.{immutable[0]} is immutable.")
    return [path for path in paths if path[0] in collection.mutable]


def _set(changed: Object, body: Object, field: str, key: str | None) -> None:
    """Take a field, or one key of a map, from the body."""
    if key is None:
        _set_or_clear(changed, field, body.get(field))
        return
    given, present = body.get(field), changed.get(field)
    merged: Object = dict(present) if isinstance(present, dict) else {}
    _set_or_clear(merged, key, given.get(key) if isinstance(given, dict) else None)
    _set_or_clear(changed, field, merged or None)


def _set_or_clear(target: Object, key: str, value: JSON) -> None:
    if value is None:
        target.pop(key, None)
    else:
        target[key] = value


def _check_fields(item: Object) -> None:
    labels = item.get("labels")
    if isinstance(labels, dict):
        if len(labels) > 64:
            raise _invalid(f"{len(labels)} labels: at most 64 are allowed.")
        for word in (*labels, *labels.values()):
            if (
                not isinstance(word, str)
                or len(word) > 64
                or not re.fullmatch(r"[\w-]*", word)
                or word != word.lower()
            ):
                raise _invalid(f"The label key or value {word!r} is not allowed.")
    if len(text(item, "pluginData")) > 65_000 * 4 // 3:
        raise _invalid("plugin_data is larger than 65 KB.")


def _check_display_name(state: VertexState, name: str, item: Object) -> None:
    if not collection_of(name).unique_name:
        return
    for other in state.items(name.rpartition("/")[0]):
        if other.get("displayName") == item.get("displayName") and other["name"] != name:
            raise ApiError(
                "ALREADY_EXISTS", f"{other['name']} has the display name {item.get('displayName')!r}."
            )


def _keep_one_default(state: VertexState, name: str) -> None:
    """A project and region has one default TensorBoard: marking another unmarks the rest."""
    if not state.get(name).get("isDefault"):
        return
    for other in state.items(name.rpartition("/")[0]):
        if other["name"] != name and other.pop("isDefault", None):
            state.seal(text(other, "name"))


def remove_item(state: VertexState, name: str) -> Effect:
    """Check that the item is there; what is given back removes it with everything below it."""
    state.get(name)

    def effect() -> Object:
        state.remove(name)
        return {"@type": "type.googleapis.com/google.protobuf.Empty"}

    return effect


def _invalid(message: str) -> ApiError:
    return ApiError("INVALID_ARGUMENT", message)
