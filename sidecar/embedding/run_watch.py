"""Runs of models that do not come back: their threads can't be stopped, but nobody has to wait for them."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from sidecar.embedding.loader import Loader
from sidecar.errors import ModelHangs

logger = logging.getLogger(__name__)

GiveUp = Callable[[Exception], None]
"""Called once, in the watch's thread, when a run is waited for no longer."""

_LOOKS = 10
"""How often a run is looked at in the time that it may take."""
_LEAST_SECONDS = 0.05


@dataclass(slots=True, eq=False)
class Run:
    """A batch that a model works on."""

    loader: Loader
    give_up: GiveUp
    began: float = field(default_factory=time.monotonic)


class RunWatch:
    """Gives up runs that take longer than so many seconds, and knows the models that are still in one.

    Of such a model nothing more is run until it is back: each further run could cost one more thread.
    Safe to use from any thread.
    """

    def __init__(self, seconds: float, name_of: Callable[[Loader], str]) -> None:
        self._seconds = seconds
        self._name_of = name_of
        self._lock = threading.Lock()
        self._runs: set[Run] = set()
        self._given_up: set[Run] = set()
        self._is_closed = threading.Event()
        threading.Thread(target=self._look, name="embed-watch", daemon=True).start()

    def begin(self, loader: Loader, give_up: GiveUp) -> Run:
        """Watch a run that begins now, in this thread."""
        run = Run(loader, give_up)
        with self._lock:
            self._runs.add(run)
        return run

    def end(self, run: Run) -> bool:
        """The run has come back, with a result or an error. False where it was given up meanwhile."""
        with self._lock:
            if run in self._runs:
                self._runs.remove(run)
                return True
            self._given_up.remove(run)
        logger.warning(
            "a model came back at last model=%s seconds=%.1f", self._name_of(run.loader), time.monotonic() - run.began
        )
        return False

    def check(self, loader: Loader) -> None:
        """Refuse further work of a model that hangs. Raises: ModelHangs."""
        if self._given_up and loader in self._loaders():
            raise self._error(loader)

    def hanging(self) -> list[str]:
        """The names of the models that hang."""
        return sorted(map(self._name_of, self._loaders()))

    def close(self) -> None:
        """Watch no longer."""
        self._is_closed.set()

    def _look(self) -> None:
        while not self._is_closed.wait(max(_LEAST_SECONDS, self._seconds / _LOOKS)):
            for run in self._overdue():
                error = self._error(run.loader)
                logger.error("a run of a model is given up: %s", error.message)
                run.give_up(error)

    def _overdue(self) -> list[Run]:
        latest = time.monotonic() - self._seconds
        with self._lock:
            overdue = [run for run in self._runs if run.began < latest]
            self._runs.difference_update(overdue)
            self._given_up.update(overdue)
        return overdue

    def _loaders(self) -> set[Loader]:
        """The models that hang."""
        with self._lock:
            return {run.loader for run in self._given_up}

    def _error(self, loader: Loader) -> ModelHangs:
        return ModelHangs(
            f"model {self._name_of(loader)!r} has not come back from a batch within {self._seconds:g} seconds, and "
            "does nothing more until it has. Restart the sidecar; where batches only take long, raise "
            "SIDECAR_EMBEDDING_TIMEOUT"
        )
