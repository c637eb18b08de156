"""The fault matrix: every write of the main tables × faults × shapes, judged by the server's state.

Read `model.py` (what a cell is), `kinds.py` (the faults), `judge.py` (what must agree), then a platform's
scenarios. `python -m tests.faults.run --all` runs every cell and prints the counts.
"""
