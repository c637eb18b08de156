"""Datasets, scorers, reviews, issues, prompt optimisation on a real server: each RPC by SQL, read back."""

from __future__ import annotations

import json
import warnings

import pytest

from sqlprovider.errors import IntegrityError
from tests.mlflow_rpcs import Served, Sql, covers, exec_text, served, sql, unpacked

__all__ = ["served", "sql"]
pytestmark = pytest.mark.slow


@covers(
    "createDataset",
    "searchEvaluationDatasets",
    "getDataset",
    "getDatasetExperimentIds",
    "addDatasetToExperiments",
    "removeDatasetFromExperiments",
    "setDatasetTags",
    "deleteDatasetTag",
    "deleteDataset",
)
def test_datasets_are_made_found_changed_and_deleted(sql: Sql, served: Served) -> None:
    table, in_experiments = "mlflow.genai.datasets", "mlflow.genai.dataset_experiments"
    made = f"""INSERT INTO {table} (name, experiment_ids, tags) VALUES ('it''s', ?, ?)
        RETURNING dataset_id, created_by"""
    id_, who = sql.row(made, [json.dumps([served.experiment]), '{"a": "b", "mlflow.user": "ann"}'])
    assert who == "ann"
    sql.do(f"INSERT INTO {table} (name) VALUES ('other')")
    assert sql.rows(f"SELECT dataset_id FROM {table} WHERE name = 'it''s'") == [(id_,)]
    assert sql.rows(f"SELECT dataset_id FROM {table} WHERE name LIKE 'IT%' AND created_by = 'ann'") == [
        (id_,)
    ]
    inside = f"SELECT dataset_id FROM {table} WHERE experiment_ids = ?"
    assert sql.rows(inside, [json.dumps([served.experiment])]) == [(id_,)]

    one = {"dataset_id": id_}
    sql.do(*exec_text("genai.datasets.set_tags", **one, tags='{"c": "d"}'))
    sql.do(*exec_text("genai.datasets.delete_tag", **one, key="a"))
    assert sql.row(f"SELECT tags->>'a', tags->>'c' FROM {table} WHERE dataset_id = ?", [id_]) == (None, "d")

    assert sql.do(f"INSERT INTO {in_experiments} (dataset_id, experiment_id) VALUES (?, '0')", [id_]) == 1
    read = f"SELECT experiment_id FROM {in_experiments} WHERE dataset_id = ? ORDER BY 1"
    assert sql.rows(read, [id_]) == [("0",), (served.experiment,)]
    assert sql.do(f"DELETE FROM {in_experiments} WHERE dataset_id = ? AND experiment_id = '0'", [id_]) == 1
    assert sql.rows(f"SELECT * FROM {in_experiments}") == [(id_, served.experiment)]
    assert sql.do(f"DELETE FROM {table} WHERE name IN ('it''s', 'other')") == 2
    assert sql.rows(f"SELECT * FROM {table}") == []


@covers("upsertDatasetRecords", "getDatasetRecords", "deleteDatasetRecords")
def test_records_of_a_dataset_are_added_read_and_deleted(sql: Sql) -> None:
    (id_,) = sql.row("INSERT INTO mlflow.genai.datasets (name) VALUES ('records') RETURNING dataset_id")
    one = {"dataset_id": id_}
    records = json.dumps([{"inputs": {"q": n}, "expectations": {"a": n}} for n in range(3)])
    assert sql.row(*exec_text("genai.datasets.upsert_records", **one, records=records)) == (3, 0)
    again = json.dumps([{"inputs": {"q": 0}, "expectations": {"a": 7}}])
    assert sql.row(*exec_text("genai.datasets.upsert_records", **one, records=again)) == (0, 1)
    held = unpacked(sql.value(*exec_text("genai.datasets.get_records", **one)))
    assert sorted((record["inputs"]["q"], record["expectations"]["a"]) for record in held) == [
        (0, 7),
        (1, 1),
        (2, 2),
    ]
    ids = json.dumps([record["dataset_record_id"] for record in held[:2]])
    assert sql.value(*exec_text("genai.datasets.delete_records", **one, dataset_record_ids=ids)) == 2
    assert len(unpacked(sql.value(*exec_text("genai.datasets.get_records", **one)))) == 1
    profile = "SELECT profile->>'num_records' FROM mlflow.genai.datasets WHERE dataset_id = ?"
    assert sql.value(profile, [id_]) == 1


