"""`python -m tests.soak.mixed --minutes 10`: reads and writes from several threads, half of them cut short.

The platforms are the tests' lab and the stand-in for Vertex AI, both behind sockets that now and then answer
503 or 429 or late, and a real MLflow server. In rounds of a minute, threads with sessions of their own, and
forks of one session, read, write, read half a result, and are interrupted. After each round what is left is
counted: threads, file handles, sockets, resident memory. The exit code is 1 where a row is wrong, or where
one of them does not stay level.
"""

from __future__ import annotations

import argparse
import gc
import logging
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlprovider.catalog.load import load_provider
from sqlprovider.config import Config, load_config
from sqlprovider.errors import Error, StatementInterrupted
from sqlprovider.session import Session, provider_names
from sqlprovider.surfaces.mlflow_server import start_mlflow_server
from sqlprovider.values import Row
from tests.fakes.loopback import Delay, Loopback, Status
from tests.fakes.vertex import VertexState, vertex_app, vertex_small
from tests.oracle import Oracle, difference
from tests.paths.lab import objects, write_document, wsgi_app
from tests.paths.left import busy_threads, eventually

WORKERS = 6
READS = (
    "SELECT * FROM lab.s.things",
    "SELECT id, name FROM lab.s.things LIMIT 5",
    "SELECT count(*) FROM lab.s.numbers",
    "SELECT max(rank), min(rank) FROM lab.s.ranked",
    "SELECT t.id, p.part, p.weight FROM lab.s.things t LEFT JOIN lab.s.parts p ON p.thing = t.id",
    "SELECT * FROM lab.s.bits",
    "SELECT n.num, m.a FROM lab.s.numbers n JOIN lab.s.marks m ON m.b = n.big",
    "SELECT n.num, i.label FROM lab.s.numbers n LEFT JOIN lab.s.items i ON i.id = 't' || n.num",
    "SELECT thing, count(*) FROM lab.s.parts GROUP BY thing",
)
EXPERIMENT = "projectsId = 'p' AND locationsId = 'l' AND tensorboardsId = 't' AND experimentsId = 'e-empty'"
TOLERANCE = {"threads": 2, "handles": 36, "sockets": 32, "KiB resident": 16 * 1024}
"""How much more there may be after the last round than after the second.

The session that stays open keeps up to 16 connections alive, and both their ends are in this process. The
stand-in for Vertex AI keeps every operation it was asked for, and the session lists those that it began: by
`tracemalloc` 0.18 KiB a statement, some 7 MB in ten minutes.
"""
_ROUND = 60.0


@dataclass(slots=True)
class Place:
    """The servers, and what a session needs to reach them."""

    config: Config
    folder: Path
    lab: Loopback
    google: Loopback
    state: VertexState
    expected: dict[str, list[Row]]
    made: int = 0

    def session(self) -> Session:
        """A session on all three."""
        return Session(
            self.config,
            environ={},
            load=lambda name, versions: load_provider(name, versions, directories=(self.folder,)),
        )

    def name(self) -> str:
        """A name that nobody had."""
        self.made += 1
        return f"w{threading.get_ident() % 100_000}-{self.made}"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.soak.mixed", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10, help="for how long (default 10)")
    parser.add_argument("--seed", type=int, default=0, help="which work (default 0)")
    options = parser.parse_args(arguments)
    logging.disable(logging.WARNING)
    with places() as place:
        return _run(place, options.minutes, options.seed)


