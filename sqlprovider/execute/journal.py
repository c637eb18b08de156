"""The journal of writes: a line before each request and one after its answer, synced to the disk.

After a kill it tells what was in the air: the rows whose last line was written before an answer came.

    SELECT at, statement_id, sequence, resource, method, key, statement
    FROM (SELECT *, max(rowid) FROM sqlprovider.journal GROUP BY statement_id, sequence)
    WHERE phase = 'sending'

A line is `{"at", "statement_id", "statement", "phase", "pid", "rows": [{…}]}`; `statement` stands in the
first line that a statement has in a file. A row holds `last_write`'s columns that are not NULL.
"""

from __future__ import annotations

import errno
import json
import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path

from sqlprovider.errors import Warning
from sqlprovider.execute.journal_file import JournalFile, Place
from sqlprovider.values import JSON, SQLValue, datetime_from_epoch_ms

FOLDER_VARIABLE = "SQLPROVIDER_STATE_DIR"
MAX_STATEMENT = 10_000
"""Characters of a statement that are kept."""

_CUT = " …"
_INTEGERS = frozenset({"sequence", "http_status"})


@dataclass(frozen=True, slots=True)
class JournalRow:
    """What became of one input row: `last_write`'s columns."""

    sequence: int
    resource: str
    method: str | None
    key: str | None
    state: str | None
    http_status: int | None
    code: str | None
    message: str | None
    request_id: str | None
    input_row: str | None


_COLUMNS = tuple(field.name for field in fields(JournalRow))


class Journal:
    """The journal of a session. Where it cannot be kept there is one warning, and writes go on without it."""

    on_warning: Callable[[Warning], None] | None
    """Told in the thread that wrote."""

    def __init__(
        self, folder: Path | None = None, *, environ: Mapping[str, str], now: Callable[[], float]
    ) -> None:
        self.on_warning = None
        self._folder = folder
        self._environ = environ
        self._now = now
        self._file: JournalFile | None = None
        self._has_warned = False
        self._lock = threading.Lock()

    def statement(self, text: str, *, masked: bool, bodies: bool, enabled: bool) -> StatementJournal:
        """The part of one statement. `masked`: it writes a secret, so that no value of it is kept."""
        return StatementJournal(self, text, masked=masked, bodies=bodies, enabled=enabled)

    def read(self) -> Iterator[dict[str, SQLValue]]:
        """The rows of `sqlprovider.journal`, oldest first. What is no line of ours is skipped."""
        statements: dict[str, str] = {}
        try:
            for line in self._opened().lines():
                yield from _rows_of(line, statements)
        except OSError as error:
            self._warn("the journal cannot be read", error)

    def write(self, line: Callable[[str, Place], bytes]) -> bool:
        """Appends a line made of the time and its place; False: it is not there."""
        try:
            at = datetime_from_epoch_ms(round(self._now() * 1000))
            self._opened().append(lambda place: line(at, place))
        except OSError as error:
            self._warn("the journal cannot be kept, writes go on without it", error)
            return False
        return True

    def _opened(self) -> JournalFile:
        with self._lock:
            if self._file is None:
                self._file = JournalFile(self._folder or _state_folder(self._environ))
            return self._file

    def _warn(self, what: str, error: OSError) -> None:
        with self._lock:
            hook = None if self._has_warned else self.on_warning
            self._has_warned = self._has_warned or hook is not None
        if hook is not None:
            where = f" ({error.filename})" if error.filename else ""
            hint = f"SET journal = false, or set {FOLDER_VARIABLE} to a folder that can be written"
            hook(Warning(f"{what}: {error.strerror or error}{where}", reason="journal", hint=hint))


class StatementJournal:
    """The lines of one statement; there is none before its first request. The pool's threads share it."""

    def __init__(self, journal: Journal, text: str, *, masked: bool, bodies: bool, enabled: bool) -> None:
        import uuid  # noqa: PLC0415  only a session that writes pays for it

        self.id = uuid.uuid4().hex
        self._journal = journal
        self._text = text
        self._masked = masked
        # An answer's message may quote a value, and which values of a row are secret is not known here.
        left_out = {"input_row", "message"} if masked else set() if bodies else {"input_row"}
        self._columns = tuple(name for name in _COLUMNS if name not in left_out)
        self._enabled = enabled
        self._told: Place | None = None
        """Where the statement's text stands."""

    def sending(self, rows: Sequence[JournalRow]) -> None:
        """A request with these rows is about to be sent. It is on the disk when this returns."""
        self._write("sending", rows)

    def answered(self, rows: Sequence[JournalRow]) -> None:
        """What became of the request is known."""
        self._write("answered", rows)

    def _write(self, phase: str, rows: Sequence[JournalRow]) -> None:
        if not self._enabled or not rows:
            return
        plain = [
            {name: value for name in self._columns if (value := getattr(row, name)) is not None}
            for row in rows
        ]
        text = self._kept
        tail = f'"phase":"{phase}","pid":{os.getpid()},"rows":{_text(plain)}}}\n'

        def line(at: str, place: Place) -> bytes:
            head = f'{{"at":"{at}","statement_id":"{self.id}",'
            if self._told is None or not self._told.is_before(place):
                self._told = place
                head += f'"statement":{_text(text)},'
            return (head + tail).encode("ascii")

        if not self._journal.write(line):
            self._told = None

    @cached_property
    def _kept(self) -> str:
        from sqlprovider.sql.masking import mask_literals  # noqa: PLC0415  as above

        text = mask_literals(self._text) if self._masked else self._text.strip()
        return text if len(text) <= MAX_STATEMENT else text[:MAX_STATEMENT] + _CUT


def _text(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))


def _state_folder(environ: Mapping[str, str]) -> Path:
    """Raises OSError where there is no home to keep anything in."""
    import platformdirs  # noqa: PLC0415  only a session that writes pays for it

    try:
        if named := environ.get(FOLDER_VARIABLE):
            return Path(named).expanduser().absolute()
        return Path(platformdirs.user_state_path("sqlprovider", appauthor=False))
    except RuntimeError:
        raise FileNotFoundError(errno.ENOENT, "there is no home folder") from None


def _rows_of(line: bytes, statements: dict[str, str]) -> Iterator[dict[str, SQLValue]]:
    """The rows of a line; none where it is torn, or not ours. Keeps the texts of the statements."""
    try:
        record: JSON = json.loads(line.decode())
    except (ValueError, RecursionError):
        return
    match record:
        case {
            "at": str(at),
            "statement_id": str(id_),
            "phase": "sending" | "answered" as phase,
            "rows": [*rows],
            **more,
        }:
            if isinstance(text := more.get("statement"), str):
                statements[id_] = text
            head = {"at": at, "statement_id": id_, "statement": statements.get(id_), "phase": phase}
            for row in rows:
                if isinstance(row, dict):
                    cells = head | {name: row.get(name) for name in _COLUMNS}
                    yield {name: _cell(value, whole=name in _INTEGERS) for name, value in cells.items()}


def _cell(value: JSON, *, whole: bool) -> SQLValue:
    """A value as SQLite holds it; NULL for what a foreign line may have in its place."""
    if isinstance(value, str) and not whole:
        return value.encode(errors="replace").decode()
    if isinstance(value, int) and whole and abs(value) < 2**63:
        return int(value)
    return None
