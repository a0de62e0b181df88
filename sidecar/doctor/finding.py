"""What a check has found."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Level(str, Enum):
    """How bad it is. A warning is what works, but not as it should, or not for long."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at: what it is like, and what to do where it is not as it should be."""

    level: Level
    found: str
    advice: str | None = None


def ok(found: str) -> Finding:
    """All is right with it."""
    return Finding(Level.OK, found)


def warning(found: str, advice: str) -> Finding:
    """It works, but not as it should, or not for long."""
    return Finding(Level.WARNING, found, advice)


def error(found: str, advice: str) -> Finding:
    """It does not work."""
    return Finding(Level.ERROR, found, advice)
