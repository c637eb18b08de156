"""The calls: the only layer that sends requests.

Takes: bound `Operation`s, and the connections and settings of the configuration.
Gives: `Page`s, `Answer`s, and records of what was sent. May import: auth, plan, below.
Start reading at `executor.py`; `request.py`, `response.py`, `paginate.py` and `retry.py` beside it are pure.
"""
