"""Ways in: the command line, the shell, Python's DB-API.

Takes: flags, keystrokes or calls. Gives: rows as text or as tuples; it renders and re-words nothing.
May import: session, config, errors, values.
Start reading at `dbapi.py`, or at `cli.py` and then `statements.py`.
"""