@covers("registerScorer", "listScorers", "listScorerVersions", "getScorer", "deleteScorer")
def test_scorers_are_registered_in_versions_read_and_deleted(sql: Sql, served: Served) -> None:
    scorers, versions, of = "mlflow.genai.scorers", "mlflow.genai.scorer_versions", [served.experiment]
    made = f"""INSERT INTO {versions} (experiment_id, name, serialized_scorer) VALUES (?, ?, '{{}}')
        RETURNING version"""
    numbers = [sql.value(made, [served.experiment, name]) for name in ("a", "a", "b/c", "a")]
    assert numbers == [1, 2, 1, 3]
    newest = f"SELECT name, version FROM {scorers} WHERE experiment_id = ? ORDER BY name"
    assert sql.rows(newest, of) == [("a", 3), ("b/c", 1)]
    assert ("a", 3) in sql.rows(f"SELECT name, version FROM {scorers}")
    assert sql.rows(f"SELECT 1 FROM {scorers} WHERE experiment_id = 'abc' OR experiment_id = '0'") == []
    all_of = f"SELECT version FROM {versions} WHERE name = 'a' ORDER BY 1"
    assert sql.rows(all_of) == [(1,), (2,), (3,)]
    one = f"SELECT serialized_scorer FROM {versions} WHERE experiment_id = ? AND name = 'a' AND version = ?"
    assert [sql.rows(one, [*of, number]) for number in (2, 9)] == [[("{}",)], []]
    assert "scorer_versions" in str(sql.refused(f"INSERT INTO {scorers} (experiment_id) VALUES ('1')").hint)
    last = f"DELETE FROM {versions} WHERE experiment_id = ? AND name = 'a' AND version = 3"
    assert [sql.do(last, of) for _ in "twice"[:2]] == [1, 0]
    assert sql.rows(newest, of) == [("a", 2), ("b/c", 1)]
    assert sql.do(f"DELETE FROM {scorers} WHERE experiment_id = ? AND name IN ('a', 'nobody')", of) == 1
    assert sql.rows(newest, of) == [("b/c", 1)]


def test_scorers_of_a_deleted_experiment_are_no_rows(sql: Sql, served: Served) -> None:
    """Why the versions have a missing-code of their own, and the list asks by `experiment_ids`."""
    experiment = str(served.rest.post("experiments/create", name="left")["experiment_id"])
    versions = "mlflow.genai.scorer_versions"
    sql.do(
        f"INSERT INTO {versions} (experiment_id, name, serialized_scorer) VALUES (?, 's', '{{}}')",
        [experiment],
    )
    served.rest.post("experiments/delete", experiment_id=experiment)
    for text in (
        "SELECT * FROM mlflow.genai.scorers WHERE experiment_id = ?",
        f"SELECT * FROM {versions} WHERE experiment_id = ? AND name = 's'",
        f"SELECT * FROM {versions} WHERE experiment_id = ? AND name = 's' AND version = 1",
        "SELECT * FROM mlflow.genai.label_schemas WHERE experiment_id = ?",
        "SELECT * FROM mlflow.genai.review_queues WHERE experiment_id = ?",
    ):
        assert sql.rows(text, [experiment]) == []


@covers(
    "createLabelSchema",
    "listLabelSchemas",
    "getLabelSchema",
    "getLabelSchemaByName",
    "updateLabelSchema",
    "deleteLabelSchema",
)
def test_label_schemas_are_made_read_changed_and_deleted(sql: Sql, served: Served) -> None:
    table, of = "mlflow.genai.label_schemas", [served.experiment]
    made = f"""INSERT INTO {table} (experiment_id, name, type, input, enable_comment)
        VALUES (?, 'tone', 'FEEDBACK', ?, TRUE) RETURNING schema_id"""
    options = '{"categorical": {"options": ["a", "b"]}}'
    (id_,) = sql.row(made, [*of, options])
    assert isinstance(sql.refused(made, [*of, options]), IntegrityError)
    read = f"""SELECT name, input->>'$.categorical.options[1]', enable_comment, is_default FROM {table}
        WHERE experiment_id = ?"""
    assert sorted(sql.rows(read, of)) == [("Feedback", None, 0, 1), ("tone", "b", 1, 0)]
    by_name = exec_text("genai.label_schemas.get_by_name", experiment_id=served.experiment, name="tone")
    assert sql.row(*by_name) == sql.row(*exec_text("genai.label_schemas.get", schema_id=id_))
    assert sql.row(*by_name)[0] == id_
    changed = f"UPDATE {table} SET instruction = 'say', enable_comment = FALSE WHERE schema_id = ?"
    assert [sql.do(changed, [schema]) for schema in (id_, "ls-nobody")] == [1, 0]
    assert sql.row(f"SELECT instruction, enable_comment FROM {table} WHERE schema_id = ?", [id_]) == (
        "say",
        0,
    )
    assert sql.do(f"DELETE FROM {table} WHERE experiment_id = ? AND NOT is_default", of) == 1
    assert [row[0] for row in sql.rows(read, of)] == ["Feedback"]


