"""Random scripts: lists of statements-to-be, as hypothesis draws and shrinks them."""

from __future__ import annotations

import json
from typing import TypeAlias

from hypothesis import strategies as st

from sqlprovider.values import SQLValue
from tests.writes.specs import (
    EXPERIMENTS,
    RUNS,
    Beside,
    Cell,
    Control,
    Exec,
    Never,
    Remove,
    Rows,
    Select,
    Set,
    Spec,
    Text,
)

Script: TypeAlias = list[Spec]
Draw: TypeAlias = st.DrawFn

T = "mlflow.tracking"
R = "mlflow.registry"
TEXTS = (
    *("a", "", "it's", 'say "hi"', "Ünï 🙂", "two\nlines", "tab\there", "1", "0.5", "null", "{}", " pad "),
    *("50%_off", "back\\slash", "x" * 300, "§".replace("§", "‰"), "--", "a;b", "NaN", "?", ":a"),
)
KEYS = ("a", "lr", "odd key: a.b", "ünï", "UP/low-1", "A")
NUMBERS: tuple[SQLValue, ...] = (0.5, 1, 0, -3.25, 1e20, 1e-7, "NaN", "Infinity", "-Infinity", 0.1)
STATUSES = ("RUNNING", "FINISHED", "FAILED", "KILLED", "SCHEDULED")
START = ("2026-01-02 03:04:05.678", "2026-02-03 04:05:06.000", "1999-12-31 23:59:59.999")
CONFLICTS = (
    *(("", ""), ("ABORT", ""), ("FAIL", ""), ("IGNORE", ""), ("REPLACE", "")),
    *(("", "ON CONFLICT(name) DO NOTHING"), ("", "ON CONFLICT DO NOTHING")),
    ("", "ON CONFLICT(name) DO UPDATE SET tags = excluded.tags"),
    ("", "ON CONFLICT(name) DO UPDATE SET tags = json_set(tags, '$.seen', 'yes')"),
    ("", "ON CONFLICT(name) DO UPDATE SET tags = json_set(excluded.tags, '$.was', tags->>'a')"),
)

texts, keys, flags = st.sampled_from(TEXTS), st.sampled_from(KEYS), st.booleans()
places = st.integers(0, 5)
indices = st.tuples(places, places)
maps = st.dictionaries(keys, texts, max_size=2).map(lambda found: json.dumps(found, ensure_ascii=False))


def _cell(kind: str, value: SQLValue = None) -> st.SearchStrategy[Cell]:
    return places.map(lambda index: Cell(kind, value, index))


def _const(values: st.SearchStrategy[SQLValue]) -> st.SearchStrategy[Cell]:
    return values.map(lambda value: Cell("value", value))


def _text(*choices: str) -> st.SearchStrategy[Text]:
    return st.sampled_from(choices).map(Text)


@st.composite
def _rows(
    draw: Draw,
    target: str,
    must: dict[str, st.SearchStrategy[Cell]],
    may: dict[str, st.SearchStrategy[Cell]],
    *,
    most: int = 3,
    conflicts: tuple[tuple[str, str], ...] = (("", ""),),
    returning: tuple[str, ...] = (),
) -> Rows:
    """INSERT … VALUES with the columns that it must have and some that it may have."""
    chosen = draw(st.sets(st.sampled_from(sorted(may)))) if may else set()
    conflict, upsert = draw(st.sampled_from(conflicts))
    if "tags" in upsert:
        chosen = chosen | {"tags"}
    columns = {**must, **{name: may[name] for name in sorted(chosen)}}
    rows = draw(st.lists(st.tuples(*columns.values()), min_size=1, max_size=most))
    asked = [name for name in returning if name in columns or name in ("status", "lifecycle_stage")]
    many = draw(flags) and draw(flags)
    return Rows(
        target,
        tuple(columns),
        tuple(rows),
        bound=draw(flags),
        many=many,
        conflict=conflict,
        upsert=upsert,
        returning=", ".join(asked) if asked and not many and draw(flags) else "",
    )


