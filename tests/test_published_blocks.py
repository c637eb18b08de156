"""The SQL that is published for Vertex AI's TensorBoard runs, character for character, over a real socket.

Each block runs as it stands once its {{ placeholders }} are filled: comments swallow commas and semicolons.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from sqlprovider.surfaces.cli import main
from sqlprovider.values import JSON
from tests import published_blocks
from tests.fakes.loopback import Loopback
from tests.fakes.vertex import VertexState, vertex_app, vertex_small
from tests.published_blocks import BATCH_CREATE, CREATE, DELETE, GET, LIST, PATCH, WRITE

TOKEN = "t0ken-of-the-tests"
AUTH = ("--set", "google.auth.type=token", "--set", "google.auth.env=GOOGLE_TOKEN")
EXPERIMENT = "projects/p/locations/l/tensorboards/t/experiments/e1"
RUN = f"{EXPERIMENT}/runs/r02"
SERIES_DATA: JSON = [
    {
        "tensorboardTimeSeriesId": "loss",
        "valueType": "SCALAR",
        "values": [{"step": "11", "wallTime": "2026-01-02T03:04:05Z", "scalar": {"value": 0.5}}],
    }
]
NEW_RUNS: JSON = [
    {"parent": EXPERIMENT, "tensorboardRunId": id_, "tensorboardRun": {"displayName": id_}}
    for id_ in ("new-1", "new-2")
]
FILLING = {
    "projectsId": "p",
    "locationsId": "l",
    "tensorboardsId": "t",
    "experimentsId": "e1",
    "runsId": "r02",
    "tensorboardRunId": "new-1",
    "filter": 'display_name!="seed 1"',
    "pageSize": "5",
    "pageToken": "",
    "orderBy": "display_name desc",
    "readMask": "name,displayName",
    "displayName": "a new name",
    "description": "written here",
    "labels": '{"team": "text"}',
    "etag": "",
    "updateMask": "displayName,description,labels",
    "requests": json.dumps(NEW_RUNS),
    "tensorboardRun": RUN,
    # Inside a text of the JSON body.
    "timeSeriesData": json.dumps(json.dumps(SERIES_DATA))[1:-1],
}

WRITE_EXPERIMENT = f"""EXEC google.aiplatform.experiments.write
@projectsId='p', @locationsId='l', @tensorboardsId='t', @experimentsId='e1'
@@json='{{"writeRunDataRequests": {json.dumps([{"tensorboardRun": RUN, "timeSeriesData": SERIES_DATA}])}}}'"""

_PAGE = (
    "filter=display_name%21%3D%22seed%201%22&pageSize=5"
    "&orderBy=display_name%20desc&readMask=name%2CdisplayName"
)
_FIELDS: dict[str, JSON] = {
    "displayName": "a new name",
    "description": "written here",
    "labels": {"team": "text"},
    "etag": "",
}


@dataclass(frozen=True, slots=True)
class Board:
    """The stand-in on a real socket, and what runs SQL against it."""

    server: Loopback
    state: VertexState

    def run(self, sql: str) -> tuple[str, list[tuple[str, str, JSON]]]:
        """What is printed, and the requests made: method, target as it was on the wire, body."""
        stdout, stderr = io.StringIO(), io.StringIO()
        code = main(
            ["query", "-o", "json", *AUTH, "--set", f"google.base_url={self.server.base_url}"],
            stdin=io.StringIO(sql),
            stdout=stdout,
            stderr=stderr,
            environ={"SQLPROVIDER_CONFIG": "/dev/null", "GOOGLE_TOKEN": TOKEN},
        )
        assert code == 0, stderr.getvalue()
        assert TOKEN not in stdout.getvalue() + stderr.getvalue()
        asked = [
            (seen.method, f"{seen.path}?{seen.query}".rstrip("?"), seen.json if seen.body else None)
            for seen in self.server.requests
        ]
        return stdout.getvalue(), asked


@pytest.fixture
def board() -> Iterator[Board]:
    state = vertex_small()
    with Loopback(vertex_app(state, token=TOKEN)) as server:
        yield Board(server, state)


def filled(block: str, **other: str) -> str:
    return published_blocks.filled(block, {**FILLING, **other})


def test_get_is_one_request_and_one_row(board: Board) -> None:
    printed, asked = board.run(filled(GET))
    assert asked == [("GET", f"/v1/{RUN}", None)]
    (row,) = json.loads(printed)
    assert list(row) == ["name", "createTime", "description", "displayName", "etag", "labels", "updateTime"]
    assert (row["name"], row["labels"]) == (RUN, board.state.get(RUN)["labels"])


def test_list_passes_its_options_on_and_gives_a_row_a_page(board: Board) -> None:
    printed, asked = board.run(filled(LIST))
    pages = json.loads(printed)
    assert [len(page["tensorboardRuns"]) for page in pages] == [5, 5, 1]
    assert [page["nextPageToken"] is None for page in pages] == [False, False, True]
    assert len(asked) == 3
    path, _, query = asked[0][1].replace("&pageToken=", "").partition("?")
    assert (path, sorted(query.split("&"))) == (f"/v1/{EXPERIMENT}/runs", sorted(_PAGE.split("&")))


def test_list_from_a_page_token_goes_on_from_there_to_the_end(board: Board) -> None:
    printed, _ = board.run(filled(LIST))
    token = json.loads(printed)[0]["nextPageToken"]
    board.server.requests.clear()
    rest, asked = board.run(filled(LIST, pageToken=token))
    assert json.loads(rest) == json.loads(printed)[1:]
    assert len(asked) == 2


def test_create_is_one_request_and_gives_what_the_api_answers(board: Board) -> None:
    printed, asked = board.run(filled(CREATE))
    assert asked == [("POST", f"/v1/{EXPERIMENT}/runs?tensorboardRunId=new-1", _FIELDS)]
    (row,) = json.loads(printed)
    stored = board.state.get(f"{EXPERIMENT}/runs/new-1")
    assert (row["name"], row["etag"], row["labels"]) == (stored["name"], stored["etag"], {"team": "text"})
    assert row["createTime"].startswith("2026-01-02 ")


def test_batch_create_is_one_request_and_gives_the_runs(board: Board) -> None:
    printed, asked = board.run(filled(BATCH_CREATE))
    assert asked == [("POST", f"/v1/{EXPERIMENT}/runs:batchCreate", {"requests": NEW_RUNS})]
    (row,) = json.loads(printed)
    assert [run["displayName"] for run in row["tensorboardRuns"]] == ["new-1", "new-2"]


def test_patch_is_one_request_with_the_mask_and_nothing_is_read_first(board: Board) -> None:
    printed, asked = board.run(filled(PATCH))
    assert asked == [("PATCH", f"/v1/{RUN}?updateMask=displayName%2Cdescription%2Clabels", _FIELDS)]
    (row,) = json.loads(printed)
    stored = board.state.get(RUN)
    assert (stored["displayName"], stored["labels"]) == ("a new name", {"team": "text"})
    assert (row["name"], row["displayName"], row["etag"]) == (RUN, "a new name", stored["etag"])


def test_delete_is_one_request_and_nothing_is_read_first(board: Board) -> None:
    printed, asked = board.run(filled(DELETE))
    assert asked == [("DELETE", f"/v1/{RUN}", None)]
    assert printed == ""
    assert board.state.find(RUN) is None


def test_write_is_one_request_whose_points_are_json(board: Board) -> None:
    printed, asked = board.run(filled(WRITE))
    assert asked == [("POST", f"/v1/{RUN}:write", {"tensorboardRun": RUN, "timeSeriesData": SERIES_DATA})]
    assert printed == "[]\n"
    assert board.state.points[f"{RUN}/timeSeries/loss"][11]["scalar"] == {"value": 0.5}


def test_write_of_an_experiment_is_one_request(board: Board) -> None:
    printed, asked = board.run(WRITE_EXPERIMENT)
    assert asked == [
        (
            "POST",
            f"/v1/{EXPERIMENT}:write",
            {"writeRunDataRequests": [{"tensorboardRun": RUN, "timeSeriesData": SERIES_DATA}]},
        )
    ]
    assert printed == "[]\n"
    assert board.state.points[f"{RUN}/timeSeries/loss"][11]["scalar"] == {"value": 0.5}


def test_all_blocks_are_one_script(board: Board) -> None:
    blocks = [GET, LIST, CREATE, BATCH_CREATE, PATCH, WRITE, DELETE]
    # The comment at the end of some swallows their `;`. The API wants each run and display name once.
    texts = [filled(block, displayName=f"name {number}") for number, block in enumerate(blocks)]
    printed, asked = board.run("\n;\n".join(texts).replace('"new-', '"batch-'))
    # DELETE prints no result, LIST reads three pages.
    assert len(printed.splitlines()) == len(blocks) - 1
    assert len(asked) == len(blocks) + 2
