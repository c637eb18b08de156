"""The names of an outline, looked up and spliced into the text.

`FROM a.b.c` → `FROM "a.b.c" AS c`, `x IN a.b.c` → `x IN "a.b.c"`, `a.b.c.col` → `c.col`,
`FROM read_csv('f')` → `FROM "read_csv('f')"('f') AS read_csv`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from sqlprovider.errors import Error, ProgrammingError
from sqlprovider.sql.files import file_meaning, is_file
from sqlprovider.sql.meaning import Meaning, column_meaning, table_meaning
from sqlprovider.sql.outline import Mention, Outline, Place, Source
from sqlprovider.sql.parameters import Parameters, read_parameters
from sqlprovider.sql.script import Piece
from sqlprovider.sql.splice import Edit, Edits
from sqlprovider.sql.statement import Names, TableRef
from sqlprovider.sql.tokens import quoted, quoted_if_needed
from sqlprovider.values import Span


@dataclass(frozen=True, slots=True)
class Found:
    """A source that is a resource, a system table or a file."""

    source: Source
    meaning: Meaning
    span: Span
    stop: int
    """The index of the token after it; a file's arguments are a part of it."""

    @property
    def is_file(self) -> bool:
        """Whether it is a call that reads a file."""
        return self.stop != self.source.stop

    @property
    def alias(self) -> str:
        """What its columns are qualified with."""
        return self.source.alias or self.meaning.last

    def table(self) -> TableRef:
        """What it is to those who run the statement."""
        return TableRef(self.meaning.table, self.meaning.name, self.alias, self.span)


@dataclass(frozen=True, slots=True)
class Qualified:
    """`a.b.c.col` that is to be read as `alias.col`."""

    mention: Mention
    alias: str


@dataclass(frozen=True, slots=True)
class Resolved:
    """A statement whose names are known."""

    piece: Piece
    start: int
    """The index of the token at which what has an outline begins."""
    written: Source | None
    """What an INSERT, UPDATE or DELETE writes to, be it ours or SQLite's."""
    found: tuple[Found, ...]
    qualified: tuple[Qualified, ...]
    parameters: Parameters
    edits: Edits

    @property
    def is_local(self) -> bool:
        """Whether the statement is SQLite's alone: its text then goes there as it is."""
        return not self.found and not self.qualified

    @property
    def target(self) -> Found | None:
        """The resource or system table that an INSERT, UPDATE or DELETE writes to."""
        return next((found for found in self.found if found.source is self.written), None)

    def cut(self, start: int, stop: int) -> str:
        """`tokens[start:stop]`, names and parameters spliced in."""
        span = self.piece.span(start, stop)
        return self.edits.cut(span.start, span.end) if start < stop else ""


def resolve(
    piece: Piece, outline: Outline, names: Names, *, start: int, parameters: Parameters | None = None
) -> Resolved:
    """Look up every name of an outline. Raises UnknownNameError, ProgrammingError."""
    parameters = read_parameters(piece.tokens) if parameters is None else parameters
    found = tuple(_lookup(piece, outline, names, parameters))
    _refuse_twins(piece, found, outline)
    qualified = tuple(_qualify(piece, outline, found, names))
    edits = [
        *(edit for one in found for edit in _name_edits(piece, one, outline)),
        *(_column_edit(piece, column) for column in qualified),
        *parameters.edits(piece),
    ]
    return Resolved(piece, start, outline.target, found, qualified, parameters, Edits(piece.text, edits))


@contextmanager
def located(piece: Piece, start: int, stop: int) -> Iterator[None]:
    """Tell an error where in the text it arose."""
    try:
        yield
    except Error as error:
        if error.span is None:
            error.span, error.text = piece.span(start, stop), piece.text
        raise


def _lookup(piece: Piece, outline: Outline, names: Names, parameters: Parameters) -> Iterator[Found]:
    for source in outline.sources:
        ctes = frozenset[str]()
        if source.place in (Place.FROM, Place.IN):
            ctes = outline.arms[source.arm].ctes
        with located(piece, source.start, source.stop):
            meaning = table_meaning(source.parts, names, ctes=ctes)
            if meaning is not None and source.called:
                raise _call_error(piece, source, meaning, names)
            stop = source.stop
            if meaning is None and is_file(source, names, ctes=ctes):
                stop = piece.closing[source.stop] + 1
                meaning = file_meaning(piece, source, names, parameters)
        if meaning is not None:
            yield Found(source, meaning, piece.span(source.start, stop), stop)


