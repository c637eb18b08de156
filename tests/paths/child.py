"""`python -m tests.paths.child FOLDER URL SQL`: a statement that Ctrl-C ends, and what it leaves.

Prints `ready`, then what became of the statement, the rows of the next one, and what is left once the
session is closed.
"""

from __future__ import annotations

import sys
from pathlib import Path

from sqlprovider.errors import Error, StatementInterrupted
from tests.paths.left import busy_threads, eventually, open_sockets
from tests.paths.open import open_lab

NEXT = "SELECT count(*) FROM q.s.marks"
"""By another connection: one whose API says to wait is waited for."""


def main(folder: str, base_url: str, sql: str) -> None:
    session = open_lab(Path(folder), base_url=base_url)
    print("ready", flush=True)
    try:
        for result in session.run(sql):
            for _ in result.rows:
                pass
        print("complete", flush=True)
    except StatementInterrupted:
        print("interrupted", flush=True)
    except Error as error:
        print(f"failed: {error}", flush=True)
    (result,) = session.run(NEXT)
    print(list(result.rows), flush=True)
    session.close()
    port = int(base_url.rpartition(":")[2])
    eventually(lambda: not busy_threads() and not open_sockets(port), 3)
    print(f"{busy_threads()} threads at work, {open_sockets(port)} sockets", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
