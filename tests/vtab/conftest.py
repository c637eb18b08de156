"""Worlds that are closed when their test is over."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.vtab.world import Answer, MakeWorld, World


@pytest.fixture
def make_world(tmp_path: Path) -> Iterator[MakeWorld]:
    made: list[World] = []

    def make(resources: str, routes: Mapping[str, Answer], **options: Any) -> World:
        made.append(World(tmp_path, resources, routes, **options))
        return made[-1]

    yield make
    for world in made:
        world.close()
