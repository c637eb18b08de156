"""Every RPC of MLflow held against the descriptors of the installed package, and against databricks-sdk.

A request of each of our methods is built with a value for everything it takes, and read back into the RPC's
own protobuf message, which refuses what it does not know. What the message has and nothing sends is a
difference.
"""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import parse_qs, unquote

import httpx

from sqlprovider.catalog.model import Method, Parameter, Place, Resource, Wire
from sqlprovider.execute.request import build_request
from sqlprovider.plan.model import Operation
from sqlprovider.plan.wire import to_wire
from sqlprovider.values import JSON, SQLValue, Type
from tests.contracts.comparison import Comparison
from tests.mlflow_descriptors import SERVED_ELSEWHERE, Rpc, ours, rpcs, shape
from tests.mlflow_sdk_calls import SDK_CALLS, recorded

Path = tuple[str | int, ...]
_PLACEHOLDER = re.compile(r"[{<](?:path:)?([^{}<>]*)[}>]")

ALIASES = frozenset({"run_uuid"})
"""The old name of `run_id`, in messages that have both."""
BESIDE_THE_MESSAGE = {
    "MlflowService.deleteWorkspace": "mode",
    "MlflowArtifactsService.uploadArtifact": "content",
}
"""What the server reads of a request that is in no message: from the query, and the body as it is."""
NOT_THE_SAME = {
    "MlflowArtifactsService.uploadArtifact": "the body is the file, and SQL writes JSON documents only"
}
_FORGOTTEN = "the server does not read it, and the write would lose it"
NOT_OFFERED: Mapping[str, tuple[frozenset[str], str]] = {
    "MlflowService.deleteTracesV3": (
        frozenset({"max_timestamp_millis", "max_traces"}),
        "rows that were matched would stay and count as deleted; traces.delete_many takes them",
    ),
    "MlflowService.createDataset": (
        frozenset({"created_by", "profile", "schema", "source", "source_type"}),
        _FORGOTTEN,
    ),
    "MlflowService.createReviewQueue": (frozenset({"created_by"}), _FORGOTTEN),
    "MlflowService.listGatewayEndpoints": (
        frozenset({"secret_id"}),
        "the server does not read it, and would answer with every endpoint",
    ),
    "MlflowService.getGatewaySecretInfo": (
        frozenset({"secret_name"}),
        "the server does not read it: it wants the id",
    ),
    "ModelRegistryService.updateRegisteredModel": (frozenset({"deployment_job_id"}), _FORGOTTEN),
}
"""RPC → the fields of its message that no method sends, and why."""
_IN_THE_BODY = "the server wants model_id in the body too"
_NO_QUERY = "the open-source server answers 400 to a DELETE's arguments in the query"
UNLIKE_THE_SDK = {
    "MlflowService.finalizeLoggedModel": _IN_THE_BODY,
    "MlflowService.LogLoggedModelParams": _IN_THE_BODY,
    "ModelRegistryService.getLatestVersions": "the RPC has two routes: GET here, POST there",
    "ModelRegistryService.deleteRegisteredModel": _NO_QUERY,
    "ModelRegistryService.deleteRegisteredModelTag": _NO_QUERY,
    "ModelRegistryService.deleteModelVersion": _NO_QUERY,
    "ModelRegistryService.deleteModelVersionTag": _NO_QUERY,
}
"""Why our request is not the SDK's, where it is not."""


def compare() -> list[Comparison]:
    """All RPCs, in the descriptors' order."""
    by_sdk = {operation: theirs == own for operation, (theirs, own) in recorded(SDK_CALLS).items()}
    return [_compared(rpc, by_sdk.get(rpc.operation)) for rpc in rpcs().values()]


