"""A small provider that uses much of the document format, and the same with something wrong in it."""

from __future__ import annotations

from pathlib import Path

from sqlprovider.catalog.load import load_provider
from sqlprovider.catalog.model import Provider

PROVIDER = """\
provider: library
title: A library
services: [books]
auth: {types: [none], default: none}
errors: {code: error.code, message: error.message, missing: [not_found], exists: [exists]}
"""

SERVICE = """\
service: books
title: Shelves and what stands on them
version: v1
versions: [v1, v2]
resources:
  shelves:
    title: Shelves
    refuses: {DELETE: "empty it: DELETE FROM library.books.volumes"}
    key: [shelf]
    parameters:
      shelf: {path: name, segment: shelves}
    columns:
      name: TEXT
    methods:
      list:
        verb: SELECT
        http: GET /{version}/shelves
        parameters: {page: INTEGER, size: INTEGER}
        rows: shelves[]
        pages: {style: number, parameter: page, total: total, size: size, size_max: 50}
      get:
        verb: SELECT
        http: GET /{version}/shelves/{shelf}
        missing: true
  volumes:
    title: Volumes
    key: [shelf, id]
    identity: [title]
    restore: give_back
    parents: [shelves]
    view:
      option: state
      default: there
      path: state
      column: status
      values: {there: [there], lent: [lent], all: null}
    drop: {path: kind, values: [gap]}
    parameters:
      shelf: {path: shelf}
      id: {path: id}
    columns:
      title: TEXT
      pages: {type: INTEGER, wire: int64}
      bought: {type: DATETIME, wire: epoch_ms, zero_is_null: true}
      status: {path: state, enum: [there, lent]}
      notes: {type: JSON, wire: key_value, numeric_keys: false, set_key: set_note, delete_key: delete_note}
    methods:
      list:
        verb: SELECT
        http: GET /{version}/volumes
        parameters:
          shelf: {required: true, in: query}
          state: {enum: [there, lent, all], default: there}
          filter: TEXT
          order: TEXT
          token: TEXT
          size: INTEGER
        rows: volumes[]
        pages: {style: token, parameter: token, token: next, size: size, size_max: 100}
        incomplete: unreachable
        push:
          filter:
            parameter: filter
            escape: backslash
            terms:
              title: {name: title, ops: {"=": "=", "!=": "!=", LIKE: like}, exact: true}
              pages: {name: pages, value: number, ops: ["<", ">="], exact: true}
              notes: {name: "notes.`{key}`", key_forbidden: "`", ops: {"=": "=", "!=": "!="}}
          order: {parameter: order, columns: {pages: pages}, exact: {pages: [ASC, DESC]}}
      get:
        verb: SELECT
        http: GET /{version}/shelves/{shelf}/volumes/{id}
        missing: true
        rows: volume
      create:
        verb: INSERT
        http: POST /{version}/shelves/{shelf}/volumes
        body_columns: [title, pages, bought, notes]
        rows: volume
      delete:
        verb: DELETE
        http: DELETE /{version}/shelves/{shelf}/volumes/{id}
      lend:
        verb: EXEC
        http: POST /{version}/shelves/{shelf}/volumes/{id}:lend
        parameters: {reader: {required: true, at: loan.reader}, days: INTEGER}
      set_note:
        verb: EXEC
        http: POST /{version}/shelves/{shelf}/volumes/{id}/notes
        parameters: {key: {required: true}, value: {required: true}}
      delete_note:
        verb: EXEC
        http: DELETE /{version}/shelves/{shelf}/volumes/{id}/notes/{key}
        parameters: {key: {in: path}}
      give_back:
        verb: EXEC
        http: POST /{version}/shelves/{shelf}/volumes/{id}:giveBack
  readers:
    title: Readers, each under an id of their own choice
    key: [reader]
    identity: {columns: [card], unique: true}
    parameters: {reader: {path: name, segment: readers}}
    columns:
      card: TEXT
      fines: INTEGER
      pin: {secret: true, write_only: true}
    methods:
      list:
        verb: SELECT
        http: GET /{version}/readers
        rows: readers[]
        pages: one
      create:
        verb: INSERT
        http: POST /{version}/readers
        parameters: {readerId: {in: query, required: true, names: reader}}
        body_columns: [card, fines, pin]
        answers: item
        batch:
          method: enrol
          max_rows: 10
          atomic: true
          body: {requests: [{id: $readerId, reader: {card: $card, fines: $fines, pin: $pin}}]}
      enrol:
        verb: INSERT
        http: POST /{version}/readers:enrol
        parameters: {requests: {type: JSON, required: true}}
        rows: readers[]
      delete:
        verb: DELETE
        http: DELETE /{version}/readers/{reader}
        missing: true
        batch:
          http: POST /{version}/readers:expel
          max_rows: 10
          body: {names: ["readers/{reader}"]}
  scores:
    title: What readers think of a volume
    key: [reader, volume]
    parents: [readers]
    parameters: {reader: {path: reader}}
    columns: {volume: TEXT, stars: INTEGER}
    methods:
      list:
        verb: SELECT
        http: GET /{version}/readers/{reader}/scores
        rows: scores[]
        pages: one
      put:
        verb: INSERT
        http: POST /{version}/readers/{reader}/scores
        parameters: {volume: {required: true}, stars: {}}
        body: {scores: [{volume: $volume, stars: $stars}]}
        overwrites: true
        repeat: always
        batch: {max_rows: 10}
"""


def write_library(folder: Path, *, was: str = "", becomes: str = "") -> Path:
    """The provider's folder; `was` stands once in the service's document and is replaced."""
    assert not was or SERVICE.count(was) == 1, was
    library = folder / "library"
    library.mkdir(parents=True)
    (library / "provider.yaml").write_text(PROVIDER, encoding="utf-8")
    (library / "books.yaml").write_text(SERVICE.replace(was, becomes) if was else SERVICE, encoding="utf-8")
    return library


def load_library(folder: Path) -> Provider:
    """The provider in the folder that `write_library` gave."""
    return load_provider(folder.name, {}, directories=(folder.parent,))
