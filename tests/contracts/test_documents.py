"""What every shipped provider document must pass."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import sqlprovider
from sqlprovider.catalog.check import check_document
from sqlprovider.catalog.load import load_provider, provider_names
from sqlprovider.catalog.model import Method, Resource, Role, Service, Verb

SCHEMAS = Path(sqlprovider.__file__).parent.parent / "schemas"
ROLES = (Role.PARAMETER, Role.ITEM, Role.RESPONSE, Role.CACHE, Role.OPTION)
WIDE = (Role.PARAMETER, Role.RESPONSE, Role.ITEM, Role.CACHE, Role.OPTION)
"""SQLite tells columns apart as far as the 63rd: a wide table has the answer's own fields before."""
SERVICES = [
    pytest.param(service, id=f"{provider}.{service.name}")
    for provider in provider_names()
    for service in load_provider(provider, {}).services.values()
]
"""A service with its hundreds of resources is one test: what is wrong is listed by name."""


def _methods(service: Service) -> Iterator[tuple[str, Resource, Method]]:
    for resource in service.resources.values():
        for method in resource.methods.values():
            yield f"{resource.name}.{method.name}", resource, method


@pytest.mark.parametrize("provider", provider_names())
def test_a_document_has_no_problem(provider: str) -> None:
    assert check_document(SCHEMAS / provider) == ()


@pytest.mark.parametrize("provider", provider_names())
def test_every_version_that_is_offered_loads(provider: str) -> None:
    for service in load_provider(provider, {}).services.values():
        assert service.version in service.versions
        for version in service.versions:
            loaded = load_provider(provider, {service.name: version}).services[service.name]
            paths = [m.path for resource in loaded.resources.values() for m in resource.methods.values()]
            assert [path for path in paths if "{version}" in path] == []


@pytest.mark.parametrize("service", SERVICES)
def test_columns_are_ordered_by_role_and_hidden_after_the_fields(service: Service) -> None:
    for resource in service.resources.values():
        plain = [column for column in resource.columns if not column.whole_item]
        is_wide = sum(column.role not in (Role.OPTION, Role.CACHE) for column in plain) > 63
        roles = WIDE if is_wide else ROLES
        order = [roles.index(column.role) for column in plain]
        assert order == sorted(order), resource.name
        ours = [column.name for column in resource.columns if column.whole_item or column.role is Role.CACHE]
        assert ours == ["item_", "cached_at"], resource.name


@pytest.mark.parametrize("service", SERVICES)
def test_no_two_columns_are_one_to_sqlite(service: Service) -> None:
    for resource in service.resources.values():
        names = [column.name.lower() for column in resource.columns]
        assert len(names) == len(set(names)), resource.name


@pytest.mark.parametrize("service", SERVICES)
def test_a_table_says_what_it_is_and_what_tells_its_rows_apart(service: Service) -> None:
    tables = [resource for resource in service.resources.values() if Verb.SELECT in resource.verbs]
    assert [str(resource.name) for resource in tables if not resource.title] == []
    unknown = [(str(r.name), name) for r in tables for name in r.key if r.column(name) is None]
    assert unknown == []


@pytest.mark.parametrize("service", SERVICES)
def test_methods_are_told_apart(service: Service) -> None:
    for resource in service.resources.values():
        names = [name for m in resource.methods.values() for name in {m.name.lower(), m.wire_name.lower()}]
        assert (len(names), names != []) == (len(set(names)), True), resource.name


@pytest.mark.parametrize("service", SERVICES)
def test_the_index_says_what_the_resources_are(service: Service) -> None:
    for name, resource in service.resources.items():
        summary = service.resources.summary(name)
        assert summary.methods == {m.name: m.verb for m in resource.methods.values()}, name
        assert (summary.title, summary.verbs) == (resource.title, resource.verbs), name


@pytest.mark.parametrize("service", SERVICES)
def test_every_parameter_s_column_exists(service: Service) -> None:
    held = [
        (name, parameter.column, resource)
        for name, resource, method in _methods(service)
        for parameter in method.parameters.values()
        if parameter.column is not None
    ]
    assert [(name, column) for name, column, resource in held if resource.column(column) is None] == []


@pytest.mark.parametrize("service", SERVICES)
def test_a_method_that_writes_is_never_marked_as_a_read(service: Service) -> None:
    others = [(name, m) for name, _, m in _methods(service) if m.verb is not Verb.EXEC]
    assert [name for name, m in others if (m.effect == "read") is not (m.verb is Verb.SELECT)] == []


@pytest.mark.parametrize("service", SERVICES)
def test_a_select_says_how_its_list_goes_on(service: Service) -> None:
    selects = [(name, m) for name, _, m in _methods(service) if m.verb is Verb.SELECT]
    assert [name for name, m in selects if m.pages is None] == []
    assert [name for name, m in selects if m.pages and m.pages.style != "one" and m.rows is None] == []


@pytest.mark.parametrize("service", SERVICES)
def test_what_identifies_a_row_is_found_in_every_answer(service: Service) -> None:
    for name, resource, method in _methods(service):
        taken = {parameter.column for parameter in method.parameters.values()}
        echoes = [c.name for c in resource.columns if c.role is Role.PARAMETER and not c.path]
        assert method.verb is not Verb.SELECT or set(echoes) <= taken, name
