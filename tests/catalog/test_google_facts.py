"""The committed facts of Google's services: what the installed client's documents compile to, and no less."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pytest

from sqlprovider.catalog.check import check_document
from sqlprovider.catalog.collections import name_chains, read_names, snake_case, write_names
from sqlprovider.catalog.discovery import Discovery, find_document, read_discovery
from sqlprovider.catalog.discovery_facts import compile_facts, facts_text
from sqlprovider.catalog.document import ResourceDocument, validate
from sqlprovider.values import JSON

GOOGLE = Path(__file__).parents[2] / "schemas" / "google"
SERVICES = {"aiplatform": ("v1", "v1beta1"), "ml": ("v1",)}
DOCUMENTS = [f"{service}.{version}" for service, versions in SERVICES.items() for version in versions]
METHODS = {"aiplatform.v1": 1144, "aiplatform.v1beta1": 1600, "ml.v1": 46}
CHAINS = {"aiplatform.v1": 220, "aiplatform.v1beta1": 328, "ml.v1": 9}
ALSO = {"aiplatform.v1": 1, "aiplatform.v1beta1": 1, "ml.v1": 0}
"""`experiments.batch_create` makes time series, and is a method of those too."""

NAMES = {
    "runs": "projects.locations.tensorboards.experiments.runs",
    "experiments": "projects.locations.tensorboards.experiments",
    "tensorboards": "projects.locations.tensorboards",
    "time_series": "projects.locations.tensorboards.experiments.runs.timeSeries",
    "custom_jobs": "projects.locations.customJobs",
    "models": "projects.locations.models",
    "tensorboards_operations": "projects.locations.tensorboards.operations",
    "publishers_models": "projects.locations.publishers.models",
    "global_root": "root",
}
_OPERATION_OF = re.compile(r"from_gapic\(\s*response,\s*self\._transport\.operations_client,\s*[\w.]*?(\w+),")
PROVIDER = """
provider: google
services: [aiplatform, ml]
base_url: https://example.org
errors: {code: error.status, message: error.message}
wait: {path: "/{version}/{name}"}
"""


@cache
def discovery(name: str) -> Discovery:
    return read_discovery(find_document(name))


@cache
def text(name: str) -> str:
    return (GOOGLE / f"{name}.json").read_text(encoding="utf-8")


@cache
def facts(name: str) -> dict[str, ResourceDocument]:
    """The resources of a facts file, each as the engine reads it."""
    resources = {}
    for resource, words in json.loads(text(name)).items():
        if resource:
            shape = validate(ResourceDocument, words)
            assert isinstance(shape, ResourceDocument), (resource, shape)
            resources[resource] = shape
    return resources


def names(service: str) -> str:
    return (GOOGLE / f"{service}.names.json").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_committed_facts_are_what_the_installed_client_s_documents_compile_to(name: str) -> None:
    assert facts_text(discovery(name), read_names(names(name.partition(".")[0]))) == text(name)


@pytest.mark.parametrize("service", SERVICES)
def test_compiling_the_versions_one_after_the_other_gives_the_committed_names(service: str) -> None:
    named = name_chains([], {})
    for version in SERVICES[service]:
        named = name_chains((c.chain for c in discovery(f"{service}.{version}").calls), named)
    assert write_names(named) == names(service)


def test_compiling_again_changes_no_file(tmp_path: Path) -> None:
    (tmp_path / "ml.names.json").write_text(names("ml"), encoding="utf-8")
    (written, compiled) = compile_facts(["ml.v1"], names=tmp_path / "ml.names.json", folder=tmp_path)
    assert (written.read_text(encoding="utf-8"), compiled.read_text(encoding="utf-8")) == (
        names("ml"),
        text("ml.v1"),
    )


@pytest.mark.parametrize("name", DOCUMENTS)
def test_no_chain_of_collections_is_lost_to_a_name(name: str) -> None:
    named = read_names(names(name.partition(".")[0]))
    chains = {call.chain for call in discovery(name).calls}
    assert len(chains) == CHAINS[name]
    assert {named[chain] for chain in chains} == set(facts(name))
    assert len(facts(name)) == CHAINS[name]


def test_the_second_version_renames_nothing() -> None:
    first = name_chains((c.chain for c in discovery("aiplatform.v1").calls), {})
    both = read_names(names("aiplatform"))
    assert list(both.items())[: len(first)] == list(first.items())
    assert (len(first), len(both), len(set(both.values()))) == (220, 328, 328)


@pytest.mark.parametrize(("name", "chain"), NAMES.items())
def test_the_names_are_those_that_are_expected(name: str, chain: str) -> None:
    assert read_names(names("aiplatform"))[tuple(chain.split("."))] == name


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_method_is_in_the_facts_once_and_no_two_are_one(name: str) -> None:
    named, found = read_names(names(name.partition(".")[0])), facts(name)
    calls = discovery(name).calls
    for call in calls:
        method = found[named[call.chain]].methods[snake_case(call.wire_name)]
        assert method.http == f"{call.http_method} {call.path}"
        assert (method.wire_name or call.wire_name) == call.wire_name
    assert len({(call.chain, call.wire_name) for call in calls}) == len(calls) == METHODS[name]
    assert sum(len(resource.methods) for resource in found.values()) == METHODS[name] + ALSO[name]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_method_has_every_query_parameter_that_is_documented(name: str) -> None:
    named, found = read_names(names(name.partition(".")[0])), facts(name)
    for call in discovery(name).calls:
        method = found[named[call.chain]].methods[snake_case(call.wire_name)]
        assert set(call.query) <= set(method.parameters), method.http


@pytest.mark.slow
def test_the_facts_have_no_problem(tmp_path: Path) -> None:
    home = tmp_path / "google"
    home.mkdir()
    (home / "provider.yaml").write_text(PROVIDER, encoding="utf-8")
    for service, versions in SERVICES.items():
        said = ", ".join(f"{version}: {service}.{version}.json" for version in versions)
        head = f"service: {service}\nversion: v1\nfacts: {{{said}}}\n"
        (home / f"{service}.yaml").write_text(head, encoding="utf-8")
        for version in versions:
            (home / f"{service}.{version}.json").write_text(text(f"{service}.{version}"), encoding="utf-8")
    assert check_document(home) == ()


@pytest.mark.parametrize("name", DOCUMENTS)
def test_no_sentence_of_a_description_is_in_the_facts(name: str) -> None:
    spaced = [said for said in _texts(json.loads(text(name))) if " " in said]
    source = f"discovery document {name.replace('.', ' ')}, revision {discovery(name).revision}"
    assert [said for said in spaced if not said.startswith(("GET /", "POST /", "PATCH /", "DELETE /"))] == [
        source
    ]
    assert {said.count(" ") for said in spaced if said != source} == {1}


def test_the_descriptions_are_there_to_be_read() -> None:
    """So that the test above would see one."""
    texts = [
        said for said in _texts(json.loads(find_document("ml.v1").read_text(encoding="utf-8"))) if " " in said
    ]
    assert len(texts) > 500


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_facts_are_compact_and_have_a_resource_a_line(name: str) -> None:
    lines = text(name).splitlines()
    assert len(text(name).encode()) < 700_000
    assert len(lines) == CHAINS[name] + 3
    assert [line.split('"')[1] for line in lines[1:-1]] == ["", *sorted(facts(name))]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_what_answers_with_an_operation_is_waited_for(name: str) -> None:
    named, found, document = read_names(names(name.partition(".")[0])), facts(name), discovery(name)
    for call in document.calls:
        method = found[named[call.chain]].methods[snake_case(call.wire_name)]
        waits = document.is_operation(call.response) and call.chain[-1] != "operations"
        assert method.wait is (waits and call.wire_name != "fetchPredictOperation"), method.http


@cache
def operation_results(version: str) -> dict[str, str]:
    """What the official client makes of the operation that each of its methods answers with."""
    package = find_spec(f"google.cloud.aiplatform_{version}")
    assert package is not None
    places = [Path(place) for place in package.submodule_search_locations or ()]
    results = {}
    for file in (file for place in places for file in place.glob("services/*/client.py")):
        for method in re.split(r"\n    def ", file.read_text(encoding="utf-8")):
            if (made := _OPERATION_OF.search(method)) is not None:
                results[method.partition("(")[0]] = made[1]
    return results


@pytest.mark.parametrize("version", ["v1", "v1beta1"])
def test_the_operation_of_a_create_or_patch_ends_with_the_item_in_the_official_client_too(
    version: str,
) -> None:
    results, compared = operation_results(version), 0
    for resource in facts(f"aiplatform.{version}").values():
        for name, word in (("create", "create"), ("patch", "update")):
            method = resource.methods.get(name)
            theirs = results.get(f"{word}_{snake_case(resource.title)}")
            if method is not None and method.wait and theirs is not None:
                compared += 1
                assert (method.answers, theirs) == ("item", resource.title)
    assert compared > 25


@pytest.mark.parametrize(
    ("name", "verbs"),
    [
        ("aiplatform.v1", {"SELECT": 376, "INSERT": 65, "UPDATE": 40, "DELETE": 186, "EXEC": 478}),
        ("aiplatform.v1beta1", {"SELECT": 522, "INSERT": 88, "UPDATE": 56, "DELETE": 246, "EXEC": 689}),
        ("ml.v1", {"SELECT": 15, "INSERT": 5, "UPDATE": 3, "DELETE": 4, "EXEC": 19}),
    ],
)
def test_as_many_methods_have_each_verb(name: str, verbs: dict[str, int]) -> None:
    """A change of the rules or of the documents shows here first."""
    methods = (method for resource in facts(name).values() for method in resource.methods.values())
    assert Counter(method.verb.value for method in methods) == verbs


@pytest.mark.parametrize(
    ("path", "verb"),
    [
        ("studies.lookup", "SELECT"),
        ("migratable_resources.search", "SELECT"),
        ("models.list_versions", "EXEC"),
        ("trials.list_optimal_trials", "EXEC"),
        ("featurestores.search_features", "EXEC"),
        ("runs.batch_create", "INSERT"),
        ("experiments.batch_create", "EXEC"),
        ("time_series.experiments_batch_create", "INSERT"),
        ("features.batch_create", "INSERT"),
        ("pipeline_jobs.batch_delete", "DELETE"),
        ("pipeline_jobs.batch_cancel", "EXEC"),
        ("models.delete_version", "EXEC"),
        ("deployment_resource_pools.create", "INSERT"),
        ("interactions_http.get", "EXEC"),
        ("projects.update_cache_config", "EXEC"),
    ],
)
def test_look_alikes_and_batches_have_the_verb_that_their_shape_proves(path: str, verb: str) -> None:
    resource, method = path.split(".")
    assert facts("aiplatform.v1beta1")[resource].methods[method].verb == verb


def _texts(value: JSON) -> Iterator[str]:
    match value:
        case str():
            yield value
        case list():
            for item in value:
                yield from _texts(item)
        case dict():
            for key, item in value.items():
                yield key
                yield from _texts(item)
