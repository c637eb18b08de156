"""What the Vertex stand-in knows of TensorBoards beside the items: points by step, and computed fields."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlprovider.values import JSON
from tests.fakes.google_state import START, GoogleState, Operation, Place, SteppingClock
from tests.fakes.proto_json import Object, timestamp_text
from tests.fakes.vertex_messages import CHAIN, COLLECTIONS, Collection

__all__ = [
    "START",
    "Operation",
    "Place",
    "SteppingClock",
    "VertexState",
    "collection_of",
    "parameters_of",
]


@dataclass(slots=True)
class VertexState(GoogleState):
    """The whole state of the TensorBoards."""

    points: dict[str, dict[int, Object]] = field(default_factory=dict)
    """Time series → step → point."""

    def kind(self, name: str) -> str:
        """What an item of that name is, for messages."""
        return collection_of(name).message.name

    def add(self, name: str, item: Object | None = None) -> Object:
        """Put an item in; times and etag are given unless the item has them. Fields are kept as they are."""
        now = timestamp_text(self.clock())
        self.put(name, {"name": name, "createTime": now, "updateTime": now, **(item or {})})
        return self.seal(name)

    def touch(self, name: str) -> Object:
        """The item was changed now."""
        self.get(name)["updateTime"] = timestamp_text(self.clock())
        return self.seal(name)

    def remove(self, name: str) -> None:
        """Drop an item and everything below it."""
        GoogleState.remove(self, name)
        for series in [key for key in self.points if key == name or key.startswith(name + "/")]:
            del self.points[series]

    def view(self, name: str) -> Object:
        """The item as the API shows it: computed fields added, fields in the message's order."""
        collection = collection_of(name)
        item = {**self.get(name), **self._computed(name, collection), "name": self.shown_name(name)}
        return {key: item[key] for key in collection.message.fields if key in item}

    def _computed(self, name: str, collection: Collection) -> Object:
        if collection.name == "tensorboards":
            below = (len(runs) for path, runs in self.collections.items() if _holds_runs(path, name))
            return {"runCount": total} if (total := sum(below)) else {}
        if collection.name == "timeSeries" and (points := self.points.get(name)):
            return {"metadata": _metadata(points)}
        return {}


def collection_of(name: str) -> Collection:
    """The collection that a name belongs to."""
    return COLLECTIONS[name.split("/")[-2]]


def parameters_of(name: str) -> Object:
    """`projects/p/locations/l/…` as `{"projectsId": "p", "locationsId": "l", …}`."""
    parts = name.split("/")
    return {f"{collection}Id": id_ for collection, id_ in zip(CHAIN, parts[1::2], strict=False)}


def _holds_runs(path: str, tensorboard: str) -> bool:
    return path.startswith(tensorboard + "/") and path.endswith("/runs")


def _metadata(points: dict[int, Object]) -> JSON:
    # Compared without the Z, which sorts after a fraction's point.
    latest = max(_wall_times(points), key=lambda time: time.rstrip("Z"), default="")
    metadata: Object = {"maxStep": str(max(points)), "maxWallTime": latest}
    lengths = [len(values) for point in points.values() if isinstance(values := _blob_values(point), list)]
    if lengths:
        metadata["maxBlobSequenceLength"] = str(max(lengths))
    return {key: value for key, value in metadata.items() if value not in ("0", "")}


def _wall_times(points: dict[int, Object]) -> list[str]:
    return [time for point in points.values() if isinstance(time := point.get("wallTime"), str)]


def _blob_values(point: Object) -> JSON:
    blobs = point.get("blobs")
    return blobs.get("values") if isinstance(blobs, dict) else None