def _compared(rpc: Rpc, like_sdk: bool | None) -> Comparison:
    pairs = ours(rpc)
    if not pairs:
        return Comparison(rpc.operation, None, equal=False, reason="no method")
    resource, method = pairs[0]
    different = list(differences(rpc))
    if like_sdk is False:
        different.append(f"databricks-sdk: {UNLIKE_THE_SDK.get(rpc.operation, 'its request is another')}")
    judged = "the descriptors" if like_sdk is None else "the descriptors and databricks-sdk"
    reason = "; ".join(different) or judged
    return Comparison(rpc.operation, f"{resource.name}.{method.name}", equal=not different, reason=reason)


def differences(rpc: Rpc) -> Iterator[str]:
    """What of an RPC's description our methods do not do, taken together."""
    if rpc.operation in SERVED_ELSEWHERE:
        yield f"the server answers it at {SERVED_ELSEWHERE[rpc.operation][1]}, not at {rpc.routes[0][1]}"
    sent: set[str] = set()
    for resource, method in ours(rpc):
        message = request_message(rpc, resource, method)
        yield from _misplaced(rpc, method, message)
        if (problem := _unreadable(rpc, message)) is not None:
            yield f"{resource.name}.{method.name}: {problem}"
        sent |= message.keys()
    if rpc.operation in NOT_THE_SAME:
        yield NOT_THE_SAME[rpc.operation]
    left = {field.name for field in rpc.message.fields} - sent - ALIASES
    known, why = NOT_OFFERED.get(rpc.operation, (frozenset[str](), ""))
    if known:
        yield f"{', '.join(sorted(known))}: {why}"
    if left != known:
        yield f"not offered: {sorted(left)}, of which {sorted(known)} are known"


def request_message(rpc: Rpc, resource: Resource, method: Method) -> dict[str, Any]:
    """What a method's request says with everything given, as JSON of the RPC's message."""
    request = full_request(rpc, resource, method)
    raw_path, _, query = request.url.raw_path.decode().partition("?")
    message = dict(_of_path(rpc, shape(method.path), raw_path))
    fields = rpc.message.fields_by_name
    for name, texts in parse_qs(query, keep_blank_values=True).items():
        repeated = name in fields and fields[name].is_repeated
        message[name] = texts if repeated else {"true": True, "false": False}.get(texts[0], texts[0])
    if request.content:
        message = _merged(message, json.loads(request.content))
    beside = BESIDE_THE_MESSAGE.get(rpc.operation)
    return {} if beside == "content" else {name: v for name, v in message.items() if name != beside}


def _of_path(rpc: Rpc, route: str, raw_path: str) -> Iterator[tuple[str, Any]]:
    """The fields of the message that stand in the path, by the descriptor's names for them."""
    described = next((path for _, path in rpc.routes if shape(path) == route), route)
    found = re.fullmatch("([^/]+)".join(map(re.escape, route.split("{}"))), raw_path)
    assert found is not None
    for name, value in zip(_PLACEHOLDER.findall(described), found.groups(), strict=True):
        field, _, below = name.partition(".")
        if field in rpc.message.fields_by_name:
            yield field, {below: unquote(value)} if below else unquote(value)


def full_request(rpc: Rpc, resource: Resource, method: Method) -> httpx.Request:
    """The request with a value for every parameter; of fields of which only one can be set, for the first."""
    arguments: dict[str, JSON] = {}
    chosen: dict[object, str] = {}
    for name, parameter in method.parameters.items():
        field = _field(rpc, method, parameter)
        oneof = None if field is None else field.containing_oneof
        if oneof is None or chosen.setdefault(oneof.full_name, name) == name:
            arguments[name] = to_wire(_value(field, parameter), parameter, where=method.name)
    operation = Operation(resource.name, method, tuple(sorted(arguments.items())))
    return build_request(operation, base_url="http://127.0.0.1")


def _misplaced(rpc: Rpc, method: Method, message: Mapping[str, Any]) -> Iterator[str]:
    """A GET says everything in the query, anything else in the body."""
    wanted = Place.QUERY if method.http_method == "GET" else Place.BODY
    for parameter in method.parameters.values():
        if parameter.place not in (wanted, Place.PATH) and parameter.wire_name != BESIDE_THE_MESSAGE.get(
            rpc.operation
        ):
            yield f"{parameter.name} goes in the {parameter.place.value}"


