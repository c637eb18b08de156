"""A plan, and what applying it did, as text, as Markdown for a review, and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence

from sqlprovider.surfaces.deploy.change import Action, Change, Plan
from sqlprovider.surfaces.deploy.diff import Field
from sqlprovider.surfaces.deploy.equal import texts
from sqlprovider.surfaces.deploy.values import compact
from sqlprovider.surfaces.visible import visible
from sqlprovider.values import JSON

_FORMAT = 1
_SIGNS: Mapping[Action, str] = {
    Action.CREATE: "+",
    Action.UPDATE: "~",
    Action.REPLACE: "-/+",
    Action.RESTORE: "^",
    Action.DELETE: "-",
    Action.EXEC: ">",
    Action.NOTHING: " ",
}
_SUMMARY: Mapping[Action, str] = {
    Action.CREATE: "to create",
    Action.UPDATE: "to update",
    Action.REPLACE: "to replace",
    Action.RESTORE: "to restore",
    Action.DELETE: "to delete",
    Action.EXEC: "to call",
    Action.NOTHING: "unchanged",
}
_DONE: Mapping[Action, str] = {
    Action.CREATE: "created",
    Action.UPDATE: "updated",
    Action.REPLACE: "replaced",
    Action.RESTORE: "restored",
    Action.DELETE: "deleted",
    Action.EXEC: "called",
}
_WIDEST = 40
SECRET, UNKNOWN = "(secret)", "(known after apply)"


def plan_json(plan: Plan) -> dict[str, JSON]:
    """The plan as the format says; the values of secrets are null."""
    summary: dict[str, JSON] = {**plan.summary()}
    changes: list[JSON] = [change_json(change) for change in plan.changes]
    return {"format": _FORMAT, "changes": changes, "summary": summary, "warnings": [*plan.warnings]}


def applied_json(plan: Plan, states: Mapping[str, str], outputs: Mapping[str, JSON]) -> dict[str, JSON]:
    """The plan with what became of each change, and the outputs."""
    found = plan_json(plan)
    found["changes"] = [{**change_json(change), "state": states[change.id]} for change in plan.changes]
    return {**found, "outputs": dict(outputs)}


def change_json(change: Change) -> dict[str, JSON]:
    """One change."""
    fields: list[JSON] = [
        {
            "name": field.name,
            "old": field.old,
            "new": field.new,
            "unknown": field.unknown,
            "secret": field.secret,
        }
        for field in change.fields
    ]
    return {
        "id": change.id,
        "resource": change.resource,
        "action": change.action.value,
        "key": change.key,
        "reason": change.reason,
        "fields": fields,
    }


def json_text(value: Mapping[str, JSON]) -> str:
    """JSON for people and programs."""
    return json.dumps(value, ensure_ascii=False, indent=2) + "\n"


def plan_text(plan: Plan) -> str:
    """The plan as text: what is to be done with each object, then how many of each."""
    # The resources stand below one another, unless a few long ids would push all of them away.
    width = min(max((len(change.id) for change in plan.changes), default=0), _WIDEST)
    lines = [line for change in plan.changes for line in _change_lines(change, width)]
    lines += [f"warning: {visible(warning)}" for warning in plan.warnings]
    return "\n".join([*lines, f"plan: {summary_text(plan)}"]) + "\n"


def summary_text(plan: Plan) -> str:
    """`2 to create, 1 to update, 5 unchanged`, or `nothing to do`."""
    # What is not there, or is skipped, is not called unchanged.
    unchanged = sum(c.action is Action.NOTHING and c.row is not None for c in plan.changes)
    counts = _counts({**plan.summary(), Action.NOTHING.value: unchanged}, _SUMMARY)
    return counts if plan.has_changes(strict=True) else ", ".join(filter(None, ("nothing to do", counts)))


def _counts(counts: Mapping[str, int], words: Mapping[Action, str]) -> str:
    return ", ".join(
        f"{counts[action.value]} {word}" for action, word in words.items() if counts[action.value]
    )


def _change_lines(change: Change, width: int) -> Iterator[str]:
    yield _heading(change, width)
    for field in change.fields:
        yield from _field_lines(change.action, field)


def _heading(change: Change, width: int) -> str:
    text = f"{_SIGNS[change.action]:>3} {change.action.value:<8} "
    if change.entry is None:
        text += change.id
    else:
        text += f"{change.id:<{width}}  {change.resource}"
        is_told = change.action in (Action.CREATE, Action.NOTHING)
        text += f" ({change.key})" if change.key and not is_told else ""
    if change.reason is not None:
        text += f"  # {change.reason}"
    return visible(text).replace("\n", " ")


def _field_lines(action: Action, field: Field) -> Iterator[str]:
    if field.secret or field.unknown:
        yield _line(action, field.name, SECRET if field.secret else _shown(field.old), _new(field))
    elif field.merged and action is not Action.CREATE:
        yield from _map_lines(action, field)
    else:
        yield _line(action, field.name, _shown(field.old), _new(field))


def _map_lines(action: Action, field: Field) -> Iterator[str]:
    old, new = texts(field.old), texts(field.new)
    for key in dict.fromkeys((*old, *new)):
        if old.get(key) != new.get(key):
            yield _line(action, f"{field.name}.{key}", _shown(old.get(key)), _shown(new.get(key)))


def _line(action: Action, name: str, old: str, new: str) -> str:
    made = action in (Action.CREATE, Action.EXEC)
    text = f"      {name}: {new}" if made else f"      {name}: {old} -> {new}"
    return visible(text)


def _new(field: Field) -> str:
    if field.secret:
        return SECRET
    return UNKNOWN if field.unknown else _shown(field.new)


def _shown(value: JSON) -> str:
    return compact(value)


def plan_markdown(plan: Plan) -> str:
    """The plan for a pull request: a table of the objects, the fields of each that changes below it."""
    rows = [change for change in plan.changes if change.action is not Action.NOTHING]
    lines = [f"### Plan: {summary_text(plan)}", ""]
    if rows:
        lines += ["| action | id | resource | key | reason |", "|---|---|---|---|---|"]
        lines += [_row(change) for change in rows]
        lines.append("")
    shown = [change for change in rows if change.fields]
    if shown:
        lines += ["<details><summary>Fields</summary>", "", "```diff"]
        lines += [line for change in shown for line in _diff_lines(change)]
        lines += ["```", "", "</details>", ""]
    lines += [f"> **Warning:** {_cell(warning)}" for warning in plan.warnings]
    return "\n".join(lines).rstrip("\n") + "\n"


def _row(change: Change) -> str:
    cells = (change.action.value, change.id, change.resource, change.key or "", change.reason or "")
    return f"| {' | '.join(map(_cell, cells))} |"


def _cell(text: str) -> str:
    return visible(text).replace("|", "\\|").replace("\n", " ").replace("<", "&lt;")


def _diff_lines(change: Change) -> Iterator[str]:
    yield f"@@ {visible(change.id)} @@".replace("`", "'")
    for field in change.fields:
        old = SECRET if field.secret else _shown(field.old)
        if change.action not in (Action.CREATE, Action.EXEC):
            yield visible(f"- {field.name}: {old}").replace("`", "'")
        yield visible(f"+ {field.name}: {_new(field)}").replace("`", "'")


def applied_text(plan: Plan, states: Mapping[str, str], outputs: Mapping[str, JSON], *, word: str) -> str:
    """How many of each were done, if any, and the outputs."""
    done = [change for change in plan.changes if states[change.id] == "accepted"]
    counts = {action.value: sum(change.action is action for change in done) for action in Action}
    lines = [f"{word}: {_counts(counts, _DONE)}"] if done else []
    lines += [f"{visible(name)} = {visible(compact(value))}" for name, value in outputs.items()]
    return "".join(f"{line}\n" for line in lines)


def stopped_text(plan: Plan, states: Mapping[str, str], failures: Sequence[tuple[str, str]]) -> str:
    """Where it stopped: what failed and why, what may or may not have been done, what was not tried."""
    wanted = [change for change in plan.changes if states[change.id] != "nothing"]
    lines = [f"error: {visible(label)}: {visible(message)}" for label, message in failures]
    count = {state: sum(states[c.id] == state for c in wanted) for state in ("accepted", "failed", "unknown")}
    rest = [change.id for change in wanted if states[change.id] == "not_tried"]
    if count["failed"] + count["unknown"] + len(rest) == 0:
        return "\n".join(lines) + "\n"
    lines.append(
        f"stopped: {count['accepted']} of {len(wanted)} accepted, {count['failed']} failed, "
        f"{count['unknown']} unknown, {len(rest)} not tried; applying again does what is missing"
    )
    lines += [f"  unknown    {visible(c.id)}" for c in wanted if states[c.id] == "unknown"]
    lines += [f"  not tried  {visible(label)}" for label in rest]
    return "\n".join(lines) + "\n"
