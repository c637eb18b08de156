"""Boxes whose id the client chooses, made one by one or many at once; their server can lose answers."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.vtab.world import MISSING, Asked

BOXES = """
  boxes:
    key: [shelf, id]
    identity: {columns: [label], unique: true}
    parameters: {shelf: {path: shelf, root: true}, id: {path: id}}
    columns:
      label: TEXT
      size: INTEGER
      tags: JSON
      etag: TEXT
    methods:
      list: {verb: SELECT, http: "GET /shelves/{shelf}/boxes", rows: "boxes[]", pages: one}
      get: {verb: SELECT, http: "GET /shelves/{shelf}/boxes/{id}", missing: true}
      create:
        verb: INSERT
        http: POST /shelves/{shelf}/boxes
        parameters: {boxId: {in: query, names: id}}
        body_columns: [label, size, tags]
        answers: item
        batch:
          http: POST /shelves/{shelf}/boxes:many
          body: {boxes: [{id: $boxId, place: "on {shelf}", box: {label: $label, size: $size, tags: $tags}}]}
          rows: boxes[]
          max_rows: 4
          atomic: true
          names_row: 'boxes\\[(\\d+)\\]'
      patch:
        verb: UPDATE
        http: PATCH /shelves/{shelf}/boxes/{id}
        missing: true
        parameters: {etag: {in: body}}
        body_columns: [label, size, tags]
        sets: [label, size, tags]
        precondition: etag
        answers: item
      delete:
        verb: DELETE
        http: DELETE /shelves/{shelf}/boxes/{id}
        missing: true
        batch: {http: "POST /shelves/{shelf}/boxes:drop", body: {ids: ["{id}"]}, max_rows: 3, atomic: true}
"""

Fault = Callable[[Asked, Callable[[], object]], object]
"""(the request, what does it and answers) → the answer, or an exception raised."""


@dataclass(slots=True)
class Shelf:
    """The server: `faults` are asked in turn, one a request that writes."""

    boxes: dict[str, dict[str, Any]] = field(default_factory=dict)
    faults: list[Fault | None] = field(default_factory=list)
    made: int = 0

    @property
    def routes(self) -> Mapping[str, object]:
        """What `World` serves."""
        return {
            "GET /shelves/s/boxes": lambda asked: {"boxes": list(self.boxes.values())},
            "GET /shelves/s/boxes/(.+)": lambda asked: self.boxes.get(asked.groups[0], MISSING),
            "POST /shelves/s/boxes": self._write(self._create),
            "POST /shelves/s/boxes:many": self._write(self._create_many),
            "POST /shelves/s/boxes:drop": self._write(self._drop),
            "PATCH /shelves/s/boxes/(.+)": self._write(self._patch),
            "DELETE /shelves/s/boxes/(.+)": self._write(self._delete),
        }

    def put(self, *ids: str, **values: Any) -> None:
        """Boxes that are there already."""
        for name in ids:
            self.boxes[name] = {"shelf": "s", "id": name, "label": name.upper(), **values, "etag": f"{name}0"}

    def _write(self, act: Callable[[Asked], object]) -> Callable[[Asked], object]:
        def answer(asked: Asked) -> object:
            fault = self.faults.pop(0) if self.faults else None
            return act(asked) if fault is None else fault(asked, lambda: act(asked))

        return answer

    def _create(self, asked: Asked) -> object:
        return self._made(asked.query["boxId"], asked.body)

    def _create_many(self, asked: Asked) -> object:
        wanted = [(one["id"], one["box"]) for one in asked.body["boxes"]]
        for place, (name, box) in enumerate(wanted):
            if name in self.boxes:
                return refused(409, "exists", f"{name} exists")
            if box.get("size", 0) < 0:
                return refused(400, "bad", f"boxes[{place}].size is below 0")
        return {"boxes": [self._made(name, box) for name, box in wanted]}

    def _made(self, name: str, box: dict[str, Any]) -> object:
        if name in self.boxes:
            return refused(409, "exists", f"{name} exists")
        if box.get("size", 0) < 0:
            return refused(400, "bad", "size is below 0")
        self.made += 1
        self.boxes[name] = {"shelf": "s", "id": name, **box, "etag": f"{name}0"}
        return self.boxes[name]

    def _patch(self, asked: Asked) -> object:
        box = self.boxes.get(asked.groups[0])
        if box is None:
            return MISSING
        given = dict(asked.body)
        if given.pop("etag", box["etag"]) != box["etag"]:
            return refused(412, "stale", "the etag is not the box's")
        box |= {**given, "etag": box["etag"] + "'"}
        return box

    def _delete(self, asked: Asked) -> object:
        return {} if self.boxes.pop(asked.groups[0], None) is not None else MISSING

    def _drop(self, asked: Asked) -> object:
        for name in asked.body["ids"]:
            if name not in self.boxes:
                return MISSING
        for name in asked.body["ids"]:
            del self.boxes[name]
        return {}


def refused(status: int, code: str, message: str) -> httpx.Response:
    """An answer in the API's own error shape."""
    return httpx.Response(status, text=json.dumps({"code": code, "message": message}))


def lost_after(asked: Asked, act: Callable[[], object]) -> object:
    """It is done, and the connection is lost."""
    act()
    raise httpx.ReadError("cut")


def lost_before(asked: Asked, act: Callable[[], object]) -> object:
    """The connection is lost, and it is not done."""
    raise httpx.ReadError("cut")


def timed_out(asked: Asked, act: Callable[[], object]) -> object:
    """Nobody heard of it again, and it is not done."""
    raise httpx.ReadTimeout("late")


def answered(status: int, *, done: bool) -> Fault:
    """An answer of that status, whether it is done or not."""

    def fault(asked: Asked, act: Callable[[], object]) -> object:
        if done:
            act()
        return refused(status, "sorry", "not today")

    return fault


def garbled(asked: Asked, act: Callable[[], object]) -> object:
    """It is done, and the answer is not JSON."""
    act()
    return httpx.Response(200, text="{ok")
