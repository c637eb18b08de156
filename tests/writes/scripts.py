"""Random scripts: lists of statements-to-be, as hypothesis draws and shrinks them."""

from __future__ import annotations

from typing import TypeAlias

from hypothesis import strategies as st

from tests.writes import inserts
from tests.writes.changes import deletes, updates
from tests.writes.inserts import START, Draw, R, T, cell, const, flags, indices, keys, text, texts
from tests.writes.specs import (
    EXPERIMENTS,
    RUNS,
    Beside,
    Cell,
    Control,
    Exec,
    Never,
    Rows,
    Select,
    Spec,
)

Script: TypeAlias = list[Spec]

_FROM_RUNS = " FROM mlflow.tracking.runs WHERE experiment_id = §e0§"
selects = st.one_of(
    st.builds(
        Select,
        st.just(RUNS),
        st.just(("experiment_id", "run_name", "user_id", "tags")),
        text(
            f"SELECT §e1§, run_name || '-c', user_id, json_object('from', run_name){_FROM_RUNS}",
            f"SELECT experiment_id, 'again', status, json_remove(tags, '$.\"mlflow.runName\"'){_FROM_RUNS}"
            " AND status = 'RUNNING'",
            f"SELECT §e1§, 'both', 'u', tags{_FROM_RUNS}",
            "SELECT §e0§, 'note ' || k, v, json_object(k, v) FROM notes WHERE k <> 'a'",
        ),
        indices,
        bound=flags,
        returning=st.sampled_from(("", "run_name, user_id")),
    ),
    st.builds(
        Select,
        st.sampled_from((f"{T}.tags", f"{T}.params")),
        st.just(("run_id", "key", "value")),
        text(
            f"SELECT run_id, 'was', status{_FROM_RUNS}",
            f"SELECT run_id, 'n', coalesce(metrics->>'a', 'none'){_FROM_RUNS}",
            "SELECT run_id, 'p ' || key, value FROM mlflow.tracking.params WHERE experiment_id = §e0§",
            "SELECT §r0§, key, value FROM mlflow.tracking.tags WHERE run_id = §r1§"
            " AND key NOT LIKE 'mlflow.%'",
        ),
        indices,
        bound=flags,
    ),
    st.builds(
        Select,
        st.just(f"{T}.metric_history"),
        st.just(("run_id", "metric_key", "value", "step", "timestamp")),
        text(
            "SELECT run_id, 'copy', coalesce(value, 0), step + 1, timestamp FROM mlflow.tracking.metrics"
            " WHERE experiment_id = §e0§",
            "WITH RECURSIVE s(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM s WHERE i < 30)"
            " SELECT §r0§, 'curve', i * 0.5, i, 1000 + i % 7 FROM s",
        ),
        indices,
        bound=flags,
    ),
)
beside = st.builds(
    Beside,
    text(
        f"SELECT status, count(*), min(run_name){_FROM_RUNS} GROUP BY status",
        "SELECT name, tags FROM mlflow.tracking.experiments WHERE name LIKE §P0§ || '%'",
        "SELECT run_name, notes.v FROM mlflow.tracking.runs JOIN notes ON k = status"
        " WHERE experiment_id = §e0§",
        f"INSERT OR REPLACE INTO notes SELECT run_name, status{_FROM_RUNS} ORDER BY run_id",
        "UPDATE notes SET v = v || '+' WHERE k IN ('a', 'RUNNING')",
        "DELETE FROM notes WHERE k = 'lr'",
        "SELECT k, v FROM notes",
    ),
    indices,
)
never = st.builds(
    Never,
    text(
        "UPDATE mlflow.tracking.runs SET status = 'DONE' WHERE experiment_id = §e0§",
        "UPDATE mlflow.tracking.runs SET user_id = 'me' WHERE run_id = §r0§",
        "INSERT INTO mlflow.tracking.runs(experiment_id, status) VALUES (§e0§, 'FINISHED')",
        "UPDATE mlflow.tracking.runs SET tags = '[1]' WHERE run_id = §r0§ AND run_id <> ''",
        "DELETE FROM mlflow.tracking.runs WHERE run_name = 'x'",
        "INSERT INTO mlflow.tracking.tags(run_id, key) VALUES (§r0§, 'a')",
    ),
    st.just("ProgrammingError"),
    indices,
)
calls = st.one_of(
    st.builds(
        Exec,
        st.just(EXPERIMENTS),
        st.just("restore"),
        st.tuples(st.tuples(st.just("experiment_id"), cell("experiment"))),
    ),
    st.builds(Exec, st.just(RUNS), st.just("restore"), st.tuples(st.tuples(st.just("run_id"), cell("run")))),
    st.builds(
        Exec,
        st.just(RUNS),
        st.just("set_tag"),
        st.tuples(
            st.tuples(st.just("run_id"), cell("run")),
            st.tuples(st.just("key"), const(keys)),
            st.tuples(st.just("value"), const(texts)),
        ),
    ),
)
_KINDS: tuple[st.SearchStrategy[Spec], ...] = (
    *(inserts.experiments, inserts.experiments, inserts.runs, inserts.tags, inserts.params),
    *(inserts.metrics, inserts.history, inserts.models, inserts.versions, inserts.aliases),
    *(selects, selects, updates, updates, updates, updates, deletes, deletes, beside, never, calls),
)
"""Kinds by weight: `one_of` would make one choice of them all, and mostly update."""


