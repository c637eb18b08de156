"""Traces, their spans and their assessments on a real server: every RPC of them through SQL, read back."""

from __future__ import annotations

import json
import warnings
from typing import Any

import httpx
import pytest

from tests.mlflow_rpcs import REQUEST_TIME, Served, Sql, covers, exec_text, served, sql, unpacked

__all__ = ["served", "sql"]
pytestmark = pytest.mark.slow

TRACES = "mlflow.tracking.traces"
ASSESSMENTS = "mlflow.tracking.assessments"


def make_trace(sql: Sql, served: Served, trace_id: str, **columns: str) -> None:
    """A trace of the server's experiment."""
    given = {
        "experiment_id": served.experiment,
        "trace_id": trace_id,
        "request_time": REQUEST_TIME,
        **columns,
    }
    names, marks = ", ".join(given), ", ".join(f":{name}" for name in given)
    assert sql.do(f"INSERT INTO {TRACES} ({names}) VALUES ({marks})", given) == 1


@covers("startTraceV3", "searchTracesV3", "batchGetTraceInfos", "getTraceInfoV3", "deleteTracesV3")
def test_traces_are_made_found_and_deleted(sql: Sql, served: Served) -> None:
    for number in range(3):
        make_trace(
            sql, served, f"tr-{number}", state=("OK", "ERROR")[number % 2], client_request_id=f"it's {number}"
        )
    made = f"""INSERT INTO {TRACES} (experiment_id, execution_duration, trace_metadata, request_preview)
        VALUES (?, '1.500s', ?, 'hi') RETURNING trace_id, state, execution_duration, trace_metadata"""
    id_, state, duration, metadata = sql.row(made, [served.experiment, '{"m": "n"}'])
    assert (len(str(id_)), state, duration) == (32, "STATE_UNSPECIFIED", "1.500s")
    assert unpacked(metadata)["m"] == "n"

    found = f"SELECT trace_id FROM {TRACES} WHERE experiment_id = ? AND "
    of = [served.experiment]
    assert sql.rows(found + "state = 'OK' ORDER BY trace_id", of) == [("tr-0",), ("tr-2",)]
    assert sql.rows(found + "client_request_id LIKE 'IT''S 1'", of) == [("tr-1",)]
    assert sql.rows(found + "client_request_id IS NULL", of) == [(id_,)]
    assert len(sql.rows(found + "request_time = '2026-01-02 03:04:05.678'", of)) == 3
    by_id = f"""SELECT trace_id, experiment_id, request_time FROM {TRACES}
        WHERE trace_id IN ('tr-1', 'a/b', '', 'get')"""
    assert sql.rows(by_id) == [("tr-1", served.experiment, REQUEST_TIME)]
    assert sql.row(*exec_text("tracking.traces.get_info", trace_id="tr-1"))[0] == "tr-1"

    assert sql.do(f"DELETE FROM {TRACES} WHERE experiment_id = ? AND trace_id LIKE 'tr-%'", of) == 3
    assert sql.rows(f"SELECT trace_id FROM {TRACES} WHERE experiment_id = ?", of) == [(id_,)]
    assert (id_,) in sql.rows(f"SELECT trace_id FROM {TRACES}")


def test_a_trace_whose_id_is_there_is_overwritten(sql: Sql, served: Served) -> None:
    """Why the insert may be repeated: it acts once, however often it is sent."""
    for state in ("IN_PROGRESS", "OK", "OK"):
        make_trace(sql, served, "tr-again", state=state)
    assert sql.rows(f"SELECT state FROM {TRACES} WHERE trace_id = 'tr-again'") == [("OK",)]


def test_a_list_of_more_than_a_page_is_read_to_its_end(sql: Sql, served: Served) -> None:
    experiment = str(served.rest.post("experiments/create", name="pages")["experiment_id"])
    made = f"""WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 41)
        INSERT INTO {TRACES} (experiment_id, trace_id) SELECT ?, 'tr-p' || i FROM n"""
    assert sql.do(made, [experiment]) == 41
    counted = f"""SELECT count(*), count(DISTINCT trace_id) FROM {TRACES}
        WHERE experiment_id = ? AND max_results = 10"""
    assert sql.row(counted, [experiment]) == (41, 41)
    assert [path for _, path in sql.recorder.made].count("/api/3.0/mlflow/traces/search") == 5


@covers("setTraceTagV3", "deleteTraceTagV3")
def test_tags_of_traces_are_set_and_deleted_by_key(sql: Sql, served: Served) -> None:
    make_trace(sql, served, "tr-tags", tags='{"a": "b", "keep": "1"}')
    changed = f"""UPDATE {TRACES} SET tags = json_set(json_remove(tags, '$.a'), '$.x y', 'z')
        WHERE trace_id = 'tr-tags'"""
    assert sql.do(changed) == 1
    tags = unpacked(sql.value(f"SELECT tags FROM {TRACES} WHERE trace_id = 'tr-tags'"))
    assert {name: tags.get(name) for name in ("a", "keep", "x y")} == {"a": None, "keep": "1", "x y": "z"}
    error = sql.refused(
        *exec_text("tracking.traces.set_tag", trace_id="tr-tags", key="long", value="x" * 4097)
    )
    assert error.reason == "too_long"


