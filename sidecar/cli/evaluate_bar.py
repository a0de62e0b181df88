"""How far an evaluation is, told on the terminal."""

from __future__ import annotations

from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from sidecar.cli.printable import escape


class EvaluateBar:
    """An `EvaluationProgress`; to be used with ``with``. Stages are drawn on terminals only, notes anywhere."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task = self._bar.add_task("", total=None)

    def __enter__(self) -> EvaluateBar:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._bar.stop()

    def stage(self, title: str, total: int | None = None) -> None:
        """As `EvaluationProgress.stage`."""
        self._bar.reset(self._task, description=escape(title), total=total)

    def done(self, steps: int) -> None:
        """As `EvaluationProgress.done`."""
        self._bar.advance(self._task, steps)

    def note(self, text: str) -> None:
        """As `EvaluationProgress.note`."""
        self._console.print(escape(text), soft_wrap=True)
