"""What exists.

Takes: provider documents in `schemas/`, and the connections of the configuration.
Gives: one frozen `Catalog`. May import: errors, values. Start reading at `model.py`.
"""
