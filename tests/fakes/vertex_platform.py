"""A stand-in for Vertex AI, v1 and v1beta1: TensorBoards, jobs, metadata, models, studies; one app.

Every collection with standard methods is there, by the discovery document; `*_HANDLERS` are what does more.
What the service does not document is chosen here (states after a cancel, ids of trials): do not rely on it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.fakes.google_app import google_app
from tests.fakes.google_rest import Api, answer, chain_of, ids_of
from tests.fakes.google_standard import STANDARD
from tests.fakes.proto_json import Object
from tests.fakes.vertex import answer_boards
from tests.fakes.vertex import rows as board_rows
from tests.fakes.vertex_jobs import JOB_HANDLERS
from tests.fakes.vertex_metadata import METADATA_HANDLERS
from tests.fakes.vertex_models import MODEL_HANDLERS
from tests.fakes.vertex_platform_state import PlatformState
from tests.fakes.vertex_rules import VERTEX_RULES
from tests.fakes.vertex_studies import STUDY_HANDLERS
from tests.fakes.wsgi import RecordedRequest, Response

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

VERTEX = Api(
    "aiplatform",
    ("v1", "v1beta1"),
    "aiplatform.googleapis.com",
    "google.cloud.aiplatform.{version}",
    VERTEX_RULES,
    {**JOB_HANDLERS, **METADATA_HANDLERS, **MODEL_HANDLERS, **STUDY_HANDLERS},
    # Some official clients poll the operations of a location only.
    operation_owner=lambda name: "/".join(name.split("/")[:4]),
    standard=STANDARD,
)
TABLES = {
    "custom_jobs": "customJobs",
    "hyperparameter_tuning_jobs": "hyperparameterTuningJobs",
    "batch_prediction_jobs": "batchPredictionJobs",
    "pipeline_jobs": "pipelineJobs",
    "training_pipelines": "trainingPipelines",
    "tuning_jobs": "tuningJobs",
    "schedules": "schedules",
    "metadata_stores": "metadataStores",
    "contexts": "metadataStores.contexts",
    "executions": "metadataStores.executions",
    "artifacts": "metadataStores.artifacts",
    "models": "models",
    "endpoints": "endpoints",
    "studies": "studies",
    "trials": "studies.trials",
}
"""Resource → its collections below a location."""


def new_platform() -> PlatformState:
    """An empty Vertex AI."""
    return PlatformState(api=VERTEX)


def platform_app(state: PlatformState, *, token: str | None = None) -> WSGIApplication:
    """The service over that state. With a token, requests must carry it as bearer."""

    def dispatch(request: RecordedRequest, rows: int | None) -> Response:
        boards = answer_boards(state, request, rows) if "/tensorboards" in request.path else None
        return boards or answer(VERTEX, state, request, rows) or Response.of_html(404)

    return google_app(state, dispatch, token=token)


def platform_rows(state: PlatformState, resource: str) -> list[Object]:
    """The true rows of a resource: each item as on the wire, with the id of every parent and its own."""
    if resource not in TABLES:
        return board_rows(state, resource)
    chain = ("projects", "locations", *TABLES[resource].split("."))
    with state.lock:
        return [
            {**ids_of(f"{path}/{id_}"), **state.view(f"{path}/{id_}")}
            for path, items in state.collections.items()
            if chain_of(path) == chain
            for id_ in items
        ]
