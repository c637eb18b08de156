"""Calls of the official clients for jobs, pipelines, metadata, models and studies, as in `sdk_calls.py`."""

from __future__ import annotations

from collections.abc import Mapping

from sqlprovider.values import JSON
from tests.fakes.sdk_calls import SdkCall
from tests.fakes.vertex_platform_data import STUDY_SPEC

_LOCATION = "projects/p/locations/l"
_STORE = f"{_LOCATION}/metadataStores/default"
_IN_LOCATION: dict[str, JSON] = {"projectsId": "p", "locationsId": "l"}
_IN_STORE: dict[str, JSON] = {**_IN_LOCATION, "metadataStoresId": "default"}
_SPEC: JSON = {
    "workerPoolSpecs": [
        {
            "machineSpec": {"machineType": "n1-standard-4"},
            "replicaCount": "12345678901",
            "containerSpec": {"imageUri": "gcr.io/acme/train", "args": ["--lr", "0.1"]},
        }
    ],
    "scheduling": {"timeout": "3.5s", "restartJobOnWorkerRestart": True},
}
_LABELS: JSON = {"team": "vision", "größe": "12"}
_JOB: dict[str, JSON] = {"displayName": "naïve ☕ 'job'", "jobSpec": _SPEC, "labels": _LABELS}
_TUNING: dict[str, JSON] = {
    "displayName": "tune",
    "studySpec": STUDY_SPEC,
    "maxTrialCount": 4,
    "parallelTrialCount": 2,
    "trialJobSpec": _SPEC,
}
_PREDICTION: dict[str, JSON] = {
    "displayName": "predict",
    "model": f"{_LOCATION}/models/classifier",
    "inputConfig": {"instancesFormat": "jsonl", "gcsSource": {"uris": ["gs://a/b+c d"]}},
    "outputConfig": {"predictionsFormat": "jsonl", "gcsDestination": {"outputUriPrefix": "gs://a/out"}},
}
_PIPELINE: dict[str, JSON] = {
    "displayName": "nightly",
    "pipelineSpec": {"root": {"dag": {"tasks": {}}}, "schemaVersion": "2.1.0"},
    "runtimeConfig": {"parameterValues": {"lr": 0.1}},
    "labels": _LABELS,
}
_TRAINING: dict[str, JSON] = {
    "displayName": "automl",
    "trainingTaskDefinition": "gs://google-cloud-aiplatform/schema/tabular.yaml",
    "trainingTaskInputs": {"targetColumn": "label", "budget": 1000},
}
_TUNED: dict[str, JSON] = {
    "baseModel": "gemini-2.5-flash",
    "tunedModelDisplayName": "support",
    "supervisedTuningSpec": {"trainingDatasetUri": "gs://acme/train.jsonl"},
}
_SCHEDULE: dict[str, JSON] = {
    "displayName": "every day",
    "cron": "0 0 * * *",
    "maxConcurrentRunCount": "2",
    "createPipelineJobRequest": {"parent": _LOCATION, "pipelineJob": {"displayName": "nightly"}},
}
_RUN: dict[str, JSON] = {
    "displayName": "run",
    "schemaTitle": "system.ExperimentRun",
    "schemaVersion": "0.0.1",
    "metadata": {"lr": 0.5, "a:b": "x", "on": True, "layers": [1.5, "2"]},
}
_EVENTS: JSON = [{"artifact": f"{_STORE}/artifacts/model-3", "type": "OUTPUT", "labels": {"a": "b"}}]
_CHILDREN: JSON = [f"{_STORE}/contexts/run-01", f"{_STORE}/contexts/run-02"]
_PURGE: dict[str, JSON] = {"filter": 'schema_title="system.ExperimentRun"', "force": True}
_MODEL: JSON = {
    "displayName": "new",
    "artifactUri": "gs://acme/new",
    "containerSpec": {"imageUri": "gcr.io/acme/serve", "ports": [{"containerPort": 8080}]},
}
_DEPLOYED: JSON = {
    "model": f"{_LOCATION}/models/classifier",
    "displayName": "second",
    "dedicatedResources": {"machineSpec": {"machineType": "n1-standard-2"}, "minReplicaCount": 1},
}
_MEASUREMENT: JSON = {"stepCount": "7", "metrics": [{"metricId": "accuracy", "value": 0.75}]}
_FILTER = 'state="JOB_STATE_SUCCEEDED" AND display_name:"*a b*"'
_PAGE: dict[str, JSON] = {"filter": _FILTER, "pageSize": 2, "readMask": "name,displayName"}
_ORDERED: dict[str, JSON] = {
    "filter": 'labels.env="prod"',
    "pageSize": 2,
    "orderBy": "create_time desc",
    "readMask": "name,state",
}
_IN_ORDER: dict[str, JSON] = {"filter": 'display_name!="x"', "orderBy": "create_time desc", "pageSize": 2}


