"""The shell: statements typed and answered, until Ctrl-D."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from sqlprovider.errors import StatementInterrupted
from sqlprovider.surfaces.confirm import Confirm
from sqlprovider.surfaces.dotcommands import DOT_COMMANDS, run_dot_command
from sqlprovider.surfaces.failures import OK, show_failure
from sqlprovider.surfaces.progress import counted
from sqlprovider.surfaces.render import open_printer
from sqlprovider.surfaces.statements import Watched
from sqlprovider.surfaces.visible import visible
from sqlprovider.values import SQLValue

if TYPE_CHECKING:
    from prompt_toolkit import PromptSession
    from prompt_toolkit.history import History
    from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent

    from sqlprovider.session import Session

_PROMPT = "sqlprovider> "
_DECLINED = "declined"
_ROLLED_BACK = "; the transaction is over, and what it did here was undone"
_GREETING = "Statements end with ';'. Tab completes names, .help lists commands, Ctrl-D leaves."


def run_shell(
    session: Session,
    *,
    stdin: TextIO | None,
    stdout: TextIO,
    stderr: TextIO,
    environ: Mapping[str, str],
    output: str,
    params: Mapping[str, SQLValue] | None = None,
) -> int:
    """Answer statements until the input ends; the exit code. `stdin=None` is a terminal, with prompts.

    Without a terminal the first failure ends the shell, as it ends a script.
    """
    shell = Shell(session, stdout=stdout, stderr=stderr, environ=environ, mode=output)
    shell.params.update(params or {})
    return _prompt_for_statements(shell) if stdin is None else _read_statements(shell, stdin)


class Shell:
    """What a line is run against: a session, its parameters, the way rows are printed."""

    def __init__(
        self, session: Session, *, stdout: TextIO, stderr: TextIO, environ: Mapping[str, str], mode: str
    ) -> None:
        self.session = session
        self.stdout = stdout
        self.mode = mode
        self.params: dict[str, SQLValue] = {}
        self.is_over = False
        self.confirm: Confirm | None = None
        """What asks before a write is sent; a script is never asked."""
        self.watched = Watched(session, open_printer(mode, stdout), stdout=stdout, stderr=stderr)
        self._environ = environ

    def answer(self, text: str) -> int:
        """Run what was typed and show how it failed, if it did; the exit code that failure stands for."""
        try:
            if text.lstrip().startswith("."):
                run_dot_command(self, text)
            elif text.strip():
                self.run_sql(text, self.params)
        except BrokenPipeError:
            raise
        except StatementInterrupted as error:
            if error.reason != _DECLINED or self.confirm is None:
                return show_failure(error, stderr=self.watched.stderr, environ=self._environ)
            self.say(_not_sent(error) + _ROLLED_BACK * self.confirm.in_transaction)
        except (Exception, KeyboardInterrupt) as error:
            return show_failure(error, stderr=self.watched.stderr, environ=self._environ)
        return OK

    def run_sql(self, text: str, params: Mapping[str, SQLValue]) -> None:
        self.watched.run(text, params or (), timed=True)

    def has_local(self, name: str) -> bool:
        """Whether there is a local table or view of that name."""
        sql = (
            "SELECT 1 FROM (SELECT name FROM sqlite_schema UNION ALL SELECT name FROM sqlite_temp_schema) "
            "WHERE lower(name) = lower(:name)"
        )
        return any(list(result.rows) for result in self.session.run(sql, {"name": name}))

    def say(self, text: str) -> None:
        self.watched.stderr.write(f"{visible(text)}\n")


def _not_sent(error: StatementInterrupted) -> str:
    """What a no left undone: a COMMIT puts a question for each of its writes."""
    before = sum(row["state"] not in ("not_tried", "staged") for row in error.rows)
    if not before:
        return "nothing was sent"
    return f"not sent; {counted(before, 'row')} before it went out, see sqlprovider.last_write"


def is_complete(text: str) -> bool:
    """Whether Enter ends the input: a command, or statements ended by `;` (outside quotes and triggers)."""
    return not text.strip() or text.lstrip().startswith(".") or sqlite3.complete_statement(text)


def _read_statements(shell: Shell, stdin: TextIO) -> int:
    pending = ""
    for line in stdin:
        if not pending.strip() and line.lstrip().startswith("--"):
            continue  # else a command on the next line would stand inside a statement
        pending += line
        if not is_complete(pending):
            continue
        text, pending = pending, ""
        if (code := shell.answer(text)) != OK or shell.is_over:
            return code
    return shell.answer(pending)


def _prompt_for_statements(shell: Shell) -> int:
    prompt = _open_prompt(shell)
    shell.confirm = Confirm(shell.session, shell.watched.stderr, ask=_open_question())
    shell.watched.ask_before_writes(shell.confirm)
    shell.say(_GREETING)
    while not shell.is_over:
        try:
            text = prompt.prompt()
        except KeyboardInterrupt:
            continue
        except EOFError:
            break
        shell.answer(text)
    return OK


def _open_prompt(shell: Shell) -> PromptSession[str]:
    from prompt_toolkit import PromptSession  # noqa: PLC0415  a shell without a terminal does without it

    from sqlprovider.surfaces.completion import NameCompleter  # noqa: PLC0415  prompt_toolkit, too

    return PromptSession(
        _PROMPT,
        multiline=True,
        prompt_continuation=lambda width, line, wrapped: "-> ".rjust(width),
        history=_open_history(),
        completer=NameCompleter(shell.session, DOT_COMMANDS),
        complete_in_thread=True,
        key_bindings=_key_bindings(),
    )


def _open_question() -> Callable[[str], str | None]:
    """What asks on a line of its own, with nothing of it in the history."""
    from prompt_toolkit import PromptSession  # noqa: PLC0415  a shell at a terminal

    line: PromptSession[str] = PromptSession()

    def ask(question: str) -> str | None:
        try:
            # In the main thread it would take the signal handlers of the statement that asks.
            return line.prompt(question, in_thread=True)
        except (EOFError, KeyboardInterrupt):
            return None

    return ask


def _open_history() -> History:
    """History in the user's state folder; in memory where that cannot be written."""
    import platformdirs  # noqa: PLC0415  only a prompt has a history
    from prompt_toolkit.history import FileHistory, InMemoryHistory  # noqa: PLC0415  a shell at a terminal

    path = Path(platformdirs.user_state_path("sqlprovider", appauthor=False)) / "history"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        with path.open("ab"):
            return FileHistory(str(path))
    except OSError:
        return InMemoryHistory()


def _key_bindings() -> KeyBindings:
    from prompt_toolkit.key_binding import KeyBindings  # noqa: PLC0415  a shell at a terminal

    bindings = KeyBindings()

    @bindings.add("enter")
    def _(event: KeyPressEvent) -> None:
        buffer = event.current_buffer
        if buffer.complete_state is not None and buffer.complete_state.current_completion is not None:
            buffer.complete_state = None
        elif is_complete(buffer.text):
            buffer.validate_and_handle()
        else:
            buffer.insert_text("\n")

    return bindings
