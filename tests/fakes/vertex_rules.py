"""What is said of Vertex AI's collections in prose only: filters, orders, pages, first states.

Fields that a filter may name and no item holds (`pipeline_name`, `model_display_name`) are left out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from tests.fakes.aip160 import Grammar
from tests.fakes.google_rest import Rules
from tests.fakes.proto_json import Object
from tests.fakes.vertex_metadata import in_context

LOCATION = "projects.locations"
_TIME = "= != < <= > >="
_TEXT = "= !="
_WILD = "= != :"
_OF_JOBS = {"display_name": _WILD, "state": _TEXT, "create_time": _TIME, "labels": "map"}
_OF_METADATA = {
    "name": _TEXT,
    "display_name": _TEXT,
    "schema_title": _TEXT,
    "create_time": _TIME,
    "update_time": _TIME,
    "metadata": "struct",
}
_OF_MODELS = {"display_name": _TEXT, "displayName": _TEXT, "labels": "map"}
_NAMED_ORDERS = ("display_name", "create_time", "update_time")


def _begins(**fields: str) -> Callable[[Object, str], None]:
    """A new item's first values; what it was stored with stays."""

    def created(item: Object, now: str) -> None:
        for name, value in fields.items():
            item.setdefault(name, value)

    return created


def _schedule_begins(item: Object, now: str) -> None:
    for name, value in {"state": "ACTIVE", "startTime": now, "nextRunTime": now}.items():
        item.setdefault(name, value)


_JOB = Rules(grammar=Grammar(_OF_JOBS), created=_begins(state="JOB_STATE_PENDING"))
_METADATA = Rules(
    grammar=Grammar(_OF_METADATA, depth=5),
    orders=("create_time", "update_time", "display_name", "schema_title"),
    functions={"in_context": in_context},
    page_strict=True,
    page_max=100,
)

VERTEX_RULES = {
    f"{LOCATION}.customJobs": _JOB,
    f"{LOCATION}.hyperparameterTuningJobs": _JOB,
    f"{LOCATION}.nasJobs": _JOB,
    f"{LOCATION}.batchPredictionJobs": _JOB,
    f"{LOCATION}.trainingPipelines": replace(
        _JOB,
        grammar=Grammar({**_OF_JOBS, "training_task_definition": _WILD}),
        created=_begins(state="PIPELINE_STATE_PENDING"),
    ),
    f"{LOCATION}.tuningJobs": Rules(created=_begins(state="JOB_STATE_PENDING")),
    f"{LOCATION}.pipelineJobs": Rules(
        grammar=Grammar(
            {
                **_OF_JOBS,
                "update_time": _TIME,
                "end_time": _TIME,
                "template_uri": _WILD,
                "template_metadata.version": _WILD,
            }
        ),
        orders=("create_time", "update_time", "end_time", "start_time"),
        default_order="create_time desc",
        created=_begins(state="PIPELINE_STATE_PENDING"),
    ),
    f"{LOCATION}.schedules": Rules(
        grammar=Grammar(
            {
                "display_name": _WILD,
                "state": _TEXT,
                "create_pipeline_job_request": "has",
                "create_notebook_execution_job_request": "has",
                "create_time": _TIME,
                "start_time": _TIME,
                "end_time": f"{_TIME} :",
                "next_run_time": _TIME,
            }
        ),
        orders=("create_time", "start_time", "end_time", "next_run_time"),
        default_order="create_time desc",
        created=_schedule_begins,
    ),
    f"{LOCATION}.metadataStores": Rules(page_strict=True, page_max=100),
    f"{LOCATION}.metadataStores.metadataSchemas": Rules(page_strict=True, page_max=100),
    f"{LOCATION}.metadataStores.contexts": replace(
        _METADATA, grammar=Grammar({**_OF_METADATA, "parent_contexts": "list"}, depth=5)
    ),
    f"{LOCATION}.metadataStores.executions": replace(
        _METADATA, grammar=Grammar({**_OF_METADATA, "state": _TEXT}, depth=5)
    ),
    f"{LOCATION}.metadataStores.artifacts": replace(
        _METADATA, grammar=Grammar({**_OF_METADATA, "state": _TEXT, "uri": _TEXT}, depth=5)
    ),
    f"{LOCATION}.models": Rules(grammar=Grammar(_OF_MODELS), orders=_NAMED_ORDERS),
    f"{LOCATION}.endpoints": Rules(
        grammar=Grammar(_OF_MODELS), orders=_NAMED_ORDERS, id_pattern=r"[a-z0-9-]{1,63}"
    ),
    f"{LOCATION}.datasets": Rules(
        grammar=Grammar({**_OF_MODELS, "metadata_schema_uri": _TEXT}), orders=_NAMED_ORDERS
    ),
    f"{LOCATION}.studies": Rules(created=_begins(state="ACTIVE")),
    f"{LOCATION}.studies.trials": Rules(created=_begins(state="REQUESTED")),
}