def test_what_is_too_long_is_cut_off_without_a_word(served: Served) -> None:
    """Why tags and metadata of a trace have a `max_chars`."""
    info = {
        "trace_id": "tr-long",
        "trace_location": {
            "type": "MLFLOW_EXPERIMENT",
            "mlflow_experiment": {"experiment_id": served.experiment},
        },
        "request_time": "2026-01-02T03:04:05Z",
        "tags": {"k": "x" * 5000},
        "trace_metadata": {"k": "x" * 5000},
    }
    url = f"{served.base_url}/api/3.0/mlflow/traces"
    answer = httpx.post(url, json={"trace": {"trace_info": info}}).json()["trace"]["trace_info"]
    assert (len(answer["tags"]["k"]), len(answer["trace_metadata"]["k"])) == (4096, 250)


@covers(
    "startTrace", "endTrace", "getTraceInfo", "searchTraces", "setTraceTag", "deleteTraceTag", "deleteTraces"
)
def test_the_older_calls_of_traces_act_on_the_same_traces(sql: Sql, served: Served) -> None:
    started = exec_text(
        "tracking.traces.startTrace", experiment_id=served.experiment, timestamp_ms=7, tags='{"t": "u"}'
    )
    id_ = sql.row(*started)[0]
    one = {"request_id": id_}
    sql.do(*exec_text("tracking.traces.end_v2", **one, timestamp_ms=1007, status="ERROR"))
    sql.do(*exec_text("tracking.traces.set_tag_v2", **one, key="k", value="v"))
    sql.do(*exec_text("tracking.traces.delete_tag_v2", **one, key="t"))
    read = f"SELECT state, execution_duration, tags->>'k', tags->>'t' FROM {TRACES} WHERE trace_id = ?"
    assert sql.row(read, [id_]) == ("ERROR", "1s", "v", None)
    assert id_ in sql.row(*exec_text("tracking.traces.get_info_v2", **one))
    of = {"experiment_ids": json.dumps([served.experiment]), "filter": f"request_id = '{id_!s}'"}
    assert [row[0] for row in sql.rows(*exec_text("tracking.traces.search_v2", **of))] == [id_]
    until = exec_text("tracking.traces.delete_many", experiment_id=served.experiment, max_timestamp_millis=7)
    assert sql.value(*until) == 1
    assert sql.rows(read, [id_]) == []


@covers("linkTracesToRun", "linkPromptsToTrace", "calculateTraceFilterCorrelation", "queryTraceMetrics")
def test_traces_are_linked_and_counted(sql: Sql, served: Served) -> None:
    experiment = str(served.rest.post("experiments/create", name="links")["experiment_id"])
    for id_, state in (("tr-a", "OK"), ("tr-b", "OK"), ("tr-c", "ERROR")):
        sql.do(
            f"INSERT INTO {TRACES} (experiment_id, trace_id, state) VALUES (?, ?, ?)",
            [experiment, id_, state],
        )
    sql.do(*exec_text("tracking.traces.link_to_run", trace_ids="tr-a", run_id=served.run))
    prompts = '[{"name": "p", "version": "1"}]'
    sql.do(*exec_text("tracking.traces.link_prompts", trace_id="tr-b", prompt_versions=prompts))
    linked = f"SELECT trace_id FROM {TRACES} WHERE experiment_id = ? AND filter = ?"
    assert sql.rows(linked, [experiment, f"run_id = '{served.run}'"]) == [("tr-a",)]
    assert sql.rows(linked, [experiment, "prompt = 'p/1'"]) == [("tr-b",)]

    of = {"experiment_ids": json.dumps([experiment])}
    filters = {"filter_string1": "status = 'OK'", "filter_string2": f"run_id = '{served.run}'"}
    counts = sql.row(*exec_text("tracking.traces.calculate_filter_correlation", **of, **filters))
    assert counts[2:] == (2, 1, 1, 3)
    asked = exec_text(
        "tracking.traces.query_metrics",
        **of,
        view_type="TRACES",
        metric_name="trace_count",
        aggregations='[{"aggregation_type": "COUNT"}]',
        dimensions='["trace_status"]',
    )
    metrics = {unpacked(d)["trace_status"]: unpacked(v)["COUNT"] for _, d, v in sql.rows(*asked)}
    assert metrics == {"OK": 2, "ERROR": 1}


def test_metrics_that_fill_the_answer_are_an_error_and_not_a_part(sql: Sql, served: Served) -> None:
    asked = exec_text(
        "tracking.traces.query_metrics",
        experiment_ids=json.dumps([served.experiment]),
        view_type="TRACES",
        metric_name="trace_count",
        aggregations='[{"aggregation_type": "COUNT"}]',
        max_results=1,
    )
    assert sql.refused(*asked).reason == "capped"


