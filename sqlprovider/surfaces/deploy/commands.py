"""`plan`, `apply` and `destroy`, from the command line's words to the exit code."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TextIO, cast

from sqlprovider.errors import (
    IntegrityError,
    InterfaceError,
    ManifestError,
    StatementInterrupted,
    did_you_mean,
)
from sqlprovider.surfaces.deploy.apply import Applied, apply_plan
from sqlprovider.surfaces.deploy.change import Change, Plan
from sqlprovider.surfaces.deploy.flags import DeployArguments
from sqlprovider.surfaces.deploy.manifest import read_manifest
from sqlprovider.surfaces.deploy.mask import Mask, MaskedStream
from sqlprovider.surfaces.deploy.model import Manifest
from sqlprovider.surfaces.deploy.plan import Options, limit, plan_stack
from sqlprovider.surfaces.deploy.planfile import Made, Pinned, manifest_print, moved, read_plan, write_plan
from sqlprovider.surfaces.deploy.progress import ApplyProgress
from sqlprovider.surfaces.deploy.reader import Reader
from sqlprovider.surfaces.deploy.render import (
    applied_json,
    applied_text,
    json_text,
    plan_json,
    plan_markdown,
    plan_text,
    stopped_text,
)
from sqlprovider.surfaces.deploy.workers import Workers
from sqlprovider.surfaces.failures import FAILED, INTERRUPTED, MISUSED, OK, show_failure
from sqlprovider.surfaces.interrupt import ControlC, interrupting
from sqlprovider.surfaces.tracing import watch_requests
from sqlprovider.values import JSON

if TYPE_CHECKING:
    from sqlprovider.session import Session

CHANGES = 3
"""`plan` found something to do."""
_ROUNDS = 10
"""A stack whose files read what they write is read and applied again, at most so often."""


class Deploy:
    """One run of one command."""

    def __init__(
        self,
        arguments: DeployArguments,
        session: Session,
        *,
        stdin: TextIO,
        stdout: TextIO,
        stderr: TextIO,
        environ: Mapping[str, str],
    ) -> None:
        self._arguments = arguments
        self._session = session
        self._stdin = stdin
        self._environ = environ
        self._mask = Mask()
        self._masked = (MaskedStream(stdout), MaskedStream(stderr))
        self._stdout, self._stderr = (cast("TextIO", stream) for stream in self._masked)
        self._earlier: dict[str, tuple[Change, str]] = {}
        """What earlier rounds of this apply did, by id."""

    def run(self) -> int:
        """The exit code; what fails is said on stderr, without secrets."""
        try:
            self._refuse_misuse()
            return self._plan() if self._arguments.command == "plan" else self._apply()
        except (Exception, KeyboardInterrupt) as error:
            code = show_failure(error, stderr=self._stderr, environ=self._environ)
            return MISUSED if isinstance(error, ManifestError) else code

    def _refuse_misuse(self) -> None:
        given, settings = self._arguments, self._session.settings
        if given.command == "apply" and bool(given.files) is (given.plan is not None):
            raise InterfaceError("apply takes files, or --plan PLAN", reason="usage")
        if given.plan is not None and (given.targets or given.prune or given.resend or given.use):
            raise InterfaceError(
                "--plan says what is applied: give --target and the like to plan", reason="usage"
            )
        if given.command == "plan":
            return
        if settings.read_only or settings.dry_run:
            raise InterfaceError(
                f"{given.command} writes, and the session is read-only or a dry run: nothing was sent",
                reason="read_only",
                hint="sqlprovider plan shows what would be done",
            )
        if not given.yes and not self._stdin.isatty():
            raise InterfaceError(
                f"{given.command} asks before it sends, and there is no terminal: nothing was sent",
                reason="not_confirmed",
                hint="--yes",
            )

    def _plan(self) -> int:
        made = self._made()
        manifest = self._read(made)
        with self._planned(manifest, made) as (plan, _, _):
            texts = {"text": plan_text, "markdown": plan_markdown}
            output = self._arguments.output
            self._stdout.write(texts[output](plan) if output in texts else json_text(plan_json(plan)))
            if output != "text":
                self._warn(plan.warnings)
            if self._arguments.out is not None:
                self._keep(Path(self._arguments.out), made, manifest, plan)
            return CHANGES if plan.has_changes(strict=self._arguments.strict) else OK

    def _apply(self) -> int:
        pinned = None if self._arguments.plan is None else read_plan(Path(self._arguments.plan))
        made = self._made() if pinned is None else self._remade(pinned.made)
        for number in range(_ROUNDS):
            manifest = self._read(made, pinned)
            may_repeat = bool(manifest.unsettled) and pinned is None and number + 1 < _ROUNDS
            code, is_over = self._apply_once(manifest, made, pinned, may_repeat=may_repeat)
            if code != OK or is_over:
                return code
        self._warn(
            [f"the files read what they write, and after {_ROUNDS} rounds there is still something to do"]
        )
        return FAILED

    def _apply_once(
        self, manifest: Manifest, made: Made, pinned: Pinned | None, *, may_repeat: bool
    ) -> tuple[int, bool]:
        """The exit code, and whether this was the last round."""
        with self._planned(manifest, made) as (plan, reader, workers):
            if pinned is not None and (gone := moved(pinned, plan, self._mask)):
                raise IntegrityError(
                    f"the live state has moved since the plan was made: {'; '.join(gone)}; nothing was sent",
                    reason="moved",
                    hint="plan again",
                )
            is_json = self._arguments.output == "json"
            shown = self._stderr if is_json else self._stdout
            if not is_json or not self._arguments.yes:
                shown.write(plan_text(plan))
            else:
                self._warn(plan.warnings)
            if plan.has_changes(strict=True) and not self._is_confirmed():
                self._stderr.write("nothing was sent\n")
                return FAILED, True
            applied = self._send(plan, manifest, reader, workers)
            is_over = not (may_repeat and applied.is_done and plan.has_changes())
            outputs = self._outputs(manifest, plan, reader) if applied.is_done and is_over else {}
            self._show(plan, applied, outputs, is_over=is_over)
            return self._code(applied), is_over

    def _send(self, plan: Plan, manifest: Manifest, reader: Reader, workers: Workers) -> Applied:
        with (
            interrupting(cast("Session", workers)) as control,  # only its interrupt() is called
            ApplyProgress(self._stderr, shown=self._stderr.isatty()) as progress,
        ):
            return apply_plan(plan, manifest, reader, workers, on_done=progress.note, stop=control)

    def _show(self, plan: Plan, applied: Applied, outputs: Mapping[str, JSON], *, is_over: bool) -> None:
        self._warn(dict.fromkeys(applied.warnings))
        if self._arguments.output == "json":
            # One document, however many rounds there are: each object with what was done to it.
            whole, states = plan.with_earlier(self._earlier, applied.states)
            self._earlier = {change.id: (change, states[change.id]) for change in whole.changes}
            if is_over:
                self._stdout.write(json_text(applied_json(whole, states, outputs)))
        else:
            word = "destroyed" if self._arguments.command == "destroy" else "applied"
            self._stdout.write(applied_text(plan, applied.states, outputs, word=word))
        if not applied.is_done:
            failures = [(label, str(error)) for label, error in applied.failures]
            self._stderr.write(stopped_text(plan, applied.states, failures))

    def _code(self, applied: Applied) -> int:
        if applied.is_done:
            return OK
        is_stopped = any(isinstance(error, StatementInterrupted) for _, error in applied.failures)
        return INTERRUPTED if is_stopped or applied.interrupted else FAILED

    def _outputs(self, manifest: Manifest, plan: Plan, reader: Reader) -> dict[str, JSON]:
        if self._arguments.command == "destroy":
            return {}
        return {
            name: reader.output(sql, manifest.output_values.get(name, {}), plan.rows)
            for name, sql in manifest.outputs.items()
        }

    def _read(self, made: Made, pinned: Pinned | None = None) -> Manifest:
        """The manifest; from here on nothing that is written holds a secret."""
        manifest = read_manifest(
            [Path(file) for file in made.files],
            self._session,
            variables=made.variables,
            variable_files=[Path(file) for file in made.variable_files],
            use=made.use,
            environ=self._environ,
        )
        self._mask = Mask(manifest.secrets)
        self._session.conceal = bool(manifest.secrets)
        for stream in self._masked:
            stream.mask = self._mask
        watch_requests(self._session, self._stderr)
        if pinned is not None and manifest_print(manifest) != pinned.manifest:
            raise IntegrityError(
                "the files ask for something else than when the plan was made: nothing was sent",
                reason="moved",
                hint="plan again",
            )
        return self._limited(manifest, made.targets)

    def _limited(self, manifest: Manifest, targets: tuple[str, ...]) -> Manifest:
        known = {name for entry in manifest.entries for name in (entry.id, entry.label)}
        for target in targets:
            if target not in known:
                near = did_you_mean(target, tuple(sorted(known)))
                raise ManifestError([f"--target {target}: there is no such id{near}"])
        return limit(manifest, targets) if targets else manifest

    @contextmanager
    def _planned(self, manifest: Manifest, made: Made) -> Iterator[tuple[Plan, Reader, Workers]]:
        options = Options(
            prune=made.prune,
            resend=made.resend,
            destroy=self._arguments.command == "destroy",
            limited=bool(made.targets),
        )
        with closing(self._session.fork()) as own, Workers(self._session) as workers:
            with interrupting(cast("Session", _Both(own, workers))) as control:
                reader = Reader(own, manifest)
                plan = plan_stack(manifest, reader, workers, options)
            _raise_if_pressed(control)
            yield plan, reader, workers

    def _made(self) -> Made:
        given = self._arguments
        return Made(
            given.files,
            dict(map(_variable, given.variables)),
            given.variable_files,
            given.use,
            given.targets,
            given.prune,
            given.resend,
        )

    def _remade(self, made: Made) -> Made:
        """What a kept plan was made of, with the secrets that are given again."""
        variables = {**made.variables, **dict(map(_variable, self._arguments.variables))}
        files = (*made.variable_files, *self._arguments.variable_files)
        return Made(made.files, variables, files, made.use, made.targets, made.prune, made.resend)

    def _keep(self, path: Path, made: Made, manifest: Manifest, plan: Plan) -> None:
        try:
            write_plan(path, made, manifest, plan, self._mask)
        except OSError as error:
            raise InterfaceError(f"cannot write {str(path)!r}: {error.strerror}", reason="usage") from error

    def _is_confirmed(self) -> bool:
        if self._arguments.yes:
            return True
        self._stderr.write(f"{self._arguments.command} this? yes or no: ")
        self._stderr.flush()
        return self._stdin.readline().strip().lower() in ("y", "yes")

    def _warn(self, warnings: Iterator[str] | list[str] | tuple[str, ...] | dict[str, None]) -> None:
        for warning in warnings:
            self._stderr.write(f"warning: {warning}\n")


class _Both:
    """What Ctrl-C stops while it is planned: the reader's own session and the workers'."""

    def __init__(self, session: Session, workers: Workers) -> None:
        self._parts = (session, workers)

    def interrupt(self) -> None:
        for part in self._parts:
            part.interrupt()


def _raise_if_pressed(control: ControlC) -> None:
    if control.pressed:
        raise StatementInterrupted("interrupted; nothing was sent")


def _variable(text: str) -> tuple[str, str]:
    name, is_given, value = text.partition("=")
    if not is_given or not name.strip():
        raise ManifestError([f"--var {name}: write NAME=VALUE"])
    return name.strip(), value
