"""What `make bench` measures, beside what a user would otherwise have written.

`run.py` runs the rows of `work.py` against the server of `server.py`, a process of its own on loopback.
"""
