"""CREATE, ALTER and DROP: what SQLite may do with a resource, and what nobody can."""

from __future__ import annotations

from sqlprovider.errors import NotSupportedError
from sqlprovider.sql.meaning import SYSTEM, Meaning, column_meaning, is_connection, table_meaning
from sqlprovider.sql.outline import Outline, outline_statement
from sqlprovider.sql.rewrite import located
from sqlprovider.sql.script import Piece
from sqlprovider.sql.statement import Names

_SHORT_NAME_AFTER = {
    ("CREATE", "INDEX"): frozenset({"ON"}),
    ("CREATE", "TRIGGER"): frozenset({"ON", "FROM", "JOIN", "INTO", "UPDATE"}),
    ("ALTER", "TABLE"): frozenset({"TABLE"}),
    ("DROP", "TABLE"): frozenset({"TABLE", "EXISTS"}),
    ("DROP", "VIEW"): frozenset({"VIEW", "EXISTS"}),
}
"""Where a name that USE shortened is one that exists; elsewhere it is a new name, and local."""
_TEMP = frozenset({"TEMP", "TEMPORARY"})
_QUERY_STARTS = frozenset({"SELECT", "VALUES", "WITH"})


def query_start(piece: Piece) -> int:
    """The index of the SELECT of `CREATE VIEW … AS SELECT`, `CREATE TABLE … AS SELECT`; the end if none."""
    at = 0 if piece.word(0) == "CREATE" and _kind(piece) in ("TABLE", "VIEW") else len(piece.tokens)
    while at < len(piece.tokens):
        if piece.word(at) == "AS" and piece.word(at + 1) in _QUERY_STARTS:
            return at + 1
        at = piece.closing.get(at, at) + 1
    return at


def outline_ddl(piece: Piece, start: int, names: Names) -> Outline:
    """The outline of the query that begins at `tokens[start]`. Raises NotSupportedError."""
    kind = _kind(piece)
    for at in range(start):
        if (meaning := _named(piece, at, names)) is not None:
            with located(piece, at, piece.chain(at)):
                raise _refusal(piece, kind, meaning)
    return outline_statement(piece, start) if start < len(piece.tokens) else Outline()


def refuse_lasting_view(piece: Piece, table: str) -> None:
    """A view that outlives the session could not be opened again without it."""
    if (piece.word(0), piece.word(1)) != ("CREATE", "VIEW"):
        return
    name = next(at for at in range(2, len(piece.tokens)) if piece.word(at) not in ("IF", "NOT", "EXISTS"))
    if piece.tokens[name].name.lower() == "temp" and piece.is_text(name + 1, "."):
        return
    rest = piece.text[piece.tokens[1].start :]
    raise NotSupportedError(
        f"a view on {table} must be TEMP: the database could not be opened without sqlprovider",
        hint=f"CREATE TEMP {rest}",
        span=piece.span(0, name + 1),
        text=piece.text,
    )


def _kind(piece: Piece) -> str:
    """`TABLE`, `VIEW`, `INDEX`, `TRIGGER`."""
    at = 1
    while piece.word(at) in _TEMP or piece.word(at) in ("UNIQUE", "VIRTUAL"):
        at += 1
    return piece.word(at)


def _named(piece: Piece, at: int, names: Names) -> Meaning | None:
    """The resource whose name begins at `at`, if one does."""
    if not piece.is_name(at) or piece.is_text(at - 1, "."):
        return None
    parts = piece.parts(at, piece.chain(at))
    if len(parts) >= 3 and is_connection(parts[0], names):
        with located(piece, at, at + 5):
            return column_meaning(parts[:3], names)
    words = _SHORT_NAME_AFTER.get((piece.word(0), _kind(piece)), frozenset())
    if len(parts) > 2 or parts[0].lower() == SYSTEM or piece.word(at - 1) not in words:
        return None
    return table_meaning(parts, names, ctes=frozenset())


def _refusal(piece: Piece, kind: str, meaning: Meaning) -> NotSupportedError:
    verb = piece.word(0)
    what = f"{verb} {kind}" if kind else verb
    match verb, kind:
        case "CREATE", "INDEX" | "TRIGGER":
            return NotSupportedError(
                f"{what} is not done on {meaning.table}: it is a resource, not SQLite's table"
            )
        case "CREATE", _:
            return NotSupportedError(
                f"{what} cannot make {meaning.table}: it is a resource's name",
                hint=f"CREATE TABLE {meaning.last} AS SELECT * FROM {meaning.table}",
            )
    return NotSupportedError(f"{what} is not done on {meaning.table}: it is a resource, not SQLite's table")
