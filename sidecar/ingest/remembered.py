"""Embeds equal texts of one job once."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Sequence
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import TracebackType

import numpy as np

from sidecar.embedding.loader import Embeddings
from sidecar.embedding.model_cache import ModelCache
from sidecar.embedding.model_spec import ModelSpec
from sidecar.embedding.text_embedder import TextEmbedder
from sidecar.ingest.digest_rows import DIGEST_BYTES
from sidecar.ingest.vector_file import VectorFile

REMEMBERED_TEXTS = 250_000
"""Of each model, the newest: 384 MB on disk with 384 dimensions, 6 MB of memory."""


class RememberingEngine:
    """Stands before a `TextEmbedder`; safe to use from any thread. To be used with ``with``.

    A text that was embedded, or is about to be, is not submitted again. One whose embedding fails is not remembered;
    whoever else waits for it submits it anew, so that no caller fails for another's texts.
    """

    def __init__(self, engine: TextEmbedder, folder: Path, *, capacity: int = REMEMBERED_TEXTS) -> None:
        """``folder`` is where the vectors are, in files that go with the process; it must not be memory that plays
        disk. ``capacity`` is of each model."""
        self._engine = engine
        self._folder = folder
        self._capacity = capacity
        self._lock = threading.Lock()
        self._models: dict[tuple[object, ...], _Model] = {}
        self._reused = 0

    @property
    def models(self) -> ModelCache:
        """The loaded models."""
        return self._engine.models

    @property
    def reused(self) -> int:
        """How many texts were not embedded, for others were equal."""
        return self._reused

    def check_room(self) -> None:
        """As `EmbeddingEngine.check_room`."""
        self._engine.check_room()

    def wait_for_room(self) -> None:
        """As `EmbeddingEngine.wait_for_room`."""
        self._engine.wait_for_room()

    def submit(self, spec: ModelSpec, texts: Sequence[str]) -> Future[Embeddings]:
        """As `EmbeddingEngine.submit`; cancelling the future drops nothing that others wait for too."""
        if not texts:
            return self._engine.submit(spec, texts)
        answer = _Answer(spec, texts)
        self._embed(answer, range(len(texts)))
        return answer.future

    def close(self) -> None:
        """Forget all vectors; what is on its way still comes."""
        with self._lock:
            for model in self._models.values():
                model.vectors.close()

    def __enter__(self) -> RememberingEngine:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _embed(self, answer: _Answer, positions: Sequence[int]) -> None:
        """Have these positions of the answer filled. Raises: what the engine's ``submit`` raises."""
        digests = [_digest(answer.texts[position]) for position in positions]
        with self._lock:
            model = self._models.get(answer.spec.identity)
            if model is None:
                model = self._models[answer.spec.identity] = _Model(VectorFile(self._folder, self._capacity))
            work = model.divide(positions, digests)
            known = model.vectors.read(work.known.rows) if work.known.rows else None
            self._reused += len(positions) - len(work.run.digests)
        if known is not None:
            answer.fill(work.known.positions, known)
        for run, places in work.shared.items():
            run.outcome.add_done_callback(partial(self._take_shared, answer, places))
        if work.own.positions:
            self._run(answer, work, model)

    def _run(self, answer: _Answer, work: _Work, model: _Model) -> None:
        texts = [""] * len(work.run.digests)
        for position, row in zip(work.own.positions, work.own.rows, strict=True):
            texts[row] = answer.texts[position]
        try:
            embedded = self._engine.submit(answer.spec, texts)
        except BaseException as error:
            self._end(model, work.run, error)
            raise
        work.run.outcome.add_done_callback(partial(_take_own, answer, work.own))
        answer.future.add_done_callback(lambda future: embedded.cancel() if future.cancelled() else None)
        embedded.add_done_callback(lambda future: self._end(model, work.run, _outcome_of(future)))

    def _end(self, model: _Model, run: _Run, outcome: Embeddings | BaseException) -> None:
        with self._lock:
            for digest in run.digests:
                del model.flying[digest]
            if not isinstance(outcome, BaseException):
                model.vectors.add(run.digests, outcome)
        # Outside: who waits may submit anew.
        if isinstance(outcome, BaseException):
            run.outcome.set_exception(outcome)
        else:
            run.outcome.set_result(outcome)

    def _take_shared(self, answer: _Answer, places: _Places, outcome: Future[Embeddings]) -> None:
        if outcome.exception() is None:
            answer.fill(places.positions, outcome.result()[places.rows])
            return
        try:
            self._embed(answer, places.positions)
        except Exception as error:  # the edge of a thread of the engine: who waits for the answer raises it
            answer.fail(error)


