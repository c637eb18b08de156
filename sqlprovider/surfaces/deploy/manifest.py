"""read_manifest(): the files of a stack → a Manifest, or every problem of them at once.

A YAML (or JSON) file is a list of entries, or a map {use, variables, owner, resources, outputs}; a `.sql`
file is a script of INSERTs and EXECs. All files are one stack: they share variables, ids and outputs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlprovider.errors import did_you_mean
from sqlprovider.surfaces.deploy.entries import EntryReader, Group, Resources, Written
from sqlprovider.surfaces.deploy.files import read_bytes
from sqlprovider.surfaces.deploy.fill import Filler
from sqlprovider.surfaces.deploy.model import Entry, Manifest, Place, Value
from sqlprovider.surfaces.deploy.needs import Reader
from sqlprovider.surfaces.deploy.nodes import Items, Map, Node, Scalar
from sqlprovider.surfaces.deploy.order import Placed, Script, dependencies, ordered
from sqlprovider.surfaces.deploy.placeholders import holds
from sqlprovider.surfaces.deploy.problems import Problems
from sqlprovider.surfaces.deploy.properties import Resolver
from sqlprovider.surfaces.deploy.references import Ids, Named
from sqlprovider.surfaces.deploy.sqlfiles import SQLFile, read_sql_files
from sqlprovider.surfaces.deploy.sqlids import grouped
from sqlprovider.surfaces.deploy.sqltext import SQLPlaceholderError, bind
from sqlprovider.surfaces.deploy.variables import Variables
from sqlprovider.surfaces.deploy.yamlfile import read_yaml

_WORDS = ("use", "variables", "owner", "resources", "outputs")
_READS = ("SELECT", "WITH", "VALUES")
_Select = tuple[str, dict[str, Value]]


def read_manifest(
    paths: Sequence[Path],
    session: Reader,
    *,
    variables: Mapping[str, str],
    variable_files: Sequence[Path] = (),
    use: str | None = None,
    environ: Mapping[str, str],
) -> Manifest:
    """What the files ask for. `variables` are those of `--var`; `use` (of `--use`) goes before a file's own.

    Reads the live state only where a SQL file selects from it. Raises ManifestError with every problem.
    """
    problems = Problems()
    reader = _ManifestReader(session, use, Variables(problems), environ, problems)
    return reader.read(paths, variables, variable_files)


@dataclass(frozen=True, slots=True)
class _Document:
    """One YAML file."""

    resources: Node | None
    use: str | None = None
    owner: Scalar | None = None
    variables: Node | None = None
    outputs: Node | None = None


class _ManifestReader:
    """Reads the files of one stack."""

    def __init__(
        self,
        session: Reader,
        use: str | None,
        variables: Variables,
        environ: Mapping[str, str],
        problems: Problems,
    ) -> None:
        self._session = session
        self._use = use
        self._variables = variables
        self._problems = problems
        self._resources = Resources(session)
        self._ids = Ids(problems)
        self._filler = Filler(variables, self._ids, environ, problems)
        self._resolver = Resolver(self._filler, problems)

    def read(self, paths: Sequence[Path], line: Mapping[str, str], files: Sequence[Path]) -> Manifest:
        """The manifest. Raises ManifestError."""
        self._variables.give(line, files)
        documents, scripts = self._read_files(paths)
        for document in documents:
            self._variables.declare(document.variables)
        groups = [group for document in documents for group in self._groups(document)]
        sql = read_sql_files(scripts, self._session, _parts(self._use), self._variables, self._problems)
        groups += grouped(entry for file in sql for entry in file.entries)
        groups = [group for group in groups if self._ids.add(group.id, _named(group))]
        owners = [document.owner for document in documents if document.owner is not None]
        owner = self._owner(owners)
        placed = list(self._placed(groups))
        outputs = dict(self._outputs(documents))
        before = dependencies(placed, self._problems)
        entries = ordered(placed, before, self._problems)
        preparations = [*self._uses(documents), *(one for file in sql for one in file.preparations)]
        warnings = (*(w for file in sql for w in file.warnings), *self._variables.finish())
        self._problems.check()
        return Manifest(
            entries,
            outputs={name: text for name, (text, _) in outputs.items()},
            owner=owner,
            preparations=tuple(text for text, _ in preparations),
            warnings=warnings,
            output_values={name: values for name, (_, values) in outputs.items()},
            preparation_values=tuple(values for _, values in preparations),
            dependencies=before,
            secrets=tuple(self._filler.secrets.values()),
            unsettled=tuple(_unsettled(sql, {entry.resource for entry in entries})),
        )

    def _read_files(self, paths: Sequence[Path]) -> tuple[list[_Document], dict[str, str]]:
        documents: list[_Document] = []
        scripts: dict[str, str] = {}
        for path in dict.fromkeys(paths):
            if (data := read_bytes(path, self._problems)) is None:
                continue
            if path.suffix.lower() == ".sql":
                try:
                    scripts[str(path)] = data.decode("utf-8-sig")
                except UnicodeDecodeError:
                    self._problems.add(Place(str(path), 1), "this is no text in UTF-8")
            elif (document := self._document(data, str(path))) is not None:
                documents.append(document)
        return documents, scripts

    def _document(self, data: bytes, file: str) -> _Document | None:
        known = len(self._problems)
        match read_yaml(data, file, self._problems):
            case Items() as entries:
                return _Document(entries)
            case Map() as node:
                return self._map(node)
            case _ if len(self._problems) > known:
                return None
            case _:
                message = f"a manifest is a list of entries, or a map of {', '.join(_WORDS)}"
                self._problems.add(Place(file, 1), message)
                return None

    def _map(self, node: Map) -> _Document:
        for key, _ in node.pairs:
            if key.text not in _WORDS:
                near = did_you_mean(key.text, _WORDS)
                self._problems.add(key.place, f"unknown word {key.text} of a manifest{near}")
        return _Document(
            node.get("resources"),
            self._used(node.get("use")),
            self._text(node.get("owner"), "owner"),
            node.get("variables"),
            node.get("outputs"),
        )

    def _used(self, node: Node | None) -> str | None:
        if (text := self._text(node, "use")) is None:
            return None
        if holds(text.text):
            self._problems.add(text.place, "use holds no placeholder: --use says another one")
        elif not 0 < len(_parts(text.text)) < 3 or not all(_parts(text.text)):
            self._problems.add(text.place, "use is a connection, or connection.service")
        return text.text

    def _text(self, node: Node | None, what: str) -> Scalar | None:
        if node is None or (isinstance(node, Scalar) and node.text.strip() and node.value is not None):
            return node
        self._problems.add(node.place, f"{what} is a text")
        return None

    def _groups(self, document: _Document) -> Iterator[Group]:
        use = _parts(self._use or document.use)
        reader = EntryReader(self._resources, use, document.owner, self._problems)
        yield from reader.read(document.resources)

    def _uses(self, documents: Sequence[_Document]) -> Iterator[tuple[str, Mapping[str, Value]]]:
        """The USE under which `when` and outputs are read, where the files agree on one."""
        uses = {self._use or document.use for document in documents} or {self._use}
        if len(uses) == 1 and (use := _parts(uses.pop())):
            names = ".".join('"' + part.replace('"', '""') + '"' for part in use)
            yield f"USE {names}", {}

    def _owner(self, owners: Sequence[Scalar]) -> str | None:
        """The owner of the stack: of whatever is not in its files any more."""
        texts = [self._filler.text(owner) for owner in owners]
        for owner, text in zip(owners, texts, strict=True):
            if text != texts[0]:
                message = f"the owner of {owners[0].place} is another one: plan the files apart"
                self._problems.add(owner.place, message)
        return texts[0] if texts else None

    def _placed(self, groups: Sequence[Group]) -> Iterator[Placed]:
        """The entries in file order, filled in. One of an unknown resource is read for its problems only."""
        scripts: dict[str, Script] = {}
        written = [entry for group in groups for entry in group.entries]
        # The sort is stable: entries of YAML, which are all 0, stay as they stand.
        for one in sorted(written, key=lambda one: (one.number > 0, one.place.file, one.number)):
            entry = self._entry(one)
            before: tuple[str, ...] = ()
            if one.number > 0:
                script = scripts.setdefault(one.place.file, Script())
                before = script.add(entry.label, is_call=one.method is not None)
            if one.facts is not None:
                yield Placed(entry, one.facts, before)

    def _entry(self, written: Written) -> Entry:
        when: str | None = None
        values: dict[str, Value] = {}
        if written.when is not None:
            when, values = self._select(written.when, "when")
        return Entry(
            id=written.id,
            item=written.item,
            resource=written.resource,
            method=None if written.method is None else written.method.name,
            properties=self._resolver.properties(written.given, written.facts, written.method),
            place=written.place,
            when=when,
            owner=None if written.owner is None else self._filler.text(written.owner),
            protect=written.protect,
            when_values=values,
        )

    def _outputs(self, documents: Sequence[_Document]) -> Iterator[tuple[str, _Select]]:
        places: dict[str, Place] = {}
        for node in (document.outputs for document in documents):
            if node is None or (isinstance(node, Scalar) and node.value is None):
                continue
            if not isinstance(node, Map):
                self._problems.add(node.place, "outputs are a map: name → SELECT")
                continue
            for key, value in node.pairs:
                if key.text in places:
                    message = f"the output {key.text} stands at {places[key.text]} already"
                    self._problems.add(key.place, message)
                elif not isinstance(value, Scalar):
                    self._problems.add(value.place, f"the output {key.text} is a SELECT")
                else:
                    places[key.text] = key.place
                    yield key.text, self._select(value, f"the output {key.text}")

    def _select(self, node: Scalar, what: str) -> _Select:
        """A SELECT with parameters for its placeholders, and their values."""
        try:
            bound = bind(node.text)
        except SQLPlaceholderError as error:
            self._problems.add(node.place, str(error))
            return node.text, {}
        words = [bound.sql[start:].split(None, 1)[0].upper() for start in bound.starts]
        if len(words) != 1 or not words[0].startswith(_READS):
            self._problems.add(node.place, f"{what} is one SELECT")
        values = {slot.name: self._filler.slot(slot, node.place) for slot in bound.slots}
        return bound.sql, values


def _parts(use: str | None) -> tuple[str, ...]:
    return () if use is None else tuple(part.strip() for part in use.split("."))


def _named(group: Group) -> Named:
    items = {entry.item: entry.place for entry in group.entries if entry.item is not None}
    has_items = items if group.has_items else None
    return Named(group.place, group.facts, group.is_call, has_items, group.from_sql)


def _unsettled(files: Sequence[SQLFile], written: set[str]) -> Iterator[str]:
    for file in files:
        for place, reads in file.reads:
            if written & set(reads):
                yield str(place)
