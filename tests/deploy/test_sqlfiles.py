"""SQL files: an INSERT is desired state, EXEC is a call, and the rest is refused with the reason."""

from __future__ import annotations

import pytest

from sqlprovider.surfaces.deploy.model import Manifest, Reference, Secret, Text
from tests.deploy.manifests import Files, entry, values

COLUMNS = "projectsId, locationsId, tensorboardsId, experimentsId, tensorboardRunId, data__displayName"


def read(files: Files, text: str, **variables: str) -> Manifest:
    return files.read(text, variables=variables, suffix="sql")


def problems(files: Files, text: str, **variables: str) -> list[str]:
    return files.problems(lambda: read(files, text, **variables))


def test_each_row_of_an_insert_is_an_entry(files: Files) -> None:
    manifest = read(
        files,
        f"""-- runs
INSERT INTO google.aiplatform.runs ({COLUMNS})
VALUES ('acme', 'us', 7, 'e', 'a', 'one'), ('acme', 'us', 7, 'e', 'b', NULL) RETURNING name;
INSERT INTO google.aiplatform.runs ({COLUMNS}, labels)
SELECT 'acme', 'us', '7', 'f', value, CAST(key AS REAL), '{{"team": "x", "n": 1}}'
FROM json_each('["a", "c"]');
""",
    )
    assert [one.label.removeprefix("google.aiplatform.") for one in manifest.entries] == [
        *("runs.1", "runs.b", "runs.2", "runs.c"),
    ], "two have the id a: they are numbered"
    assert [one.place.line for one in manifest.entries] == [2, 2, 4, 4]
    assert values(manifest.entries[0]) == {
        "projectsId": "acme",
        "locationsId": "us",
        "tensorboardsId": "7",
        "experimentsId": "e",
        "tensorboardRunId": "a",
        "displayName": "one",
    }
    assert values(manifest.entries[1])["displayName"] is None
    assert values(manifest.entries[3])["displayName"] == "1.0"
    assert values(manifest.entries[3])["labels"] == {"team": "x", "n": "1"}
    (warning,) = manifest.warnings
    assert warning.endswith("1.sql:2: RETURNING gives nothing here: put a SELECT under outputs")


def test_a_temporary_table_gives_values_to_later_statements(files: Files) -> None:
    text = """
USE mlflow.tracking;
CREATE TEMP TABLE names AS SELECT value || '-{{ suffix }}' AS name FROM json_each('["a", "b"]');
INSERT INTO experiments (name) SELECT name FROM names ORDER BY name DESC;
"""
    for _ in range(2):  # it is made on a session of its own: reading again meets no table
        manifest = read(files, text, suffix="x'; DROP")
        assert [values(one) for one in manifest.entries] == [{"name": "b-x'; DROP"}, {"name": "a-x'; DROP"}]
    use, create = manifest.preparations
    assert use == "USE mlflow.tracking"
    assert create.startswith("CREATE TEMP TABLE names AS SELECT value || :placeholder_1 AS name")
    assert manifest.preparation_values == ({}, {"placeholder_1": "-x'; DROP"})


def test_exec_is_a_call_that_keeps_its_place_in_the_script(files: Files) -> None:
    files.environ["TOKEN"] = "hush"
    manifest = read(
        files,
        """
INSERT INTO mlflow.tracking.experiments (name) VALUES ('a');
EXEC mlflow.tracking.experiments.set_tag
@experiment_id='{{ mlflow.tracking.experiments.a.experiment_id }}' --required,
@key='k', @value='{{ env.TOKEN }}';
INSERT INTO mlflow.tracking.experiments (name) VALUES ('b');
EXEC mlflow.tracking.runs.log_batch @run_id = {{ run }}
@@json='{"metrics": [{"key": "{{ key }}", "value": 0.50, "step": 1}], "tags": []}';
""",
        run="r1",
        key='"}',
    )
    a, tag, b, batch = (one.label for one in manifest.entries)
    assert (tag, batch) == ("mlflow.tracking.experiments.set_tag.1", "mlflow.tracking.runs.log_batch.1")
    assert manifest.dependencies == {a: (), tag: (a,), b: (tag,), batch: (tag, b)}
    assert values(entry(manifest, tag)) == {
        "experiment_id": Reference("mlflow.tracking.experiments", "a", "experiment_id"),
        "key": "k",
        "value": Secret("env.TOKEN", "hush"),
    }
    assert values(entry(manifest, batch)) == {
        "run_id": "r1",
        "metrics": [{"key": '"}', "value": 0.5, "step": 1}],
        "tags": [],
    }


def test_references_and_secrets_are_whole_values(files: Files) -> None:
    files.environ["WHO"] = "me"
    manifest = read(
        files,
        """
INSERT INTO mlflow.tracking.experiments (name) VALUES ('a');
INSERT INTO mlflow.tracking.runs (experiment_id, run_name, user_id)
SELECT '{{ mlflow.tracking.experiments.a.experiment_id }}', 'of {{ env.WHO }}', upper('{{ who }}');
""",
        who="you",
    )
    assert values(manifest.entries[1]) == {
        "experiment_id": Reference("mlflow.tracking.experiments", "a", "experiment_id"),
        "run_name": Text(("of ", Secret("env.WHO", "me"))),
        "user_id": "YOU",
    }