_name_of_experiment = st.one_of(_cell("fresh", "e"), _cell("fresh", "e"), _cell("made", "e"))
_name_of_model = st.one_of(_cell("fresh", "m"), _cell("made", "m"))
_map = _const(st.none() | maps)

insert_experiments = _rows(
    EXPERIMENTS,
    {"name": _name_of_experiment},
    {"tags": _map},
    conflicts=CONFLICTS,
    returning=("name", "name || '!'"),
)
insert_runs = _rows(
    RUNS,
    {"experiment_id": _cell("experiment"), "run_name": _cell("fresh", "r")},
    {"user_id": _const(texts), "start_time": _const(st.sampled_from(START)), "tags": _map},
    returning=("run_name", "user_id", "status", "lifecycle_stage", "start_time"),
)
insert_tags = _rows(
    f"{T}.tags", {"run_id": _cell("run"), "key": _const(keys), "value": _const(texts)}, {}, most=4
)
insert_params = _rows(
    f"{T}.params",
    {"run_id": _cell("run"), "key": _const(keys), "value": _const(texts)},
    {},
    most=4,
    returning=("key", "value"),
)
_point = {
    "value": _const(st.sampled_from(NUMBERS)),
    "timestamp": _const(st.sampled_from((0, 5, 1_767_323_045_678))),
}
_step = {"step": _const(st.sampled_from((0, 1, 2, -1, 2**40)))}
insert_metrics = _rows(
    f"{T}.metrics", {"run_id": _cell("run"), "key": _const(st.sampled_from(KEYS[:3])), **_point}, _step, most=4
)
insert_history = _rows(
    f"{T}.metric_history",
    {"run_id": _cell("run"), "metric_key": _const(st.sampled_from(KEYS[:3])), **_point},
    _step,
    most=6,
)
insert_models = _rows(
    f"{R}.registered_models",
    {"name": _name_of_model},
    {"description": _const(texts), "tags": _map},
    most=2,
    returning=("name",),
)
insert_versions = _rows(
    f"{R}.model_versions",
    {"name": _cell("made", "m"), "source": _const(st.sampled_from(("s3://b/1", "s3://b/ü 2")))},
    {"description": _const(texts), "tags": _map},
    returning=("name", "source"),
)
insert_aliases = _rows(
    f"{R}.aliases",
    {
        "name": _cell("made", "m"),
        "alias": _const(st.sampled_from(("champion", "Champion", "old"))),
        "version": _const(st.sampled_from(("1", "2", "3"))),
    },
    {},
    most=2,
)

_EXPERIMENT = ("experiment_id = §e0§", "experiment_id = (SELECT experiment_id FROM mlflow.tracking.experiments WHERE name = §E0§)")
_OF_RUNS = _text(
    *_EXPERIMENT,
    "experiment_id IN (§e0§, §e1§)",
    "run_id = §r0§",
    "run_id IN (§r0§, §r1§)",
    "experiment_id IN (SELECT experiment_id FROM mlflow.tracking.experiments WHERE name LIKE §P0§ || '%')",
)
_AND_RUNS = _text(
    "status = 'RUNNING'",
    "status IN ('FINISHED', 'KILLED')",
    "run_name LIKE '%0%'",
    "run_name <> 'x'",
    "tags->>'a' = 'a'",
    "tags->>'a' IS NULL",
    "params->>'lr' IS NOT NULL",
    "CAST(params->>'lr' AS REAL) > 0.4",
    "metrics->>'a' > 0.4",
    "end_time IS NULL",
    "length(run_name) > 4",
    "run_id NOT IN (SELECT run_id FROM mlflow.tracking.runs WHERE experiment_id = §e0§ ORDER BY run_id LIMIT 1)",
    "EXISTS (SELECT 1 FROM notes WHERE k = status)",
    "true",
)
_where_runs = st.one_of(st.tuples(_OF_RUNS), st.tuples(_OF_RUNS, _AND_RUNS))
_AND_PAIRS = _text("key = 'a'", "key IN ('lr', 'A')", "key LIKE 'u%'", "length(value) < 3", "key NOT LIKE 'mlflow.%'")
_where_pairs = st.one_of(st.tuples(_OF_RUNS), st.tuples(_OF_RUNS, _AND_PAIRS))
_where_experiments = st.one_of(
    st.tuples(_text("experiment_id = §e0§", "name = §E0§", "experiment_id IN (§e0§, §e1§)", "name LIKE §P0§ || '%'")),
    st.tuples(_text("name LIKE §P0§ || '%'"), _text("tags->>'a' IS NULL", "length(name) > 6", "name <> §E0§")),
)
_where_models = st.tuples(_text("name = §M0§", "name IN (§M0§, §M1§)", "name LIKE §P0§ || '%'"))

