"""How far a job on documents is, drawn on the terminal."""

from __future__ import annotations

import time
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn


class DocumentBar:
    """Documents, documents a second, what is left. To be used with ``with``; it is seen from the first stage, or the
    first documents, on."""

    def __init__(self, console: Console, title: str = "", *, transient: bool = False) -> None:
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]:,.0f} docs/s"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=console,
            transient=transient,
        )
        self._task = self._bar.add_task(title, total=0, rate=0.0)
        self._began = time.monotonic()
        self._was_seen = False

    def __enter__(self) -> DocumentBar:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.pause()

    def stage(self, title: str) -> None:
        """What is done now."""
        self._was_seen = True
        self._bar.start()
        self._bar.update(self._task, description=title)

    def pause(self) -> None:
        """Leave the console to others, until the next stage."""
        # One that was never seen would leave an empty line.
        if self._was_seen:
            self._bar.stop()

    def found(self, documents: int) -> None:
        """So many more documents are to be done."""
        if not self._was_seen:
            self._was_seen = True
            self._bar.start()
        self._bar.update(self._task, total=(self._bar.tasks[0].total or 0) + documents)

    def done(self, documents: int) -> None:
        """So many more are done, also beyond those that were found; a number below 0 takes back."""
        seconds = time.monotonic() - self._began
        completed = self._bar.tasks[0].completed + documents
        total = max(completed, self._bar.tasks[0].total or 0)
        self._bar.update(self._task, completed=completed, total=total, rate=completed / max(seconds, 1e-3))
