"""What the engine tells of its work: to the metrics, and to the requests that the work is for."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial
from weakref import ref

from sidecar.embedding.batch_queue import Job
from sidecar.embedding.loader import Loader, Modality, Prepared
from sidecar.embedding.model_cache import ModelCache
from sidecar.embedding.query_lane import LaneTimes, LaneWatch, QueryLane
from sidecar.embedding.run_watch import GiveUp, Run, RunWatch
from sidecar.errors import ModelFailed, SidecarError
from sidecar.metrics import Metrics
from sidecar.observation.kinds import Stage
from sidecar.observation.spans import Attributes
from sidecar.observation.stages import add_stage

_INPUTS = {Modality.TEXT: "texts", Modality.IMAGE: "images", Modality.MEDIA: "files"}


class EngineWatch:
    """Counts runs of models, and tells requests how long they waited and were embedded."""

    def __init__(self, models: ModelCache, metrics: Metrics, run_seconds: float) -> None:
        """``run_seconds`` may a model take for one batch."""
        self._models = models
        self._metrics = metrics
        self.runs = RunWatch(run_seconds, models.name_of)

    def open_lane(self, loader: Loader, modality: Modality, runs: int) -> QueryLane:
        """A lane whose queries are counted, and whose runs are watched. It holds the model weakly: one that is evicted
        must not stay in memory."""
        return QueryLane(runs, _LaneWatch(self, ref(loader), modality))

    def as_own_error(self, loader: Loader, error: Exception) -> SidecarError:
        """What the model raised; a `ModelFailed` with its words where it is none of our errors."""
        if isinstance(error, SidecarError):
            return error
        told = ModelFailed(f"model {self._models.name_of(loader)!r} failed: {type(error).__name__}: {error}")
        told.__cause__ = error
        return told

    def count_batch(self, modality: Modality, batch: Sequence[Prepared]) -> None:
        """Count one run of a model on inputs of documents."""
        is_text = modality is Modality.TEXT
        (self._metrics.batch_texts if is_text else self._metrics.batch_images).observe(len(batch))
        self._count_tokens(batch)

    def tell_job(self, loader: Loader, modality: Modality, job: Job) -> None:
        """Tell the request at hand of a job of its own that is done now."""
        begun = job.queued if job.begun is None else job.begun
        add_stage(Stage.QUEUE, job.queued, begun, dict)
        describe = partial(self._described, loader, modality, len(job.vectors), job.tokens)
        add_stage(Stage.EMBED, begun, time.perf_counter(), describe)

    def count_queries(self, batch: Sequence[Prepared]) -> None:
        """Count one run of a model on queries."""
        self._metrics.batch_queries.observe(len(batch))
        self._count_tokens(batch)

    def _count_tokens(self, batch: Sequence[Prepared]) -> None:
        tokens = [one.tokens for one in batch]
        self._metrics.tokens.inc(sum(tokens))
        self._metrics.padding.inc(max(tokens) * len(tokens) - sum(tokens))

    def tell_queries(
        self, loader: ref[Loader], modality: Modality, times: LaneTimes, prepared: Sequence[Prepared]
    ) -> None:
        """Tell the request at hand of queries of its own that are embedded now."""
        add_stage(Stage.QUEUE, times.queued, times.begun, dict)
        tokens = sum(one.tokens for one in prepared)
        add_stage(
            Stage.EMBED,
            times.begun,
            times.ended,
            lambda: self._described(loader(), modality, len(prepared), tokens),
        )

    def _described(self, loader: Loader | None, modality: Modality, inputs: int, tokens: int) -> Attributes:
        """What a trace tells of what was embedded."""
        name = "" if loader is None else self._models.name_of(loader)
        return {"sidecar.model": name, f"sidecar.{_INPUTS[modality]}": inputs, "sidecar.tokens": tokens}


class _LaneWatch(LaneWatch):
    def __init__(self, watch: EngineWatch, loader: ref[Loader], modality: Modality) -> None:
        self._watch = watch
        self._loader = loader
        self._modality = modality

    def begin_run(self, give_up: GiveUp) -> Run:
        loader = self._loader()
        assert loader is not None, "what runs is in memory"
        return self._watch.runs.begin(loader, give_up)

    def end_run(self, run: object, batch: Sequence[Prepared]) -> None:
        assert isinstance(run, Run)
        self._watch.runs.end(run)
        self._watch.count_queries(batch)

    def tell(self, times: LaneTimes, prepared: Sequence[Prepared]) -> None:
        self._watch.tell_queries(self._loader, self._modality, times, prepared)
