"""`EXEC r.method @a='x', @b=:b @@json='{…}'`. The commas are optional: a comment may have swallowed them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlprovider.errors import SQLSyntaxError, UnknownNameError
from sqlprovider.sql.meaning import is_connection, resource_of
from sqlprovider.sql.outline import outline_expressions
from sqlprovider.sql.parameters import read_parameters
from sqlprovider.sql.rewrite import located, resolve
from sqlprovider.sql.script import Piece
from sqlprovider.sql.statement import Argument, Exec, Names
from sqlprovider.sql.tokens import Kind, unquoted
from sqlprovider.values import Name

_CONSTANTS = frozenset({"NULL", "TRUE", "FALSE"})
_LITERALS = (Kind.STRING, Kind.BLOB, Kind.NUMBER, Kind.PARAMETER)
_BODY = "@json"


@dataclass(frozen=True, slots=True)
class _Given:
    """`@name = value` in `tokens[start:stop]`."""

    name: str
    start: int
    stop: int

    @property
    def key(self) -> str:
        return self.name.lower()


def read_exec(piece: Piece, names: Names) -> Exec:
    """EXEC of a method. Raises SQLSyntaxError, UnknownNameError."""
    if not piece.is_name(1):
        raise piece.unexpected(1, "EXEC needs the name of a method: connection.service.resource.method")
    after = piece.chain(1)
    with located(piece, 1, after):
        target = method_of(piece.parts(1, after), names)
    given = list(_read_arguments(piece, after))
    # Values may hold subqueries on resources, and anonymous parameters are numbered as in any statement.
    resolved = resolve(
        piece,
        outline_expressions(piece, after),
        names,
        start=after,
        parameters=read_parameters(piece.tokens, but={argument.start for argument in given}),
    )
    arguments: dict[str, Argument] = {}
    for one in given:
        if one.key in arguments:
            token = piece.tokens[one.start]
            raise SQLSyntaxError(f"{token.text} is given twice", span=token.span, text=piece.text)
        value = resolved.cut(one.start + 2, one.stop)
        arguments[one.key] = Argument(one.name, value, piece.span(one.start, one.stop))
    body = arguments.pop(_BODY, None)
    return Exec(piece.text, target, tuple(arguments.values()), body, resolved.parameters.count)


def method_of(parts: tuple[str, ...], names: Names) -> Name:
    """The method that a name means, in full or shorter after USE. Raises UnknownNameError."""
    *resource, method = parts
    is_whole_resource = len(parts) == 3 and is_connection(parts[0], names)
    if not resource or is_whole_resource:
        hint = f"SHOW METHODS IN {resource_of(parts, names)}" if is_whole_resource else "SHOW PROVIDERS"
        written = ".".join(parts)
        raise UnknownNameError(
            f"{written!r} names no method: write connection.service.resource.method", hint=hint
        )
    found = resource_of(tuple(resource), names)
    return names.resolve_method(Name(found.connection, found.service, found.resource, method))


def _read_arguments(piece: Piece, start: int) -> Iterator[_Given]:
    at = start
    while at < len(piece.tokens):
        token = piece.tokens[at]
        is_argument = token.kind is Kind.ARGUMENT or (token.kind is Kind.PARAMETER and token.text[0] == "@")
        if not is_argument or not piece.is_text(at + 1, "="):
            wrong = at + 1 if is_argument else at
            raise piece.unexpected(wrong, "EXEC takes @name = value, @name = value, @@json = '{…}'")
        written = token.text[1:]
        if written[0] == "@" and written.lower() != _BODY:
            raise piece.unexpected(at, "the only argument with two @ is @@json")
        stop = _value_end(piece, at + 2)
        is_quoted = token.kind is Kind.ARGUMENT and written[0] != "@"
        yield _Given(unquoted(written) if is_quoted else written, at, stop)
        at = stop + 1 if piece.is_text(stop, ",") else stop


def _value_end(piece: Piece, at: int) -> int:
    """The index after a literal, a parameter, a signed number or an expression in parentheses."""
    first = at
    while piece.is_text(at, "-") or piece.is_text(at, "+"):
        at += 1
    if at >= len(piece.tokens):
        raise piece.unexpected(at, "an argument needs a value")
    token = piece.tokens[at]
    if at > first:
        is_value = token.kind is Kind.NUMBER
    elif token.text == "(":
        at = piece.closing[at]
        is_value = at < len(piece.tokens)
    else:
        is_value = token.kind in _LITERALS or token.word in _CONSTANTS
    if not is_value:
        raise piece.unexpected(at, "a value is a literal, a parameter or an expression in parentheses")
    return at + 1
