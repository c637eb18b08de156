"""What was asked: the only importer of sqlglot.

Takes: the user's text and what names mean (`statement.Names`).
Gives: `Statement`s, with SQLite text in which resource names are spliced in. May import: errors, values.
Start reading at `statement.py`, then `parse.py`.
"""
