"""What is on the MLflow server, read by plain REST past every fault."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

from sqlprovider.values import JSON
from tests.mlflow import Object, Rest, text_at

_TAGS: JSON = [{"key": "team", "value": "before"}]


def new_experiment(rest: Rest, name: str) -> str:
    """A live experiment with a tag; its id."""
    return text_at(rest.post("experiments/create", name=name, tags=_TAGS), "experiment_id")


def experiments_of(rest: Rest, prefix: str) -> list[Object]:
    """The experiments, live and deleted, whose name begins so."""
    answer = rest.post(
        "experiments/search", filter=f"name LIKE '{prefix}%'", view_type="ALL", max_results=1000
    )
    return rest.listed(answer, "experiments")


def new_runs(rest: Rest, experiment: str, count: int) -> list[str]:
    """Runs of an experiment, each with a tag; their ids."""
    return [
        text_at(
            rest.post("runs/create", experiment_id=experiment, run_name=f"run {number}", tags=_TAGS),
            "run",
            "info",
            "run_id",
        )
        for number in range(count)
    ]


@dataclass(frozen=True, slots=True)
class Run:
    """A run as the server has it."""

    rest: Rest
    item: Object

    @property
    def info(self) -> Object:
        return cast(Object, self.item["info"])

    @property
    def id(self) -> str:
        return str(self.info["run_id"])

    @property
    def name(self) -> str:
        return str(self.info["run_name"])

    @property
    def tags(self) -> dict[str, str]:
        return self._pairs("tags")

    def _pairs(self, name: str) -> dict[str, str]:
        data = cast(Object, self.item.get("data", {}))
        pairs = cast("list[Object]", data.get(name, []))
        return {str(pair["key"]): str(pair["value"]) for pair in pairs}

    def shows(self, sign: str) -> bool:
        """Whether a status, a stage or the value of the tag `team` is that; `-before`: it is not there."""
        team = self.tags.get("team")
        if sign.startswith("-"):
            return team != sign[1:]
        return sign in (self.info["status"], self.info["lifecycle_stage"], team)

    def times(self, place: str) -> int:
        """How often something is there: `metric loss`, `param lr`, `inputs`, …, or what `shows` takes."""
        kind, _, key = place.partition(" ")
        match kind:
            case "metric":
                return self._points(key)
            case "param" | "tag":
                return int(key in self._pairs(f"{kind}s"))
            case "inputs" | "outputs":
                whole = self._whole()
                below = cast("dict[str, list[JSON]]", whole.get(kind, {}))
                return sum(len(items) for items in below.values())
            case _:
                return int(self.shows(place))

    def _points(self, key: str) -> int:
        """The points of a metric; an answer without one costs no request."""
        if key not in self._pairs("metrics"):
            return 0
        answer = self.rest.get("metrics/get-history", run_id=self.id, metric_key=key)
        return len(self.rest.listed(answer, "metrics"))

    def _whole(self) -> Object:
        return cast(Object, self.rest.get("runs/get", run_id=self.id)["run"])


@dataclass(frozen=True, slots=True)
class Runs:
    """The runs of an experiment, live and deleted."""

    rest: Rest
    experiment: str

    def __iter__(self) -> Iterator[Run]:
        answer = self.rest.post(
            "runs/search", experiment_ids=[self.experiment], run_view_type="ALL", max_results=1000
        )
        return (Run(self.rest, item) for item in self.rest.listed(answer, "runs"))
