"""What the stand-in for the whole of Vertex AI is filled with, always the same."""

from __future__ import annotations

from collections.abc import Iterator

from sqlprovider.values import JSON
from tests.fakes.proto_json import Object
from tests.fakes.vertex_data import LOCATION, ODD_NAMES, add_boards
from tests.fakes.vertex_platform import new_platform
from tests.fakes.vertex_platform_state import PlatformState

STORE = f"{LOCATION}/metadataStores/default"
JOB_STATES = ("SUCCEEDED", "FAILED", "RUNNING", "PENDING", "CANCELLED", "QUEUED")
WORKER: Object = {
    "machineSpec": {"machineType": "n1-standard-4", "acceleratorType": "NVIDIA_TESLA_T4"},
    "replicaCount": "1",
    "containerSpec": {"imageUri": "gcr.io/acme/train", "args": ["--lr", "0.1"]},
}
SPEC: Object = {"workerPoolSpecs": [WORKER]}
STUDY_SPEC: Object = {
    "metrics": [{"metricId": "accuracy", "goal": "MAXIMIZE"}],
    "parameters": [
        {"parameterId": "lr", "doubleValueSpec": {"minValue": 0.001, "maxValue": 0.1}},
        {"parameterId": "layers", "integerValueSpec": {"minValue": "1", "maxValue": "9"}},
    ],
}
METADATA_VALUES: tuple[JSON, ...] = (
    "adam", "Adam", 10, "10", 0.5, True, "true", [1, 2], "[1,2]", {"a": 1}, None, "", "a*m", 'say "hi"',
)  # fmt: skip


def vertex_jobs() -> PlatformState:
    """`vertex_small`'s TensorBoards and, in project p and location l, a few of everything else.

    - custom jobs 1001 to 1016, one for each of ODD_NAMES and two with `*`; states, labels and times in turn;
      project q has one of the same id;
    - up to five of hyperparameter tuning, batch prediction, pipeline and tuning jobs, pipelines, schedules;
    - metadata store `default`: experiments and their runs as contexts, executions, artifacts; the runs hold
      METADATA_VALUES in turn;
    - models, endpoints with a deployed model, studies with trials.
    """
    state = new_platform()
    add_boards(state)
    _add_custom_jobs(state)
    _add_other_jobs(state)
    _add_pipelines(state)
    _add_metadata(state)
    _add_models(state)
    _add_studies(state)
    return state


def many_jobs(count: int) -> PlatformState:
    """So many custom jobs, a third of them running."""
    state = new_platform()
    for index in range(count):
        name = "RUNNING" if index % 3 == 0 else "SUCCEEDED"
        item: Object = {"displayName": f"job {index}", "jobSpec": SPEC, "state": f"JOB_STATE_{name}"}
        state.add(f"{LOCATION}/customJobs/{index + 1}", item)
    return state


def _add_custom_jobs(state: PlatformState) -> None:
    for index, name in enumerate((*ODD_NAMES, "sweep-*", "sweep-*-3"), 1):
        job: Object = {"jobSpec": SPEC, **({"displayName": name} if name else {}), **_outcome(index)}
        if index % 3:
            job["labels"] = {"team": "vision" if index % 2 else "text", "lr-0": f"0-{index}", "größe": "1"}
        if index % 5 == 0:
            job["createTime"] = "2025-12-31T23:59:59Z"
        state.add(f"{LOCATION}/customJobs/{1000 + index}", job)
    other: Object = {"displayName": "of another project", "jobSpec": SPEC, "state": "JOB_STATE_SUCCEEDED"}
    state.add("projects/q/locations/l/customJobs/1001", other)


def _outcome(index: int, prefix: str = "JOB") -> Object:
    """A state, with the times and the error that go with it."""
    name = JOB_STATES[index % len(JOB_STATES)]
    outcome: Object = {"state": f"{prefix}_STATE_{name}"}
    if name not in ("PENDING", "QUEUED"):
        outcome["startTime"] = f"2026-01-02T04:{index:02d}:00.5Z"
    if name in ("SUCCEEDED", "FAILED", "CANCELLED"):
        outcome["endTime"] = f"2026-01-02T05:{index:02d}:00.250001Z"
    if name == "FAILED":
        outcome["error"] = {"code": 9, "message": "The replica ended with 1."}
    return outcome


def _add_other_jobs(state: PlatformState) -> None:
    for index in range(1, 4):
        state.add(
            f"{LOCATION}/hyperparameterTuningJobs/{2000 + index}",
            {
                "displayName": f"tune {index}",
                "studySpec": STUDY_SPEC,
                "maxTrialCount": 10 * index,
                "parallelTrialCount": index,
                "trialJobSpec": SPEC,
                "labels": {"team": "vision"},
                **_outcome(index),
            },
        )
        state.add(
            f"{LOCATION}/batchPredictionJobs/{3000 + index}",
            {
                "displayName": f"predict {index}",
                "model": f"{LOCATION}/models/classifier",
                "inputConfig": {"instancesFormat": "jsonl", "gcsSource": {"uris": ["gs://acme/in"]}},
                "outputConfig": {"predictionsFormat": "jsonl"},
                **_outcome(index + 1),
            },
        )
    for index in range(1, 3):
        state.add(
            f"{LOCATION}/tuningJobs/{4000 + index}",
            {
                "baseModel": "gemini-2.5-flash",
                "tunedModelDisplayName": f"support {index}",
                "supervisedTuningSpec": {"trainingDatasetUri": "gs://acme/train.jsonl"},
                **_outcome(index),
            },
        )


