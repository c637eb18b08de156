"""SQLite's side: the only importer of apsw.

Takes: SQLite's callbacks. Gives: `engine.Engine`, a connection on which every resource is a virtual table.
May import: execute, plan, catalog, errors, values. Start reading at `table.py`, then `reading.py`.
"""