@covers(
    "createReviewQueue",
    "getOrCreateUserQueue",
    "listReviewQueues",
    "getReviewQueue",
    "getReviewQueueByName",
    "updateReviewQueue",
    "deleteReviewQueue",
    "addItemsToReviewQueue",
    "listReviewQueueItems",
    "setReviewQueueItemStatus",
    "removeItemsFromReviewQueue",
)
def test_review_queues_and_their_items_are_made_read_changed_and_deleted(sql: Sql, served: Served) -> None:
    queues, items, of = "mlflow.genai.review_queues", "mlflow.genai.review_queue_items", [served.experiment]
    made = f"""INSERT INTO {queues} (experiment_id, name, queue_type, users) VALUES (?, 'Q', 'CUSTOM', ?)
        RETURNING queue_id"""
    (id_,) = sql.row(made, [*of, '["bob", "ann"]'])
    sql.do(*exec_text("genai.review_queues.get_or_create_user", experiment_id=served.experiment, user="zed"))
    read = f"SELECT name, users FROM {queues} WHERE experiment_id = ?"
    assert sorted(sql.rows(read, of)) == [("Q", '["ann","bob"]'), ("zed", '["zed"]')]
    assert (
        sql.rows(f"{read} AND user = 'bob'", of)
        == sql.rows(f"{read} AND name = 'Q'", of)
        == [("Q", '["ann","bob"]')]
    )
    assert sql.rows(f"{read} AND name = 'q'", of) == []
    sql.do(*exec_text("genai.review_queues.update", queue_id=id_, users='["eve"]', update_users=True))
    assert sql.do(f"UPDATE {queues} SET name = 'R', created_by = 'ann' WHERE queue_id = ?", [id_]) == 1
    assert sql.row(*exec_text("genai.review_queues.get", queue_id=id_))[2] == "R"
    assert sql.row(f"SELECT users, created_by FROM {queues} WHERE experiment_id = ? AND name = 'R'", of) == (
        '["eve"]',
        "ann",
    )

    for trace in ("tr-1", "tr-2"):
        sql.do(
            "INSERT INTO mlflow.tracking.traces (experiment_id, trace_id) VALUES (?, ?)",
            [served.experiment, trace],
        )
    assert (
        sql.do(f"INSERT INTO {items} (queue_id, item_id) VALUES (:q, 'tr-1'), (:q, 'tr-2')", {"q": id_}) == 2
    )
    done = f"UPDATE {items} SET status = 'COMPLETE', completed_by = 'ann' WHERE queue_id = ? AND item_id = ?"
    assert [sql.do(done, [id_, trace]) for trace in ("tr-1", "tr-9")] == [1, 0]
    assert sql.rows(f"SELECT item_id, completed_by FROM {items} WHERE status = 'COMPLETE'") == [
        ("tr-1", "ann")
    ]
    assert (
        sql.do(f"UPDATE {items} SET status = 'PENDING' WHERE queue_id = ? AND item_id = 'tr-1'", [id_]) == 1
    )
    assert sql.rows(f"SELECT DISTINCT status, completed_by FROM {items} WHERE queue_id = ?", [id_]) == [
        ("PENDING", None)
    ]
    assert sql.do(f"DELETE FROM {items} WHERE queue_id = ? AND item_id = 'tr-1'", [id_]) == 1
    assert sql.rows(f"SELECT item_id FROM {items} WHERE queue_id = ?", [id_]) == [("tr-2",)]
    assert sql.do(f"DELETE FROM {queues} WHERE experiment_id = ? AND queue_type = 'CUSTOM'", of) == 1
    assert sql.rows(f"SELECT 1 FROM {items}") == []


