"""Which limits of the API a call is counted against."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Quota:
    """The calls of one scope are counted together, per connection."""

    scope: str
    per_minute: float | None = None
    """Calls a minute; None: the document does not say."""
    concurrency: int | None = None
    """Calls at once, at most; None: what the API's refusals teach."""
