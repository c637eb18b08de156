"""Which calls answer it: pure functions, no I/O, no SQLite, no httpx.

Takes: a `Resource` and `Predicate`s, from SQLite (reads) or from the statement (writes).
Gives: `Scan` or `Mutation` or `Refusal`, and bound `Operation`s. May import: catalog, sql, errors, values.
Start reading at `model.py`, then `scan.py` and `mutation.py`.
"""
