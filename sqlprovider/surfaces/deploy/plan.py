"""plan_stack(): a manifest held against the live state, wave by wave of what depends on one another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sqlprovider.errors import ManifestError, ProgrammingError
from sqlprovider.surfaces.deploy.change import Action, Change, Plan
from sqlprovider.surfaces.deploy.decide import Seen, decide
from sqlprovider.surfaces.deploy.identity import Identity, identify, is_parent
from sqlprovider.surfaces.deploy.live import Found, Lookup, read_live
from sqlprovider.surfaces.deploy.model import Entry, Manifest, Value
from sqlprovider.surfaces.deploy.order import references
from sqlprovider.surfaces.deploy.ownership import Orphans, owner_of
from sqlprovider.surfaces.deploy.reader import Reader
from sqlprovider.surfaces.deploy.values import LiveRow, Rows, label_of
from sqlprovider.surfaces.deploy.wanted import Wanted, want
from sqlprovider.surfaces.deploy.workers import Workers

if TYPE_CHECKING:
    from sqlprovider.errors import Warning
    from sqlprovider.session import ResourceFacts


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line asks of a plan."""

    prune: bool = False
    """Delete what its owner no longer has in the file."""
    resend: bool = False
    """Send what the API never answers with again."""
    destroy: bool = False
    """Delete what the manifest names."""
    limited: bool = False
    """The manifest is a part of its files: what else an owner has is not looked for."""


def plan_stack(manifest: Manifest, reader: Reader, workers: Workers, options: Options) -> Plan:
    """What is to be done. Raises ManifestError, and ProgrammingError where what is live cannot be made so."""
    return _Planner(manifest, reader, workers, options).plan()


class _Planner:
    def __init__(self, manifest: Manifest, reader: Reader, workers: Workers, options: Options) -> None:
        self._manifest = manifest
        self._reader = reader
        self._workers = workers
        self._options = options
        self._rows = Rows()
        """What references read of what will be."""
        self._before = Rows()
        """… and of what is there now, by which the objects below it are found."""
        self._changes: dict[str, Change] = {}
        self._warnings = list(manifest.warnings)

    def plan(self) -> Plan:
        for wave in waves(self._manifest):
            self._plan_wave(wave)
        changes = [self._changes[entry.label] for entry in self._manifest.entries]
        if self._options.destroy:
            changes = [c for c in reversed(changes) if c.entry is not None and c.entry.method is None]
        elif not self._options.limited:
            orphans = Orphans(self._manifest, self._changes, self._workers)
            changes += orphans.changes(prune=self._options.prune)
            self._warnings += orphans.warnings
        if (
            self._manifest.unsettled
            and not self._options.destroy
            and any(change.action is not Action.NOTHING for change in changes)
        ):
            self._warnings += [
                f"{place} reads what these files write: once they are applied there may be more to do"
                for place in self._manifest.unsettled
            ]
        return Plan(
            tuple(changes),
            self._manifest.dependencies,
            tuple(dict.fromkeys(self._warnings)),
            self._rows,
        )

    def _plan_wave(self, wave: tuple[Entry, ...]) -> None:
        seen = self._see_all(wave)
        lookups = [
            Lookup(one.wanted.entry.label, one.wanted.facts, one.identity, one.below_restored)
            for one in seen
            if one.is_looked_for and one.identity is not None
        ]
        found = read_live(lookups, self._workers, self._warn)
        problems = []
        for one in seen:
            try:
                self._keep(one, decide(one, found.get(one.wanted.entry.label, Found()), self._options))
            except ProgrammingError as error:
                problems.append(error)
        _raise_together(problems)

    def _see_all(self, wave: tuple[Entry, ...]) -> list[Seen]:
        """Every entry of a wave; those that say too little are told together."""
        seen: list[Seen] = []
        bad: list[str] = []
        for entry in wave:
            try:
                seen.append(self._see(entry))
            except ManifestError as error:
                bad += error.problems
        if bad:
            raise ManifestError(bad)
        return seen

    def _see(self, entry: Entry) -> Seen:
        """What the entry wants, and where to look for it."""
        facts = self._facts(entry)
        owner = owner_of(entry, self._manifest)
        wanted = want(entry, facts, self._rows, owner)
        is_wanted = self._reader.is_wanted(entry, self._rows)
        if entry.method is not None:
            return Seen(wanted, None, is_wanted)
        # An object is found by what is there now; below a parent that is replaced it is found by the old one.
        now = want(entry, facts, self._before, owner)
        identity = identify(entry, facts, now.values)
        parents = tuple(self._parents(entry, identity))
        return Seen(wanted, identity, is_wanted, parents, self._known_parents(parents))

    def _parents(self, entry: Entry, identity: Identity) -> Iterator[str]:
        for label in self._manifest.dependencies.get(entry.label, ()):
            change = self._changes.get(label)
            if change is None or change.entry is None or change.entry.method is not None:
                continue
            row = self._before.get(label) or {}
            if is_parent(change.facts, row, identity, entry.resource):
                yield label

    def _known_parents(self, parents: tuple[str, ...]) -> tuple[Change, ...]:
        return tuple(self._changes[label] for label in parents)

    def _keep(self, seen: Seen, change: Change) -> None:
        entry = seen.wanted.entry
        self._changes[entry.label] = change
        facts, secrets = seen.wanted.facts, seen.wanted.secrets
        expected = _expected(seen.wanted, seen.identity)
        match change.action:
            case Action.EXEC:
                return
            case Action.CREATE:
                self._before.put(entry.label, facts, expected, whole=False, secret=secrets)
                self._rows.put(entry.label, facts, expected, whole=False, secret=secrets)
            case Action.REPLACE:
                self._before.put(entry.label, facts, change.row or {}, whole=True, secret=secrets)
                self._rows.put(entry.label, facts, expected, whole=False, secret=secrets)
            case _:
                row = change.row
                if row is not None:
                    self._before.put(entry.label, facts, row, whole=True, secret=secrets)
                    after = {**row, **_given_now(change, expected)}
                    unknown = {field.name for field in change.fields if field.unknown}
                    after = {name: value for name, value in after.items() if name not in unknown}
                    self._rows.put(entry.label, facts, after, whole=not unknown, secret=secrets)

    def _facts(self, entry: Entry) -> ResourceFacts:
        return self._reader.facts(entry.resource)

    def _warn(self, warning: Warning) -> None:
        self._warnings.append(str(warning))


