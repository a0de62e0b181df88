"""How long work (download, unpacking, start) tells of itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Progress:
    """What is being done, and how much of it is done: from 0 to 1, or None where it can't be known."""

    text: str
    fraction: float | None = None


Report = Callable[[Progress], None]
"""Called from the thread that does the work, at most a few hundred times a step; must return quickly."""


def silent(progress: Progress) -> None:
    """The report for callers that do not care."""
