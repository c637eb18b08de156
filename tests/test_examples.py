"""Every script in `examples/` and every query of the README, run as a reader would run it."""

from __future__ import annotations

import functools
import io
import json
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, redirect_stdout
from pathlib import Path

import httpx
import pytest

from sqlprovider.surfaces.cli import main
from sqlprovider.surfaces.demo.seed import Experiment, log_experiments
from sqlprovider.surfaces.mlflow_server import start_mlflow_server
from sqlprovider.surfaces.opening import open_session
from tests.across import AcrossState, across_mlflow, across_mlflow_backend, vendors_environ
from tests.across_data import OCI_IDS
from tests.fakes.vertex import vertex_app, vertex_small
from tests.mlflow import Seed

ROOT = Path(__file__).parent.parent
EXAMPLES = ROOT / "examples"
README = (ROOT / "README.md").read_text(encoding="utf-8")
QUERIES = re.findall(
    r"^(\S[^\n]*):\n\n```sql\n(.*?)^```$",
    README.split("## Ten queries")[1].split("\n## ")[0],
    flags=re.MULTILINE | re.DOTALL,
)
TOKEN = "a-token-for-tests"


@pytest.fixture(scope="module")
def base_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with start_mlflow_server(tmp_path_factory.mktemp("mlflow")) as server:
        log_experiments(
            server.base_url,
            now_ms=int(time.time() * 1000),
            experiments=(Experiment("first", 24, 0.95), Experiment("second", 24, 0.8)),
            progress=lambda done, planned: None,
        )
        yield server.base_url


def _run_example(
    name: str,
    *options: str,
    transport: httpx.BaseTransport | None = None,
    environ: Mapping[str, str] | None = None,
) -> list[list[object]]:
    """What `sqlprovider query` prints for a script: the rows of each result."""
    stdout, stderr = io.StringIO(), io.StringIO()
    code = main(
        [
            "query",
            "--config",
            str(EXAMPLES / "sqlprovider.toml"),
            "-o",
            "json",
            "-f",
            str(EXAMPLES / name),
            *options,
        ],
        stdin=io.StringIO(),
        stdout=stdout,
        stderr=stderr,
        environ=environ or {"GOOGLE_TOKEN": TOKEN},
        open_session=functools.partial(open_session, transport=transport),
    )
    assert code == 0, stderr.getvalue()
    return [json.loads(line) for line in stdout.getvalue().splitlines()]


def _run_query(sql: str, config: dict[str, object], transport: httpx.BaseTransport | None = None) -> int:
    """The number of rows that the statements of a block give."""
    with closing(open_session(config, environ={"GOOGLE_TOKEN": TOKEN}, transport=transport)) as session:
        return sum(len(list(result.rows)) for result in session.run(sql, ()))


def _vertex() -> httpx.WSGITransport:
    return httpx.WSGITransport(vertex_app(vertex_small(), token=TOKEN))


@pytest.mark.slow
def test_the_leaderboard_has_three_places_an_experiment(base_url: str) -> None:
    (rows,) = _run_example("leaderboard.sql", "-p", "metric=val_acc", "--set", f"mlflow.base_url={base_url}")
    assert [(row["experiment"], row["place"]) for row in rows if isinstance(row, dict)] == [
        (name, place) for name in ("first", "second") for place in (1, 2, 3)
    ]


@pytest.mark.slow
def test_the_gpu_hours_are_those_of_every_run_that_ended(base_url: str) -> None:
    (rows,) = _run_example("gpu_hours.sql", "-p", "since=-100 years", "--set", f"mlflow.base_url={base_url}")
    assert sum(row["runs"] for row in rows if isinstance(row, dict)) == 44


@pytest.mark.slow
def test_tidying_up_in_a_dry_run_changes_nothing(base_url: str) -> None:
    given = ("-p", "experiment=2", "--set", f"mlflow.base_url={base_url}")
    _run_example("tidy_up.sql", "--dry-run", *given)
    ended, deleted = _run_example("tidy_up.sql", *given)
    assert len(ended) > 0
    assert len(deleted) > 0


@pytest.mark.slow
def test_tidying_up_twice_finds_nothing_the_second_time(base_url: str) -> None:
    given = ("-p", "experiment=2", "--set", f"mlflow.base_url={base_url}")
    _run_example("tidy_up.sql", *given)
    assert _run_example("tidy_up.sql", *given) == [[], []]


