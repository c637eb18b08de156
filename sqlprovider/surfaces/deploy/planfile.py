"""A plan in a file: what it was made of, what it would do, and prints of the live rows that it saw.

No secret is in it: secrets stand there by their names, and are read again when it is applied.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlprovider.errors import InterfaceError
from sqlprovider.surfaces.deploy.change import Action, Change, Plan
from sqlprovider.surfaces.deploy.mask import Mask
from sqlprovider.surfaces.deploy.model import Manifest, Reference, Secret, Text, Value
from sqlprovider.surfaces.deploy.render import json_text, plan_json
from sqlprovider.values import JSON

_FORMAT = 1


@dataclass(frozen=True, slots=True)
class Made:
    """What a plan is made of, as the command line gave it."""

    files: tuple[str, ...]
    variables: Mapping[str, str]
    variable_files: tuple[str, ...]
    use: str | None
    targets: tuple[str, ...]
    prune: bool
    resend: bool


@dataclass(frozen=True, slots=True)
class Pinned:
    """A plan as it was kept."""

    made: Made
    manifest: str
    """The print of what the files ask for."""
    changes: Mapping[str, JSON]
    seen: Mapping[str, JSON]


def write_plan(path: Path, made: Made, manifest: Manifest, plan: Plan, mask: Mask) -> None:
    """Keeps the plan in a file that only its owner can read. Raises OSError."""
    secrets = {secret.name for secret in manifest.secrets}
    kept: dict[str, JSON] = {
        "format": _FORMAT,
        "folder": str(Path.cwd()),
        "files": [*made.files],
        "variables": {name: text for name, text in made.variables.items() if name not in secrets},
        "variable_files": [*made.variable_files],
        "use": made.use,
        "targets": [*made.targets],
        "prune": made.prune,
        "resend": made.resend,
        "secrets": [*sorted(secrets)],
        "manifest": manifest_print(manifest),
        "seen": dict(_seen(plan)),
        "plan": mask.value(plan_json(plan)),
    }
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(json_text(kept))


def read_plan(path: Path) -> Pinned:
    """A plan that was kept. Raises InterfaceError where the file is none."""
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        if kept["format"] != _FORMAT:
            raise InterfaceError(f"{path}: a plan of format {kept['format']!r} is not known", reason="usage")
        folder = Path(kept["folder"])
        return Pinned(
            Made(
                tuple(_placed(folder, file) for file in kept["files"]),
                dict(kept["variables"]),
                tuple(_placed(folder, file) for file in kept["variable_files"]),
                None if kept["use"] is None else str(kept["use"]),
                tuple(kept["targets"]),
                bool(kept["prune"]),
                bool(kept["resend"]),
            ),
            str(kept["manifest"]),
            {change["id"]: change for change in kept["plan"]["changes"]},
            dict(kept["seen"]),
        )
    except OSError as error:
        raise InterfaceError(f"cannot read {str(path)!r}: {error.strerror}", reason="usage") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InterfaceError(f"{path}: not a plan that `plan --out` made", reason="usage") from error


def moved(pinned: Pinned, plan: Plan, mask: Mask) -> tuple[str, ...]:
    """What is no longer as the kept plan saw it: the ids, with what would be done then and now."""
    now = {str(change["id"]): change for change in _changes(plan, mask)}
    seen = dict(_seen(plan))
    found = []
    for label in dict.fromkeys((*pinned.changes, *now)):
        then, is_now = pinned.changes.get(label), now.get(label)
        if _action(then) != _action(is_now):
            found.append(f"{label} ({_action(then)} then, {_action(is_now)} now)")
        elif then != is_now or pinned.seen.get(label) != seen.get(label):
            found.append(f"{label} (changed since)")
    return tuple(found)


def manifest_print(manifest: Manifest) -> str:
    """A print of what files ask for; secrets are in it by name."""
    entries: list[JSON] = [
        [
            entry.label,
            entry.resource,
            entry.method,
            {name: [_plain(p.value), p.merge] for name, p in entry.properties.items()},
            [entry.when, _plain_map(entry.when_values)],
            [entry.owner or manifest.owner, entry.protect],
        ]
        for entry in manifest.entries
    ]
    outputs: dict[str, JSON] = {
        name: [sql, _plain_map(manifest.output_values.get(name, {}))]
        for name, sql in manifest.outputs.items()
    }
    return _print([entries, outputs, [*manifest.preparations]])


def _placed(folder: Path, file: str) -> str:
    """A file where it is named from here, else where it was when the plan was made."""
    return file if Path(file).exists() else str(folder / file)


def _changes(plan: Plan, mask: Mask) -> Iterator[Mapping[str, JSON]]:
    changes = mask.value(plan_json(plan)["changes"])
    # As it is after it was written and read: a float keeps its digits, a key its text.
    yield from json.loads(json.dumps(changes))


def _action(change: object) -> str:
    return str(change["action"]) if isinstance(change, Mapping) else "nothing"


def _seen(plan: Plan) -> Iterator[tuple[str, JSON]]:
    for change in plan.changes:
        if change.row is not None and change.entry is not None:
            yield change.id, _row_print(change)


def _row_print(change: Change) -> str:
    """A print of what of a live row matters: its key, what the file speaks of and, of what is written, its
    etag. What is secret is left out: a print of few letters can be undone."""
    assert change.row is not None and change.entry is not None
    identity = frozenset() if change.identity is None else change.identity.secret
    hidden = change.secrets | identity
    hidden |= {name for name, column in change.facts.columns.items() if column.secret}
    names = [*change.facts.key, *change.entry.properties]
    if change.action is not Action.NOTHING and change.facts.precondition is not None:
        names.append(change.facts.precondition)
    shown: list[JSON] = [
        [name, str(change.row.get(name))] for name in dict.fromkeys(names) if name not in hidden
    ]
    return _print(shown)


def _plain_map(values: Mapping[str, Value]) -> dict[str, JSON]:
    return {name: _plain(value) for name, value in values.items()}


def _plain(value: Value) -> JSON:
    match value:
        case Reference():
            return {"reference": str(value)}
        case Secret(name=name):
            return {"secret": name}
        case Text(parts=parts):
            return {"text": [_plain(part) for part in parts]}
        case list():
            return [_plain(item) for item in value]
        case dict():
            return {"map": _plain_map(value)}
        case _:
            return value


def _print(value: JSON) -> str:
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
