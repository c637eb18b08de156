"""`USE p`, `USE p.s` and `SET name = literal`."""

from __future__ import annotations

from sqlprovider.sql.meaning import connection_of, service_of
from sqlprovider.sql.rewrite import located
from sqlprovider.sql.script import Piece
from sqlprovider.sql.statement import Names, Set, Use
from sqlprovider.sql.tokens import Kind, literal_value
from sqlprovider.values import SQLValue

_WORDS: dict[str, bool | None] = {"TRUE": True, "FALSE": False, "NULL": None}
_LITERALS = (Kind.STRING, Kind.BLOB, Kind.NUMBER)


def read_use(piece: Piece, names: Names) -> Use:
    """USE of a connection or a service. Raises SQLSyntaxError, UnknownNameError."""
    if not piece.is_name(1):
        raise piece.unexpected(1, "USE needs a connection, or connection.service")
    stop = piece.chain(1)
    if stop < len(piece.tokens):
        raise piece.unexpected(stop, "USE takes connection or connection.service")
    with located(piece, 1, stop):
        match piece.parts(1, stop):
            case (connection,):
                return Use(piece.text, (connection_of(connection, names),))
            case (connection, service):
                known = connection_of(connection, names)
                return Use(piece.text, (known, service_of(known, service, names)))
    raise piece.unexpected(5, "USE takes connection or connection.service")


def read_set(piece: Piece) -> Set:
    """SET of a setting. Raises SQLSyntaxError."""
    if not piece.is_name(1):
        raise piece.unexpected(1, "SET needs name = value")
    if not piece.is_text(2, "="):
        raise piece.unexpected(2, "SET needs name = value")
    at = 4 if piece.is_text(3, "-") or piece.is_text(3, "+") else 3
    if at + 1 < len(piece.tokens):
        raise piece.unexpected(at + 1, "SET takes one value")
    value = _value(piece, at)
    if at == 4:
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise piece.unexpected(4, "only a number can have a sign")
        value = -value if piece.is_text(3, "-") else value
    return Set(piece.text, piece.tokens[1].name, value)


def _value(piece: Piece, at: int) -> SQLValue | bool:
    if at < len(piece.tokens) and piece.tokens[at].kind in _LITERALS:
        return literal_value(piece.tokens[at])
    if (word := piece.word(at)) in _WORDS:
        return _WORDS[word]
    raise piece.unexpected(at, "the value of a setting is a literal: 'text', 1, 0.5, TRUE, FALSE or NULL")
