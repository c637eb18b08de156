"""Variables: what the files declare, and the values that they get.

A value comes from `--var` (text), else from the last variable file that has it, else from the default. A
variable that is used and declared nowhere is one without a default. A secret one is a Secret wherever it is.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sqlprovider.errors import did_you_mean
from sqlprovider.surfaces.deploy.files import read_bytes
from sqlprovider.surfaces.deploy.model import Place
from sqlprovider.surfaces.deploy.nodes import Items, Map, Node, Number, Scalar, given_text, node_of
from sqlprovider.surfaces.deploy.placeholders import holds
from sqlprovider.surfaces.deploy.problems import Problems
from sqlprovider.surfaces.deploy.yamlfile import read_yaml

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_WORDS = ("default", "description", "secret")


@dataclass(frozen=True, slots=True)
class Declared:
    """One variable of a file's `variables`."""

    name: str
    place: Place
    default: Node | None = None
    secret: bool = False


@dataclass(frozen=True, slots=True)
class Filled:
    """A variable's value. `secret`: nothing may print it."""

    name: str
    node: Node
    secret: bool


class Variables:
    """The variables of all files of one run."""

    def __init__(self, problems: Problems) -> None:
        self._problems = problems
        self._declared: dict[str, Declared] = {}
        self._given: dict[str, Node] = {}
        self._from_line: list[str] = []
        self._from_files: dict[str, Place] = {}
        self._used: set[str] = set()
        self._missing: set[str] = set()

    def declare(self, node: Node | None) -> None:
        """A file's `variables`: a map of name → default, or name → {default, description, secret}."""
        if node is None or (isinstance(node, Scalar) and node.value is None):
            return
        if not isinstance(node, Map):
            self._problems.add(node.place, "variables is a map: name → default, or → {default, secret}")
            return
        for key, value in node.pairs:
            if NAME.fullmatch(key.text) is None or key.text == "env":
                self._problems.add(key.place, f"{key.text!r} cannot be the name of a variable")
            elif key.text in self._declared:
                first = self._declared[key.text].place
                self._problems.add(key.place, f"the variable {key.text} is declared at {first} already")
            else:
                self._declared[key.text] = self._declaration(key, value)

    def give(self, line: Mapping[str, str], files: Sequence[Path]) -> None:
        """The values of variable files, in order, and then of `--var`."""
        for path in files:
            for key, value in self._read_file(path):
                self._given[key.text] = value
                self._from_files[key.text] = value.place
        for name, text in line.items():
            self._given[name] = given_text(text, Place(f"--var {name}", 1))
            self._from_line.append(name)

    def get(self, name: str, place: Place) -> Filled | None:
        """A variable's value; None where it has none, and a problem says so."""
        self._used.add(name)
        declared = self._declared.get(name)
        node = self._given.get(name)
        if node is None and declared is not None:
            node = declared.default
        if node is None:
            if name not in self._missing:
                self._miss(name, place if declared is None else declared.place)
            return None
        return Filled(name, node, declared is not None and declared.secret)

    def finish(self) -> tuple[str, ...]:
        """Says what is missing and what nobody takes, once everything is read; warnings are given back."""
        for name, declared in self._declared.items():
            self.get(name, declared.place)
        known = (*self._declared, *sorted(self._used - set(self._declared) - self._missing))
        for name in self._from_line:
            if name not in self._declared and name not in self._used:
                message = f"--var {name}: there is no such variable{did_you_mean(name, known)}"
                self._problems.add(None, message)
        return tuple(
            f"{place}: no file has a variable {name}{did_you_mean(name, known)}"
            for name, place in self._from_files.items()
            if name not in self._declared and name not in self._used
        )

    def _miss(self, name: str, place: Place) -> None:
        self._missing.add(name)
        near = "" if name in self._declared else did_you_mean(name, tuple(self._declared))
        self._problems.add(place, f"missing variable {name}: give it with --var {name}=…{near}")

    def _declaration(self, key: Scalar, value: Node) -> Declared:
        if not (isinstance(value, Map) and value.pairs and any(k.text in _WORDS for k, _ in value.pairs)):
            return Declared(key.text, key.place, self._default(value))
        for word, _ in value.pairs:
            if word.text not in _WORDS:
                message = f"variable {key.text}: unknown word {word.text}{did_you_mean(word.text, _WORDS)}"
                self._problems.add(word.place, message)
        return Declared(
            key.text,
            key.place,
            None if (default := value.get("default")) is None else self._default(default, explicit=True),
            self._secret(value.get("secret")),
        )

    def _default(self, node: Node, *, explicit: bool = False) -> Node | None:
        """The default; `name:` with nothing after it declares a variable without one."""
        if isinstance(node, Scalar) and node.value is None and not explicit:
            return None
        for scalar in _scalars(node):
            if holds(scalar.text):
                message = "a default holds no placeholders: write them where the variable is used"
                self._problems.add(scalar.place, message)
        return as_given(node)

    def _secret(self, node: Node | None) -> bool:
        if node is not None and not (isinstance(node, Scalar) and isinstance(node.value, bool)):
            self._problems.add(node.place, "secret is true or false")
            return True
        return node is not None and node.value is True

    def _read_file(self, path: Path) -> Iterable[tuple[Scalar, Node]]:
        if (data := read_bytes(path, self._problems)) is None:
            return ()
        is_toml = path.suffix.lower() == ".toml"
        read = _read_toml if is_toml else read_yaml
        node = read(data, str(path), self._problems)
        if isinstance(node, Map):
            return tuple((key, as_given(value)) for key, value in node.pairs)
        if node is not None:
            self._problems.add(node.place, "a file of variables is a map: name → value")
        return ()


def _read_toml(data: bytes, file: str, problems: Problems) -> Node | None:
    place = Place(file, 1)
    try:
        return node_of(tomllib.loads(data.decode(), parse_float=Number), place)
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"\(at line (\d+), column \d+\)$", str(error))
        where = place if line is None else Place(file, int(line[1]))
        problems.add(where, str(error).removesuffix("" if line is None else line[0]).strip())
    except (UnicodeDecodeError, RecursionError):
        problems.add(place, "this is no TOML")
    return None


def as_given(node: Node) -> Node:
    """The node as a value in which no placeholders are looked for."""
    match node:
        case Scalar():
            return replace(node, literal=True)
        case Items():
            return Items(tuple(as_given(item) for item in node.items), node.place)
        case Map():
            return Map(tuple((replace(key, literal=True), as_given(v)) for key, v in node.pairs), node.place)


def _scalars(node: Node) -> Iterable[Scalar]:
    match node:
        case Scalar():
            yield node
        case Items():
            for item in node.items:
                yield from _scalars(item)
        case Map():
            for _, value in node.pairs:
                yield from _scalars(value)
