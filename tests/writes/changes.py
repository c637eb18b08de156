"""Every UPDATE and DELETE of a script."""

from __future__ import annotations

from hypothesis import strategies as st

from tests.writes.inserts import STATUSES, Draw, R, T, flags, indices, text
from tests.writes.specs import EXPERIMENTS, RUNS, Remove, Set

_EXPERIMENT = (
    "experiment_id = §e0§",
    "experiment_id = (SELECT experiment_id FROM mlflow.tracking.experiments WHERE name = §E0§)",
)
_OF_RUNS = text(
    *_EXPERIMENT,
    "experiment_id IN (§e0§, §e1§)",
    "run_id = §r0§",
    "run_id IN (§r0§, §r1§)",
    "experiment_id IN (SELECT experiment_id FROM mlflow.tracking.experiments WHERE name LIKE §P0§ || '%')",
)
_AND_RUNS = text(
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
    "run_id NOT IN (SELECT run_id FROM mlflow.tracking.runs WHERE experiment_id = §e0§"
    " ORDER BY run_id LIMIT 1)",
    "EXISTS (SELECT 1 FROM notes WHERE k = status)",
    "true",
)
_where_runs = st.one_of(st.tuples(_OF_RUNS), st.tuples(_OF_RUNS, _AND_RUNS))
_AND_PAIRS = text(
    "key = 'a'", "key IN ('lr', 'A')", "key LIKE 'u%'", "length(value) < 3", "key NOT LIKE 'mlflow.%'"
)
_where_pairs = st.one_of(st.tuples(_OF_RUNS), st.tuples(_OF_RUNS, _AND_PAIRS))
_where_experiments = st.one_of(
    st.tuples(
        text("experiment_id = §e0§", "name = §E0§", "experiment_id IN (§e0§, §e1§)", "name LIKE §P0§ || '%'")
    ),
    st.tuples(text("name LIKE §P0§ || '%'"), text("tags->>'a' IS NULL", "length(name) > 6", "name <> §E0§")),
)
_where_models = st.tuples(text("name = §M0§", "name IN (§M0§, §M1§)", "name LIKE §P0§ || '%'"))

_SETS_OF_RUNS = {
    "status": text(
        *(f"'{status}'" for status in STATUSES),
        "CASE status WHEN 'RUNNING' THEN 'FINISHED' ELSE 'KILLED' END",
    ),
    "end_time": text("'2026-03-04 05:06:07.890'", "start_time"),
    "run_name": text(
        "'renamed'", "run_name || '-x'", "upper(run_name)", "coalesce(params->>'lr', 'no') || '/' || status"
    ),
    "tags": text(
        "json_set(tags, '$.a', 'set')",
        "json_set(tags, '$.lr', 5, '$.\"odd key: a.b\"', run_name)",
        "json_remove(tags, '$.a')",
        "json_remove(tags, '$.\"mlflow.runName\"')",
        "json_object('a', status)",
        'json_patch(tags, \'{"a":null,"lr":"patched"}\')',
        "'{}'",
        '\'{"a":"only","ünï":"it\'\'s"}\'',
    ),
}
_SETS_OF_PAIRS = text(
    "value || '!'",
    "upper(value)",
    "'same'",
    "value",
    "key",
    "CASE WHEN length(value) > 50 THEN 'cut' ELSE value END",
)


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


_TAGS_OF_EXPERIMENTS = text(
    "json_set(tags, '$.a', 'set', '$.lr', name)", "json_remove(tags, '$.a')", '\'{"a":"only"}\'', "NULL"
)
_NAMES = text("name || '-r'", "§P0§ || 'taken'", "§E1§", "name")
_sets_of_experiments = st.one_of(
    st.tuples(st.tuples(st.just("name"), _NAMES)),
    st.tuples(st.tuples(st.just("tags"), _TAGS_OF_EXPERIMENTS)),
    st.tuples(st.tuples(st.just("name"), _NAMES), st.tuples(st.just("tags"), _TAGS_OF_EXPERIMENTS)),
)
_sets_of_models = st.one_of(
    st.tuples(
        st.tuples(st.just("description"), text("'described'", "name || coalesce(description, '')", "''"))
    ),
    st.tuples(
        st.tuples(st.just("tags"), text("json_set(tags, '$.a', 'set')", "'{}'", "json_remove(tags, '$.a')"))
    ),
)
updates = st.one_of(
    _update_runs(),
    _update_runs(),
    st.builds(
        Set,
        st.just(RUNS),
        st.tuples(
            st.tuples(
                st.just("tags"), text("json_set(tags, '$.note', notes.v)", "json_object('note', notes.v)")
            )
        ),
        st.tuples(_OF_RUNS, text("notes.k = status", "notes.k = coalesce(tags->>'a', 'lr')")),
        indices,
        from_=st.just("notes"),
        bound=flags,
        returning=st.sampled_from(("", "run_id, tags->>'note'")),
    ),
    st.builds(
        Set,
        st.just(EXPERIMENTS),
        _sets_of_experiments,
        _where_experiments,
        indices,
        bound=flags,
        returning=st.sampled_from(("", "experiment_id, name")),
    ),
    st.builds(
        Set,
        st.just(f"{T}.tags"),
        st.tuples(st.tuples(st.just("value"), _SETS_OF_PAIRS)),
        _where_pairs,
        indices,
        bound=flags,
        returning=st.sampled_from(("", "run_id, key, value")),
    ),
    st.builds(
        Set,
        st.just(f"{T}.params"),
        st.tuples(st.tuples(st.just("value"), text("value", "value || ''", "'same'"))),
        _where_pairs,
        indices,
        bound=flags,
    ),
    st.builds(
        Set,
        st.just(f"{R}.registered_models"),
        _sets_of_models,
        _where_models,
        indices,
        bound=flags,
        returning=st.sampled_from(("", "name, coalesce(description, '')")),
    ),
    st.builds(Set, st.just(f"{R}.model_versions"), _sets_of_models, _where_models, indices, bound=flags),
    st.builds(
        Set,
        st.just(f"{R}.aliases"),
        st.tuples(st.tuples(st.just("version"), text("'1'", "'2'", "version"))),
        _where_models,
        indices,
        bound=flags,
    ),
)
deletes = st.one_of(
    st.builds(
        Remove,
        st.just(RUNS),
        _where_runs,
        indices,
        bound=flags,
        returning=st.sampled_from(("", "run_id, run_name, status")),
    ),
    st.builds(
        Remove,
        st.just(EXPERIMENTS),
        _where_experiments,
        indices,
        bound=flags,
        returning=st.sampled_from(("", "name")),
    ),
    st.builds(
        Remove,
        st.just(f"{T}.tags"),
        _where_pairs,
        indices,
        bound=flags,
        returning=st.sampled_from(("", "key, value")),
    ),
    st.builds(Remove, st.just(f"{R}.registered_models"), _where_models, indices, bound=flags),
    st.builds(
        Remove,
        st.just(f"{R}.model_versions"),
        st.tuples(text("name = §M0§"), text("version = '1'", "version > '1'", "description IS NULL")),
        indices,
        bound=flags,
    ),
    st.builds(Remove, st.just(f"{R}.aliases"), _where_models, indices, bound=flags),
)
