"""Every exception of sqlprovider. PEP 249's tree is the trunk; the leaves say what happened.

Warning                                    something the user should see; the statement went on
Error
├─ InterfaceError 08001                    the library was called wrongly
│  ├─ ConfigError                          a configuration that cannot be used
│  └─ CredentialsError 28000               no credentials to be found; nothing was sent
├─ CatalogError                            a provider document is wrong: every problem, with file and pointer
└─ DatabaseError
   ├─ ProgrammingError 42000               the statement is wrong
   │  ├─ SQLSyntaxError 42601
   │  ├─ UnknownNameError 42P01            with the nearest names
   │  ├─ UnknownColumnError 42703          with the nearest names
   │  ├─ MissingParameterError 42P02       no method has its required parameters: each one's gap
   │  ├─ AmbiguousMethodError 42725
   │  └─ ManifestError 42000               a stack's files are wrong: every problem, with file and line
   ├─ NotSupportedError 0A000              the resource has no such verb; read-only; what we do not do
   ├─ OperationalError 58000               the world failed
   │  ├─ TransportError 08000              dead port, TLS, time-out, cut connection
   │  ├─ AuthError 28000                   401 and 403
   │  ├─ RateLimitedError 53400            429 after its retries
   │  ├─ RequestLimitError 54000           more requests than `max_requests`
   │  ├─ BackendError HV000                any other status
   │  ├─ WaitTimeoutError 57014            a long-running operation did not end in time
   │  └─ StatementInterrupted 57014        Ctrl-C
   ├─ IntegrityError 23000                 exists already, or a precondition failed
   ├─ DataError 22000                      the answer is not what the document says
   └─ InternalError XX000                  our own fault; please report it
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from sqlprovider.values import Span, SQLValue


class Warning(Exception):  # PEP 249 demands this name
    """Something the user should see; the statement went on. Collected in `Result.warnings`."""

    def __init__(self, message: str, *, reason: str = "warning", hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.reason = reason
        self.hint = hint

    def __str__(self) -> str:
        return self.message if self.hint is None else f"{self.message}\nhint: {self.hint}"


class Error(Exception):
    """The root. `reason` is a stable word for programs, `hint` the way out: runnable SQL where one exists."""

    sqlstate: ClassVar[str] = "HY000"
    retryable: ClassVar[bool] = False
    default_reason: ClassVar[str] = "error"

    def __init__(
        self,
        message: str,
        *,
        reason: str | None = None,
        hint: str | None = None,
        span: Span | None = None,
        text: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.reason = reason or self.default_reason
        self.hint = hint
        self.span = span
        self.text = text
        self.context: str | None = None
        """The operation that was under way, attached on the way out."""
        self.rows: tuple[dict[str, SQLValue], ...] = ()
        """For a failed write: the rows of `sqlprovider.last_write`."""
        self.repeated = False
        """Whether the answer to an earlier attempt was lost: that attempt may have acted."""

    def __str__(self) -> str:
        lines = [self.message if self.context is None else f"{self.context}: {self.message}"]
        if self.hint is not None:
            lines.append(f"hint: {self.hint}")
        if self.span is not None and self.text is not None:
            lines.extend(_excerpt(self.text, self.span))
        return "\n".join(lines)


def _excerpt(text: str, span: Span) -> list[str]:
    """The line that holds the span, numbered, with the span underlined.

    >>> _excerpt("SELECT *\\nFROM x", __import__("sqlprovider.values").values.Span(14, 15))
    ['  2 | FROM x', '    |      ^']
    """
    start = text.rfind("\n", 0, span.start) + 1
    end = text.find("\n", span.start)
    line = text[start:] if end == -1 else text[start:end]
    number = str(text.count("\n", 0, start) + 1)
    width = max(1, min(span.end, start + len(line)) - span.start)
    return [
        f"  {number} | {line}",
        f"  {' ' * len(number)} | {' ' * (span.start - start)}{'^' * width}",
    ]


class InterfaceError(Error):
    """The library was called wrongly."""

    sqlstate = "08001"
    default_reason = "interface"


class ConfigError(InterfaceError):
    """A configuration that cannot be used; the message names the key."""

    sqlstate = "F0000"
    default_reason = "config"


class CredentialsError(InterfaceError):
    """No credentials to be found. Nothing was sent."""

    sqlstate = "28000"
    default_reason = "no_credentials"


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault of a provider document: the file, a JSON pointer into it, and what is wrong."""

    file: str
    pointer: str
    message: str

    def __str__(self) -> str:
        return f"{self.file}#{self.pointer}: {self.message}"


class CatalogError(Error):
    """A provider document is wrong. `problems` holds every fault, not only the first."""

    sqlstate = "F0001"
    default_reason = "catalog"

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class DatabaseError(Error):
    """Anything that went wrong while a statement was answered."""