_SETS_OF_RUNS = {
    "status": _text(*(f"'{status}'" for status in STATUSES), "CASE status WHEN 'RUNNING' THEN 'FINISHED' ELSE 'KILLED' END"),
    "end_time": _text("'2026-03-04 05:06:07.890'", "start_time"),
    "run_name": _text("'renamed'", "run_name || '-x'", "upper(run_name)", "coalesce(params->>'lr', 'no') || '/' || status"),
    "tags": _text(
        "json_set(tags, '$.a', 'set')",
        "json_set(tags, '$.lr', 5, '$.\"odd key: a.b\"', run_name)",
        "json_remove(tags, '$.a')",
        "json_remove(tags, '$.\"mlflow.runName\"')",
        "json_object('a', status)",
        "json_patch(tags, '{\"a\":null,\"lr\":\"patched\"}')",
        "'{}'",
        '\'{"a":"only","ünï":"it\'\'s"}\'',
    ),
}
_SETS_OF_PAIRS = _text("value || '!'", "upper(value)", "'same'", "value", "key", "CASE WHEN length(value) > 50 THEN 'cut' ELSE value END")


@st.composite
def _update_runs(draw: Draw) -> Set:
    chosen = draw(st.sets(st.sampled_from(sorted(_SETS_OF_RUNS)), min_size=1, max_size=3))
    returning = draw(st.sampled_from(("", "", "run_id, status", "run_name, end_time", "tags")))
    return Set(
        RUNS,
        tuple((name, draw(_SETS_OF_RUNS[name])) for name in sorted(chosen)),
        draw(_where_runs),
        draw(indices),
        bound=draw(flags),
        returning=returning if "tags" not in returning or "tags" in chosen else "",
    )


