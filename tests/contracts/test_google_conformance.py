"""Every operation of Vertex AI and of ml v1 is reached in SQL, and asked for as Google's own client asks."""

from __future__ import annotations

import pytest

from tests.contracts.google_conformance import SHADOWED, compare

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("service", "version", "operations", "built"),
    [
        pytest.param("aiplatform", "v1", 1144, 1143, id="aiplatform v1"),
        pytest.param("aiplatform", "v1beta1", 1600, 1583, id="aiplatform v1beta1"),
        pytest.param("ml", "v1", 46, 46, id="ml v1"),
    ],
)
def test_every_operation_is_asked_for_as_the_client_asks(
    service: str, version: str, operations: int, built: int
) -> None:
    found = compare(service, version)
    assert [one for one in found if not one.equal] == []
    assert len({one.operation for one in found}) == operations
    assert len({one.operation for one in found if one.reason != SHADOWED}) == built


def test_no_name_means_two_operations() -> None:
    names = [one.sql_name for one in compare("aiplatform", "v1")]
    assert len(names) == len(set(names))
