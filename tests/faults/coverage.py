"""Which write methods the catalog has in the main tables, and which of them no scenario can try."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlprovider.catalog.load import load_provider
from tests.faults.model import Scenario

TABLES: Mapping[str, tuple[str, ...]] = {
    "google.aiplatform": (
        "tensorboards",
        "experiments",
        "runs",
        "time_series",
        "time_series_points",
        "pipeline_jobs",
    ),
    "google.ml": ("jobs",),
    "alibaba.paidlc": ("tensorboards", "jobs"),
    "oci.aidataplatform": ("experiments", "runs", "metrics", "params", "tags"),
    "mlflow.tracking": ("experiments", "runs", "metrics", "params", "tags"),
}
EXEMPT: Mapping[str, str] = {
    "mlflow.tracking.runs.log_model": "a server without numpy answers it with 500",
    "oci.aidataplatform.runs.log_model": "a server without numpy answers it with 500",
    "mlflow.tracking.params.log_parameter": "an UPDATE by it sets what is there already, or is refused",
    "oci.aidataplatform.params.log_parameter": "an UPDATE by it sets what is there already, or is refused",
}
"""Method → why no scenario tries it."""


def write_methods() -> set[str]:
    """Every write method of the tables, as the catalog has it."""
    found: set[str] = set()
    for service, tables in TABLES.items():
        provider, _, name = service.partition(".")
        resources = load_provider(provider, {}).services[name].resources
        for table in tables:
            methods = resources[table].methods.values()
            found |= {f"{service}.{table}.{m.name}" for m in methods if m.effect == "write"}
    return found


def tried(scenarios: Iterable[Scenario]) -> set[str]:
    """The methods that scenarios try."""
    return {method for scenario in scenarios for method in scenario.covers}