@dataclass(slots=True, eq=False)
class _Run:
    """Texts that the engine embeds together, each once; ``outcome`` has their vectors, by their digests' order."""

    digests: list[bytes] = field(default_factory=list)
    outcome: Future[Embeddings] = field(default_factory=Future)


@dataclass(slots=True)
class _Places:
    """Positions in an answer, and the rows with their vectors elsewhere."""

    positions: list[int] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)

    def add(self, position: int, row: int) -> None:
        self.positions.append(position)
        self.rows.append(row)


@dataclass(slots=True)
class _Work:
    """Where an answer's vectors come from: ``known`` from the file, ``own`` from its ``run``, others from others'."""

    known: _Places = field(default_factory=_Places)
    own: _Places = field(default_factory=_Places)
    run: _Run = field(default_factory=_Run)
    shared: dict[_Run, _Places] = field(default_factory=dict)


@dataclass(slots=True)
class _Model:
    """What is known of one model's texts; ``flying`` are those on their way, each with its run and row."""

    vectors: VectorFile
    flying: dict[bytes, tuple[_Run, int]] = field(default_factory=dict)

    def divide(self, positions: Sequence[int], digests: Sequence[bytes]) -> _Work:
        """Say where each vector comes from; what nobody has or makes is on its way with the work's run then."""
        work = _Work()
        for position, digest in zip(positions, digests, strict=True):
            if (row := self.vectors.find(digest)) is not None:
                work.known.add(position, row)
                continue
            if digest not in self.flying:
                self.flying[digest] = work.run, len(work.run.digests)
                work.run.digests.append(digest)
            run, row = self.flying[digest]
            (work.own if run is work.run else work.shared.setdefault(run, _Places())).add(position, row)
        return work


class _Answer:
    """One caller's vectors, as they come together."""

    def __init__(self, spec: ModelSpec, texts: Sequence[str]) -> None:
        self.spec = spec
        self.texts = texts
        self.future: Future[Embeddings] = Future()
        self._vectors: Embeddings | None = None
        self._lock = threading.Lock()
        self._left = len(texts)

    def fill(self, positions: list[int], vectors: Embeddings) -> None:
        """Take vectors for these positions; the last ones complete the future."""
        with self._lock:
            if self._vectors is None:
                self._vectors = np.empty((len(self.texts), vectors.shape[1]), dtype=np.float32)
            self._vectors[positions] = vectors
            self._left -= len(positions)
            is_complete = self._left == 0
        if is_complete and self.future.set_running_or_notify_cancel():
            self.future.set_result(self._vectors)

    def fail(self, error: BaseException) -> None:
        """Give up; what comes later is dropped, and so is a second failure."""
        with self._lock:
            # Never 0 again.
            is_first, self._left = self._left > 0, -1
        if is_first and self.future.set_running_or_notify_cancel():
            self.future.set_exception(error)


def _take_own(answer: _Answer, places: _Places, outcome: Future[Embeddings]) -> None:
    error = outcome.exception()
    if error is None:
        answer.fill(places.positions, outcome.result()[places.rows])
    else:
        answer.fail(error)


def _outcome_of(future: Future[Embeddings]) -> Embeddings | BaseException:
    if future.cancelled():
        return CancelledError("the embedding was given up")
    error = future.exception()
    return future.result() if error is None else error


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=DIGEST_BYTES).digest()
