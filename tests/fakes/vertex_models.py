"""What models and endpoints do beside the standard methods: upload, versions, aliases, deploy."""

from __future__ import annotations

from sqlprovider.values import JSON
from tests.fakes.google_api import ApiError
from tests.fakes.google_rest import Call, Handler, changed_item
from tests.fakes.google_standard import (
    delete_item,
    finish,
    page_of,
    patch_item,
    plan_create,
    shown,
)
from tests.fakes.proto_json import Object
from tests.fakes.vertex_platform_state import PlatformState, object_of, texts

_MODELS, _ENDPOINTS = "projects.locations.models", "projects.locations.endpoints"


def _versions(call: Call, name: str) -> dict[str, Object]:
    assert isinstance(call.state, PlatformState)
    return call.state.versions.setdefault(name, {})


def upload(call: Call) -> JSON:
    """`models:upload`: a new model, or a new version of `parentModel`."""
    model = object_of(call.body.get("model"))
    parent = call.state.stored_name(str(call.body.get("parentModel") or "projects/"))
    if parent == "projects/":
        id_ = str(call.body.get("modelId") or 8_000_000_000_000_000_000 + next(call.state.ids))
        name = f"{call.name}/{id_}"
        create = plan_create(call, name, model)
    else:
        name, create = parent, lambda: object_of(call.state.get(parent))
        call.state.get(name)

    def effect() -> Object:
        create()
        _store_version(call, name, model)
        version = str(call.state.get(name)["versionId"])
        return {"model": call.state.shown_name(name), "modelVersionId": version}

    metadata = "UploadModelOperationMetadata"
    return call.start(name, metadata, call.typed("UploadModelResponse", effect))


def _store_version(call: Call, name: str, model: Object) -> None:
    """The newest version becomes the model; the first one is the default."""
    versions = _versions(call, name)
    number = str(len(versions) + 1)
    aliases = texts(model.get("versionAliases")) or (["default"] if not versions else [])
    for other in versions.values():
        other["versionAliases"] = [
            alias for alias in texts(other.get("versionAliases")) if alias not in aliases
        ]
    item = call.state.get(name)
    own = {key: value for key, value in model.items() if key != "name"}
    versions[number] = {**item, **own, "versionId": number, "versionAliases": list(aliases)}
    item.update(versions[number])
    changed_item(call.api, call.state, name)


def _one_version(call: Call) -> tuple[str, str]:
    """`models/m@2`, `models/m@best`: the model's name and the version's id."""
    name, _, wanted = call.name.partition("@")
    call.state.get(name)
    for number, version in _versions(call, name).items():
        if wanted == number or wanted in texts(version.get("versionAliases")):
            return name, number
    raise ApiError("NOT_FOUND", f"Model version {call.name} is not found.")


def get_model(call: Call) -> JSON:
    """A model, or one version of it."""
    if "@" not in call.name:
        return shown(call, call.name)
    name, number = _one_version(call)
    return _versions(call, name)[number]


def list_versions(call: Call) -> JSON:
    """`models/m:listVersions`."""
    call.state.get(call.name)
    versions = _versions(call, call.name)
    return page_of(call, lambda: list(versions.items()), versions.get, call.item_message)


def delete_version(call: Call) -> JSON:
    """`models/m@2:deleteVersion`: not the default one."""
    name, number = _one_version(call)
    if "default" in texts(_versions(call, name)[number].get("versionAliases")):
        raise ApiError("FAILED_PRECONDITION", f"{call.name} is the default version.")

    def effect() -> Object:
        del _versions(call, name)[number]
        return {"@type": "type.googleapis.com/google.protobuf.Empty"}

    return call.start(name, "DeleteOperationMetadata", effect)


