"""Any SELECT over jobs, pipelines, metadata and trials gives what plain SQLite gives over the same data.

The service does not say whether its filters regard case, nor whether `*` is a wildcard after `=`: the rows
are the same whichever it is.
"""

from __future__ import annotations

from collections import Counter
from contextlib import closing

import pytest
from hypothesis import given

from sqlprovider.errors import ProgrammingError
from sqlprovider.session import Session
from sqlprovider.values import SQLValue
from tests.agreement import check_agreement, data_table, refused_share
from tests.cases import Setup
from tests.fakes.proto_json import Object
from tests.fakes.vertex_platform import new_platform
from tests.fakes.vertex_platform_data import METADATA_VALUES
from tests.fakes.vertex_platform_state import PlatformState
from tests.oracle import Oracle, difference
from tests.statements import Drawn, statements
from tests.vertex import vertex_backend

TABLES = ("custom_jobs", "pipeline_jobs", "schedules", "contexts", "executions", "studies", "trials")
ROOTS = {"projectsId": ("p", "p", "p", "q", "P", "nope"), "locationsId": ("l",)}
NAMES = ("it's", "", "a*", "ab", "A*", "Case", "case", 'say "hi"', "back\\slash", "12", "100%_x")


def tiny_state() -> PlatformState:
    """Few rows, so that a statement takes milliseconds; every one of them awkward."""
    state = new_platform()
    for project in ("p", "q"):
        _add_jobs(state, f"projects/{project}/locations/l", NAMES if project == "p" else NAMES[:2])
    p = "projects/p/locations/l"
    for store in ("default", "12"):
        state.add(f"{p}/metadataStores/{store}", {"description": store})
        for index, value in enumerate(METADATA_VALUES if store == "default" else METADATA_VALUES[:3]):
            name = f"{p}/metadataStores/{store}/contexts/{index}"
            state.add(name, _context(index, {"lr": value, "it's": "x", "a.b": str(index)}))
            run: Object = {
                "state": ("COMPLETE", "FAILED")[index % 2],
                "displayName": NAMES[index % len(NAMES)],
            }
            state.add(f"{p}/metadataStores/{store}/executions/{index}", {**run, "metadata": {"n": index / 2}})
    for study in ("1", "2"):
        state.add(f"{p}/studies/{study}", {"displayName": NAMES[int(study)]})
        state.add(f"{p}/studies/{study}/trials/1", {"id": "1", "state": "ACTIVE", "parameters": []})
    return state


def _context(index: int, metadata: Object) -> Object:
    title = ("system.Experiment", "system.ExperimentRun", "")[index % 3]
    context: Object = {"displayName": NAMES[index % len(NAMES)], "metadata": metadata if index % 5 else {}}
    return {**context, "schemaTitle": title} if title else context


