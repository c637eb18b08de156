"""Many calls under way at once, each step of the work deciding what comes after its call's reply."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass
from typing import TypeAlias

from sqlprovider.errors import Error, StatementInterrupted
from sqlprovider.execute.executor import StatementCalls
from sqlprovider.execute.feed import IN_FLIGHT
from sqlprovider.execute.pool import Tasks, interrupted
from sqlprovider.execute.response import Answer
from sqlprovider.plan.model import Operation


@dataclass(frozen=True, slots=True)
class Send:
    """What a step asks for: an operation, and what is called right before its first exchange."""

    operation: Operation
    before: Callable[[], None] | None = None


Reply: TypeAlias = Answer | Error
Step: TypeAlias = Generator[Send, Reply, None]
"""A piece of work: it yields what is to be sent and is given the reply, an error as a value."""


def run_steps(calls: StatementCalls, steps: Iterable[Step], *, halted: Callable[[], bool]) -> None:
    """Runs the steps, as many as `IN_FLIGHT` at once; none is begun once `halted` says so.

    The steps themselves run in this thread, so they need no locks. Raises StatementInterrupted for Ctrl-C,
    after every step has been told.
    """
    source = iter(steps)
    under_way: dict[Future[Answer], Step] = {}
    with calls.named_when_stopped(), calls.tasks() as tasks:
        try:
            while True:
                while len(under_way) < IN_FLIGHT and not halted():
                    if (step := next(source, None)) is None:
                        break
                    _begin(step, calls, tasks, under_way)
                if not under_way:
                    return
                done, _ = wait(under_way, return_when=FIRST_COMPLETED)
                for future in [future for future in under_way if future in done]:
                    reply = _reply(future, tasks)
                    _go_on(under_way.pop(future), reply, calls, tasks, under_way)
        except (KeyboardInterrupt, StatementInterrupted):
            # Ctrl-C here, or in what a step itself reads.
            tasks.interrupt()
            _tell(under_way.values())
            raise interrupted() from None


def _begin(step: Step, calls: StatementCalls, tasks: Tasks, under_way: dict[Future[Answer], Step]) -> None:
    first = next(step, None)
    if first is not None:
        _start(step, first, calls, tasks, under_way)


def _go_on(
    step: Step, reply: Reply, calls: StatementCalls, tasks: Tasks, under_way: dict[Future[Answer], Step]
) -> None:
    try:
        wanted = step.send(reply)
    except StopIteration:
        return
    _start(step, wanted, calls, tasks, under_way)


def _start(
    step: Step, wanted: Send, calls: StatementCalls, tasks: Tasks, under_way: dict[Future[Answer], Step]
) -> None:
    try:
        future = calls.start(wanted.operation, tasks, before=wanted.before)
    except Error as error:
        _go_on(step, error, calls, tasks, under_way)
        return
    under_way[future] = step


def _reply(future: Future[Answer], tasks: Tasks) -> Reply:
    try:
        return tasks.result(future)
    except Error as error:
        return error


def _tell(steps: Iterable[Step]) -> None:
    """Tells each step that its call was given up; what it would send then is not sent."""
    for step in tuple(steps):
        try:
            step.send(StatementInterrupted("interrupted"))
        except StopIteration:
            continue
        step.close()
