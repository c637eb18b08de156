"""What studies and their trials do beside the standard methods: lookup, suggest, measure, complete, stop."""

from __future__ import annotations

from sqlprovider.values import JSON
from tests.fakes.google_api import ApiError
from tests.fakes.google_rest import Call, Handler, new_item
from tests.fakes.google_standard import check_parent, finish, plan_create, shown
from tests.fakes.proto_json import Object, timestamp_text
from tests.fakes.vertex_platform_state import object_of

_STUDIES = "projects.locations.studies"
_TRIALS = f"{_STUDIES}.trials"


def lookup(call: Call) -> JSON:
    """`studies:lookup`: by display name, which is unique."""
    wanted = call.body.get("displayName")
    for id_, study in call.state.collections.get(call.name, {}).items():
        if study.get("displayName") == wanted:
            return shown(call, f"{call.name}/{id_}")
    raise ApiError("NOT_FOUND", f"There is no study with the display name {wanted!r}.")


def create_trial(call: Call) -> JSON:
    """A trial that its user made up; trials are numbered from 1."""
    check_parent(call, call.name)
    name = f"{call.name}/{_next_id(call)}"
    create = plan_create(call, name, {})

    def effect() -> Object:
        create()
        given = {key: value for key, value in call.body.items() if key in ("parameters", "finalMeasurement")}
        call.state.get(name).update({"id": name.rpartition("/")[2], **given})
        return shown(call, name)

    return finish(call, name, "Create", effect)


def _next_id(call: Call) -> str:
    return str(1 + max(map(int, call.state.collections.get(call.name, {})), default=0))


def suggest(call: Call) -> JSON:
    """`trials:suggest`: new trials, each at the middle of what its parameters may be."""
    study_name = call.name.rpartition("/")[0]
    study = call.state.get(study_name)
    spec = object_of(study.get("studySpec")).get("parameters")
    parameters: list[JSON] = [_middle(object_of(one)) for one in spec] if isinstance(spec, list) else []
    started = timestamp_text(call.state.clock())

    def effect() -> Object:
        made: list[JSON] = []
        for _ in range(int(str(call.body.get("suggestionCount", 1)))):
            id_ = _next_id(call)
            client: JSON = call.body.get("clientId", "")
            item: Object = {"id": id_, "state": "ACTIVE", "parameters": parameters, "clientId": client}
            new_item(call.api, call.state, f"{call.name}/{id_}", {**item, "startTime": started})
            made.append(shown(call, f"{call.name}/{id_}"))
        return {"trials": made, "studyState": study.get("state"), "startTime": started}

    return call.start(study_name, "SuggestTrialsMetadata", call.typed("SuggestTrialsResponse", effect))


def _middle(spec: Object) -> Object:
    for kind in ("doubleValueSpec", "integerValueSpec"):
        if isinstance(bounds := spec.get(kind), dict):
            low, high = (float(str(bounds.get(end, 0))) for end in ("minValue", "maxValue"))
            return {"parameterId": spec.get("parameterId"), "value": (low + high) / 2}
    values = object_of(spec.get("categoricalValueSpec")).get("values")
    first: JSON = values[0] if isinstance(values, list) and values else ""
    return {"parameterId": spec.get("parameterId"), "value": first}


def add_measurement(call: Call) -> JSON:
    """`trials/1:addTrialMeasurement`."""
    trial = _running(call)
    held = trial.get("measurements")
    trial["measurements"] = [*(held if isinstance(held, list) else []), call.body.get("measurement")]
    return shown(call, call.name)


def complete(call: Call) -> JSON:
    """`trials/1:complete`: with a last measurement, the newest one, or as infeasible."""
    trial = _running(call)
    measurements = trial.get("measurements")
    newest: JSON = measurements[-1] if isinstance(measurements, list) and measurements else None
    if call.body.get("trialInfeasible"):
        trial |= {"state": "INFEASIBLE", "infeasibleReason": call.body.get("infeasibleReason", "")}
    elif (final := call.body.get("finalMeasurement", newest)) is not None:
        trial |= {"state": "SUCCEEDED", "finalMeasurement": final}
    else:
        raise ApiError("FAILED_PRECONDITION", f"{call.name} has no measurement.")
    trial["endTime"] = timestamp_text(call.state.clock())
    return shown(call, call.name)


def stop(call: Call) -> JSON:
    """`trials/1:stop`."""
    _running(call)["state"] = "STOPPING"
    return shown(call, call.name)


def _running(call: Call) -> Object:
    trial = call.state.get(call.name)
    if trial.get("state") in ("SUCCEEDED", "INFEASIBLE"):
        raise ApiError("FAILED_PRECONDITION", f"{call.name} has ended: its state is {trial['state']}.")
    return trial


def check_stopping(call: Call) -> JSON:
    """`trials/1:checkTrialEarlyStoppingState`: after three measurements it is enough."""
    held = call.state.get(call.name).get("measurements")
    enough = isinstance(held, list) and len(held) >= 3
    done = call.typed("CheckTrialEarlyStoppingStateResponse", lambda: {"shouldStop": True} if enough else {})
    return call.start(call.name, "CheckTrialEarlyStoppingStateMetatdata", done)


def optimal(call: Call) -> JSON:
    """`trials:listOptimalTrials`: of those that succeeded, the one with the largest first metric."""
    call.state.get(call.name.rpartition("/")[0])
    ended = [item for item in call.state.items(call.name) if item.get("state") == "SUCCEEDED"]
    best = max(ended, key=_first_metric, default=None)
    return {} if best is None else {"optimalTrials": [shown(call, str(best["name"]))]}


def _first_metric(trial: Object) -> float:
    metrics = object_of(trial.get("finalMeasurement")).get("metrics")
    return float(str(object_of(metrics[0]).get("value", 0))) if isinstance(metrics, list) and metrics else 0.0


STUDY_HANDLERS: dict[str, Handler] = {
    f"{_STUDIES}.lookup": lookup,
    f"{_TRIALS}.create": create_trial,
    f"{_TRIALS}.suggest": suggest,
    f"{_TRIALS}.addTrialMeasurement": add_measurement,
    f"{_TRIALS}.complete": complete,
    f"{_TRIALS}.stop": stop,
    f"{_TRIALS}.checkTrialEarlyStoppingState": check_stopping,
    f"{_TRIALS}.listOptimalTrials": optimal,
}
