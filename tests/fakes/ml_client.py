"""Google's API client for ml v1, over HTTP, made of the discovery document that lies in its package."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

from tests.fakes.google_discovery import discovery_content
from tests.fakes.loopback import Loopback
from tests.fakes.ml import MlState, ml_app


@contextmanager
def ml_client(state: MlState, *, token: str = "t0ken") -> Iterator[Any]:
    """The client on that state, which wants `t0ken`; the client's own is never renewed."""
    from google.oauth2.credentials import Credentials
    from googleapiclient.discovery import build_from_document  # type: ignore[import-untyped]  # it has no stubs

    credentials = Credentials(token=token)  # type: ignore[no-untyped-call]  # google-auth has no annotation here
    with Loopback(ml_app(state, token="t0ken")) as server:
        options = {"api_endpoint": server.base_url}
        content = discovery_content("ml", "v1")
        with closing(build_from_document(content, credentials=credentials, client_options=options)) as client:
            yield client


def http_error() -> Any:
    """The class of the client's errors."""
    from googleapiclient.errors import HttpError  # type: ignore[import-untyped]  # it has no stubs

    return HttpError
