"""What SQL makes PAI-DLC be asked is what Alibaba Cloud's own client asks, for every operation it has."""

from __future__ import annotations

import pytest

from tests.contracts.comparison import Comparison
from tests.contracts.paidlc_conformance import compare, compare_statements
from tests.contracts.sdk_paidlc import recorded_sdk_requests, sdk_calls
from tests.fakes.paidlc import OPERATIONS
from tests.fakes.paidlc_operations import find_operation

pytestmark = pytest.mark.slow


def unequal(compared: list[Comparison]) -> list[str]:
    return [f"{found.operation}: {found.reason}" for found in compared if not found.equal]


def test_every_operation_of_the_client_is_called_as_it_calls_it() -> None:
    compared = compare()
    assert unequal(compared) == []
    assert {found.operation for found in compared} == OPERATIONS.keys()
    assert len(compared) == 43


def test_select_and_insert_make_the_same_calls() -> None:
    compared = compare_statements()
    assert unequal(compared) == []
    assert len(compared) == 25


def test_the_calls_that_are_compared_leave_nothing_out() -> None:
    for call in sdk_calls():
        operation = OPERATIONS[call.operation]
        assert call.values.keys() == operation.query | operation.body, call.operation
        request = recorded_sdk_requests()[call.operation]
        assert {name.partition(".")[0] for name, _ in request.query} == operation.query


def test_the_stand_in_s_operations_are_those_of_the_client() -> None:
    for action, request in recorded_sdk_requests().items():
        found = find_operation(request.method, request.path)
        assert found is not None
        operation, ids = found
        assert (operation.action, request.headers["x-acs-action"]) == (action, action)
        (call,) = (call for call in sdk_calls() if call.operation == action)
        assert tuple(ids.values()) == call.ids
