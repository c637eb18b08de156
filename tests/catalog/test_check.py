"""Every fault of a document is named, with the place it stands at."""

from __future__ import annotations

from pathlib import Path

import pytest

from sqlprovider.catalog.check import check_document
from tests.catalog.drafts import BENCH, PROVIDER, REMOVED, edited, problems_after, said, write_provider

TRIALS = "resources.trials"
METHODS = f"{TRIALS}.methods"


def test_a_document_that_uses_every_word_has_no_problem(tmp_path: Path) -> None:
    assert said(check_document(write_provider(tmp_path, BENCH))) == []


def test_every_fault_is_reported_and_not_only_the_first(tmp_path: Path) -> None:
    edits = {f"{TRIALS}.key": ["a"], f"{METHODS}.search.pages.size": "b", f"{METHODS}.update.mask": "c"}
    places = [pointer for pointer, _ in said(problems_after(tmp_path, edits))]
    assert places == [
        "/resources/trials/key/0",
        "/resources/trials/methods/search/pages/size",
        "/resources/trials/methods/update/mask",
    ]


@pytest.mark.parametrize(
    ("place", "value", "pointer", "message"),
    [
        pytest.param("service", "bank", "/service", "not the name of its file, 'bench'", id="name"),
        pytest.param("version", "v3", "/version", "'v3' is none of the versions v1, v2", id="version"),
        pytest.param("base_url", "{site}.example.org", "/base_url", "begins with https://", id="no-scheme"),
        pytest.param(
            "base_url", "https://{cell}.example.org", "/base_url", "{cell} is no path", id="no-parameter"
        ),
    ],
)
def test_a_fault_of_the_service_is_named(
    tmp_path: Path, place: str, value: object, pointer: str, message: str
) -> None:
    found = said(problems_after(tmp_path, {place: value}))
    assert [text for at, text in found if at == pointer and message in text], found


@pytest.mark.parametrize(
    ("place", "value", "pointer", "message"),
    [
        pytest.param("provider", "lap", "/provider", "not the name of its folder, 'lab'", id="name"),
        pytest.param("services", ["bench", "bench"], "/services/1", "stands here twice", id="service-twice"),
        pytest.param("auth.default", "basic", "/auth/default", "none of the types none, token", id="auth"),
        pytest.param("base_url", "example.org", "/base_url", "begins with https://", id="no-scheme"),
        pytest.param("wait.path", "/operations", "/wait/path", "`{name}` is missing", id="wait-without-name"),
        pytest.param("wait.path", "/{nme}/{name}", "/wait/path", "{nme} is neither", id="wait-placeholder"),
    ],
)
def test_a_fault_of_the_provider_is_named(
    tmp_path: Path, place: str, value: object, pointer: str, message: str
) -> None:
    found = said(check_document(write_provider(tmp_path, BENCH, provider=edited(PROVIDER, place, value))))
    assert [text for at, text in found if at == pointer and message in text], found


def test_waiting_needs_a_provider_that_says_how(tmp_path: Path) -> None:
    home = write_provider(tmp_path, BENCH, provider=edited(PROVIDER, "wait", REMOVED))
    assert said(check_document(home)) == [
        ("/resources/trials/methods/create/wait", "provider.yaml does not say how to `wait` for an operation")
    ]


def test_a_service_without_a_file_is_a_problem(tmp_path: Path) -> None:
    home = write_provider(tmp_path, BENCH, provider=edited(PROVIDER, "services", ["bench", "stock"]))
    (problem,) = check_document(home)
    assert (problem.file, problem.message) == (
        str(home / "stock.yaml"),
        "it cannot be read: No such file or directory",
    )


def test_a_file_that_no_list_names_is_a_problem(tmp_path: Path) -> None:
    home = write_provider(tmp_path, BENCH)
    (home / "stock.yaml").write_text("service: stock\n", encoding="utf-8")
    assert said(check_document(home)) == [("/services", "stock.yaml is in the folder and not in this list")]


@pytest.mark.parametrize("name", [".", "provider.yaml", "bench.yaml"])
def test_a_folder_its_provider_and_one_service_can_be_checked(tmp_path: Path, name: str) -> None:
    home = write_provider(tmp_path, edited(BENCH, "resources.trials.key", ["x"]))
    (problem,) = check_document(home / name)
    assert problem.pointer == "/resources/trials/key/0"
    assert problem.file.endswith("bench.yaml")


def test_a_service_document_is_checked_without_its_provider(tmp_path: Path) -> None:
    home = write_provider(tmp_path, edited(BENCH, "resources.trials.key", ["x"]))
    (home / "provider.yaml").unlink()
    assert [problem.pointer for problem in check_document(home / "bench.yaml")] == ["/resources/trials/key/0"]


def test_checking_one_service_leaves_the_faults_of_its_neighbours_alone(tmp_path: Path) -> None:
    home = write_provider(tmp_path, BENCH, provider=edited(PROVIDER, "services", ["bench", "stock"]))
    (home / "stock.yaml").write_text("service: stock\n", encoding="utf-8")
    assert check_document(home / "bench.yaml") == ()


def test_a_parent_may_stand_in_another_service(tmp_path: Path) -> None:
    home = write_provider(tmp_path, BENCH, provider=edited(PROVIDER, "services", ["bench", "stock"]))
    stock = {
        "service": "stock",
        "version": "v1",
        "resources": {
            "parts": {
                "parents": ["bench.groups"],
                "parameters": {"site": {"root": True}, "group_id": {}},
                "methods": {"get": {"verb": "SELECT", "http": "GET /{site}/{group_id}/part"}},
            }
        },
    }
    (home / "stock.yaml").write_text(str(stock), encoding="utf-8")
    assert said(check_document(home / "stock.yaml")) == []


def test_a_walk_in_a_circle_is_a_problem_of_every_resource_on_it(tmp_path: Path) -> None:
    edits = {"resources.groups.parents": [{"resource": "trials", "bind": ["group_id"]}]}
    assert said(problems_after(tmp_path, edits)) == [
        ("/resources/groups/parents", "the walk goes in a circle: groups → trials → groups"),
        ("/resources/trials/parents", "the walk goes in a circle: trials → groups → trials"),
    ]


def test_a_file_that_is_not_there_is_a_problem(tmp_path: Path) -> None:
    assert said(check_document(tmp_path / "none.yaml")) == [
        ("", "it cannot be read: No such file or directory")
    ]


def test_a_view_says_how_a_live_row_is_told(tmp_path: Path) -> None:
    edits = {f"{TRIALS}.view.path": REMOVED, f"{TRIALS}.view.column": REMOVED, f"{TRIALS}.parents": []}
    problems = said(problems_after(tmp_path, edits))
    message = "`path` or `column` says where an item tells whether it is live, or a parent's `view`"
    assert problems == [("/resources/trials/view", message)]
