"""Discovery documents → facts files, and the table of names that goes with them.

Everything a call needs is taken from the documents; which verb it is, and what it is called, follow rules
(`discovery_verbs.py`, `collections.py`). Nothing is chosen by hand.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from sqlprovider.catalog.collections import Chain, name_chains, read_names, snake_case, write_names
from sqlprovider.catalog.discovery import Call, Discovery, find_document, read_discovery
from sqlprovider.catalog.discovery_fields import Words, field_words, is_output, shortened
from sqlprovider.catalog.discovery_methods import Rows, method_words, response_words
from sqlprovider.catalog.discovery_tables import ROOTS, Table, tables_of
from sqlprovider.catalog.discovery_verbs import SELECTS, Kind, batch_target, kind_of
from sqlprovider.catalog.facts import write_facts
from sqlprovider.catalog.model import Verb
from sqlprovider.errors import CatalogError, Problem
from sqlprovider.values import JSON

_KINDS = list(Kind)
_DISPLAY_NAME = "displayName"
_VENDOR = ("GoogleCloudAiplatform", "GoogleCloudMl", "GenaiVertex", "Google")


def compile_facts(documents: Sequence[str | Path], *, names: Path, folder: Path) -> tuple[Path, ...]:
    """Writes `<service>.<version>.json` into `folder` for each document, and the names file; what it wrote.

    A document is a file, or the name of one in the installed client (`aiplatform.v1`). The names file is
    only appended to, in the order of the versions. CatalogError, and nothing written, where a document or
    the names file is none.
    """
    found = [read_discovery(find_document(given)) for given in documents]
    if len({document.service for document in found}) != 1:
        services = ", ".join(sorted({document.service for document in found})) or "none"
        raise _wrong(names, f"one names file is for one service, not {services}")
    try:
        named = read_names(names.read_text(encoding="utf-8")) if names.exists() else {}
        written = _texts(found, named, names=names, folder=folder)
    except ValueError as error:
        raise _wrong(names, str(error)) from None
    for file, text in written.items():
        file.write_bytes(text.encode())
    return tuple(written)


def _texts(
    documents: Sequence[Discovery], named: Mapping[Chain, str], *, names: Path, folder: Path
) -> dict[Path, str]:
    """What is to be written, by file. ValueError where two things would have one name."""
    in_order = sorted(documents, key=lambda document: document.version)
    for document in in_order:
        named = name_chains((call.chain for call in document.calls), named)
    facts = {
        folder / f"{document.service}.{document.version}.json": facts_text(document, named)
        for document in in_order
    }
    return {names: write_names(named), **facts}


def _wrong(file: Path, message: str) -> CatalogError:
    return CatalogError((Problem(str(file), "", message),))


def facts_text(document: Discovery, named: Mapping[Chain, str]) -> str:
    """The text of the facts file of one document."""
    source = f"discovery document {document.service} {document.version}, revision {document.revision}"
    index: Words = {"source": source, "version": document.version}
    return write_facts(index, compile_resources(document, named))


def compile_resources(document: Discovery, named: Mapping[Chain, str]) -> dict[str, Words]:
    """Every resource of a document in the words of a service document, by its name."""
    tables = tables_of(document)
    rows = {chain: _rows(table) for chain, table in tables.items()}
    resources = {named[chain]: _resource(found, tables, named) for chain, found in rows.items()}
    for chain, found in rows.items():
        for call in found.table.calls.values():
            target = batch_target(call, found.table, tables)
            if target is not None and target.chain != chain:
                name = f"{named[chain]}_{snake_case(call.wire_name)}"
                words = method_words(call, rows[target.chain], Kind.BATCH_CREATE, name=name)
                _add_method(resources[named[target.chain]], name, words)
    return resources


def _rows(table: Table) -> Rows:
    kinds = {name: kind_of(call, table) for name, call in table.calls.items()}
    if all(kind is Kind.EXEC for kind in kinds.values()):
        ids = dict.fromkeys(name for call in table.calls.values() for name in call.path_names)
        return Rows(table, {name: _root(name, table) for name in ids}, {})
    parameters = {name: {**_root(name, table), **table.identity(name)} for name in table.row_ids}
    columns = {name: field_words(name, field, table.document) for name, field in table.fields.items()}
    return Rows(table, parameters, columns)


def _root(name: str, table: Table) -> Words:
    is_root = name in ROOTS and f"/{{version}}/projects/{{{ROOTS[0]}}}" in _paths(table)
    return {"root": True} if is_root else {}


def _paths(table: Table) -> str:
    return "\n".join(call.path for call in table.calls.values())


def _resource(rows: Rows, tables: Mapping[Chain, Table], named: Mapping[Chain, str]) -> Words:
    table = rows.table
    words: Words = {}
    if rows.columns:
        words["title"] = _title(table.item or "")
        if table.own_id is not None or table.key:
            words["key"] = list(table.row_ids)
        if _is_named_by_people(rows):
            words["identity"] = [_DISPLAY_NAME]
    if (parent := _parent(table, tables)) is not None:
        words["parents"] = [named[parent]]
    if rows.parameters:
        words["parameters"] = dict(rows.parameters)
    if rows.columns:
        words["columns"] = {name: shortened(said) if said else "TEXT" for name, said in rows.columns.items()}
    if response := _response(rows):
        words["response"] = response
    methods: Words = {}
    words["methods"] = methods
    for call in _in_order(table):
        _add_method(words, snake_case(call.wire_name), method_words(call, rows))
    return words


def _is_named_by_people(rows: Rows) -> bool:
    """Whether what is made has a name of its own beside its id."""
    table = rows.table
    creates = any(kind_of(call, table) is Kind.CREATE for call in table.calls.values())
    return creates and _DISPLAY_NAME in table.fields and not is_output(table.fields[_DISPLAY_NAME])


def _title(schema: str) -> str:
    """`TensorboardRun` of `GoogleCloudAiplatformV1TensorboardRun`."""
    short = next((schema.removeprefix(vendor) for vendor in _VENDOR if schema.startswith(vendor)), schema)
    plain = short.rpartition("__")[2]
    return plain.removeprefix("V1").removeprefix("beta1") or schema


def _add_method(resource: Words, name: str, words: Words) -> None:
    methods = resource["methods"]
    assert isinstance(methods, dict)
    if name in methods:
        raise ValueError(f"two methods of one resource would be called {name}")
    methods[name] = words
    resource["methods"] = dict(sorted(methods.items(), key=_rank))


def _rank(named: tuple[str, JSON]) -> tuple[int, str]:
    """SELECT, INSERT, UPDATE, DELETE, then the rest; among them the plain ones first."""
    name, words = named
    verb = words["verb"] if isinstance(words, dict) else None
    verbs = [verb.value for verb in Verb]
    plain = name in ("get", "list", "create", "patch", "delete")
    return verbs.index(str(verb)) * 2 + (not plain), name


def _in_order(table: Table) -> Iterator[Call]:
    yield from (table.calls[name] for name in sorted(table.calls))


def _response(rows: Rows) -> Words:
    words: Words = {}
    for call in _in_order(rows.table):
        if kind_of(call, rows.table) is Kind.LIST:
            words |= response_words(call, rows.table.document, rows.columns)
    return words


def _parent(table: Table, tables: Mapping[Chain, Table]) -> Chain | None:
    """The nearest table above whose rows give all the ids that a SELECT of this one asks for."""
    selects = [call for call in table.calls.values() if kind_of(call, table) in SELECTS]
    missing = [{*call.path_names}.difference(ROOTS) for call in selects]
    for length in range(len(table.chain) - 1, 0, -1):
        above = tables.get(table.chain[:length])
        if above is None or above.listing is None:
            continue
        if any(ids and ids <= set(above.row_ids) for ids in missing):
            return above.chain
    return None
