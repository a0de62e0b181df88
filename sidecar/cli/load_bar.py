"""How far a load is, drawn on the terminal."""

from __future__ import annotations

import time
from types import TracebackType

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from sidecar.cli.printable import escape
from sidecar.ingest.loading.counts import LoadCounts
from sidecar.ingest.loading.progress import Total

_SHOWN_REASON = 200
"""Characters of a reason to wait."""


class LoadBar:
    """A `LoadProgress` of documents, documents a second, what is left by documents or bytes, and failures; to be used
    with ``with``."""

    def __init__(self, console: Console) -> None:
        self._bar = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TextColumn("{task.fields[told]}"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=console,
        )
        self._task = self._bar.add_task("Loading", total=None, told="")
        self._counts = LoadCounts()
        self._by_documents = True
        self._began = time.monotonic()
        self._before = 0

    def __enter__(self) -> LoadBar:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._bar.stop()

    def begin(self, total: Total, done: LoadCounts) -> None:
        """As `LoadProgress.begin`."""
        self._by_documents = total.documents is not None
        self._counts.add(done)
        self._before = done.documents
        self._began = time.monotonic()
        self._bar.update(self._task, total=total.documents if self._by_documents else total.read_bytes)
        self._draw()

    def landed(self, counts: LoadCounts) -> None:
        """As `LoadProgress.landed`."""
        self._counts.add(counts)
        self._draw()

    def waits(self, reason: str | None) -> None:
        """As `LoadProgress.waits`."""
        told = "Loading" if reason is None else f"[yellow]Waiting[/yellow]: {escape(reason[:_SHOWN_REASON])}"
        self._bar.update(self._task, description=told)

    def _draw(self) -> None:
        counts = self._counts
        rate = (counts.documents - self._before) / max(time.monotonic() - self._began, 1e-3)
        failed = f", [red]{counts.failed:,} failed[/red]" if counts.failed else ""
        self._bar.update(
            self._task,
            completed=counts.documents if self._by_documents else counts.read_bytes,
            told=f"{counts.documents:,} documents, {rate:,.0f} docs/s{failed}",
        )
