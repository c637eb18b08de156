"""Lists of the OCI stand-in: what a list's query keeps, in which order, and a page of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sqlprovider.values import JSON
from tests.fakes.oci_api import Object, OciError, check_names
from tests.fakes.oci_kinds import Kind
from tests.fakes.oci_state import OciState, Path, Stored
from tests.fakes.wsgi import RecordedRequest, Response


def list_items(
    state: OciState, kind: Kind, path: Path, request: RecordedRequest, *, rows: int | None
) -> Response:
    """A page of a collection: `{"items": […]}`, and the token of the next in `opc-next-page`."""
    check_names((name for name, _ in request.query), kind.list_query, kind="query parameter")
    keeps = _filter(state, kind, request)
    order = _order(kind, request)
    by_key = {str(stored.item[kind.id_field]): stored for stored in state.items(path)}

    def keys() -> list[str]:
        found = sorted(filter(keeps, by_key.values()), key=order, reverse=_is_descending(request))
        return [str(stored.item[kind.id_field]) for stored in found]

    kept, token = state.take_page(
        _fingerprint(path, request), request.value("page"), _size(state, request, rows), keys=keys
    )
    fields = kind.summary.split()
    items: list[JSON] = [
        {name: value for name, value in by_key[key].item.items() if name in fields}
        for key in kept
        if key in by_key
    ]
    return Response.of_json(200, {"items": items}, headers=(("opc-next-page", token),) if token else ())


def at(item: Object, path: str) -> JSON:
    """The value at a path of keys, or None."""
    value: JSON = item
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _size(state: OciState, request: RecordedRequest, rows: int | None) -> int:
    asked = request.value("limit")
    if asked and not (asked.isdigit() and 1 <= int(asked) <= 1000):
        raise OciError(400, "limit must be between 1 and 1000.")
    size = min(int(asked) if asked else state.page_size, state.page_cap)
    return size if rows is None else min(rows, size)


def _fingerprint(path: Path, request: RecordedRequest) -> str:
    return repr((path, sorted(pair for pair in request.query if pair[0] not in ("page", "limit"))))


def _filter(state: OciState, kind: Kind, request: RecordedRequest) -> Callable[[Stored], bool]:
    def text(value: JSON) -> str:
        shown = str(value).lower() if isinstance(value, bool) else str(value)
        return shown.lower() if state.fold_case else shown

    equals = {
        field: {text(value) for value in request.values(name)}
        for name, field in kind.equals.items()
        if request.values(name)
    }
    for name, value in request.query:
        if name.startswith("is") and value not in ("true", "false"):
            raise OciError(400, f"{name} is neither true nor false.")
    excluded = request.values("excludeLifecycleState")

    def keeps(stored: Stored) -> bool:
        item = stored.item
        return (
            all(
                at(item, field) is not None and text(at(item, field)) in wanted
                for field, wanted in equals.items()
            )
            and all(
                part.lower() in str(item.get(field, "")).lower()
                for name, field in kind.contains.items()
                for part in request.values(name)
            )
            and all(
                _within(name, item.get(field), request.value(name)) for name, field in kind.bounds.items()
            )
            and item.get("lifecycleState") not in excluded
        )

    return keeps


def _within(name: str, value: JSON, bound: str) -> bool:
    """Whether a time lies on the right side of a bound; an empty bound is none."""
    if not bound:
        return True
    try:
        limit = datetime.fromisoformat(bound)
    except ValueError:
        raise OciError(400, f"{name} is no time.") from None
    moment = datetime.fromisoformat(str(value))
    return moment >= limit if "GreaterThan" in name else moment <= limit


def _order(kind: Kind, request: RecordedRequest) -> Callable[[Stored], tuple[str, str]]:
    by = request.value("sortBy") or kind.sorts[0]
    if by not in kind.sorts:
        raise OciError(400, f"{by} is nothing to sort by.")
    field = {"displayName": kind.equals.get("displayName", "displayName"), "status": "state.status"}.get(
        by, by
    )
    return lambda stored: (str(at(stored.item, field) or ""), str(stored.item[kind.id_field]))


def _is_descending(request: RecordedRequest) -> bool:
    """Times come newest first where nothing else is said, names in ascending order."""
    order = request.value("sortOrder")
    if order not in ("", "ASC", "DESC"):
        raise OciError(400, "sortOrder is ASC or DESC.")
    return (order or ("ASC" if request.value("sortBy") == "displayName" else "DESC")) == "DESC"