def merge_aliases(call: Call) -> JSON:
    """`models/m@2:mergeVersionAliases`: `-alias` takes one away."""
    name, number = _one_version(call)
    version = _versions(call, name)[number]
    aliases = texts(version.get("versionAliases"))
    for alias in texts(call.body.get("versionAliases")):
        if alias.startswith("-"):
            aliases = [held for held in aliases if held != alias[1:]]
        elif alias not in aliases:
            aliases.append(alias)
    version["versionAliases"] = list(aliases)
    return version


def deploy(call: Call) -> JSON:
    """`endpoints/e:deployModel`."""
    call.state.get(call.name)
    deployed = object_of(call.body.get("deployedModel"))
    model = call.state.stored_name(str(deployed.get("model") or "projects/"))
    call.state.get(model.partition("@")[0])
    id_ = str(deployed.get("id") or 1_000_000_000_000 + next(call.state.ids))

    def effect() -> Object:
        endpoint = call.state.get(call.name)
        held = endpoint.get("deployedModels")
        new: Object = {"id": id_, **deployed}
        endpoint["deployedModels"] = [*(held if isinstance(held, list) else []), new]
        split = {id_ if key == "0" else key: v for key, v in object_of(call.body.get("trafficSplit")).items()}
        endpoint["trafficSplit"] = split or {id_: 100}
        changed_item(call.api, call.state, call.name)
        return {"deployedModel": new}

    done = call.typed("DeployModelResponse", effect)
    return call.start(call.name, "DeployModelOperationMetadata", done)


def undeploy(call: Call) -> JSON:
    """`endpoints/e:undeployModel`."""
    endpoint, id_ = call.state.get(call.name), call.body.get("deployedModelId")
    held = endpoint.get("deployedModels")
    left = [m for m in held if object_of(m).get("id") != id_] if isinstance(held, list) else []
    if not isinstance(held, list) or len(left) == len(held):
        raise ApiError("NOT_FOUND", f"There is no deployed model {id_!r} at {call.name}.")

    def effect() -> Object:
        endpoint["deployedModels"] = left
        endpoint["trafficSplit"] = object_of(call.body.get("trafficSplit"))
        for key in ("deployedModels", "trafficSplit"):
            if not endpoint[key]:
                del endpoint[key]
        changed_item(call.api, call.state, call.name)
        return {}

    done = call.typed("UndeployModelResponse", effect)
    return call.start(call.name, "UndeployModelOperationMetadata", done)


def delete_endpoint(call: Call) -> JSON:
    """An endpoint at which a model is deployed cannot be deleted."""
    if call.state.get(call.name).get("deployedModels"):
        raise ApiError("FAILED_PRECONDITION", f"There are models deployed at {call.name}.")
    return delete_item(call)


def patch_model(call: Call) -> JSON:
    """A patch of a model changes its newest version too."""
    answer = patch_item(call)
    versions = _versions(call, call.name)
    if versions:
        versions[list(versions)[-1]].update(call.state.get(call.name))
    return answer


def update_endpoint(call: Call) -> JSON:
    """`endpoints/e:update`: the endpoint is replaced, as an operation."""
    given = object_of(call.body.get("endpoint"))
    call.state.get(call.name)

    def effect() -> Object:
        call.state.get(call.name).update({key: value for key, value in given.items() if key != "name"})
        changed_item(call.api, call.state, call.name)
        return shown(call, call.name)

    return finish(call, call.name, "Update", effect)


MODEL_HANDLERS: dict[str, Handler] = {
    f"{_MODELS}.upload": upload,
    f"{_MODELS}.get": get_model,
    f"{_MODELS}.patch": patch_model,
    f"{_MODELS}.listVersions": list_versions,
    f"{_MODELS}.deleteVersion": delete_version,
    f"{_MODELS}.mergeVersionAliases": merge_aliases,
    f"{_ENDPOINTS}.deployModel": deploy,
    f"{_ENDPOINTS}.undeployModel": undeploy,
    f"{_ENDPOINTS}.delete": delete_endpoint,
    f"{_ENDPOINTS}.update": update_endpoint,
}
