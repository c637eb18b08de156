"""One MLflow server for the tests of this folder that a worker runs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.writes.runner import Server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    from tests.writes.play import scripts_server

    with scripts_server(tmp_path_factory.mktemp("writes")) as started:
        yield started