_TAGS_OF_EXPERIMENTS = _text("json_set(tags, '$.a', 'set', '$.lr', name)", "json_remove(tags, '$.a')", "'{\"a\":\"only\"}'", "NULL")
_NAMES = _text("name || '-r'", "§P0§ || 'taken'", "§E1§", "name")
_sets_of_experiments = st.one_of(
    st.tuples(st.tuples(st.just("name"), _NAMES)),
    st.tuples(st.tuples(st.just("tags"), _TAGS_OF_EXPERIMENTS)),
    st.tuples(st.tuples(st.just("name"), _NAMES), st.tuples(st.just("tags"), _TAGS_OF_EXPERIMENTS)),
)
_sets_of_models = st.one_of(
    st.tuples(st.tuples(st.just("description"), _text("'described'", "name || coalesce(description, '')", "''"))),
    st.tuples(st.tuples(st.just("tags"), _text("json_set(tags, '$.a', 'set')", "'{}'", "json_remove(tags, '$.a')"))),
)
updates = st.one_of(
    _update_runs(),
    _update_runs(),
    st.builds(
        Set,
        st.just(RUNS),
        st.tuples(st.tuples(st.just("tags"), _text("json_set(tags, '$.note', notes.v)", "json_object('note', notes.v)"))),
        st.tuples(_OF_RUNS, _text("notes.k = status", "notes.k = coalesce(tags->>'a', 'lr')")),
        indices,
        from_=st.just("notes"),
        bound=flags,
        returning=st.sampled_from(("", "run_id, tags->>'note'")),
    ),
    st.builds(Set, st.just(EXPERIMENTS), _sets_of_experiments, _where_experiments, indices, bound=flags,
              returning=st.sampled_from(("", "experiment_id, name"))),
    st.builds(Set, st.just(f"{T}.tags"), st.tuples(st.tuples(st.just("value"), _SETS_OF_PAIRS)), _where_pairs, indices,
              bound=flags, returning=st.sampled_from(("", "run_id, key, value"))),
    st.builds(Set, st.just(f"{T}.params"), st.tuples(st.tuples(st.just("value"), _text("value", "value || ''", "'same'"))),
              _where_pairs, indices, bound=flags),
    st.builds(Set, st.just(f"{R}.registered_models"), _sets_of_models, _where_models, indices, bound=flags,
              returning=st.sampled_from(("", "name, coalesce(description, '')"))),
    st.builds(Set, st.just(f"{R}.model_versions"), _sets_of_models, _where_models, indices, bound=flags),
    st.builds(Set, st.just(f"{R}.aliases"), st.tuples(st.tuples(st.just("version"), _text("'1'", "'2'", "version"))),
              _where_models, indices, bound=flags),
)
deletes = st.one_of(
    st.builds(Remove, st.just(RUNS), _where_runs, indices, bound=flags, returning=st.sampled_from(("", "run_id, run_name, status"))),
    st.builds(Remove, st.just(EXPERIMENTS), _where_experiments, indices, bound=flags, returning=st.sampled_from(("", "name"))),
    st.builds(Remove, st.just(f"{T}.tags"), _where_pairs, indices, bound=flags, returning=st.sampled_from(("", "key, value"))),
    st.builds(Remove, st.just(f"{R}.registered_models"), _where_models, indices, bound=flags),
    st.builds(Remove, st.just(f"{R}.model_versions"), st.tuples(_text("name = §M0§"), _text("version = '1'", "version > '1'", "description IS NULL")), indices, bound=flags),
    st.builds(Remove, st.just(f"{R}.aliases"), _where_models, indices, bound=flags),
)
_FROM_RUNS = " FROM mlflow.tracking.runs WHERE experiment_id = §e0§"
selects = st.one_of(
    st.builds(
        Select,
        st.just(RUNS),
        st.just(("experiment_id", "run_name", "user_id", "tags")),
        _text(
            f"SELECT §e1§, run_name || '-c', user_id, json_object('from', run_name){_FROM_RUNS}",
            f"SELECT experiment_id, 'again', status, json_remove(tags, '$.\"mlflow.runName\"'){_FROM_RUNS} AND status = 'RUNNING'",
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
        _text(
            f"SELECT run_id, 'was', status{_FROM_RUNS}",
            f"SELECT run_id, 'n', coalesce(metrics->>'a', 'none'){_FROM_RUNS}",
            "SELECT run_id, 'p ' || key, value FROM mlflow.tracking.params WHERE experiment_id = §e0§",
            "SELECT §r0§, key, value FROM mlflow.tracking.tags WHERE run_id = §r1§ AND key NOT LIKE 'mlflow.%'",
        ),
        indices,
        bound=flags,
    ),
    st.builds(
        Select,
        st.just(f"{T}.metric_history"),
        st.just(("run_id", "metric_key", "value", "step", "timestamp")),
        _text(
            "SELECT run_id, 'copy', coalesce(value, 0), step + 1, timestamp FROM mlflow.tracking.metrics WHERE experiment_id = §e0§",
            "WITH RECURSIVE s(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM s WHERE i < 30) SELECT §r0§, 'curve', i * 0.5, i, 1000 + i % 7 FROM s",
        ),
        indices,
        bound=flags,
    ),
)
beside = st.builds(
    Beside,
    _text(
        f"SELECT status, count(*), min(run_name){_FROM_RUNS} GROUP BY status",
        "SELECT name, tags FROM mlflow.tracking.experiments WHERE name LIKE §P0§ || '%'",
        "SELECT run_name, notes.v FROM mlflow.tracking.runs JOIN notes ON k = status WHERE experiment_id = §e0§",
        f"INSERT OR REPLACE INTO notes SELECT run_name, status{_FROM_RUNS} ORDER BY run_id",
        "UPDATE notes SET v = v || '+' WHERE k IN ('a', 'RUNNING')",
        "DELETE FROM notes WHERE k = 'lr'",
        "SELECT k, v FROM notes",
    ),
    indices,
)
never = st.builds(
    Never,
    _text(
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
    st.builds(Exec, st.just(EXPERIMENTS), st.just("restore"), st.tuples(st.tuples(st.just("experiment_id"), _cell("experiment")))),
    st.builds(Exec, st.just(RUNS), st.just("restore"), st.tuples(st.tuples(st.just("run_id"), _cell("run")))),
    st.builds(Exec, st.just(RUNS), st.just("set_tag"), st.tuples(
        st.tuples(st.just("run_id"), _cell("run")), st.tuples(st.just("key"), _const(keys)), st.tuples(st.just("value"), _const(texts)))),
)
_KINDS: tuple[st.SearchStrategy[Spec], ...] = (
    *(insert_experiments, insert_experiments, insert_runs, insert_tags, insert_params, insert_metrics),
    *(insert_history, insert_models, insert_versions, insert_aliases, selects, selects, updates, updates),
    *(updates, updates, deletes, deletes, beside, never, calls),
)
"""Kinds by weight: `one_of` would make one choice of them all, and mostly update."""
_SAVEPOINTS = ("SAVEPOINT s", "SAVEPOINT s", "ROLLBACK TO s", "RELEASE s")


@st.composite
def _statement(draw: Draw) -> Script:
    return [draw(draw(st.sampled_from(_KINDS)))]


@st.composite
def _transaction(draw: Draw) -> Script:
    """BEGIN … COMMIT, or ROLLBACK, with what is staged between."""
    inner: Script = []
    for _ in range(draw(st.integers(1, 4))):
        if draw(flags) and draw(flags):
            inner.append(Control(draw(st.sampled_from(_SAVEPOINTS))))
        inner += draw(_statement())
    end = draw(st.sampled_from(("COMMIT", "COMMIT", "COMMIT", "ROLLBACK")))
    return [Control("BEGIN"), *inner, Control(end)]


FIRST: Script = [
    Rows(EXPERIMENTS, ("name", "tags"), ((Cell("fresh", "e"), Cell("value", '{"a":"a"}')), (Cell("fresh", "e", 1), Cell("value", None)))),
    Rows(RUNS, ("experiment_id", "run_name", "user_id", "start_time"), tuple(
        (Cell("experiment", None, place // 2), Cell("fresh", "r", place), Cell("value", "ann"), Cell("value", START[0]))
        for place in range(3))),
    Rows(f"{T}.params", ("run_id", "key", "value"), tuple((Cell("run", None, place), Cell("value", "lr"), Cell("value", f"0.{place}")) for place in range(3))),
    Rows(f"{R}.registered_models", ("name", "tags"), ((Cell("fresh", "m", 1), Cell("value", '{"a":"a"}')),)),
    Rows(f"{R}.model_versions", ("name", "source"), ((Cell("made", "m"), Cell("value", "s3://b/1")), (Cell("made", "m"), Cell("value", "s3://b/2")))),
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
