"""What the works share: the server, a session on it, and the common shape of a work over its pages."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from functools import cached_property, partial
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

from sqlprovider.catalog.load import load_provider, provider_names
from sqlprovider.config import load_config
from sqlprovider.session import Session
from sqlprovider.values import Row
from tests.bench.children import Counted, child, page_server
from tests.bench.goals import Answer, Goal
from tests.bench.measure import Sides, Work
from tests.bench.store import Scale
from tests.bench.tracked import tracking_server

SCHEMAS = Path(__file__).parent / "schemas"
LATENCY = 0.02

Peer = Callable[[httpx.Client], list[Row]]


class Bench:
    """One run of the bench: the server is started for the first work that needs it."""

    def __init__(self, stack: ExitStack, scale: Scale) -> None:
        self.stack = stack
        self.scale = scale

    @cached_property
    def pages(self) -> Counted:
        """The server of `store.py`."""
        return self.stack.enter_context(page_server(self.scale))

    @cached_property
    def vertex(self) -> Counted:
        """The stand-in for Vertex AI."""
        return self.stack.enter_context(child("tests.bench.vertex_server"))

    @cached_property
    def mlflow(self) -> Counted:
        """A real MLflow server behind the proxy."""
        return self.stack.enter_context(tracking_server(self.home / "mlflow", self.scale))

    @cached_property
    def home(self) -> Path:
        """A folder for what is written: journals, compiled documents, a database."""
        return Path(self.stack.enter_context(TemporaryDirectory(prefix="bench-")))

    @property
    def environ(self) -> dict[str, str]:
        """An environment in which nothing of the user's is found."""
        folders = ("XDG_STATE_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "HOME")
        return {name: str(self.home) for name in folders}

    @contextmanager
    def session(self, *, latency: float) -> Iterator[Session]:
        """A session of its own on the server, which answers so late from now on."""
        self.pages.answer_after(latency)
        with closing(open_bench_session(self.pages.base_url)) as session:
            yield session

    def work(
        self,
        id: int,
        title: str,
        sql: str,
        *goals: Goal,
        peer: Peer | None = None,
        against: str = "",
        accepts: Callable[[Sequence[Row]], bool] | None = None,
        latency: float = LATENCY,
        note: str = "",
    ) -> Work:
        """One statement of ours beside one function of the peer's."""

        @contextmanager
        def sides() -> Iterator[Sides]:
            with (
                self.session(latency=latency) as session,
                httpx.Client(base_url=self.pages.base_url, timeout=60) as client,
            ):
                yield Sides(
                    lambda: Answer(rows_of(session, sql)),
                    None if peer is None else lambda: Answer(peer(client)),
                    self.pages.requests,
                    accepts,
                )

        return Work(id, title, against, goals, sides, latency, note)


def open_bench_session(base_url: str) -> Session:
    """A session with the bench's own document, and with nothing of the user's."""
    directories = (SCHEMAS,)
    connections = {"connections": {"bench": {"base_url": base_url}}}
    config = load_config(connections, environ={}, providers=provider_names(directories=directories))
    return Session(config, environ={}, load=partial(load_provider, directories=directories))


def rows_of(session: Session, sql: str) -> list[Row]:
    """The rows of a text of one statement."""
    (result,) = session.run(sql)
    return list(result.rows)