def _unreadable(rpc: Rpc, message: Mapping[str, Any]) -> str | None:
    """Why the RPC's message cannot hold it."""
    from google.protobuf import json_format  # type: ignore[import-untyped]  # it has no stubs here

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            json_format.ParseDict(message, rpc.message._concrete_class())
    except json_format.ParseError as error:
        return str(error)
    return None


def _value(field: Any, parameter: Parameter) -> SQLValue:
    """A value of the parameter's type; of JSON one that the field in its place can hold."""
    match parameter.type:
        case _ if parameter.enum:
            return next(word for word in parameter.enum if not word.endswith("_UNSPECIFIED"))
        case _ if parameter.wire is Wire.KEY_VALUE:
            return '{"k": "v"}'
        case Type.INTEGER | Type.BOOLEAN:
            return 1
        case Type.REAL:
            return 0.5
        case Type.DATETIME:
            return "2026-01-02 03:04:05.678"
        case Type.JSON:
            return json.dumps({"any": "JSON"} if field is None else _sample(field))
    is_message = field is not None and field.message_type is not None
    return str(_sample_message(field.message_type, depth=0)) if is_message else "x"


def _field(rpc: Rpc, method: Method, parameter: Parameter) -> Any:
    """The field of the message where a parameter goes; None for one that goes in the path or in none."""
    if parameter.place is not Place.BODY:
        return rpc.message.fields_by_name.get(parameter.wire_name)
    places: Iterable[Path] = [parameter.at] if parameter.at else _places(method.body, f"${parameter.name}")
    place = next(iter(places), (parameter.wire_name,))
    field, message = None, rpc.message
    for step in place:
        if isinstance(step, str) and message is not None:
            field = message.fields_by_name.get(step)
            message = None if field is None else field.message_type
    return field


def _places(template: JSON, name: str) -> Iterator[Path]:
    """Where in a body's template an argument stands."""
    match template:
        case str() if template == name:
            yield ()
        case dict():
            for key, value in template.items():
                yield from ((key, *below) for below in _places(value, name))
        case list():
            for number, item in enumerate(template):
                yield from ((number, *below) for below in _places(item, name))


def _sample(field: Any, depth: int = 0) -> JSON:
    """JSON that a field can hold, in which everything is set."""
    message = field.message_type
    if message is not None and message.GetOptions().map_entry:
        return {"k": _sample(message.fields_by_name["value"], depth + 1)}
    one: JSON = _sample_scalar(field) if message is None else _sample_message(message, depth)
    return [one] if field.is_repeated else one


def _sample_message(message: Any, depth: int) -> JSON:
    known: dict[str, JSON] = {
        "google.protobuf.Timestamp": "2026-01-02T03:04:05.678Z",
        "google.protobuf.Duration": "1.500s",
        "google.protobuf.FieldMask": "rationale",
        "google.protobuf.Value": "v",
        "google.protobuf.Struct": {},
    }
    if message.full_name in known or depth > 3:
        return known.get(message.full_name, {})
    chosen = {oneof.fields[0].name for oneof in message.oneofs}
    fields = [f for f in message.fields if f.containing_oneof is None or f.name in chosen]
    return {field.name: _sample(field, depth + 1) for field in fields}


def _sample_scalar(field: Any) -> JSON:
    if field.enum_type is not None:
        return str(field.enum_type.values[-1].name)
    match field.cpp_type:
        case field.CPPTYPE_STRING:
            return ""
        case field.CPPTYPE_BOOL:
            return True
        case _:
            return 1


def _merged(below: dict[str, Any], above: Any) -> dict[str, Any]:
    merged = dict(below)
    for name, value in above.items():
        old = merged.get(name)
        merged[name] = _merged(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return merged