def _collection(
    service: str, collection: str, item: str, rpc: str, fields: Mapping[str, JSON], id_: str
) -> dict[str, SdkCall]:
    """list, get, create and delete of a collection of a location; `item`: the field of the create request."""
    table, name = "studies" if rpc == "study" else f"{rpc}s", f"{_LOCATION}/{collection}/{id_}"
    ids: dict[str, JSON] = {**_IN_LOCATION, f"{collection}Id": id_}
    return {
        f"{table}.list": SdkCall(
            f"list_{table}", {"parent": _LOCATION, "pageSize": 2}, {**_IN_LOCATION, "pageSize": 2}, service
        ),
        f"{table}.get": SdkCall(f"get_{rpc}", {"name": name}, ids, service),
        f"{table}.create": SdkCall(
            f"create_{rpc}", {"parent": _LOCATION, item: dict(fields)}, {**_IN_LOCATION, **fields}, service
        ),
        f"{table}.delete": SdkCall(f"delete_{rpc}", {"name": name}, ids, service),
    }


def _in(collection: str, id_: str, **more: JSON) -> dict[str, JSON]:
    return {**_IN_LOCATION, f"{collection}Id": id_, **more}


def _in_store(collection: str, id_: str, **more: JSON) -> dict[str, JSON]:
    return {**_IN_STORE, f"{collection}Id": id_, **more}


