"""The workers of a load: what is asked for, and what they are made of on the machines that are there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sidecar.config import Settings
from sidecar.ingest.loading.parts import OpenParts
from sidecar.ingest.loading.patience import PATIENCE_SECONDS
from sidecar.ingest.loading.plan import LoadPlan
from sidecar.ingest.ray_engine.machines import CUDA, Machine, WorkerSize, default_workers, worker_size

PROCESSOR_BATCH_DOCUMENTS = 100
"""At most in a batch that a model embeds on processors, which takes seconds: the last batch of one worker is what all
others wait for at the end. GPUs, and vectors that are ready, take larger ones."""


@dataclass(frozen=True)
class CrewWish:
    """``settings`` name the cluster as all workers reach it; ``open_parts`` makes what each works with. ``workers`` of
    None are as many as `default_workers` says. Each waits ``patience_seconds`` for a cluster that is away."""

    settings: Settings
    open_parts: OpenParts
    workers: int | None = None
    patience_seconds: float = PATIENCE_SECONDS


@dataclass(frozen=True)
class Crew:
    """So many workers, each of a size, for a load."""

    wish: CrewWish
    plan: LoadPlan
    workers: int
    size: WorkerSize

    @classmethod
    def on(cls, machines: Sequence[Machine], wish: CrewWish, plan: LoadPlan) -> Crew:
        """The crew that the machines have room for. Raises: HardwareUnavailable."""
        device = wish.settings.device
        workers = wish.workers or default_workers(machines, device)
        return cls(wish, plan, workers, worker_size(machines, workers, device))

    @property
    def worker_settings(self) -> Settings:
        """Those of the driver, but for what a worker has of its machine. Its GPU is the only one that it sees."""
        settings = self.wish.settings
        device = CUDA if self.size.gpus else "cpu"
        threads = settings.embedding_threads or self.size.threads
        return settings.model_copy(update={"embedding_threads": threads, "device": device})

    @property
    def streams(self) -> int:
        """The batches that a worker loads at once: while one is written, the other is embedded."""
        return max(2, self.plan.streams // self.workers)

    @property
    def batch_documents(self) -> int:
        """The most that a batch has."""
        most = self.plan.batch_documents
        is_slow = not self.size.gpus and self.plan.shape.needs_model
        return min(most, PROCESSOR_BATCH_DOCUMENTS) if is_slow else most
