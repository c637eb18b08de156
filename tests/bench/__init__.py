"""What `make bench` measures, beside what a user would otherwise have written.

`run.py` runs the works of `works.py`: each puts the same question to the engine and to a peer, over a server
that is a process of its own (`server.py` with what `store.py` has; `proxy.py` before a real MLflow server).
`measure.py` times both sides in turn and asks the server how many requests there were; `report.py` prints.
"""
