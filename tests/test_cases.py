"""Every file below tests/cases, run against its backend and held against the oracle."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, TypeAlias

import httpx
import pytest

from tests import across, oci, paidlc, vertex
from tests.across import AcrossState
from tests.cases import ROOT, Backend, Case, check_case, judge_case, read_case
from tests.fakes.faults import Fault
from tests.fakes.ml import MlState
from tests.fakes.oci_state import OciState
from tests.fakes.paidlc import PaidlcState
from tests.fakes.vertex_state import VertexState
from tests.mlflow_objects import mlflow_backend
from tests.oracle import NoOracle

if TYPE_CHECKING:
    from tests.mlflow import Seed

State: TypeAlias = VertexState | MlState | PaidlcState | OciState | AcrossState
STANDINS: Mapping[str, Callable[[], State]] = {
    **vertex.STATES,
    **paidlc.STATES,
    **oci.STATES,
    **across.STATES,
}
REAL = {"mlflow", across.WITH_MLFLOW}
"""What a server is started for; tests/test_across.py runs the second."""
CASES = [read_case(path) for path in sorted(ROOT.rglob("*.test"))]


def _id(case: Case) -> str:
    return case.path.relative_to(ROOT).with_suffix("").as_posix()


def _state(case: Case) -> State:
    """The state a case begins with: `-- state:` sets switches, `-- faults:` appends faults."""
    state = STANDINS[case.backend]()
    switches, faults = case.setup.get("state", {}), case.setup.get("faults", [])
    assert isinstance(switches, dict)
    assert isinstance(faults, list)
    for name, value in switches.items():
        setattr(state, name, set(value) if isinstance(value, list) else value)
    for fault in faults:
        assert isinstance(fault, dict)
        state.faults.append(Fault(**fault))  # type: ignore[arg-type]  # a case names Fault's own fields
    return state


def _backend(case: Case) -> Backend:
    """The stand-in that a case runs against, in the state it begins with."""
    match _state(case):
        case PaidlcState() as state:
            return paidlc.paidlc_backend(state)
        case OciState() as state:
            return oci.oci_backend(state)
        case AcrossState() as state:
            return across.across_backend(state)
        case state:
            return vertex.vertex_backend(state)


@pytest.mark.parametrize("case", [case for case in CASES if case.backend in STANDINS], ids=_id)
def test_case(case: Case, request: pytest.FixtureRequest) -> None:
    rewrite = bool(request.config.getoption("--rewrite"))
    check_case(case, _backend(case), rewrite=rewrite)


@pytest.mark.slow
@pytest.mark.parametrize("case", [case for case in CASES if case.backend == "mlflow"], ids=_id)
def test_case_on_a_real_server(case: Case, mlflow_server: Seed, request: pytest.FixtureRequest) -> None:
    rewrite = bool(request.config.getoption("--rewrite"))
    with httpx.HTTPTransport() as transport:
        check_case(case, mlflow_backend(mlflow_server, transport), rewrite=rewrite)


def test_no_case_is_left_out() -> None:
    assert {case.backend for case in CASES} == {*STANDINS, *REAL} - {"vertex_empty"}


def test_most_cases_that_read_are_judged_by_the_oracle() -> None:
    judged, exempt = 0, []
    for case in CASES:
        if case.backend not in STANDINS or "error" in case.sections:
            continue
        try:
            judge_case(case, _backend(case))
            judged += 1
        except NoOracle:
            exempt.append(_id(case))
    assert judged > len(exempt), f"{judged} are judged, these are not: {exempt}"
