"""Infrastructure as SQL: files of desired state are planned, applied and destroyed.

Takes: manifests (YAML) and SQL files. Gives: a plan, and what applying it did.
May import: session, config, errors, values.
Start reading at: model.py, then plan.py.
"""