@covers(
    "createAssessment",
    "GetAssessment",
    "updateAssessment",
    "deleteAssessment",
    "searchTracesV3",
    "batchGetTraceInfos",
)
def test_assessments_are_made_read_changed_and_deleted(sql: Sql, served: Served) -> None:
    make_trace(sql, served, "tr-judged")
    made = f"""INSERT INTO {ASSESSMENTS} (trace_id, assessment_name, feedback, source, rationale, metadata)
        VALUES ('tr-judged', 'good', '{{"value": true}}', ?, 'why', '{{"a": "b"}}')
        RETURNING assessment_id, valid"""
    id_, valid = sql.row(made, ['{"source_type": "HUMAN", "source_id": "ann"}'])
    assert valid == 1
    sql.do(f"""INSERT INTO {ASSESSMENTS} (trace_id, assessment_name, expectation)
        VALUES ('tr-judged', 'wanted', '{{"value": 3.5}}')""")
    read = (
        f"SELECT experiment_id, assessment_name, feedback, expectation, rationale FROM {ASSESSMENTS} WHERE "
    )
    good = (served.experiment, "good", '{"value":true}', None, "why")
    wanted = (served.experiment, "wanted", None, '{"value":3.5}', None)
    assert sorted(sql.rows(read + "trace_id = 'tr-judged'"), key=str) == [good, wanted]
    assert sorted(sql.rows(read + "experiment_id = ?", [served.experiment]), key=str) == [good, wanted]
    one = {"trace_id": "tr-judged", "assessment_id": id_}
    assert sql.row(*exec_text("tracking.assessments.get", **one))[0] == id_

    changed = f"""UPDATE {ASSESSMENTS}
        SET assessment_name = 'better', feedback = '{{"value": 7}}', rationale = NULL
        WHERE trace_id = 'tr-judged' AND assessment_id = ?"""
    assert sql.do(changed, [id_]) == 1
    after = (served.experiment, "better", '{"value":7.0}', None, None)
    assert sql.row(read + "trace_id = 'tr-judged' AND assessment_id = ?", [id_]) == after
    assert sql.do(changed, ["a-nobody"]) == 0
    assert sql.do(f"DELETE FROM {ASSESSMENTS} WHERE trace_id = 'tr-judged' AND feedback IS NOT NULL") == 1
    assert sql.rows(read + "trace_id = 'tr-judged'") == [wanted]


@covers("getTrace", "batchGetTraces")
def test_spans_that_the_store_holds_are_rows(sql: Sql, served: Served) -> None:
    log_spans(served, "tr-spans")
    read = """SELECT experiment_id, span_id, parent_span_id, name, end_time_unix_nano - start_time_unix_nano,
        attributes->>'$[0].key' FROM mlflow.tracking.spans WHERE trace_id = 'tr-spans' ORDER BY span_id"""
    root = (served.experiment, "AAAAAAAAAAE=", None, "root", 1_000_000_123, "mlflow.traceRequestId")
    child = (
        served.experiment,
        "AAAAAAAAAAI=",
        "AAAAAAAAAAE=",
        "child",
        1_000_000_123,
        "mlflow.traceRequestId",
    )
    assert sql.rows(read) == [root, child]
    assert sql.rows("SELECT name FROM mlflow.tracking.spans WHERE trace_id = 'nobody'") == []
    ((_, spans),) = sql.rows(*exec_text("tracking.traces.batch_get", trace_ids='["tr-spans", "nobody"]'))
    assert [span["name"] for span in unpacked(spans)] == ["root", "child"]


def test_spans_that_are_elsewhere_are_an_error_and_not_no_rows(sql: Sql, served: Served) -> None:
    make_trace(sql, served, "tr-elsewhere")
    error = sql.answered("SELECT * FROM mlflow.tracking.spans WHERE trace_id = 'tr-elsewhere'")
    assert (error.status, error.code) == (500, "INTERNAL_ERROR")


def log_spans(served: Served, trace_id: str) -> None:
    """Two spans, put there as an exporter's endpoint would: no RPC takes any."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from mlflow.entities.span import Span
        from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore
        from opentelemetry.sdk.trace import ReadableSpan
        from opentelemetry.trace import SpanContext

    def context(span_id: int) -> Any:
        return SpanContext(trace_id=12345, span_id=span_id, is_remote=False)

    start = 1_767_323_045_678_000_000
    spans = [
        Span(
            ReadableSpan(
                name=name,
                context=context(number),
                parent=context(parent) if parent else None,
                attributes={"mlflow.traceRequestId": json.dumps(trace_id)},
                start_time=start,
                end_time=start + 1_000_000_123,
            )
        )
        for number, parent, name in ((1, 0, "root"), (2, 1, "child"))
    ]
    store = SqlAlchemyStore(served.database, "mlflow-artifacts:/")  # type: ignore[no-untyped-call]  # MLflow's own
    store.log_spans(served.experiment, spans)
