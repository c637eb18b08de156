"""Playing scripts: a server of their own, and one script after the other on it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sqlprovider.surfaces.mlflow_server import start_mlflow_server
from tests.writes.runner import Script, Server
from tests.writes.scripts import Script as Drawn
from tests.writes.specs import World


@contextmanager
def scripts_server(directory: Path) -> Iterator[Server]:
    """An empty server: scripts leave hundreds of experiments behind, which no other test wants to walk."""
    from mlflow import MlflowClient

    logging.getLogger("mlflow").setLevel(logging.ERROR)
    with start_mlflow_server(directory) as server:
        yield Server(server.base_url, MlflowClient(server.base_url))


def play(drawn: Drawn, server: Server) -> None:
    """Runs a script on the engine and on the model. Raises Disagreement."""
    with closing(Script(server)) as script:
        world = World(script.prefix, script.model)
        for spec in drawn:
            statement = spec.render(world)
            if statement is not None:
                script.step(statement)
        script.finish()


def told(server: Server) -> str:
    """How many scripts and statements there were, and what they came to."""
    lines = [f"{server.scripts} scripts, {server.tally.total()} statements"]
    lines += [f"{count:6} {kind}" for kind, count in sorted(server.tally.items())]
    return "\n".join(lines)
