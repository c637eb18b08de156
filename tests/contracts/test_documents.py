"""What every shipped provider document must pass."""

from __future__ import annotations

from pathlib import Path

import pytest

import sqlprovider
from sqlprovider.catalog.check import check_document
from sqlprovider.catalog.load import load_provider, provider_names
from sqlprovider.catalog.model import Method, Resource, Role, Verb

SCHEMAS = Path(sqlprovider.__file__).parent.parent / "schemas"
ROLES = (Role.PARAMETER, Role.ITEM, Role.RESPONSE, Role.OPTION)
RESOURCES = [
    pytest.param(resource, id=str(resource.name))
    for provider in provider_names()
    for service in load_provider(provider, {}).services.values()
    for resource in service.resources.values()
]
METHODS = [
    pytest.param(resource, method, id=f"{resource.name}.{method.name}")
    for parameters in RESOURCES
    for resource in parameters.values
    if isinstance(resource, Resource)
    for method in resource.methods.values()
]


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


@pytest.mark.parametrize("resource", RESOURCES)
def test_columns_are_ordered_by_role_and_hidden_after_the_fields(resource: Resource) -> None:
    order = [
        (column.hidden, ROLES.index(column.role)) for column in resource.columns if not column.whole_item
    ]
    assert order == sorted(order)
    assert [column.name for column in resource.columns if column.whole_item] == ["item_"]


@pytest.mark.parametrize("resource", RESOURCES)
def test_no_two_columns_are_one_to_sqlite(resource: Resource) -> None:
    names = [column.name.lower() for column in resource.columns]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("resource", RESOURCES)
def test_a_resource_says_what_it_is_and_what_tells_its_rows_apart(resource: Resource) -> None:
    assert resource.title
    assert [name for name in resource.key if resource.column(name) is None] == []


@pytest.mark.parametrize("resource", RESOURCES)
def test_a_table_can_be_read_and_its_methods_are_told_apart(resource: Resource) -> None:
    assert Verb.SELECT in resource.verbs
    names = [name for m in resource.methods.values() for name in {m.name.lower(), m.wire_name.lower()}]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(("resource", "method"), METHODS)
def test_every_parameter_s_column_exists(resource: Resource, method: Method) -> None:
    held = [parameter.column for parameter in method.parameters.values() if parameter.column is not None]
    assert [name for name in held if resource.column(name) is None] == []


@pytest.mark.parametrize(("resource", "method"), METHODS)
def test_a_method_that_writes_is_never_marked_as_a_read(resource: Resource, method: Method) -> None:
    assert (method.effect == "read") is (method.verb is Verb.SELECT) or method.verb is Verb.EXEC


@pytest.mark.parametrize(("resource", "method"), METHODS)
def test_a_select_says_how_its_list_goes_on(resource: Resource, method: Method) -> None:
    if method.verb is Verb.SELECT:
        assert method.pages is not None
        assert method.pages.style == "one" or method.rows is not None


@pytest.mark.parametrize(("resource", "method"), METHODS)
def test_what_identifies_a_row_is_found_in_every_answer(resource: Resource, method: Method) -> None:
    taken = {parameter.column for parameter in method.parameters.values()}
    echoes = [column.name for column in resource.columns if column.role is Role.PARAMETER and not column.path]
    assert method.verb is not Verb.SELECT or [name for name in echoes if name not in taken] == []
