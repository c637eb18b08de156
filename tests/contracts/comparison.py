"""One operation of a vendor's API, as its own client sends it and as we do."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Comparison:
    """How one documented operation fares."""

    operation: str
    """The vendor's name of it."""
    sql_name: str | None
    """The four-part name by which SQL reaches it; None: it cannot."""
    equal: bool
    """Whether our request is the one that the vendor's client (or description) makes."""
    reason: str = ""
    """Why it is not equal, or what it was compared with where the vendor's client cannot make it."""
