"""No secret is seen: not in output, a log, a trace, EXPLAIN, an error, a repr or a traceback.

Every auth type has its planted secrets (tests/secrets.py). Each is used over a real socket, with an API that
answers and with one that fails, and everything that came out is searched. The search is tried out too.
"""

from __future__ import annotations

import io
import logging
import traceback
from collections.abc import Iterable, Iterator
from pathlib import Path

import httpx
import pytest

from sqlprovider.auth import auth_flow, found_auth
from sqlprovider.catalog.load import load_provider, provider_names
from sqlprovider.config import AUTH_OPTIONS, Settings
from sqlprovider.errors import Error
from sqlprovider.execute.clock import Clock
from sqlprovider.surfaces.cli import main
from tests.execute.build import ITEMS, list_app, lists, make_executor, make_provider
from tests.fakes.loopback import Cut, Fault, Html, Loopback, Reset, Stall, Status, Truncated
from tests.secrets import SCHEMES, Planted, planted

pytestmark = pytest.mark.slow

SOON = Clock(pause=lambda stop, seconds: None, random=lambda: 0.0)
PROVIDER = make_provider(auth_types=tuple(AUTH_OPTIONS), auth_default=None, auth_found=("basic", "token"))
FAULTS: tuple[Fault, ...] = (
    Status(401, body={"error_code": "UNAUTHENTICATED", "message": "no"}),
    Html(403),
    Status(500),
    Html(),
    Cut(),
    Truncated(),
    Stall(),
    Reset(),
)


@pytest.fixture(params=SCHEMES)
def scheme(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Planted]:
    with planted(request.param, tmp_path) as found:
        yield found


def seen_in(text: str, secrets: Iterable[str]) -> list[str]:
    return [secret for secret in secrets if secret in text]


def test_no_secret_is_in_an_error_a_record_or_a_log(
    scheme: Planted, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    shown = []
    with Loopback(list_app(ITEMS, 2)) as api:
        executor = make_executor(
            base_url=api.base_url, provider=PROVIDER, auth=scheme.spec, environ=scheme.environ, clock=SOON
        )
        for fault in (None, *FAULTS):
            api.faults.planned.clear()
            if fault is not None:
                api.misbehave(fault, times=99)
            calls, before = executor.begin(Settings(timeout=0.5)), len(api.requests)
            try:
                shown += [repr(page) for page in calls.pages(lists("e"))]
            except Error as error:
                shown += [str(error), repr(error), repr(vars(error)), *traceback.format_exception(error)]
            shown += [repr(calls.records), repr(calls.warnings), repr(calls)]
            assert len(api.requests) > before
        executor.close()
    assert caplog.records
    shown += [repr(executor), *(record.getMessage() for record in caplog.records)]
    assert seen_in("\n".join(shown), scheme.secrets) == []


def test_no_secret_is_in_the_repr_of_a_flow_or_of_what_it_holds(scheme: Planted) -> None:
    if scheme.spec is None:
        auth = found_auth(("basic", "token"), scheme.environ)
    else:
        auth = auth_flow(scheme.spec, scheme.environ)
    with Loopback(list_app(ITEMS, 2)) as api, httpx.Client(auth=auth) as client:
        client.get(f"{api.base_url}/runs")
    shown = [f"{held!r} {held}" for held in (auth, *_held_by(auth, depth=4))]
    assert seen_in("\n".join(shown), scheme.secrets) == []


def _held_by(value: object, *, depth: int) -> Iterator[object]:
    """An object of ours and those in its attributes: the texts themselves are what is not to be shown."""
    if depth and type(value).__module__.startswith("sqlprovider"):
        yield value
        names = [*getattr(value, "__dict__", ()), *getattr(type(value), "__slots__", ())]
        for name in names:
            yield from _held_by(getattr(value, name, None), depth=depth - 1)


def test_the_search_finds_what_is_planted(scheme: Planted) -> None:
    """What goes over the wire is searched in the same way, and there the secrets that are sent are found."""
    with Loopback(list_app(ITEMS, 2)) as api:
        executor = make_executor(
            base_url=api.base_url, provider=PROVIDER, auth=scheme.spec, environ=scheme.environ, clock=SOON
        )
        list(executor.begin(Settings()).pages(lists("e")))
        executor.close()
        sent = "\n".join(f"{seen.headers} {seen.body!r}" for seen in api.requests)
    is_signed = scheme.spec is not None and scheme.spec.type in ("access_key", "profile", "api_key")
    found = seen_in(sent, scheme.secrets)
    # A signature gives nothing away; a token of a session goes along with it.
    assert found == (["planted-sts-token"] if "planted-sts-token" in scheme.secrets else []) or not is_signed
    assert found or is_signed


# ---- the command line, with every document that takes the type


TAKEN = {
    "alibaba": ("access_key", "bearer", "profile"),
    "google": ("basic", "token", "service_account", "adc", "metadata server"),
    "mlflow": ("basic", "token", "found token"),
    "oci": ("api_key", "security_token"),
}
PAIRS = [
    pytest.param(provider, name, id=f"{provider}-{name}")
    for provider, names in TAKEN.items()
    for name in names
]


def test_every_document_s_types_are_tried() -> None:
    types = {provider: {*load_provider(provider, {}).auth_types} - {"none"} for provider in provider_names()}
    same = {"found token": "token", "metadata server": "adc"}
    assert types == {provider: {same.get(name, name) for name in names} for provider, names in TAKEN.items()}


def run(*argv: str, environ: dict[str, str]) -> tuple[int, str, str]:
    out, err = io.StringIO(), io.StringIO()
    code = main(["query", *argv], stdin=io.StringIO(), stdout=out, stderr=err, environ=environ)
    return code, out.getvalue(), err.getvalue()


STATEMENTS = {
    "alibaba": "SELECT * FROM alibaba.paidlc.tensorboards",
    "google": "SELECT * FROM google.aiplatform.tensorboards WHERE projectsId = 'p' AND locationsId = 'l'",
    "mlflow": "SELECT * FROM mlflow.tracking.experiments",
    "oci": "SELECT * FROM oci.aidataplatform.experiments WHERE aiDataPlatformId = 'a' AND workspaceKey = 'w'",
}


@pytest.mark.parametrize(("provider", "name"), PAIRS)
def test_no_secret_is_in_what_the_command_line_prints(
    provider: str, name: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    printed: list[str] = []
    with planted(name, tmp_path) as scheme, Loopback(list_app([], 1)) as api:
        environ = {"SQLPROVIDER_CONFIG": "/dev/null", **scheme.environ}
        settings = ["--set", f"{provider}.base_url={api.base_url}", "--trace", "--set", "timeout=0.5"]
        if scheme.spec is not None:
            for key, value in {"type": scheme.spec.type, **scheme.spec.options}.items():
                settings += ["--set", f"{provider}.auth.{key}={value}"]
        sql = STATEMENTS[provider]
        # What the API answers is right for some of the documents only; whatever comes of it is searched.
        for text in (f"EXPLAIN {sql}", sql, "SELECT * FROM sqlprovider.connections"):
            printed += run(*settings, text, environ=environ)[1:]
        before = len(api.requests)
        assert before
        api.misbehave(Status(401), times=99)
        code, out, err = run(*settings, sql, environ=environ)
        printed += [out, err]
        assert (code, "AuthError" in err) == (1, True), err
        assert len(api.requests) > before
    printed += [record.getMessage() for record in caplog.records]
    assert seen_in("\n".join(printed), scheme.secrets) == []
