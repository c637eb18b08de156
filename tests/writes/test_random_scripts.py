"""Random scripts of writes end in the same state on a real MLflow server and on a model of it in SQLite."""

from __future__ import annotations

import pytest
from hypothesis import Phase, given, settings

from tests.writes.play import play, told
from tests.writes.runner import Server
from tests.writes.scripts import Script, scripts

pytestmark = pytest.mark.slow

# Not shrunk here: `python -m tests.writes.run` does that, and takes its time.
_SAMPLE = settings(max_examples=40, phases=(Phase.explicit, Phase.generate), report_multiple_bugs=False)
_OFTEN = {"INSERT done": 60, "INSERT staged": 5, "UPDATE done": 15, "DELETE done": 4, "COMMIT done": 5}


def test_a_script_of_writes_does_on_the_server_what_it_does_on_the_model(server: Server) -> None:
    @_SAMPLE
    @given(scripts())
    def agree(drawn: Script) -> None:
        play(drawn, server)

    agree()
    seldom = {kind: server.tally[kind] for kind, least in _OFTEN.items() if server.tally[kind] < least}
    assert not seldom, told(server)
    assert any(kind.startswith("COMMIT ") and kind != "COMMIT done" for kind in server.tally), told(server)
