"""`limits` in documents: what each call is counted against, and what `check` says of wrong ones."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from sqlprovider.catalog.check import check_document
from sqlprovider.catalog.load import load_provider
from sqlprovider.catalog.model import Service
from sqlprovider.catalog.quota import Quota
from tests.catalog.drafts import BENCH, PROVIDER, edited, problems_after, said, write_provider

CREATE = "resources.trials.methods.create.limits"
SEARCH = "resources.trials.methods.search.limits"


@pytest.mark.parametrize(
    ("edits", "pointer", "message"),
    [
        pytest.param({"limits": {"per_minute": 0}}, "/limits/per_minute", "greater than 0", id="no-calls"),
        pytest.param({"limits": {"per_minute": "often"}}, "/limits/per_minute", "valid number", id="text"),
        pytest.param({"limits": {"per_minute": float("inf")}}, "/limits/per_minute", "finite", id="infinite"),
        pytest.param({"limits": {"concurrency": -1}}, "/limits/concurrency", "greater than 0", id="negative"),
        pytest.param({"limits": {"concurrency": 1.5}}, "/limits/concurrency", "valid integer", id="fraction"),
        pytest.param({"limits": {"scope": "All Calls"}}, "/limits/scope", "no snake_case name", id="scope"),
        pytest.param(
            {"limits": {"per_minut": 3}}, "/limits/per_minut", "did you mean per_minute?", id="unknown-word"
        ),
        pytest.param({"limits": 60}, "/limits", "valid dictionary", id="a-number"),
        pytest.param(
            {"limits": {"read": {"write": {}}}}, "/limits/read/write", "unknown word 'write'", id="nested"
        ),
        pytest.param(
            {CREATE: {"read": {}}},
            "/resources/trials/methods/create/limits/read",
            "unknown word 'read'",
            id="apart-in-a-method",
        ),
        pytest.param(
            {CREATE: {"scope": "jobs", "per_minute": 60}, SEARCH: {"scope": "jobs", "per_minute": 61}},
            "/resources/trials/methods/create/limits/scope",
            "'jobs' has 61 calls a minute, any at once elsewhere, and 60 calls a minute, any at once here",
            id="two-numbers-in-methods",
        ),
        pytest.param(
            {"limits": {"scope": "all", "concurrency": 4}, CREATE: {"scope": "all"}},
            "/resources/trials/methods/create/limits/scope",
            "'all' has any calls a minute, 4 at once elsewhere, and any calls a minute, any at once here",
            id="numbers-left-out",
        ),
        pytest.param(
            {"limits": {"read": {"scope": "a", "per_minute": 1}, "write": {"scope": "a", "per_minute": 2}}},
            "/limits/write/scope",
            "'a' has 1 calls a minute",
            id="two-numbers-in-one-service",
        ),
    ],
)
def test_wrong_limits_are_problems(
    tmp_path: Path, edits: dict[str, object], pointer: str, message: str
) -> None:
    found = said(problems_after(tmp_path, edits))
    assert [text for at, text in found if at == pointer and message in text], found


@pytest.mark.parametrize(
    ("in_provider", "in_service", "pointer"),
    [
        pytest.param(
            {"scope": "all", "per_minute": 5}, {"scope": "all", "per_minute": 6}, "/limits/scope", id="both"
        ),
        pytest.param(
            {"scope": "all", "per_minute": 5, "write": {"scope": "all"}},
            {},
            "/limits/write/scope",
            id="in the provider alone",
        ),
    ],
)
def test_a_scope_has_the_same_numbers_everywhere(
    tmp_path: Path, in_provider: object, in_service: object, pointer: str
) -> None:
    provider = edited(PROVIDER, "limits", in_provider)
    folder = write_provider(tmp_path, edited(BENCH, "limits", in_service), provider=provider)
    ((at, message),) = said(check_document(folder))
    assert (at, "'all' has 5 calls a minute" in message) == (pointer, True)


def test_the_same_numbers_twice_are_no_problem(tmp_path: Path) -> None:
    jobs = {"scope": "jobs", "per_minute": 60}
    assert said(problems_after(tmp_path, {"limits": {"write": jobs}, CREATE: jobs, SEARCH: jobs})) == []


def service_with(folder: Path, limits: object, *, method: object = None, outer: object = None) -> Service:
    """The service, `limits` in its document, in one method's and in the provider's."""
    text = yaml.safe_dump(edited(BENCH, "limits", limits))
    text = yaml.safe_dump(edited(text, CREATE, method))
    write_provider(folder, text, provider=edited(PROVIDER, "limits", outer))
    return load_provider("lab", {}, directories=(folder,)).services["bench"]


def quotas(service: Service) -> tuple[Quota | None, Quota | None, Quota | None]:
    """Of polls, of a search and of a create."""
    methods = service.resources["trials"].methods
    return service.quota, methods["search"].quota, methods["create"].quota


def test_without_limits_nothing_is_said(tmp_path: Path) -> None:
    assert quotas(service_with(tmp_path, None)) == (None, None, None)


def test_a_service_is_one_scope(tmp_path: Path) -> None:
    bench = Quota("bench", per_minute=600, concurrency=8)
    found = quotas(service_with(tmp_path, {"per_minute": 600, "concurrency": 8}))
    assert found == (bench, bench, bench)


def test_reads_and_writes_are_apart_where_it_says_so(tmp_path: Path) -> None:
    found = quotas(service_with(tmp_path, {"read": {"per_minute": 600}, "write": {"scope": "jobs"}}))
    reads = Quota("bench.read", per_minute=600)
    assert found == (reads, reads, Quota("jobs"))


def test_what_is_not_apart_has_the_numbers_beside(tmp_path: Path) -> None:
    found = quotas(service_with(tmp_path, {"per_minute": 600, "write": {"per_minute": 60}}))
    reads = Quota("bench", per_minute=600)
    assert found == (reads, reads, Quota("bench.write", per_minute=60))


def test_the_innermost_word_decides(tmp_path: Path) -> None:
    found = quotas(service_with(tmp_path, None, method={"per_minute": 6}, outer={"concurrency": 2}))
    outer = Quota("bench", concurrency=2)
    assert found == (outer, outer, Quota("bench.trials.create", per_minute=6))


def test_a_service_decides_over_its_provider(tmp_path: Path) -> None:
    found = quotas(service_with(tmp_path, {"scope": "all"}, outer={"concurrency": 2}))
    assert found == (Quota("all"), Quota("all"), Quota("all"))


def test_a_batch_is_counted_as_its_method(tmp_path: Path) -> None:
    create = service_with(tmp_path, None, method={"scope": "jobs"}).resources["trials"].methods["create"]
    assert create.batch is not None
    assert create.batch.call.quota == create.quota == Quota("jobs")