def _expected(wanted: Wanted, identity: Identity | None) -> LiveRow:
    """What is known of a row that is to be made."""
    given = {**wanted.inserted(), **({} if identity is None else identity.known)}
    chosen = wanted.facts.chosen_id
    if chosen is not None and chosen[0] in given:
        given[chosen[1]] = given.pop(chosen[0])
    unknown = {name for name, known in wanted.values.items() if known.unknown}
    return {name: value for name, value in given.items() if name not in unknown}


def _given_now(change: Change, expected: LiveRow) -> LiveRow:
    """What an update will have changed of the row, where it is set to what is given."""
    return {f.name: expected[f.name] for f in change.fields if not f.merged and f.name in expected}


def waves(manifest: Manifest) -> Iterator[tuple[Entry, ...]]:
    """The entries in groups: each depends on earlier groups only."""
    depth: dict[str, int] = {}
    for entry in manifest.entries:
        before = manifest.dependencies.get(entry.label, ())
        depth[entry.label] = 1 + max((depth[label] for label in before if label in depth), default=-1)
    for level in range(max(depth.values(), default=-1) + 1):
        yield tuple(entry for entry in manifest.entries if depth[entry.label] == level)


def limit(manifest: Manifest, targets: tuple[str, ...]) -> Manifest:
    """The manifest with the entries named (by id, or `id.item`) and what they depend on."""
    labels = {e.label for e in manifest.entries for target in targets if target in (e.label, e.id)}
    waiting = list(labels)
    while waiting:
        for label in manifest.dependencies.get(waiting.pop(), ()):
            if label not in labels:
                labels.add(label)
                waiting.append(label)
    entries = tuple(entry for entry in manifest.entries if entry.label in labels)
    outputs = {
        name: sql
        for name, sql in manifest.outputs.items()
        if _named(manifest.output_values.get(name, {})) <= labels
    }
    return replace(manifest, entries=entries, outputs=outputs)


def _named(values: Mapping[str, Value]) -> set[str]:
    return {label for value in values.values() for label in map(label_of, references(value))}


def _raise_together(problems: list[ProgrammingError]) -> None:
    if not problems:
        return
    first, *others = problems
    if others and all(type(one) is type(first) for one in others):
        raise type(first)("\n".join(one.message for one in problems), reason=first.reason)
    raise first
