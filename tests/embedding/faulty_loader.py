"""A loader whose runs a test can hold, count and make fail, as no real model can be made to at a wished moment."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from sidecar.embedding.loader import Embeddings, Prepared
from sidecar.embedding.loaders.random import RandomLoader
from sidecar.embedding.model_spec import ModelSpec

POISON = "poison"
DIMENSIONS = 8


class FaultyLoader(RandomLoader):
    """Vectors as `RandomLoader`; a text's tokens are its words. A batch with ``POISON`` in a text fails.

    While ``may_run`` is not set, runs wait; ``begun`` is released once for each run.
    """

    memory_bytes = 1

    def __init__(self, dimensions: int = DIMENSIONS) -> None:
        super().__init__(dimensions)
        self.batches: list[list[str]] = []
        self.may_run = threading.Event()
        self.may_run.set()
        self.begun = threading.Semaphore(0)
        self.short_by = 0
        self.spoilt_by = 0.0
        self.error: Exception = RuntimeError("the model choked")
        self._poison = POISON

    def prepare_text(self, texts: Sequence[str]) -> list[Prepared]:
        return [Prepared(text, len(text.split()) + 2) for text in texts]

    def run_text(self, batch: Sequence[Prepared]) -> Embeddings:
        texts = [prepared.payload for prepared in batch]
        self.batches.append(texts)
        self.begun.release()
        assert self.may_run.wait(timeout=30)
        if any(self._poison in text for text in texts):
            raise self.error
        vectors = self._run([Prepared(text.encode(), 1) for text in texts])[: len(batch) - self.short_by]
        if self.spoilt_by:
            vectors[-1, 0] = self.spoilt_by
        return vectors

    def heal(self) -> None:
        """Let no text make a run fail any more."""
        self._poison = "\0no text has this"

    def wait_until_begun(self, runs: int = 1) -> None:
        """Return when so many more runs have begun."""
        for _ in range(runs):
            assert self.begun.acquire(timeout=30)


def spec_of(name: str, *, dimensions: int = DIMENSIONS, gigabytes: float | None = None) -> ModelSpec:
    """A model for a `FaultyLoader`."""
    return ModelSpec(name, "random", name, dimensions, 128, size_gigabytes=gigabytes)
