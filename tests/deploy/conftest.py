from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from sqlprovider.session import Session
from tests.deploy.manifests import Files, open_lab


@pytest.fixture(scope="module")
def lab_session() -> Iterator[Session]:
    with closing(open_lab()) as session:
        yield session


@pytest.fixture
def files(tmp_path: Path, lab_session: Session) -> Files:
    return Files(tmp_path, lab_session)
