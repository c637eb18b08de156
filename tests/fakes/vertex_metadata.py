"""What metadata stores do beside the standard methods: members, children, events, lineage, purge."""

from __future__ import annotations

from collections.abc import Iterable

from sqlprovider.values import JSON
from tests.fakes.aip160 import compile_filter
from tests.fakes.google_api import ApiError
from tests.fakes.google_rest import Call, Handler, changed_item, grammar_of
from tests.fakes.google_standard import shown
from tests.fakes.google_state import GoogleState
from tests.fakes.proto_json import Object, timestamp_text
from tests.fakes.vertex_platform_state import PlatformState, texts

_STORE = "projects.locations.metadataStores"


def in_context(state: GoogleState, item: Object, context: str) -> bool:
    """The filter's function: whether the item is a member of a context."""
    assert isinstance(state, PlatformState)
    return str(item["name"]) in state.members.get(state.stored_name(context), [])


def _state(call: Call) -> PlatformState:
    assert isinstance(call.state, PlatformState)
    return call.state


def _named(call: Call, key: str) -> list[str]:
    """The names that the body's list gives, all of them there."""
    names = [call.state.stored_name(name) for name in texts(call.body.get(key))]
    for name in names:
        call.state.get(name)
    return names


def add_members(call: Call) -> JSON:
    """`contexts/c:addContextArtifactsAndExecutions`; what is in it already stays once."""
    call.state.get(call.name)
    held = _state(call).members.setdefault(call.name, [])
    held.extend(
        name for name in (*_named(call, "artifacts"), *_named(call, "executions")) if name not in held
    )
    return {}


def add_children(call: Call) -> JSON:
    """`contexts/c:addContextChildren`."""
    call.state.get(call.name)
    for child in _named(call, "childContexts"):
        parents = texts(call.state.get(child).get("parentContexts"))
        _set_parents(call, child, [*(name for name in parents if name != call.name), call.name])
    return {}


def remove_children(call: Call) -> JSON:
    """`contexts/c:removeContextChildren`."""
    call.state.get(call.name)
    for child in _named(call, "childContexts"):
        parents = texts(call.state.get(child).get("parentContexts"))
        _set_parents(call, child, [name for name in parents if name != call.name])
    return {}


def _set_parents(call: Call, child: str, parents: list[str]) -> None:
    item = call.state.get(child)
    item["parentContexts"] = list(parents)
    if not parents:
        del item["parentContexts"]
    changed_item(call.api, call.state, child)


def add_events(call: Call) -> JSON:
    """`executions/e:addExecutionEvents`."""
    call.state.get(call.name)
    given = call.body.get("events")
    for event in given if isinstance(given, list) else []:
        assert isinstance(event, dict)
        artifact = call.state.stored_name(str(event.get("artifact", "projects/")))
        call.state.get(artifact)
        time = timestamp_text(call.state.clock())
        _state(call).events.append({**event, "artifact": artifact, "execution": call.name, "eventTime": time})
    return {}


def context_lineage(call: Call) -> JSON:
    """`contexts/c:queryContextLineageSubgraph`."""
    call.state.get(call.name)
    return _graph(call, _state(call).members.get(call.name, []))


def execution_lineage(call: Call) -> JSON:
    """`executions/e:queryExecutionInputsAndOutputs`."""
    call.state.get(call.name)
    return _graph(call, _hop(call, {call.name}))


def artifact_lineage(call: Call) -> JSON:
    """`artifacts/a:queryArtifactLineageSubgraph`: at most `maxHops` steps away; 0 is the artifact alone."""
    call.state.get(call.name)
    hops = int(call.request.value("maxHops") or 100)
    reached = {call.name}
    for _ in range(hops):
        if (wider := _hop(call, reached)) == reached:
            break
        reached = wider
    return _graph(call, reached)


def _hop(call: Call, reached: set[str]) -> set[str]:
    ends = ({str(event["artifact"]), str(event["execution"])} for event in _state(call).events)
    return reached.union(*(pair for pair in ends if pair & reached))


def _graph(call: Call, names: Iterable[str]) -> JSON:
    held = sorted(names)
    artifacts: list[JSON] = [shown(call, name) for name in held if "/artifacts/" in name]
    executions: list[JSON] = [shown(call, name) for name in held if "/executions/" in name]
    events: list[JSON] = [
        event for event in _state(call).events if event["artifact"] in held and event["execution"] in held
    ]
    found: Object = {"artifacts": artifacts, "executions": executions, "events": events}
    return {key: rows for key, rows in found.items() if rows}


def purge(call: Call) -> JSON:
    """`contexts:purge`: deletes what a filter keeps; without `force` it only says what it would delete."""
    grammar = grammar_of(call)
    if not (text := str(call.body.get("filter", ""))) or grammar is None:
        raise ApiError("INVALID_ARGUMENT", "filter is required.")
    test = compile_filter(text, call.item_message, grammar)
    found = [str(item["name"]) for item in call.state.items(call.name) if test(item)]
    sample: list[JSON] = list(found[:100])
    kind = call.method.chain[-1][:1].upper() + call.method.chain[-1][1:]

    def effect() -> Object:
        if not call.body.get("force"):
            return {"purgeSample": sample}
        for name in found:
            call.state.remove(name)
        return {"purgeCount": str(len(found))}

    store = call.name.rpartition("/")[0]
    return call.start(store, f"Purge{kind}Metadata", call.typed(f"Purge{kind}Response", effect))


METADATA_HANDLERS: dict[str, Handler] = {
    f"{_STORE}.contexts.addContextArtifactsAndExecutions": add_members,
    f"{_STORE}.contexts.addContextChildren": add_children,
    f"{_STORE}.contexts.removeContextChildren": remove_children,
    f"{_STORE}.contexts.queryContextLineageSubgraph": context_lineage,
    f"{_STORE}.executions.addExecutionEvents": add_events,
    f"{_STORE}.executions.queryExecutionInputsAndOutputs": execution_lineage,
    f"{_STORE}.artifacts.queryArtifactLineageSubgraph": artifact_lineage,
    f"{_STORE}.contexts.purge": purge,
    f"{_STORE}.executions.purge": purge,
    f"{_STORE}.artifacts.purge": purge,
}
