"""What MLflow's newer APIs hold: traces, reviews, issues, datasets, scorers, the gateway.

Put on a server by plain REST, and read from it so, beside what `mlflow.py` and `mlflow_objects.py` have.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias, cast

import httpx

from sqlprovider.values import JSON, SQLValue
from tests.mlflow import START, Object, Rest, text_at
from tests.oracle import compact, time_of_ms, time_of_rfc3339

Values: TypeAlias = dict[str, SQLValue]

CLIENT_IDS = ("it's", 'say "hi"', "both ' and \"", "back\\slash", "Ünï 🙂", "UPPER", "upper", "50%_off")
STATES = ("OK", "ERROR", "IN_PROGRESS", "STATE_UNSPECIFIED")


class Rest3:
    """The newer part of the REST API as it is: an answer that is no 200 raises."""

    def __init__(self, base_url: str) -> None:
        self._base_url = base_url

    def post(self, path: str, /, **body: JSON) -> Object:
        return self._object(httpx.post(self._url(path), json=body, timeout=30))

    def get(self, path: str, /, **query: str) -> Object:
        return self._object(httpx.get(self._url(path), params=query, timeout=30))

    def _url(self, path: str) -> str:
        return self._base_url + (path if path.startswith("/") else f"/api/3.0/mlflow/{path}")

    def listed(self, answer: Object, name: str) -> list[Object]:
        """A list of the answer; an empty one is left out by the API."""
        return cast("list[Object]", answer.get(name, []))

    @staticmethod
    def _object(answer: httpx.Response) -> Object:
        assert answer.is_success, f"{answer.request.url} answered {answer.status_code}: {answer.text[:300]}"
        return cast(Object, answer.json())


def fill(base_url: str, experiments: Mapping[str, str]) -> None:
    """Puts it all beside what is there, into the live experiments `odd` and `percent`."""
    rest = Rest3(base_url)
    for number, client_id in enumerate(CLIENT_IDS):
        _trace(rest, experiments["percent"], number, client_id)
    _trace(rest, experiments["odd"], 20, None)
    _assessments(rest)
    _datasets(rest, experiments)
    _reviews(rest, experiments["percent"])
    for severity, status in (("high", "pending"), ("low", "resolved"), (None, "pending")):
        said: Object = {"severity": severity} if severity else {}
        rest.post(
            "issues",
            experiment_id=experiments["odd"],
            name=f"slow {severity}",
            description="d",
            status=status,
            root_causes=["a", "b"],
            **said,
        )
    _gateway(rest, experiments["odd"])


def _trace(rest: Rest3, experiment_id: str, number: int, client_id: str | None) -> None:
    """Two traces each have the same time."""
    more: Object = {"client_request_id": client_id, "execution_duration": "1.500s"} if client_id else {}
    info: Object = {
        "trace_id": f"tr-{number:02}",
        "trace_location": {
            "type": "MLFLOW_EXPERIMENT",
            "mlflow_experiment": {"experiment_id": experiment_id},
        },
        "request_time": time_of_ms(START + number // 2 * 60_000).replace(" ", "T") + "Z",
        "state": STATES[number % len(STATES)],
        "tags": {"number": str(number)},
        "request_preview": f"asked {number}",
        **more,
    }
    rest.post("traces", trace={"trace_info": info})


def _assessments(rest: Rest3) -> None:
    judged: list[Object] = [
        {"feedback": {"value": True}, "rationale": "why", "metadata": {"a": "b"}},
        {"feedback": {"value": "good"}, "source": {"source_type": "HUMAN", "source_id": "ann"}},
        {"feedback": {"error": {"error_code": "E", "error_message": "m"}}},
        {"expectation": {"value": 3.5}, "span_id": "s"},
        {"expectation": {"value": {"deep": [1]}}},
        {"issue": {"issue_name": "slow"}},
    ]
    for number, assessment in enumerate(judged):
        trace = f"tr-{number % 2:02}"
        said: Object = {"assessment_name": f"a {number}", "assessment_id": f"a-{number}", **assessment}
        rest.post(f"traces/{trace}/assessments", assessment=said)
    again: Object = {"assessment_name": "a 0", "assessment_id": "a-9", "overrides": "a-0"}
    rest.post("traces/tr-00/assessments", assessment={**again, "feedback": {"value": False}})


def _datasets(rest: Rest3, experiments: Mapping[str, str]) -> None:
    both: list[JSON] = [experiments["odd"], experiments["percent"]]
    for name, ids in (("it's", both), ("50%_off", both), ("Ünï 🙂", []), ("UPPER", both[:1])):
        tags = '{"mlflow.user": "ann"}' if name == "UPPER" else "{}"
        rest.post("datasets/create", name=name, experiment_ids=ids, tags=tags)


def _reviews(rest: Rest3, experiment_id: str) -> None:
    question: Object = {"name": "tone", "type": "FEEDBACK", "input": {"text": {"max_length": 5}}}
    schema = rest.post("label-schemas/create", experiment_id=experiment_id, **question)
    ids: JSON = [text_at(schema, "label_schema", "schema_id")]
    for name, schemas in (("Q", ids), ("Ünï", [])):
        queue = rest.post(
            "review-queues/create",
            experiment_id=experiment_id,
            name=name,
            queue_type="CUSTOM",
            users=["ann"],
            schema_ids=schemas,
        )
        queue_id = text_at(queue, "review_queue", "queue_id")
        rest.post("review-queues/items/add", queue_id=queue_id, item_ids=["tr-00", "tr-01"])
        done: Object = {"item_id": "tr-00", "status": "COMPLETE", "completed_by": "ann"}
        rest.post("review-queues/items/set-status", queue_id=queue_id, **done)


def _gateway(rest: Rest3, experiment_id: str) -> None:
    scorers = [
        rest.post("scorers/register", experiment_id=experiment_id, name=name, serialized_scorer="{}")
        for name in ("safe", "safe", "it's")
    ]
    secret = rest.post(
        "gateway/secrets/create", secret_name="k", secret_value={"api_key": "sk-planted-1234"}, provider="p"
    )
    model: Object = {"secret_id": text_at(secret, "secret", "secret_id"), "model_name": "m"}
    for provider in ("p", "q"):
        made = rest.post("gateway/model-definitions/create", name=provider, provider=provider, **model)
        definition = text_at(made, "model_definition", "model_definition_id")
        configs: JSON = [{"model_definition_id": definition, "linkage_type": "PRIMARY"}]
        endpoint = rest.post(
            "gateway/endpoints/create", name=provider, model_configs=configs, usage_tracking=False
        )
        endpoint_id = text_at(endpoint, "endpoint", "endpoint_id")
        rest.post("gateway/endpoints/set-tag", endpoint_id=endpoint_id, key="a", value=provider)
        bound: Object = {"resource_type": "scorer", "resource_id": provider}
        rest.post("gateway/endpoints/bindings/create", endpoint_id=endpoint_id, **bound)
        guard: Object = {"scorer_id": text_at(scorers[0], "scorer_id"), "scorer_version": 1}
        guardrail = rest.post(
            "gateway/guardrails/create", name=provider, stage="AFTER", action="VALIDATION", **guard
        )
        put: Object = {"guardrail_id": text_at(guardrail, "guardrail", "guardrail_id")}
        rest.post("gateway/guardrails/add-to-endpoint", endpoint_id=endpoint_id, execution_order=1, **put)
    budget: Object = {"budget_unit": "USD", "budget_amount": 2.5, "target_scope": "GLOBAL"}
    rest.post(
        "gateway/budgets/create", duration={"unit": "DAYS", "value": 1}, budget_action="ALERT", **budget
    )


class MoreObjects:
    """The rows of each resource, read once, each with the names that the columns have."""

    def __init__(self, rest: Rest, experiments: list[Object]) -> None:
        self._rest = Rest3(rest.base_url)
        self._all = [text_at(found, "experiment_id") for found in experiments]
        live = [found for found in experiments if found["lifecycle_stage"] == "active"]
        self._live = [text_at(found, "experiment_id") for found in live]
        located: list[JSON] = [
            {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": id_}} for id_ in self._all
        ]
        self._traces = self._found("traces/search", "traces", locations=located, max_results=500)

    def rows(self, name: str) -> list[Values]:
        """The rows of the resource of that name."""
        make: Callable[[], Iterator[Values]] = getattr(self, f"_{name}_rows")
        return list(make())

    def _found(self, path: str, name: str, /, **body: JSON) -> list[Object]:
        return self._rest.listed(self._rest.post(path, **body), name)

    def _got(self, path: str, name: str, /, **query: str) -> list[Object]:
        return self._rest.listed(self._rest.get(path, **query), name)

    def _traces_rows(self) -> Iterator[Values]:
        for item in self._traces:
            yield {
                "experiment_id": _experiment_of(item),
                **_texts(item, "trace_id", "client_request_id", "execution_duration", "state"),
                **_texts(item, "request_preview", "response_preview", "request", "response"),
                **_moments(item, "request_time"),
                **_jsons(item, "trace_metadata", "tags", "assessments", "trace_location"),
            }

    def _assessments_rows(self) -> Iterator[Values]:
        for trace in self._traces:
            for item in self._rest.listed(trace, "assessments"):
                yield {
                    "experiment_id": _experiment_of(trace),
                    **_texts(item, "trace_id", "assessment_id", "assessment_name", "rationale", "span_id"),
                    **_texts(item, "overrides"),
                    **_jsons(item, "source", "feedback", "expectation", "issue", "metadata", "error"),
                    **_moments(item, "create_time", "last_update_time"),
                    "valid": int(item["valid"] is True),
                }

    def _datasets_rows(self) -> Iterator[Values]:
        for item in self._found("datasets/search", "datasets", max_results=1000):
            yield {
                **_texts(item, "dataset_id", "name", "tags", "schema", "profile", "digest", "created_by"),
                **_texts(item, "last_updated_by"),
                **_times(item, "created_time", "last_update_time"),
            }

    def _dataset_summaries_rows(self) -> Iterator[Values]:
        path = "/ajax-api/2.0/mlflow/experiments/search-datasets"
        for item in self._found(path, "dataset_summaries", experiment_ids=[*self._all]):
            yield _texts(item, "experiment_id", "name", "digest", "context")

    def _dataset_experiments_rows(self) -> Iterator[Values]:
        for dataset in self._datasets_rows():
            answer = self._rest.get(f"datasets/{dataset['dataset_id']!s}/experiment-ids")
            for id_ in cast("list[str]", answer.get("experiment_ids", [])):
                yield {"dataset_id": dataset["dataset_id"], "experiment_id": id_}

    def _scorers_rows(self) -> Iterator[Values]:
        yield from map(_scorer, self._got("scorers/list", "scorers"))

    def _scorer_versions_rows(self) -> Iterator[Values]:
        for newest in self._scorers_rows():
            asked = {"experiment_id": str(newest["experiment_id"]), "name": str(newest["name"])}
            yield from map(_scorer, self._got("scorers/versions", "scorers", **asked))

    def _label_schemas_rows(self) -> Iterator[Values]:
        for id_ in self._live:
            for item in self._got("label-schemas/list", "label_schemas", experiment_id=id_):
                yield {
                    **_texts(item, "experiment_id", "schema_id", "name", "type", "instruction", "created_by"),
                    **_jsons(item, "input"),
                    **_times(item, "created_at", "last_updated_at"),
                    **{name: int(item[name] is True) for name in ("enable_comment", "is_default")},
                }

    def _review_queues_rows(self) -> Iterator[Values]:
        for id_ in self._live:
            for item in self._got("review-queues/list", "review_queues", experiment_id=id_):
                yield {
                    **_texts(item, "experiment_id", "queue_id", "name", "queue_type", "created_by"),
                    **_jsons(item, "users", "schema_ids"),
                    **_times(item, "creation_time_ms", "last_update_time_ms"),
                }

    def _review_queue_items_rows(self) -> Iterator[Values]:
        for queue in self._review_queues_rows():
            for item in self._got("review-queues/items/list", "items", queue_id=str(queue["queue_id"])):
                yield {
                    **_texts(item, "queue_id", "item_id", "item_type", "status", "completed_by"),
                    **_times(item, "completed_time_ms", "creation_time_ms", "last_update_time_ms"),
                }

    def _issues_rows(self) -> Iterator[Values]:
        for item in self._found("issues/search", "issues", max_results=1000):
            yield {
                **_texts(item, "experiment_id", "issue_id", "name", "description", "status", "severity"),
                **_texts(item, "source_run_id", "created_by"),
                **_jsons(item, "root_causes", "categories"),
                **_times(item, "created_timestamp", "last_updated_timestamp"),
            }

    def _model_definitions_rows(self) -> Iterator[Values]:
        for item in self._got("gateway/model-definitions/list", "model_definitions"):
            yield {
                **_texts(item, "model_definition_id", "name", "provider", "model_name", "secret_id"),
                **_texts(item, "secret_name"),
                **_made(item),
            }

    def _endpoint_models_rows(self) -> Iterator[Values]:
        for endpoint in self._got("gateway/endpoints/list", "endpoints"):
            for item in self._rest.listed(endpoint, "model_mappings"):
                yield {
                    **_texts(item, "endpoint_id", "mapping_id", "model_definition_id", "linkage_type"),
                    **_texts(item, "created_by"),
                    **_jsons(item, "model_definition"),
                    **_times(item, "created_at"),
                    "weight": cast(float, item["weight"]),
                }

    def _endpoint_bindings_rows(self) -> Iterator[Values]:
        for item in self._got("gateway/endpoints/bindings/list", "bindings"):
            yield {
                **_texts(item, "endpoint_id", "resource_type", "resource_id", "display_name"),
                **_made(item),
            }

    def _endpoint_guardrails_rows(self) -> Iterator[Values]:
        for endpoint in self._got("gateway/endpoints/list", "endpoints"):
            id_ = text_at(endpoint, "endpoint_id")
            for item in self._got("gateway/guardrails/list-for-endpoint", "configs", endpoint_id=id_):
                yield {
                    **_texts(item, "endpoint_id", "guardrail_id", "created_by"),
                    **_jsons(item, "guardrail"),
                    **_times(item, "created_at"),
                    "execution_order": cast(int, item["execution_order"]),
                }


def _experiment_of(trace: Object) -> str:
    return text_at(trace, "trace_location", "mlflow_experiment", "experiment_id")


def _scorer(item: Object) -> Values:
    return {
        "experiment_id": str(item["experiment_id"]),
        "name": text_at(item, "scorer_name"),
        "version": cast(int, item["scorer_version"]),
        **_texts(item, "serialized_scorer", "scorer_id"),
        **_times(item, "creation_time"),
    }


def _made(item: Object) -> Values:
    return {**_texts(item, "created_by", "last_updated_by"), **_times(item, "created_at", "last_updated_at")}


def _texts(item: Object, *names: str) -> Values:
    return {name: cast("str | None", item.get(name)) for name in names}


def _jsons(item: Object, *names: str) -> Values:
    return {name: None if item.get(name) is None else compact(item[name]) for name in names}


def _times(item: Object, *names: str) -> Values:
    return {name: None if item.get(name) is None else time_of_ms(int(str(item[name]))) for name in names}


def _moments(item: Object, *names: str) -> Values:
    return {name: time_of_rfc3339(text_at(item, name)) for name in names}
