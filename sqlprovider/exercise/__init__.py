"""What a provider's documents say, tried out: a server made from the documents alone, and SQL against it.

Takes: a provider's folder. Gives: an `Outcome` for each thing tried. May import: session and what lies below
it, httpx, sqlite3. Start reading at `run.py`; `checks.py`, `pushes.py`, `writes.py` and `calls.py` hold the
checks, each a function; `made.py` makes rows, `items.py` what an API shows of
them, `platform.py` is the server.
"""
