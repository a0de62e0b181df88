"""What a running evaluation tells."""

from __future__ import annotations

from typing import Protocol


class EvaluationProgress(Protocol):
    """Told by the evaluation's own thread."""

    def stage(self, title: str, total: int | None = None) -> None:
        """Something begins that has so many steps; None where nobody knows."""

    def done(self, steps: int) -> None:
        """So many steps more are done."""

    def note(self, text: str) -> None:
        """Something that should be read later too."""