def test_the_vertex_runs_are_listed_with_their_experiments() -> None:
    state = vertex_small()
    (rows,) = _run_example(
        "vertex_runs.sql",
        *(
            "-p",
            "tensorboard=t",
            "--set",
            "google.defaults.projectsId=p",
            "--set",
            "google.defaults.locationsId=l",
        ),
        transport=httpx.WSGITransport(vertex_app(state, token=TOKEN)),
    )
    board = "projects/p/locations/l/tensorboards/t"
    runs = [state.items(f"{item['name']}/runs") for item in state.items(f"{board}/experiments")]
    assert len(rows) == sum(map(len, runs))


@pytest.fixture(scope="module")
def seed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seed]:
    with across_mlflow(tmp_path_factory.mktemp("across")) as seeded:
        yield seeded


def _run_across(name: str, seed: Seed, *options: str) -> list[dict[str, object]]:
    """The rows of a script over several clouds, each at an address of its own."""
    addresses = {cloud: f"https://{cloud}.test" for cloud in ("google", "alibaba", "oci")}
    addresses["mlflow"] = seed.base_url
    given = [f"{cloud}.base_url={address}" for cloud, address in addresses.items()]
    given += ["google.defaults.projectsId=p", "google.defaults.locationsId=l"]
    given += [f"oci.defaults.{parameter}={id_}" for parameter, id_ in OCI_IDS.items()]
    sets = [part for setting in given for part in ("--set", setting)]
    with across_mlflow_backend(AcrossState(), seed) as backend:
        (rows,) = _run_example(name, *options, *sets, transport=backend.transport, environ=vendors_environ())
    return [row for row in rows if isinstance(row, dict)]


@pytest.mark.slow
def test_what_is_running_anywhere_is_found_on_four_platforms(seed: Seed) -> None:
    rows = _run_across("running_anywhere.sql", seed)
    assert sorted((str(row["cloud"]), str(row["name"]), row["who"]) for row in rows) == [
        ("alibaba", "churn-nightly", "ann"),
        ("alibaba", "lr 0.1", "dan"),
        ("google", "churn-nightly", "ann"),
        ("google", "tune's", "cyd"),
        ("mlflow", "first", "eve"),
        ("mlflow", "lr 0.01", "bob"),
        ("oci", "churn-nightly", "ann"),
        ("oci", "report", "eve"),
    ]
    assert all(isinstance(row["hours"], float) for row in rows)


@pytest.mark.slow
def test_two_trackers_are_held_side_by_side(seed: Seed) -> None:
    rows = _run_across("two_trackers.sql", seed, "-p", "tensorboard=t")
    assert [(row["experiment"], row["run"], row["found"]) for row in rows] == [
        ("churn", "it's odd", "in both"),
        ("churn", "lr 0.01", "in both"),
        ("churn", "lr 0.1", "in both"),
        ("churn", "only mlflow", "only in MLflow"),
        ("churn", "only vertex", "only in Vertex AI"),
        ("draft", "first", "only in MLflow"),
        ("ranker", "lr 0.1", "in both"),
    ]


def test_every_example_is_run_here() -> None:
    here = Path(__file__).read_text(encoding="utf-8")
    assert [path.name for path in EXAMPLES.glob("*.sql") if f'"{path.name}"' not in here] == []


def test_the_queries_of_the_readme_are_found() -> None:
    assert len(QUERIES) == 10


@pytest.mark.slow
@pytest.mark.parametrize(("title", "sql"), [query for query in QUERIES if "mlflow." in query[1]])
def test_a_query_of_the_readme_runs_on_a_real_server(base_url: str, title: str, sql: str) -> None:
    rows = _run_query(sql, {"connections": {"mlflow": {"base_url": base_url}}})
    # No alias and no row of `people` was made: these two answer with nothing.
    assert (rows > 0) == ("alias" not in title and "table of your own" not in title)


@pytest.mark.parametrize(("title", "sql"), [query for query in QUERIES if "google." in query[1]])
def test_a_query_of_the_readme_runs_on_the_stand_in(title: str, sql: str) -> None:
    sql = sql.replace("'acme'", "'p'").replace("'us-central1'", "'l'").replace("'7'", "'t'")
    config: dict[str, object] = {
        "connections": {"google": {"auth": {"type": "token", "env": "GOOGLE_TOKEN"}}}
    }
    assert _run_query(sql, config, _vertex()) > 0


@pytest.mark.slow
def test_the_readme_s_python_runs(base_url: str) -> None:
    (block,) = re.findall(
        r"^```python\n(.*?)^```$", README.split("## Python")[1], flags=re.MULTILINE | re.DOTALL
    )
    printed = io.StringIO()
    with redirect_stdout(printed):
        exec(block.replace("http://127.0.0.1:5000", base_url), {})
    assert len(printed.getvalue().splitlines()) >= 20