def _add_pipelines(state: PlatformState) -> None:
    for index in range(1, 6):
        state.add(
            f"{LOCATION}/pipelineJobs/nightly-{index}",
            {
                "displayName": f"nightly {index}",
                "labels": {"env": "prod" if index % 2 else "test"},
                "templateUri": "gs://acme/pipeline.json",
                "runtimeConfig": {"parameterValues": {"lr": 0.1 * index}},
                **_outcome(index, "PIPELINE"),
            },
        )
    for index in range(1, 4):
        state.add(
            f"{LOCATION}/trainingPipelines/{5000 + index}",
            {
                "displayName": f"automl {index}",
                "trainingTaskDefinition": "gs://google-cloud-aiplatform/schema/tabular.yaml",
                "trainingTaskInputs": {"targetColumn": "label"},
                **_outcome(index, "PIPELINE"),
            },
        )
    for index, status in enumerate(("ACTIVE", "PAUSED", "COMPLETED"), 1):
        state.add(
            f"{LOCATION}/schedules/{6000 + index}",
            {
                "displayName": f"every {index} days",
                "cron": f"0 0 */{index} * *",
                "maxConcurrentRunCount": "1",
                "createPipelineJobRequest": {"parent": LOCATION, "pipelineJob": {"displayName": "nightly"}},
                "state": status,
            },
        )


def _add_metadata(state: PlatformState) -> None:
    state.add(STORE, {"description": "of this project"})
    for name in ("baseline", "bert"):
        context: Object = {"displayName": name, "schemaTitle": "system.Experiment", "schemaVersion": "0.0.1"}
        state.add(f"{STORE}/contexts/{name}", context)
    for index, value in enumerate(METADATA_VALUES, 1):
        metadata: Object = {"lr": 0.1 * index, "optimizer": value, "a:b": f"x{index}"}
        run: Object = {
            "displayName": f"run {index}",
            "schemaTitle": "system.ExperimentRun",
            "schemaVersion": "0.0.1",
            "metadata": metadata if index % 4 else {"lr": "fast"},
            "parentContexts": [f"{STORE}/contexts/{'bert' if index % 2 else 'baseline'}"],
        }
        state.add(f"{STORE}/contexts/run-{index:02d}", run)
    for item in _executions_and_artifacts():
        state.add(*item)
    state.members[f"{STORE}/contexts/run-01"] = [f"{STORE}/executions/train-1", f"{STORE}/artifacts/model-1"]
    for number, kind in ((1, "OUTPUT"), (2, "INPUT")):
        ends: Object = {
            "artifact": f"{STORE}/artifacts/model-{number}",
            "execution": f"{STORE}/executions/train-1",
        }
        state.events.append({**ends, "type": kind, "eventTime": "2026-01-02T05:00:00Z"})


def _executions_and_artifacts() -> Iterator[tuple[str, Object]]:
    for index, status in enumerate(("COMPLETE", "RUNNING", "FAILED"), 1):
        run: Object = {"schemaTitle": "system.Run", "state": status, "metadata": {"loss": 0.1 * index}}
        yield f"{STORE}/executions/train-{index}", {"displayName": f"train {index}", **run}
        uri = f"gs://acme/models/{index}"
        model: Object = {"schemaTitle": "system.Model", "state": "LIVE", "uri": uri}
        yield f"{STORE}/artifacts/model-{index}", {"displayName": f"model {index}", **model}


def _add_models(state: PlatformState) -> None:
    for index, id_ in enumerate(("classifier", "ranker", "7001"), 1):
        name = f"{LOCATION}/models/{id_}"
        model: Object = {
            "displayName": id_.title(),
            "labels": {"team": "vision" if index % 2 else "text"},
            "artifactUri": f"gs://acme/models/{index}",
            "versionId": "1",
            "versionAliases": ["default"],
        }
        state.versions[name] = {"1": state.add(name, model)}
    deployed: JSON = [{"id": "11", "model": f"{LOCATION}/models/classifier", "displayName": "first"}]
    serving: Object = {"displayName": "serving", "deployedModels": deployed, "trafficSplit": {"11": 100}}
    state.add(f"{LOCATION}/endpoints/8001", serving)
    state.add(f"{LOCATION}/endpoints/8002", {"displayName": "idle", "labels": {"team": "text"}})


def _add_studies(state: PlatformState) -> None:
    for index in (1, 2):
        study = f"{LOCATION}/studies/{9000 + index}"
        state.add(study, {"displayName": f"study {index}", "studySpec": STUDY_SPEC})
        for number in range(1, 4):
            final: Object = {"stepCount": "10", "metrics": [{"metricId": "accuracy", "value": 0.2 * number}]}
            trial: Object = {
                "id": str(number),
                "parameters": [{"parameterId": "lr", "value": 0.01 * number}],
                "startTime": f"2026-01-02T03:0{number}:00Z",
                **({"state": "ACTIVE"} if number == 3 else {"state": "SUCCEEDED", "finalMeasurement": final}),
            }
            state.add(f"{study}/trials/{number}", trial)
