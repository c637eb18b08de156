"""SQLite's side: the only importer of apsw.

Takes: SQLite's callbacks. Gives: `engine.Engine`, a connection on which every resource is a virtual table.
May import: execute, plan, catalog, errors, values. Start reading at `table.py`, then `reading.py`.

- The plain way of a SELECT: `engine`, `constraints`, `table`, `asked`, `reading`, `kept`.
- The ways round it, each of which may be closed (`paths`): `direct` and `top` (`ways`, `topreader`), `early`,
  `rehearsal`.
- Writes: `statements`, `writer`, `sending`, `settle`, `looks`, `exists`, `staging`.
- Other tables: `system`, `files` and `file_*`, `rows`.
"""