@covers("createIssue", "searchIssues", "getIssue", "updateIssue")
def test_issues_are_made_found_and_changed(sql: Sql, served: Served) -> None:
    table = "mlflow.genai.issues"
    made = f"""INSERT INTO {table} (experiment_id, name, description, severity, source_run_id, root_causes)
        VALUES (?, 'slow', 'd', ?, ?, '["a", "b"]') RETURNING issue_id, status"""
    found = [sql.row(made, [served.experiment, *more]) for more in (("high", served.run), ("low", None))]
    assert {status for _, status in found} == {"pending"}
    (first, _), (second, _) = found
    assert sql.rows(f"SELECT issue_id FROM {table} WHERE severity = 'high'") == [(first,)]
    assert sql.rows(f"SELECT issue_id FROM {table} WHERE source_run_id = ?", [served.run]) == [(first,)]
    # The server trims the values in its filter: this one must not be pushed.
    assert sql.rows(f"SELECT issue_id FROM {table} WHERE source_run_id = ?", [f" {served.run}"]) == []
    assert sql.rows(f"SELECT issue_id FROM {table} WHERE source_run_id != ?", [f"{served.run} "]) == [
        (first,)
    ]
    assert sql.rows(f"SELECT issue_id FROM {table} WHERE source_run_id IS NULL") == [(second,)]
    assert len(sql.rows(f"SELECT 1 FROM {table} WHERE experiment_id = ?", [served.experiment])) == 2
    assert sql.rows(f"SELECT 1 FROM {table} WHERE experiment_id = 'abc'") == []
    assert sql.value(f"SELECT sum(trace_count) FROM {table} WHERE include_trace_count = TRUE") == 0
    assert sql.do(f"UPDATE {table} SET status = 'resolved' WHERE severity = 'high'") == 1
    assert sql.rows(f"SELECT name, root_causes FROM {table} WHERE status = 'resolved'") == [
        ("slow", '["a","b"]')
    ]
    assert sql.value(f"SELECT status FROM {table} WHERE issue_id = ?", [first]) == "resolved"
    assert (
        sql.refused(f"UPDATE {table} SET status = 'done' WHERE issue_id = ?", [first]).reason == "not_in_enum"
    )


@covers(
    "searchPromptOptimizationJobs",
    "getPromptOptimizationJob",
    "cancelPromptOptimizationJob",
    "deletePromptOptimizationJob",
)
def test_jobs_that_optimise_prompts_are_found_cancelled_and_deleted(sql: Sql, served: Served) -> None:
    id_ = queue_job(served, "optimize_prompts")
    queue_job(served, "something_else")
    table = "mlflow.genai.prompt_optimization_jobs"
    read = f"SELECT job_id, status, source_prompt_uri, config->>'optimizer_type' FROM {table}"
    pending = (id_, "JOB_STATUS_PENDING", "prompts:/p/1", "OPTIMIZER_TYPE_GEPA")
    assert sql.rows(read) == sql.rows(f"{read} WHERE experiment_id = ?", [served.experiment]) == [pending]
    assert id_ in sql.row(*exec_text("genai.prompt_optimization_jobs.get", job_id=id_))
    sql.do(*exec_text("genai.prompt_optimization_jobs.cancel", job_id=id_))
    assert (
        sql.value(f"SELECT status FROM {table} WHERE experiment_id = ?", [served.experiment])
        == "JOB_STATUS_CANCELED"
    )
    assert [sql.do(f"DELETE FROM {table} WHERE job_id = ?", [job]) for job in (id_, "nobody")] == [1, 0]
    assert sql.rows(read) == []


def queue_job(served: Served, name: str) -> str:
    """A job in the server's store, as a server that runs jobs would put it there."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from mlflow.store.jobs.sqlalchemy_store import SqlAlchemyJobStore

    params = {
        "experiment_id": served.experiment,
        "prompt_uri": "prompts:/p/1",
        "optimizer_type": "gepa",
        "scorer_names": [],
    }
    store = SqlAlchemyJobStore(served.database)  # type: ignore[no-untyped-call]  # MLflow's own
    return str(store.create_job(name, json.dumps(params)).job_id)
