"""A resource with every kind of write, and its server."""

from __future__ import annotations

from tests.vtab.world import MISSING

JOBS = """
  jobs:
    key: [id]
    parameters: {id: {path: id}}
    columns:
      name: TEXT
      state: {enum: [OPEN, SHUT]}
      size: INTEGER
      tags: {type: JSON, wire: key_value, numeric_keys: false, set_key: set_tag, delete_key: delete_tag}
      notes: {type: JSON, set_key: set_note}
      at: {type: DATETIME, wire: epoch_ms}
      etag: TEXT
    response: {message: TEXT}
    methods:
      list: {verb: SELECT, http: GET /jobs, rows: "jobs[]", pages: one}
      get: {verb: SELECT, http: "GET /jobs/{id}", missing: true}
      create:
        verb: INSERT
        http: POST /jobs
        parameters: {id: {in: query}, at: {default: now()}, dry: {type: BOOLEAN, in: query}}
        body_columns: [name, state, size, tags]
        rows: job
      update:
        verb: UPDATE
        http: PATCH /jobs/{id}
        parameters: {mask: {in: query}, etag: {in: body}, force: {type: BOOLEAN, in: query}}
        body_columns: [name, size]
        sets: [name, size, tags, notes]
        mask: mask
        mask_columns: {name: job.name, size: size}
        precondition: etag
        missing: true
        answers: {etag: etag}
      rename: {verb: UPDATE, http: "POST /jobs/{id}:state", body_columns: [state], sets: [state]}
      delete: {verb: DELETE, http: "DELETE /jobs/{id}", parameters: {force: {type: BOOLEAN}}, missing: true}
      set_tag:
        verb: EXEC
        http: POST /jobs/{id}/tags
        parameters: {key: {required: true, max_chars: 3}, value: {required: true}}
      delete_tag: {verb: EXEC, http: "DELETE /jobs/{id}/tags", parameters: {key: {required: true}}}
      set_note:
        verb: EXEC
        http: POST /jobs/{id}/notes
        parameters: {key: {required: true}, value: {required: true}}
"""
ITEMS: dict[str, dict[str, object]] = {
    "a": {
        "id": "a",
        "name": "one",
        "state": "OPEN",
        "size": 1,
        "tags": [{"key": "k", "value": "v"}],
        "etag": "e1",
    },
    "b": {"id": "b", "name": "two", "state": "SHUT", "size": 2, "notes": {"n": "1"}, "etag": "e2"},
}
ROUTES = {
    "GET /jobs": {"jobs": list(ITEMS.values())},
    "GET /jobs/([^/]+)": lambda asked: ITEMS.get(asked.groups[0], MISSING),
    "POST /jobs": lambda asked: {"job": {**asked.body, "id": asked.query.get("id", "new"), "etag": "e9"}},
    "PATCH /jobs/(.+)": lambda asked: {"etag": "e8"} if asked.groups[0] in ITEMS else MISSING,
    "POST /jobs/([^/]+):state": {},
    "DELETE /jobs/([^/]+)": lambda asked: {} if asked.groups[0] in ITEMS else MISSING,
    "(?:POST|DELETE) /jobs/(.+)/(?:tags|notes)": {},
}
