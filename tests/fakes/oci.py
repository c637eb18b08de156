"""Oracle's AI Data Platform, the whole stand-in: one part over an OciState, one over a real MLflow server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.fakes.oci_api import OciError
from tests.fakes.oci_mlflow import Forward, answer_mlops, is_mlops
from tests.fakes.oci_platform import answer_platform
from tests.fakes.oci_state import OciState
from tests.fakes.wsgi import RecordedRequest, Response

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


def oci_app(state: OciState, *, mlflow: Forward | None = None) -> WSGIApplication:
    """The service over that state; without an MLflow its part of the routes is not there."""

    def dispatch(request: RecordedRequest, rows: int | None) -> Response:
        if not is_mlops(request):
            return answer_platform(state, request, rows)
        if mlflow is None:
            raise OciError(404, f"There is no {request.path} here.", code="NotFound")
        return answer_mlops(request, rows, forward=mlflow, is_there=state.is_there)

    return state.app(dispatch)