def _add_jobs(state: PlatformState, location: str, names: tuple[str, ...]) -> None:
    for index, name in enumerate(names):
        kind = ("SUCCEEDED", "FAILED", "RUNNING")[index % 3]
        item: Object = {"labels": {"team": name, "größe": "10"}} if index % 2 else {}
        if name:
            item["displayName"] = name
        if index % 4 == 0:
            item["createTime"] = ("2025-12-31T23:59:59Z", "2026-01-02T00:00:00.5Z")[index % 8 // 4]
        state.add(f"{location}/customJobs/{index}", {**item, "state": f"JOB_STATE_{kind}"})
        ended: Object = {"endTime": "2026-01-02T03:04:05.678901Z"} if index % 3 else {}
        state.add(f"{location}/pipelineJobs/{index}", {**item, **ended, "state": f"PIPELINE_STATE_{kind}"})
        paused = ("ACTIVE", "PAUSED")[index % 2]
        state.add(f"{location}/schedules/{index}", {"displayName": name, "state": paused, "maxRunCount": "7"})


LOOSE = pytest.mark.parametrize("loose", [False, True], ids=["exact", "folds case and takes *"])
P, STORE = "projectsId = 'p' AND locationsId = 'l'", "metadataStoresId = 'default'"
COMPARED = [
    pytest.param("custom_jobs", "displayName", P, NAMES, id="name"),
    pytest.param("custom_jobs", "labels->>'team'", P, NAMES, id="label"),
    pytest.param("custom_jobs", "state", P, ("JOB_STATE_FAILED", "job_state_failed", "FAILED"), id="state"),
    pytest.param(
        "pipeline_jobs", "createTime", P, ("2025-12-31 23:59:59.000", "2026-01-02 00:00:00.5"), id="time"
    ),
    pytest.param("pipeline_jobs", "endTime", P, ("2026-01-02 03:04:05.678901", "2026"), id="absent time"),
    pytest.param("schedules", "displayName", P, NAMES, id="schedule"),
    pytest.param(
        "contexts",
        "metadata->>'lr'",
        f"{P} AND {STORE}",
        ("adam", "ADAM", 10, "10", 0.5, "0.5", 1, "1", "true", "[1,2]", '{"a":1}', "", "a*m", 'say "hi"'),
        id="metadata",
    ),
    pytest.param(
        "contexts", "schemaTitle", f"{P} AND {STORE}", ("system.Experiment", "System.*"), id="schema"
    ),
]
CREATE = "CREATE TEMP TABLE given (value TEXT UNIQUE ON CONFLICT IGNORE)"
INSERT = "INSERT INTO given VALUES (?)"
TESTS = (
    "{0} = ?1",
    "{0} != ?1",
    "{0} IS ?1",
    "{0} < ?1",
    "{0} >= ?1",
    "{0} IN (?1, 'nothing')",
    "{0} = ?1 COLLATE NOCASE",
    "NOT {0} = ?1",
    "{0} BETWEEN ?1 AND ?1",
    "{0} = (SELECT value FROM given)",
)


@pytest.mark.slow
@LOOSE
@pytest.mark.parametrize(("table", "compared", "where", "values"), COMPARED)
def test_what_is_pushed_loses_no_row(
    table: str, compared: str, where: str, values: tuple[SQLValue, ...], loose: bool
) -> None:
    state = tiny_state()
    state.fold_case = state.wild_equals = loose
    backend = vertex_backend(state)
    name = f"google.aiplatform.{table}"
    with closing(backend.session({})) as session:
        oracle = Oracle(session.catalog, backend.objects)
        list(session.run(CREATE))
        oracle.connection.execute(CREATE)
        for value in values:
            list(session.run(INSERT, (value,)))
            oracle.connection.execute(INSERT, (value,))
            for test in TESTS:
                check(
                    session,
                    oracle,
                    f"SELECT name FROM {name} WHERE {where} AND {test.format(compared)}",
                    value,
                )
            joined = f"given AS g CROSS JOIN {name} AS t ON {compared} = g.value"
            check(session, oracle, f"SELECT g.value, t.name FROM {joined} WHERE {where}", value)
    assert any(request.value("filter") for request in state.requests), "nothing was pushed"


def check(session: Session, oracle: Oracle, sql: str, value: SQLValue) -> None:
    """Engine and oracle give the same rows. A time in a form that would compare wrongly may be refused."""
    params = (value,) if "?1" in sql else ()
    expected = oracle.rows(oracle.sql_of(sql), params)
    try:
        (result,) = session.run(sql, params)
        found = list(result.rows)
    except ProgrammingError as error:
        assert error.reason == "time_form", (sql, value, error)
        return
    assert difference(found, expected) is None, (sql, value, difference(found, expected))


@pytest.mark.slow
@LOOSE
def test_every_select_gives_what_plain_sqlite_gives(loose: bool) -> None:
    state = tiny_state()
    state.fold_case = state.wild_equals = loose
    setup: Setup = {"settings": {"max_requests": 600}}
    backend = vertex_backend(state)
    with closing(backend.session(setup)) as session:
        oracle = Oracle(session.catalog, backend.objects)
        resources = [session.catalog.resource("google", "aiplatform", name) for name in TABLES]
        tables = [data_table(oracle, resource, resource.key, roots=ROOTS) for resource in resources]
        tally: Counter[str] = Counter()

        @given(statements(tables))
        def agree(drawn: Drawn) -> None:
            check_agreement(drawn, session, oracle, tally)

        agree()
    assert any(request.value("filter") for request in state.requests), "nothing was pushed"
    assert refused_share(tally) < 0.35, dict(tally)
