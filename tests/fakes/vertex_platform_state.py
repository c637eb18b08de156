"""What the stand-in for the whole of Vertex AI knows: TensorBoards, and everything else by its name."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlprovider.values import JSON
from tests.fakes.google_rest import Api, chain_of, new_item, shown_item
from tests.fakes.proto_json import Object
from tests.fakes.vertex_state import VertexState


@dataclass(slots=True)
class PlatformState(VertexState):
    """The whole state."""

    api: Api | None = None
    members: dict[str, list[str]] = field(default_factory=dict)
    """Context → its artifacts and executions."""
    events: list[Object] = field(default_factory=list)
    """What joins an execution to an artifact."""
    versions: dict[str, dict[str, Object]] = field(default_factory=dict)
    """Model → version's id → the model as of that version."""

    def kind(self, name: str) -> str:
        """What an item of that name is, for messages."""
        return VertexState.kind(self, name) if _is_board(name) else chain_of(name)[-1]

    def add(self, name: str, item: Object | None = None) -> Object:
        """Put an item in; name, times and etag are given unless the item has them."""
        if _is_board(name):
            return VertexState.add(self, name, item)
        assert self.api is not None
        return new_item(self.api, self, name, item or {})

    def remove(self, name: str) -> None:
        """Drop an item, everything below it, and what joins it to others."""
        VertexState.remove(self, name)
        self.versions.pop(name, None)
        self.members.pop(name, None)
        for held in self.members.values():
            held[:] = [member for member in held if member != name]
        self.events[:] = [event for event in self.events if name not in event.values()]

    def view(self, name: str) -> Object:
        """The item as the API shows it."""
        if _is_board(name):
            return VertexState.view(self, name)
        assert self.api is not None
        return shown_item(self.api, self, name)


def _is_board(name: str) -> bool:
    return name.split("/")[4:5] == ["tensorboards"]


def texts(value: JSON) -> list[str]:
    """The texts of a list; of anything else none."""
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def object_of(value: JSON) -> Object:
    """The object, or an empty one."""
    return value if isinstance(value, dict) else {}