@st.composite
def _statement(draw: Draw) -> Script:
    return [draw(draw(st.sampled_from(_KINDS)))]


@st.composite
def _transaction(draw: Draw) -> Script:
    """BEGIN … COMMIT, or ROLLBACK, with what is staged between, a part of it under a savepoint."""
    before, inside, after = (draw(st.lists(_statement(), max_size=2)) for _ in range(3))
    inner: Script = [spec for part in before for spec in part]
    if inside:
        back = draw(st.sampled_from(("ROLLBACK TO s", "ROLLBACK TO s", "RELEASE s")))
        kept: Script = [spec for part in inside for spec in part]
        inner += [Control("SAVEPOINT s"), *kept, Control(back)]
    inner += [spec for part in after for spec in part]
    end = draw(st.sampled_from(("COMMIT", "COMMIT", "COMMIT", "ROLLBACK")))
    return [Control("BEGIN"), *inner, Control(end)]


FIRST: Script = [
    Rows(
        EXPERIMENTS,
        ("name", "tags"),
        ((Cell("fresh", "e"), Cell("value", '{"a":"a"}')), (Cell("fresh", "e", 1), Cell("value", None))),
    ),
    Rows(
        RUNS,
        ("experiment_id", "run_name", "user_id", "start_time"),
        tuple(
            (
                Cell("experiment", None, place // 2),
                Cell("fresh", "r", place),
                Cell("value", "ann"),
                Cell("value", START[0]),
            )
            for place in range(3)
        ),
    ),
    Rows(
        f"{T}.params",
        ("run_id", "key", "value"),
        tuple(
            (Cell("run", None, place), Cell("value", "lr"), Cell("value", f"0.{place}")) for place in range(3)
        ),
    ),
    Rows(f"{R}.registered_models", ("name", "tags"), ((Cell("fresh", "m", 1), Cell("value", '{"a":"a"}')),)),
    Rows(
        f"{R}.model_versions",
        ("name", "source"),
        ((Cell("made", "m"), Cell("value", "s3://b/1")), (Cell("made", "m"), Cell("value", "s3://b/2"))),
    ),
]
"""What every script begins with: two experiments, three runs, a model with two versions."""


def scripts(most: int = 8) -> st.SearchStrategy[Script]:
    """Scripts of up to so many statements, of which a transaction is one."""
    parts = st.sampled_from((_statement(), _statement(), _statement(), _transaction())).flatmap(
        lambda chosen: chosen
    )
    return st.lists(parts, min_size=most // 2, max_size=most).map(
        lambda drawn: [*FIRST, *(spec for part in drawn for spec in part)]
    )