@contextmanager
def places() -> Iterator[Place]:
    """The three platforms."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        state = vertex_small()
        lab = stack.enter_context(Loopback(wsgi_app))
        google = stack.enter_context(Loopback(vertex_app(state)))
        mlflow = stack.enter_context(start_mlflow_server(folder / "mlflow"))
        write_document(folder)
        none = {"auth": {"type": "none"}}
        config = load_config(
            {
                "connections": {
                    "lab": {"provider": "lab", "base_url": lab.base_url},
                    "google": {"provider": "google", "base_url": google.base_url, **none},
                    "mlflow": {"provider": "mlflow", "base_url": mlflow.base_url, **none},
                },
                "max_requests": 5000,
            },
            environ={},
            providers=("lab", *provider_names()),
        )
        place = Place(config, folder, lab, google, state, {})
        with closing(place.session()) as session:
            oracle = Oracle(session.catalog, objects)
            place.expected.update({sql: oracle.rows(oracle.sql_of(sql)) for sql in READS})
            oracle.connection.close()
        yield place


def _run(place: Place, minutes: float, seed: int) -> int:
    left: list[dict[str, int]] = []
    tally: Counter[str] = Counter()
    rounds = max(2, round(minutes * 60 / _ROUND))
    seconds = min(_ROUND, minutes * 60 / rounds)
    with closing(place.session()) as kept:
        for number in range(rounds):
            tally += _round(place, kept, seed * 1000 + number, seconds)
            left.append(_left(place))
            print(f"round {number + 1}: {tally.total()} statements, left: {left[-1]}", flush=True)
    for kind, count in sorted(tally.items()):
        print(f"{count:8} {kind}")
    grown = {what: left[-1][what] - left[1][what] for what in TOLERANCE}
    wrong = tally["wrong"] + tally["unforeseen"]
    uneven = {what: more for what, more in grown.items() if more > TOLERANCE[what]}
    print(f"more than after the second round: {grown}; allowed: {TOLERANCE}")
    return 1 if wrong or uneven else 0


def _round(place: Place, kept: Session, seed: int, seconds: float) -> Counter[str]:
    """One round; every thread is over when it returns."""
    end = time.monotonic() + seconds
    over = threading.Event()
    trouble = threading.Thread(target=_trouble, args=(place, random.Random(seed), over))
    trouble.start()

    def work(number: int) -> Counter[str]:
        dice, tally = random.Random(seed * 100 + number), Counter[str]()
        while time.monotonic() < end:
            with closing(kept.fork() if number % 2 else place.session()) as session:
                for _ in range(40):
                    tally[_step(place, session, dice)] += 1
                    if time.monotonic() > end:
                        break
        return tally

    with ThreadPoolExecutor(WORKERS) as pool:
        found = list(pool.map(work, range(WORKERS)))
    over.set()
    trouble.join()
    place.lab.behave()
    place.google.behave()
    return sum(found, Counter())


def _trouble(place: Place, dice: random.Random, over: threading.Event) -> None:
    """Now and then a server is busy, down or slow."""
    while not over.wait(dice.random() / 2):
        server = dice.choice((place.lab, place.google))
        server.misbehave(dice.choice((Status(503), Status(429, retry_after=0), Delay(0.05))), times=2)


def _step(place: Place, session: Session, dice: random.Random) -> str:
    """One statement, or one small script; what it came to."""
    kind = dice.choice((_read, _read, _half, _half, _cut, _cut, _write_google, _write_mlflow, _join_mlflow))
    try:
        return kind(place, session, dice)
    except StatementInterrupted:
        return f"interrupted: {kind.__name__}"
    except Error as error:
        # A server that was busy for longer than is waited for; nothing else is foreseen.
        if error.retryable or ": 503 " in str(error) or ": 429 " in str(error):
            return f"given up: {kind.__name__}"
        print(f"{kind.__name__}: {type(error).__name__}: {error}", file=sys.stderr)
        return "unforeseen"


def _read(place: Place, session: Session, dice: random.Random) -> str:
    sql = dice.choice(READS)
    (result,) = session.run(sql)
    if (differs := difference(result.rows, place.expected[sql])) is None:
        return "read"
    print(f"{sql}\n{differs}", file=sys.stderr)
    return "wrong"


def _half(place: Place, session: Session, dice: random.Random) -> str:
    (result,) = session.run(dice.choice(READS))
    for _ in range(dice.randrange(4)):
        next(result.rows, None)
    if dice.random() < 0.5:
        result.rows.close()  # type: ignore[attr-defined]  # it is a generator
    return "half read"


def _cut(place: Place, session: Session, dice: random.Random) -> str:
    timer = threading.Timer(dice.random() / 50, session.interrupt)
    timer.start()
    try:
        return _read(place, session, dice)
    finally:
        timer.join()


def _write_google(place: Place, session: Session, dice: random.Random) -> str:
    name = place.name()
    where = f"{EXPERIMENT} AND runsId = '{name}'"
    _all(
        session,
        "INSERT INTO google.aiplatform.runs(projectsId, locationsId, tensorboardsId, experimentsId, "
        f"tensorboardRunId, displayName) VALUES ('p', 'l', 't', 'e-empty', '{name}', '{name}')",
    )
    _all(session, f"UPDATE google.aiplatform.runs SET description = 'x' WHERE {where}")
    rows = _all(session, f"SELECT displayName, description FROM google.aiplatform.runs WHERE {where}")
    _all(session, f"DELETE FROM google.aiplatform.runs WHERE {where}")
    return "written to google" if rows == [(name, "x")] else "wrong"


def _write_mlflow(place: Place, session: Session, dice: random.Random) -> str:
    name = place.name()
    ((id_,),) = _all(
        session, f"INSERT INTO mlflow.tracking.experiments(name) VALUES ('{name}') RETURNING experiment_id"
    )
    where = f"experiment_id = '{id_!s}'"
    runs = f"('{id_!s}', 'a'), ('{id_!s}', 'b')"
    _all(session, f"INSERT INTO mlflow.tracking.runs(experiment_id, run_name) VALUES {runs}")
    rows = _all(session, f"SELECT run_name FROM mlflow.tracking.runs WHERE {where} ORDER BY run_name")
    _all(session, f"DELETE FROM mlflow.tracking.experiments WHERE {where}")
    return "written to mlflow" if rows == [("a",), ("b",)] else "wrong"


def _join_mlflow(place: Place, session: Session, dice: random.Random) -> str:
    (result,) = session.run(
        "SELECT e.name, r.run_name FROM mlflow.tracking.experiments e LEFT JOIN mlflow.tracking.runs r "
        "ON r.experiment_id = e.experiment_id LIMIT 20"
    )
    return "joined" if len(list(result.rows)) >= 1 else "wrong"


def _all(session: Session, sql: str) -> list[Row]:
    (result,) = session.run(sql)
    return list(result.rows)


def _left(place: Place) -> dict[str, int]:
    """What there is when nobody works. The servers' threads and sockets go with the clients'."""
    eventually(lambda: not busy_threads(), 10)
    place.lab.requests.clear()
    place.lab.spoiled.clear()
    place.google.requests.clear()
    place.google.spoiled.clear()
    place.state.requests.clear()
    gc.collect()
    # A thread of the pool that has nothing to do ends after ten seconds.
    eventually(lambda: threading.active_count() <= 8, 12)
    own = list(Path("/proc/self/fd").iterdir())
    resident = Path("/proc/self/status").read_text().partition("VmRSS:")[2].split()[0]
    return {
        "threads": threading.active_count(),
        "handles": len(own),
        "sockets": sum(_is_socket(entry) for entry in own),
        "KiB resident": int(resident),
    }


def _is_socket(entry: Path) -> bool:
    try:
        return str(entry.readlink()).startswith("socket:")
    except OSError:
        return False


if __name__ == "__main__":
    sys.exit(main())
