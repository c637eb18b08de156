"""What a work is held to: each goal is a text and a judgement of what was measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Protocol

from sqlprovider.values import Row


@dataclass(frozen=True, slots=True)
class Answer:
    """One run of one side: the rows that both sides must agree on, and what it says of itself."""

    rows: Sequence[Row]
    seconds: float | None = None
    """Where the whole run is not what is timed."""
    megabytes: float | None = None
    """Of memory, or of what the server sent."""


@dataclass(slots=True)
class Side:
    """The runs of one side."""

    seconds: list[float] = field(default_factory=list)
    requests: list[int] = field(default_factory=list)
    megabytes: list[float] = field(default_factory=list)

    @property
    def least(self) -> float | None:
        return min(self.seconds, default=None)

    @property
    def median(self) -> float | None:
        return median(self.seconds) if self.seconds else None

    @property
    def most_requests(self) -> int:
        return max(self.requests, default=0)


@dataclass(frozen=True, slots=True)
class Figures:
    """Both sides of a work; without a peer `against` has no runs."""

    ours: Side
    against: Side
    latency: float

    @property
    def slowdown(self) -> float | None:
        """Our least seconds over the peer's."""
        if self.ours.least is None or self.against.least is None:
            return None
        return self.ours.least / self.against.least


class Goal(Protocol):
    """One condition."""

    @property
    def text(self) -> str:
        """As the table shows it."""

    def is_met(self, figures: Figures) -> bool:
        """Whether what was measured keeps it."""

    def seen(self, figures: Figures) -> str:
        """The figure, where no column of the table has it; else an empty text."""


@dataclass(frozen=True, slots=True)
class AtMost:
    """So many times the peer's seconds, and not more."""

    times: float

    @property
    def text(self) -> str:
        return f"≤ {self.times:g} ×"

    def is_met(self, figures: Figures) -> bool:
        return figures.slowdown is not None and figures.slowdown <= self.times

    def seen(self, figures: Figures) -> str:
        return ""


@dataclass(frozen=True, slots=True)
class Faster:
    """The peer takes so many times our seconds, or more."""

    times: float

    @property
    def text(self) -> str:
        return f"≥ {self.times:g} × faster"

    def is_met(self, figures: Figures) -> bool:
        return figures.slowdown is not None and 1 / figures.slowdown >= self.times

    def seen(self, figures: Figures) -> str:
        return ""


@dataclass(frozen=True, slots=True)
class Requests:
    """So many requests and not more."""

    most: int

    @property
    def text(self) -> str:
        return f"≤ {self.most} requests" if self.most > 1 else "1 request"

    def is_met(self, figures: Figures) -> bool:
        return figures.ours.most_requests <= self.most

    def seen(self, figures: Figures) -> str:
        return ""


@dataclass(frozen=True, slots=True)
class SameRequests:
    """As many as the peer."""

    text: str = "the same requests"

    def is_met(self, figures: Figures) -> bool:
        return figures.ours.most_requests == figures.against.most_requests

    def seen(self, figures: Figures) -> str:
        return f"{figures.ours.most_requests} for {figures.against.most_requests}"


@dataclass(frozen=True, slots=True)
class Wasted:
    """Of the requests that nobody needed, less than this share of those that are needed."""

    needed: int
    share: float = 0.1

    @property
    def text(self) -> str:
        return f"wasted < {self.share:.0%}"

    def is_met(self, figures: Figures) -> bool:
        return self._wasted(figures) < self.share

    def seen(self, figures: Figures) -> str:
        return f"{self._wasted(figures):.0%} wasted"

    def _wasted(self, figures: Figures) -> float:
        return figures.ours.most_requests / self.needed - 1


@dataclass(frozen=True, slots=True)
class RoundTrips:
    """So many times the server's latency, and not more."""

    most: float

    @property
    def text(self) -> str:
        return f"≤ {self.most:g} round trips"

    def is_met(self, figures: Figures) -> bool:
        return self._trips(figures) <= self.most

    def seen(self, figures: Figures) -> str:
        return f"{self._trips(figures):.2f} round trips"

    def _trips(self, figures: Figures) -> float:
        return (figures.ours.least or 0.0) / figures.latency


@dataclass(frozen=True, slots=True)
class Megabytes:
    """So much resident memory over the start, at the peak of the worst run."""

    most: float

    @property
    def text(self) -> str:
        return f"≤ {self.most:g} MB over the start"

    def is_met(self, figures: Figures) -> bool:
        return bool(figures.ours.megabytes) and max(figures.ours.megabytes) <= self.most

    def seen(self, figures: Figures) -> str:
        return f"{max(figures.ours.megabytes, default=0.0):.1f} MB"


@dataclass(frozen=True, slots=True)
class FewerBytes:
    """The server sends the peer so many times what it sends us, or more."""

    times: float

    @property
    def text(self) -> str:
        return f"≥ {self.times:g} × fewer bytes"

    def is_met(self, figures: Figures) -> bool:
        ours, theirs = figures.ours.megabytes, figures.against.megabytes
        return bool(ours and theirs) and min(theirs) >= self.times * max(ours)

    def seen(self, figures: Figures) -> str:
        ours, theirs = max(figures.ours.megabytes, default=0.0), max(figures.against.megabytes, default=0.0)
        return f"{ours:.1f} MB for {theirs:.1f} MB"
