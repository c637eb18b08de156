"""A provider whose document uses every word of the format, and a way to break one word of it at a time."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path

import yaml

from sqlprovider.catalog.check import check_document
from sqlprovider.catalog.load import load_provider
from sqlprovider.catalog.model import Resource
from sqlprovider.errors import Problem

REMOVED = object()

PROVIDER = """
provider: lab
title: A lab
services: [bench]
base_url: {env: LAB_URL}
auth: {types: [none, token], default: none}
errors: {code: error.status, message: error.message, missing: [NOT_FOUND], exists: [EXISTS]}
wait: {path: "/{version}/{name}"}
"""

BENCH = r"""
service: bench
title: Benches
version: v2
versions: [v1, v2]
base_url: https://{site}.example.org
resources:
  groups:
    key: [site, group_id]
    parameters: {site: {root: true, path: name, segment: sites}, group_id: {path: name, segment: groups}}
    columns: {name: TEXT, state: TEXT}
    view: {option: view, default: LIVE, column: state, values: {LIVE: [live], ALL: null}}
    methods:
      list:
        verb: SELECT
        http: GET /{version}/sites/{site}/groups
        parameters: {view: {enum: [LIVE, ALL], default: LIVE}, page: INTEGER}
        rows: groups[]
        pages: {style: number, parameter: page, total: count}
  trials:
    title: Trials
    key: [trial_id]
    view:
      option: view
      default: LIVE
      path: info.stage
      column: stage
      values: {LIVE: [active], DELETED: [deleted], ALL: null}
    parents:
      - resource: groups
        bind: [site, group_id]
        view: {LIVE: LIVE, DELETED: ALL, ALL: ALL}
        confirm: true
    parameters:
      site: {root: true, path: name, segment: sites}
      group_id: {path: info.group_id}
      trial_id: {path: info.trial_id}
    columns:
      name: TEXT
      stage: {path: info.stage}
      status: {path: info.status, enum: [RUNNING, DONE]}
      started: {type: DATETIME, wire: epoch_ms, path: info.started, zero_is_null: true}
      metrics: {type: JSON, wire: key_value, path: data.metrics, infinite: 1.0e+308}
      tags:
        type: JSON
        wire: key_value
        key_names: [k, v]
        numeric_keys: false
        set_key: set_tag
        delete_key: drop_tag
      path: TEXT
      is_dir: BOOLEAN
    response: {next_token: TEXT}
    methods:
      search:
        verb: SELECT
        http: POST /{version}/sites/{site}/trials:search
        effect: read
        missing: true
        parameters:
          group_id: {required: true, in: body, at: group_ids, repeated: true}
          filter: {in: body}
          view: {in: body, enum: [LIVE, DELETED, ALL], default: LIVE}
          order: {in: body, type: JSON, repeated: true}
          size: {in: body, type: INTEGER}
          token: {in: body}
          path: {in: body}
          status: {in: body}
          fields: {in: body}
          lab-retry-token: {in: header}
        rows: trials[]
        pages: {style: token, parameter: token, token: next_token, size: size, size_max: 1000, offset: true}
        tree: {flag: is_dir, parameter: path, column: path}
        push:
          filter:
            parameter: filter
            quotes: ["'", '"']
            terms:
              trial_id: {name: info.trial_id, ops: ["=", "!="], exact: true}
              metrics: {name: "metrics.`{key}`", value: number, key_forbidden: "`", ops: {">": ">"}}
          order:
            parameter: order
            as_list: true
            stable: [started ASC]
            columns: {started: s}
            exact: {started: [DESC]}
          equals: {status: status}
          fields: fields
      get:
        verb: SELECT
        http: GET /{version}/sites/{site}/trials/{trial_id}
        missing: true
        rows: trial
        pages: one
      create:
        verb: INSERT
        http: POST /{version}/sites/{site}/trials
        parameters:
          group_id: {required: true}
          started: {default: now()}
          trial_tags: {is: tags, at: info.tags}
          requests: JSON
        body_columns: [name]
        rows: trial
        batch:
          http: POST /{version}/sites/{site}/trials:many
          body: {trials: [{group: $group_id, name: $name}]}
          max_rows: 100
          max_bytes: 1000
          atomic: true
        repeat: same_body
        wait: true
      update:
        verb: UPDATE
        http: PATCH /{version}/sites/{site}/trials/{trial_id}
        parameters: {mask: {in: query}}
        body_columns: [name, status]
        sets: [name, status, tags]
        mask: mask
        mask_columns: {name: info.name}
        precondition: status
        answers: {name: info.name}
      delete:
        verb: DELETE
        http: DELETE /{version}/sites/{site}/trials/{trial_id}
        missing: true
        repeat: always
      set_tag:
        verb: EXEC
        wire: setTag
        http: POST /{version}/sites/{site}/trials/{trial_id}:setTag
        parameters: {key: {required: true, min_chars: 1, max_chars: 250}, value: {}}
        body: {tags: [{key: $key, value: $value, by: lab, rank: 1}]}
      drop_tag:
        verb: EXEC
        http: POST /{version}/sites/{site}/trials/{trial_id}:dropTag
        parameters: {key: {required: true}}
"""


def write_provider(folder: Path, service: object, *, provider: object = None) -> Path:
    """The provider's folder, `lab`, with these documents in it."""
    home = folder / "lab"
    home.mkdir(exist_ok=True)
    documents = (("provider", PROVIDER if provider is None else provider), ("bench", service))
    for name, document in documents:
        text = document if isinstance(document, str) else yaml.safe_dump(document, sort_keys=False)
        (home / f"{name}.yaml").write_text(text, encoding="utf-8")
    return home


def edited(text: str, place: str, value: object) -> object:
    """The document with `value` at a place: keys joined by dots; REMOVED takes the key out."""
    document = copy.deepcopy(yaml.safe_load(text))
    *above, last = place.split(".")
    holder = document
    for key in above:
        holder = holder[int(key) if isinstance(holder, list) else key]
    if value is REMOVED:
        del holder[last]
    else:
        holder[last] = value
    return document


def problems_after(folder: Path, edits: Mapping[str, object], *, text: str = BENCH) -> tuple[Problem, ...]:
    """What `check` says of the service document after some edits."""
    for place, value in edits.items():
        text = yaml.safe_dump(edited(text, place, value), sort_keys=False)
    return check_document(write_provider(folder, text))


def lab_resource(folder: Path, name: str, edits: Mapping[str, object] | None = None) -> Resource:
    """A resource of the lab, loaded after some edits."""
    text = BENCH
    for place, value in (edits or {}).items():
        text = yaml.safe_dump(edited(text, place, value), sort_keys=False)
    write_provider(folder, text)
    return load_provider("lab", {}, directories=(folder,)).services["bench"].resources[name]


def said(problems: tuple[Problem, ...]) -> list[tuple[str, str]]:
    """(pointer, message) of each problem."""
    return [(problem.pointer, problem.message) for problem in problems]