def _call_error(piece: Piece, source: Source, meaning: Meaning, names: Names) -> ProgrammingError:
    opened = source.stop
    close = piece.closing[opened]
    known = () if meaning.name is None else names.columns(meaning.name).values()
    columns = [column.name for column in known]
    arguments = piece.slice(opened + 1, close).split(",") if close > opened + 1 else []
    values = [f"{column} = {value.strip()}" for column, value in zip(columns, arguments, strict=False)]
    where = f" WHERE {' AND '.join(values)}" if values else ""
    return ProgrammingError(
        f"{meaning.table} is a table, not a function: its parameters are columns",
        hint=f"SELECT * FROM {meaning.table}{where}",
    )


def _refuse_twins(piece: Piece, found: Sequence[Found], outline: Outline) -> None:
    """Two unaliased tables with one last name in one FROM could not be told apart."""
    # Two files are as two calls of any function of SQLite's, which sees what is ambiguous.
    ours = {id(f.source): f.meaning.last for f in found if not f.is_file}
    seen: dict[tuple[int, str], Source] = {}
    for source in outline.sources:
        if source.place not in (Place.FROM, Place.TARGET) or source.alias is not None or not source.parts:
            continue
        last = ours.get(id(source), source.parts[-1])
        twin = seen.setdefault((source.arm, last.lower()), source)
        if twin is not source and (id(source) in ours or id(twin) in ours):
            written = piece.slice(source.start, source.stop)
            raise ProgrammingError(
                f"two tables of one FROM are called {last!r}: give one of them another name",
                hint=f"{written} AS {last}_2",
                span=piece.span(source.start, source.stop),
                text=piece.text,
            )


def _qualify(piece: Piece, outline: Outline, found: Sequence[Found], names: Names) -> Iterator[Qualified]:
    by_source = {id(f.source): f for f in found}
    for mention in outline.mentions:
        with located(piece, mention.start, mention.stop):
            if (meaning := column_meaning(mention.parts, names)) is None:
                continue
            _refuse_capture(mention, meaning, outline, by_source)
        yield Qualified(mention, meaning.last)


def _refuse_capture(
    mention: Mention, meaning: Meaning, outline: Outline, by_source: Mapping[int, Found]
) -> None:
    """`a.b.c.col` becomes `c.col`: the nearest table called `c` must be `a.b.c`."""
    level: int | None = mention.arm
    while level is not None:
        for source in outline.sources:
            if source.arm != level or source.place is Place.IN:
                continue
            found = by_source.get(id(source))
            called = found.alias if found else source.alias or (source.parts[-1] if source.parts else "")
            if called.lower() != meaning.last.lower():
                continue
            if found is not None and found.meaning == meaning:
                return
            other = found.meaning.table if found else called
            raise ProgrammingError(
                f"{meaning.table}.{mention.column} would be read as a column of {other}, which is also called"
                f" {called!r} here",
                hint=f"FROM {meaning.table} AS {meaning.last}_2 … {meaning.last}_2.{mention.column}",
            )
        level = outline.arms[level].parent


def _name_edits(piece: Piece, found: Found, outline: Outline) -> Iterator[Edit]:
    needs_alias = found.source.alias is None and found.source.place in (Place.FROM, Place.TARGET)
    alias = f" AS {quoted_if_needed(found.meaning.last)}" if needs_alias else ""
    span, table = piece.span(found.source.start, found.source.stop), quoted(found.meaning.table)
    if not found.is_file:
        yield Edit(span.start, span.end, table + alias)
        return
    # The arguments stay, for parameters to keep their places; an alias stands after them.
    before, after = ("(SELECT * FROM ", " LIMIT -1)") if _is_joined(found.source, outline) else ("", "")
    yield Edit(span.start, span.end, f"{before}{table}")
    yield Edit(found.span.end - 1, found.span.end, f"){after}{alias} ")


def _is_joined(source: Source, outline: Outline) -> bool:
    """Whether other tables stand beside it. SQLite reads a subquery that has a LIMIT once and finds its rows
    by an index, where it would read the file again for each row of the others.
    """
    places = (Place.FROM, Place.TARGET)
    return source.place in places and any(
        other.arm == source.arm and other is not source and other.place in places for other in outline.sources
    )


def _column_edit(piece: Piece, qualified: Qualified) -> Edit:
    span = piece.span(qualified.mention.start, qualified.mention.stop)
    return Edit(span.start, span.end, f"{quoted_if_needed(qualified.alias)}.{qualified.mention.column}")
