"""The engine: all that a process embeds passes here, so that work is batched and queries come first.

Documents wait in one queue per model, from which threads of low priority take batches of like length. Queries never
wait for them: the asking thread runs the model itself (`QueryLane`), and the scheduler prefers it to those threads.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial

import numpy as np

from sidecar.embedding.batch_queue import BatchQueue, Job, Waiting
from sidecar.embedding.engine_watch import EngineWatch
from sidecar.embedding.loader import Embeddings, Loader, Modality, Prepared, runner
from sidecar.embedding.model_cache import ModelCache
from sidecar.embedding.model_spec import ModelSpec
from sidecar.embedding.query_embedder import QueryEmbedder
from sidecar.errors import EndpointUnavailable, InvalidArgument, TooManyRequests
from sidecar.metrics import Metrics

logger = logging.getLogger(__name__)

BULK_NICENESS = 10
"""Of the threads that embed documents: queries, and a cluster on the same machine, get the processor first."""


_Work = tuple[Loader, Modality]
"""What is batched together: inputs of one kind for one model."""


@dataclass(frozen=True, slots=True)
class EngineLimits:
    """``threads`` run models on documents; ``queue_texts`` texts and other inputs may wait per process before new work
    is refused; ``query_vectors`` are kept for repeated queries; ``run_seconds`` may a model take for one batch."""

    threads: int
    queue_texts: int
    query_vectors: int
    run_seconds: float = 600.0


class EmbeddingEngine:
    """Embeds texts, images and other inputs with any model, for all threads of a process."""

    def __init__(self, models: ModelCache, limits: EngineLimits, metrics: Metrics) -> None:
        self.models = models
        self._limits = limits
        self._metrics = metrics
        self._watch = EngineWatch(models, metrics, limits.run_seconds)
        self._runs = self._watch.runs
        self._queries = QueryEmbedder(self._watch, metrics, runs=limits.threads, kept_vectors=limits.query_vectors)
        metrics.queue_limit.set(limits.queue_texts)
        lock = threading.RLock()
        self._work = threading.Condition(lock)
        self._room = threading.Condition(lock)
        self._queues: OrderedDict[_Work, BatchQueue] = OrderedDict()
        self._waiting = 0
        self._closed = False
        self._threads: list[threading.Thread] = []
        for _ in range(limits.threads):
            self._begin_thread()

    def embed_query(self, spec: ModelSpec, text: str, *, normalize: bool) -> Embeddings:
        """The vector of one query text. Returns: float32, shape (dimensions,), of length 1 where ``normalize``.

        Raises: ModelLoadError and its like when the model can't be loaded; ModelFailed, ModelHangs.
        """
        return self.embed_queries(spec, [text], normalize=normalize)[0]

    def embed_queries(self, spec: ModelSpec, texts: Sequence[str], *, normalize: bool) -> list[Embeddings]:
        """As `embed_query`, for several that are embedded together, in order; equal ones once."""
        different = list(dict.fromkeys(texts))
        vectors = self._queries.kept(spec, different, normalize=normalize)
        if missing := [text for text in different if text not in vectors]:
            loader = self.loader(spec, Modality.TEXT)
            embedded = self._queries.embed_texts(spec, loader, missing, normalize=normalize)
            vectors.update(zip(missing, embedded, strict=True))
        return [vectors[text] for text in texts]

    def embed_prepared_query(self, loader: Loader, modality: Modality, prepared: Prepared) -> Embeddings:
        """The vector of one input that is a query. Returns: float32, shape (dimensions,), not normalised."""
        return self._queries.embed_prepared(loader, modality, [prepared])[0]

    def check_room(self) -> None:
        """Refuse new bulk work while the queue is full. Raises: TooManyRequests."""
        if self._waiting >= self._limits.queue_texts:
            raise TooManyRequests(
                f"{self._waiting} texts wait to be embedded; the limit is {self._limits.queue_texts}. "
                "Send the documents again in a moment"
            )

    def wait_for_room(self) -> None:
        """Return when the queue takes new bulk work, or the engine is closed."""
        with self._room:
            self._room.wait_for(lambda: self._closed or self._waiting < self._limits.queue_texts)

    def submit(self, spec: ModelSpec, texts: Sequence[str]) -> Future[Embeddings]:
        """Queue the texts of documents. The future gives float32, shape (len(texts), dimensions), not normalised.

        The caller bounds how much it has in the queue, and asks `check_room` before it begins.
        Cancelling the future drops what has not begun.
        Raises: ModelLoadError and its like when the model can't be loaded; nothing is queued then.
        """
        loader = self.loader(spec, Modality.TEXT)
        return self.submit_prepared(loader, Modality.TEXT, loader.prepare_text(texts))

    def submit_prepared(self, loader: Loader, modality: Modality, prepared: Sequence[Prepared]) -> Future[Embeddings]:
        """Queue inputs that the loader has prepared; as `submit`. Safe to call from any thread."""
        if not prepared:
            return _nothing(loader.dimensions)
        self._runs.check(loader)
        with self._work:
            if self._closed:
                raise TooManyRequests("the sidecar is stopping; send the documents to it again in a moment")
            queue = self._queues.setdefault((loader, modality), BatchQueue())
            job = queue.add(prepared, loader.dimensions)
            self._count_locked(len(prepared))
            self._work.notify(min(len(prepared), len(self._threads)))
        job.future.add_done_callback(lambda future: self._drop(queue, job) if future.cancelled() else None)
        return job.future

    def loader(self, spec: ModelSpec, modality: Modality) -> Loader:
        """The loaded model, loading it now where it is not. Raises: InvalidArgument where it embeds no such input."""
        loader = self.models.get(spec)
        if modality not in loader.modalities:
            what = {Modality.TEXT: "text", Modality.IMAGE: "images", Modality.MEDIA: "files"}[modality]
            raise InvalidArgument(f"model {spec.name!r} does not embed {what}")
        return loader

    def running_threads(self) -> tuple[int, int]:
        """How many of the threads that embed documents run, and how many should."""
        return sum(thread.is_alive() for thread in self._threads), len(self._threads)

    def hanging_models(self) -> list[str]:
        """The names of the models that have not come back from a batch in time."""
        return self._runs.hanging()

    def close(self) -> None:
        """Stop the threads once the queues are empty; queries still work."""
        with self._work:
            self._closed = True
            self._work.notify_all()
            self._room.notify_all()
        for thread in self._threads:
            thread.join()
        self._runs.close()

    def _drop(self, queue: BatchQueue, job: Job) -> None:
        with self._work:
            before = len(queue)
            queue.drop(job)
            self._count_locked(len(queue) - before)

    def _count_locked(self, change: int) -> None:
        self._waiting += change
        self._metrics.queue.set(self._waiting)
        if change < 0:
            self._room.notify_all()

    def _begin_thread(self) -> None:
        number = len(self._threads)
        thread = threading.Thread(target=self._embed_documents, name=f"embed-{number}", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _embed_documents(self) -> None:
        try:
            self._run_batches()
        except BaseException:
            logger.exception("a thread that embeds documents ended")
            raise

    def _run_batches(self) -> None:
        if sys.platform == "linux":
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), BULK_NICENESS)
        while True:
            with self._work:
                work, batch = self._take_locked()
                while not batch:
                    if self._closed:
                        return
                    self._work.wait()
                    work, batch = self._take_locked()
            assert work is not None
            run = self._runs.begin(work[0], partial(self._give_up, threading.current_thread(), work, batch))
            self._run_batch(work, batch)
            if not self._runs.end(run):
                return  # Another thread has taken this one's place.
            # Held any longer, an evicted model would stay in memory until the next batch.
            del work, batch, run

    def _take_locked(self) -> tuple[_Work | None, list[Waiting]]:
        for work in list(self._queues):
            batch = self._queues[work].take(self._limits.threads)
            if batch:
                # Models take turns, so that a long job of one does not hold up another's.
                self._queues.move_to_end(work)
                self._count_locked(-len(batch))
                return work, batch
            del self._queues[work]
        return None, []

    def _run_batch(self, work: _Work, batch: list[Waiting]) -> None:
        begun = time.perf_counter()
        for waiting in batch:
            if waiting.job.begun is None:
                waiting.job.begun = begun
        try:
            # What it asks of other servers belongs to the first of the requests that meet here.
            context = batch[0].job.context.copy()
            vectors = context.run(runner(*work), [waiting.prepared for waiting in batch])
            for waiting, vector in zip(batch, vectors, strict=True):
                waiting.job.vectors[waiting.row] = vector
        except Exception as error:
            self._take_failure(work, batch, error)
            return
        self._watch.count_batch(work[1], [waiting.prepared for waiting in batch])
        self._finish(work, batch)

    def _give_up(self, thread: threading.Thread, work: _Work, batch: list[Waiting], error: Exception) -> None:
        """Fail the batch in which the thread is, and all that waits for the same; another thread takes its place."""
        with self._work:
            queue = self._queues.get(work)
            jobs = {id(job): job for job in [waiting.job for waiting in batch] + (queue.jobs() if queue else [])}
            self._threads.remove(thread)
            if not self._closed:
                self._begin_thread()
        for job in jobs.values():
            self._fail(work, job, error)

    def _take_failure(self, work: _Work, batch: list[Waiting], error: Exception) -> None:
        jobs = {id(waiting.job): waiting.job for waiting in batch}
        if len(jobs) > 1 and not isinstance(error, EndpointUnavailable):
            # It may be for one text that the model fails: the other jobs must not suffer for it.
            for job in jobs.values():
                self._run_batch(work, [waiting for waiting in batch if waiting.job is job])
            return
        for job in jobs.values():
            # Told under the request's own id.
            job.context.copy().run(logger.error, "a batch failed texts=%d", len(batch), exc_info=error)
            self._fail(work, job, self._watch.as_own_error(work[0], error))

    def _fail(self, work: _Work, job: Job, error: Exception) -> None:
        with self._work:
            is_first = job.left > 0
            job.left = 0
        queue = self._queues.get(work)
        if queue is not None:
            self._drop(queue, job)
        if is_first and job.future.set_running_or_notify_cancel():
            job.future.set_exception(error)

    def _finish(self, work: _Work, batch: list[Waiting]) -> None:
        complete = []
        with self._work:
            for waiting in batch:
                waiting.job.left -= 1
                if waiting.job.left == 0:
                    complete.append(waiting.job)
        for job in complete:
            job.context.copy().run(self._watch.tell_job, *work, job)
            if job.future.set_running_or_notify_cancel():
                job.future.set_result(job.vectors)


def _nothing(dimensions: int) -> Future[Embeddings]:
    future: Future[Embeddings] = Future()
    future.set_result(np.empty((0, dimensions), dtype=np.float32))
    return future