def test_rows_that_depend_on_what_the_files_write_are_unsettled(files: Files) -> None:
    manifest = read(
        files,
        """
INSERT INTO mlflow.tracking.experiments (name) VALUES ('lab');
INSERT INTO mlflow.tracking.runs (experiment_id, run_name)
SELECT experiment_id, 'r' FROM mlflow.tracking.experiments WHERE name = 'lab';
""",
    )
    assert values(manifest.entries[1]) == {"experiment_id": "7", "run_name": "r"}
    (unsettled,) = manifest.unsettled
    assert unsettled.endswith("1.sql:3")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param(
            "UPDATE mlflow.tracking.runs SET status = 'KILLED'", "1: UPDATE is no desired state", id="UPDATE"
        ),
        pytest.param(";\n DELETE FROM mlflow.tracking.runs", "2: DELETE is no desired state", id="DELETE"),
        pytest.param("-- a\nSELECT 1", "2: a SELECT changes nothing: put it under outputs", id="SELECT"),
        pytest.param("SET max_requests = 1", "1: settings are given on the command line", id="SET"),
        pytest.param("CREATE TABLE t (a)", "1: only CREATE TEMP TABLE … AS SELECT", id="CREATE TABLE"),
        pytest.param("BEGIN", "1: BEGIN has no place among desired state", id="BEGIN"),
        pytest.param(
            "INSERT OR IGNORE INTO mlflow.tracking.experiments (name) VALUES ('a')",
            "1: OR IGNORE has no meaning here",
            id="OR IGNORE",
        ),
        pytest.param(
            "INSERT INTO mlflow.tracking.experiments (nmae) VALUES ('a')",
            "has no method that takes nmae; did you mean name",
            id="column",
        ),
        pytest.param("INSERT INTO mlflow.tracking.experiments (name) VALUES ('a', 'b')", "1:", id="count"),
        pytest.param(
            "INSERT INTO mlflow.tracking.experiments (name) VALUES ('a'), ('a')",
            "is the same object as",
            id="one key twice",
        ),
        pytest.param(
            "INSERT INTO mlflow.tracking.experimets (name) VALUES ('a')", "1: no resource", id="resource"
        ),
        pytest.param("EXEC mlflow.tracking.runs.log_btach @a=1", "1: ", id="method"),
        pytest.param(
            "INSERT INTO mlflow.tracking.runs (run_name) VALUES ('{{ no }}')",
            "1: missing variable no",
            id="variable",
        ),
        pytest.param(
            "\nINSERT INTO mlflow.tracking.runs (run_name) VALUES (upper('{{ env.X }}'))",
            "2: {{ env.X }}: a reference or a secret is a whole value",
            id="secret",
        ),
        pytest.param(
            "CREATE TEMP TABLE t AS SELECT '{{ env.X }}'",
            "1: {{ env.X }}: a reference or a secret is a whole value",
            id="secret in a table",
        ),
        pytest.param(
            "INSERT INTO mlflow.tracking.runs (run_name) VALUES (x'00')",
            "1: run_name: a BLOB cannot be desired state",
            id="BLOB",
        ),
        pytest.param("INSERT INTO mlflow.tracking.runs (run_name) VALUES ('a'", "1:", id="syntax"),
    ],
)
def test_what_is_no_desired_state_is_refused(files: Files, text: str, problem: str) -> None:
    files.environ["X"] = "secret"
    found = problems(files, text)
    assert any(one.startswith("1.sql:") and problem in one for one in found), found
    assert "secret'" not in "".join(found)


def test_an_insert_that_replaces_means_the_same(files: Files) -> None:
    manifest = read(files, "INSERT OR REPLACE INTO mlflow.tracking.experiments (name) VALUES ('a')")
    assert values(manifest.entries[0]) == {"name": "a"}


def test_the_statement_that_is_wrong_has_its_line(files: Files) -> None:
    found = problems(
        files, "-- one\nCREATE TEMP TABLE t AS SELECT 1 AS a;\n\n-- two\n\nCREATE TEMP TABLE t AS SELECT 2;"
    )
    assert found[0].startswith("1.sql:6: ")


def test_sql_and_yaml_are_one_stack(files: Files) -> None:
    yaml = files.write(
        "stack.yaml",
        "variables: {n: lab}\nresources: [{name: mlflow.tracking.runs, id: run, props: {run_name: x, "
        "experiment_id: '{{ mlflow.tracking.experiments.lab.experiment_id }}'}}]",
    )
    sql = files.write("stack.sql", "INSERT INTO mlflow.tracking.experiments (name) VALUES ('{{ n }}');")
    manifest = files.read_paths(yaml, sql)
    assert [one.label for one in manifest.entries] == ["mlflow.tracking.experiments.lab", "run"]