_JOBS = {
    **_collection("Job", "customJobs", "customJob", "custom_job", _JOB, "1003"),
    "custom_jobs.list": SdkCall(
        "list_custom_jobs", {"parent": _LOCATION, **_PAGE}, {**_IN_LOCATION, **_PAGE}, "Job"
    ),
    "custom_jobs.cancel": SdkCall(
        "cancel_custom_job", {"name": f"{_LOCATION}/customJobs/1002"}, _in("customJobs", "1002"), "Job"
    ),
    **_collection(
        "Job",
        "hyperparameterTuningJobs",
        "hyperparameterTuningJob",
        "hyperparameter_tuning_job",
        _TUNING,
        "2001",
    ),
    **_collection(
        "Job", "batchPredictionJobs", "batchPredictionJob", "batch_prediction_job", _PREDICTION, "3001"
    ),
    **_collection(
        "Pipeline", "trainingPipelines", "trainingPipeline", "training_pipeline", _TRAINING, "5001"
    ),
    "training_pipelines.cancel": SdkCall(
        "cancel_training_pipeline",
        {"name": f"{_LOCATION}/trainingPipelines/5002"},
        _in("trainingPipelines", "5002"),
        "Pipeline",
    ),
    "tuning_jobs.create": SdkCall(
        "create_tuning_job",
        {"parent": _LOCATION, "tuningJob": _TUNED},
        {**_IN_LOCATION, **_TUNED},
        "GenAiTuning",
    ),
    "tuning_jobs.cancel": SdkCall(
        "cancel_tuning_job",
        {"name": f"{_LOCATION}/tuningJobs/4002"},
        _in("tuningJobs", "4002"),
        "GenAiTuning",
    ),
}
_NIGHTLY: JSON = [f"{_LOCATION}/pipelineJobs/nightly-1", f"{_LOCATION}/pipelineJobs/nightly-2"]
_PIPELINES = {
    **_collection("Pipeline", "pipelineJobs", "pipelineJob", "pipeline_job", _PIPELINE, "nightly-1"),
    "pipeline_jobs.list": SdkCall(
        "list_pipeline_jobs", {"parent": _LOCATION, **_ORDERED}, {**_IN_LOCATION, **_ORDERED}, "Pipeline"
    ),
    "pipeline_jobs.create": SdkCall(
        "create_pipeline_job",
        {"parent": _LOCATION, "pipelineJobId": "new-1", "pipelineJob": _PIPELINE},
        {**_IN_LOCATION, "pipelineJobId": "new-1", **_PIPELINE},
        "Pipeline",
    ),
    "pipeline_jobs.batch_cancel": SdkCall(
        "batch_cancel_pipeline_jobs",
        {"parent": _LOCATION, "names": _NIGHTLY},
        {**_IN_LOCATION, "names": _NIGHTLY},
        "Pipeline",
    ),
    "pipeline_jobs.batch_delete": SdkCall(
        "batch_delete_pipeline_jobs",
        {"parent": _LOCATION, "names": _NIGHTLY},
        {**_IN_LOCATION, "names": _NIGHTLY},
        "Pipeline",
    ),
    **_collection("Schedule", "schedules", "schedule", "schedule", _SCHEDULE, "6001"),
    "schedules.patch": SdkCall(
        "update_schedule",
        {"schedule": {"name": f"{_LOCATION}/schedules/6001", "cron": "0 1 * * *"}, "updateMask": "cron"},
        _in("schedules", "6001", cron="0 1 * * *", updateMask="cron"),
        "Schedule",
    ),
    "schedules.pause": SdkCall(
        "pause_schedule", {"name": f"{_LOCATION}/schedules/6001"}, _in("schedules", "6001"), "Schedule"
    ),
    "schedules.resume": SdkCall(
        "resume_schedule",
        {"name": f"{_LOCATION}/schedules/6002", "catchUp": True},
        _in("schedules", "6002", catchUp=True),
        "Schedule",
    ),
}
_METADATA = {
    "metadata_stores.create": SdkCall(
        "create_metadata_store",
        {"parent": _LOCATION, "metadataStoreId": "second", "metadataStore": {"description": "d"}},
        {**_IN_LOCATION, "metadataStoreId": "second", "description": "d"},
        "Metadata",
    ),
    "metadata_stores.delete": SdkCall(
        "delete_metadata_store",
        {"name": _STORE, "force": True},
        {**_IN_STORE, "force": True},
        "Metadata",
    ),
    "contexts.list": SdkCall(
        "list_contexts", {"parent": _STORE, **_IN_ORDER}, {**_IN_STORE, **_IN_ORDER}, "Metadata"
    ),
    "contexts.create": SdkCall(
        "create_context",
        {"parent": _STORE, "contextId": "run-new", "context": _RUN},
        {**_IN_STORE, "contextId": "run-new", **_RUN},
        "Metadata",
    ),
    "contexts.patch": SdkCall(
        "update_context",
        {
            "context": {"name": f"{_STORE}/contexts/run-01", "metadata": {"lr": 1.0}, "description": "d"},
            "updateMask": "metadata,description",
            "allowMissing": True,
        },
        _in_store(
            "contexts",
            "run-01",
            metadata={"lr": 1.0},
            description="d",
            updateMask="metadata,description",
            allowMissing=True,
        ),
        "Metadata",
    ),
    "contexts.delete": SdkCall(
        "delete_context",
        {"name": f"{_STORE}/contexts/run-01", "force": True},
        _in_store("contexts", "run-01", force=True),
        "Metadata",
    ),
    "contexts.add_context_children": SdkCall(
        "add_context_children",
        {"context": f"{_STORE}/contexts/bert", "childContexts": _CHILDREN},
        _in_store("contexts", "bert", childContexts=_CHILDREN),
        "Metadata",
    ),
    "contexts.query_context_lineage_subgraph": SdkCall(
        "query_context_lineage_subgraph",
        {"context": f"{_STORE}/contexts/run-01"},
        _in_store("contexts", "run-01"),
        "Metadata",
    ),
    "contexts.purge": SdkCall(
        "purge_contexts", {"parent": _STORE, **_PURGE}, {**_IN_STORE, **_PURGE}, "Metadata"
    ),
    "executions.add_execution_events": SdkCall(
        "add_execution_events",
        {"execution": f"{_STORE}/executions/train-2", "events": _EVENTS},
        _in_store("executions", "train-2", events=_EVENTS),
        "Metadata",
    ),
    "artifacts.query_artifact_lineage_subgraph": SdkCall(
        "query_artifact_lineage_subgraph",
        {"artifact": f"{_STORE}/artifacts/model-1", "maxHops": 2},
        _in_store("artifacts", "model-1", maxHops=2),
        "Metadata",
    ),
}
_SPLIT: JSON = {"0": 50, "11": 50}
_MODELS = {
    "models.upload": SdkCall(
        "upload_model",
        {"parent": _LOCATION, "modelId": "new", "model": _MODEL},
        {**_IN_LOCATION, "modelId": "new", "model": _MODEL},
        "Model",
    ),
    "models.list_versions": SdkCall(
        "list_model_versions",
        {"name": f"{_LOCATION}/models/ranker", "pageSize": 5},
        _in("models", "ranker", pageSize=5),
        "Model",
    ),
    "models.delete": SdkCall(
        "delete_model", {"name": f"{_LOCATION}/models/ranker"}, _in("models", "ranker"), "Model"
    ),
    "endpoints.create": SdkCall(
        "create_endpoint",
        {"parent": _LOCATION, "endpointId": "new-1", "endpoint": {"displayName": "new", "labels": _LABELS}},
        {**_IN_LOCATION, "endpointId": "new-1", "displayName": "new", "labels": _LABELS},
        "Endpoint",
    ),
    "endpoints.patch": SdkCall(
        "update_endpoint",
        {
            "endpoint": {"name": f"{_LOCATION}/endpoints/8002", "displayName": "busy"},
            "updateMask": "displayName",
        },
        _in("endpoints", "8002", displayName="busy", updateMask="displayName"),
        "Endpoint",
    ),
    "endpoints.deploy_model": SdkCall(
        "deploy_model",
        {"endpoint": f"{_LOCATION}/endpoints/8001", "deployedModel": _DEPLOYED, "trafficSplit": _SPLIT},
        _in("endpoints", "8001", deployedModel=_DEPLOYED, trafficSplit=_SPLIT),
        "Endpoint",
    ),
}
_IN_TRIALS = f"{_LOCATION}/studies/9001"
_STUDIES = {
    **_collection(
        "Vizier", "studies", "study", "study", {"displayName": "new", "studySpec": STUDY_SPEC}, "9001"
    ),
    "studies.lookup": SdkCall(
        "lookup_study",
        {"parent": _LOCATION, "displayName": "study 2"},
        {**_IN_LOCATION, "displayName": "study 2"},
        "Vizier",
    ),
    "trials.create": SdkCall(
        "create_trial",
        {"parent": _IN_TRIALS, "trial": {}},
        _in("studies", "9001"),
        "Vizier",
    ),
    "trials.suggest": SdkCall(
        "suggest_trials",
        {"parent": _IN_TRIALS, "suggestionCount": 2, "clientId": "c1"},
        _in("studies", "9001", suggestionCount=2, clientId="c1"),
        "Vizier",
    ),
    "trials.add_trial_measurement": SdkCall(
        "add_trial_measurement",
        {"trialName": f"{_IN_TRIALS}/trials/3", "measurement": _MEASUREMENT},
        _in("studies", "9001", trialsId="3", measurement=_MEASUREMENT),
        "Vizier",
    ),
    "trials.complete": SdkCall(
        "complete_trial",
        {"name": f"{_IN_TRIALS}/trials/3", "finalMeasurement": _MEASUREMENT},
        _in("studies", "9001", trialsId="3", finalMeasurement=_MEASUREMENT),
        "Vizier",
    ),
    "trials.list_optimal_trials": SdkCall(
        "list_optimal_trials", {"parent": _IN_TRIALS}, _in("studies", "9001"), "Vizier"
    ),
}

PLATFORM_CALLS: dict[str, SdkCall] = {**_JOBS, **_PIPELINES, **_METADATA, **_MODELS, **_STUDIES}
"""`resource.method` → the call."""