class ProgrammingError(DatabaseError):
    """The statement is wrong; nothing was sent."""

    sqlstate = "42000"
    default_reason = "wrong_statement"


class SQLSyntaxError(ProgrammingError):
    """The text cannot be parsed."""

    sqlstate = "42601"
    default_reason = "syntax"


class UnknownNameError(ProgrammingError):
    """A connection, service, resource or method that does not exist."""

    sqlstate = "42P01"
    default_reason = "unknown_name"


class UnknownColumnError(ProgrammingError):
    """A column or parameter that does not exist, or that the chosen method does not take."""

    sqlstate = "42703"
    default_reason = "unknown_column"

    name: str | None = None
    """The column that SQLite does not know, where only SQLite has looked for it."""


class MissingParameterError(ProgrammingError):
    """No method of `resource` has its required parameters; the message lists what each one lacks."""

    sqlstate = "42P02"
    default_reason = "missing_parameter"

    def __init__(
        self, message: str, *, reason: str | None = None, hint: str | None = None, resource: str | None = None
    ) -> None:
        super().__init__(message, reason=reason, hint=hint)
        self.resource = resource


class AmbiguousMethodError(ProgrammingError):
    """Two methods fit equally well."""

    sqlstate = "42725"
    default_reason = "ambiguous_method"


class ManifestError(ProgrammingError):
    """A manifest that cannot be used; nothing was sent. `problems`: every fault as `file:line: message`."""

    default_reason = "manifest"

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


class NotSupportedError(DatabaseError):
    """The resource has no such verb, the session is read-only, or it is what we do not do."""

    sqlstate = "0A000"
    default_reason = "not_supported"


class OperationalError(DatabaseError):
    """The world failed."""

    sqlstate = "58000"
    default_reason = "operational"


class TransportError(OperationalError):
    """A dead port, TLS, a time-out, a cut connection."""

    sqlstate = "08000"
    retryable = True
    default_reason = "transport"


class _Answered(DatabaseError):
    """What the errors made of an API's answer share: `status`, `code` and `request_id` are the API's own."""

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        code: str | None = None,
        request_id: str | None = None,
        reason: str | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(message, reason=reason, hint=hint)
        self.status = status
        self.code = code
        self.request_id = request_id

    def __str__(self) -> str:
        head, *rest = super().__str__().split("\n")
        if self.request_id is not None:
            head = f"{head} (request id {self.request_id})"
        return "\n".join([head, *rest])


class BackendError(_Answered, OperationalError):
    """The API answered with an error."""

    sqlstate = "HV000"
    default_reason = "backend"


class AuthError(_Answered, OperationalError):
    """401 or 403: the API refused these credentials."""

    sqlstate = "28000"
    default_reason = "auth"


class RateLimitedError(_Answered, OperationalError):
    """429 after its retries. `retry_after` is in seconds, None where the API did not say."""

    sqlstate = "53400"
    retryable = True
    default_reason = "rate_limited"
    retry_after: float | None = None


class RequestLimitError(OperationalError):
    """The statement needs more requests than `max_requests` allows."""

    sqlstate = "54000"
    default_reason = "request_limit"


class WaitTimeoutError(OperationalError):
    """A long-running operation did not end in time; it goes on at the backend."""

    sqlstate = "57014"
    default_reason = "wait_timeout"


class StatementInterrupted(OperationalError):
    """Ctrl-C."""

    sqlstate = "57014"
    default_reason = "interrupted"


class IntegrityError(_Answered):
    """Exists already, or a precondition failed."""

    sqlstate = "23000"
    default_reason = "integrity"


class DataError(DatabaseError):
    """The answer is not what the document says; `pointer` is where in the answer."""

    sqlstate = "22000"
    default_reason = "data"

    def __init__(
        self, message: str, *, pointer: str | None = None, reason: str | None = None, hint: str | None = None
    ) -> None:
        super().__init__(message, reason=reason, hint=hint)
        self.pointer = pointer


class InternalError(DatabaseError):
    """Our own fault; please report it."""

    sqlstate = "XX000"
    default_reason = "internal"


def nearest(name: str, known: Iterable[str], *, count: int = 3) -> tuple[str, ...]:
    """The known names most like `name`, best first; at most `count` of them.

    >>> nearest("rnus", ["runs", "experiments"])
    ('runs',)
    """
    import difflib  # noqa: PLC0415  only a misspelt name pays for it

    by_lower = {candidate.lower(): candidate for candidate in known}
    close = difflib.get_close_matches(name.lower(), list(by_lower), n=count, cutoff=0.5)
    return tuple(by_lower[candidate] for candidate in close)


def did_you_mean(name: str, known: Sequence[str]) -> str:
    """`; did you mean a, b?` for a misspelt name, `; there are: …` for a short list, else nothing."""
    if close := nearest(name, known):
        return f"; did you mean {', '.join(close)}?"
    return f"; there are: {', '.join(known)}" if 0 < len(known) <= 12 else ""
