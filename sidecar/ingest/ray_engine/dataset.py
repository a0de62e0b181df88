"""The load as a dataset of Ray Data: tasks that read, and a pool of workers that load what they have read."""

from __future__ import annotations

import gc
from collections.abc import Generator, Sequence

import ray
from ray.data import ActorPoolStrategy, DataContext

from sidecar.ingest.ray_engine.blocks import SplitsDatasource, values_of
from sidecar.ingest.ray_engine.crew import Crew
from sidecar.ingest.ray_engine.report import Fault, Report
from sidecar.ingest.ray_engine.splits import Split
from sidecar.ingest.ray_engine.worker import LoadWorker

_WAITING_BATCHES = 2
"""That a worker has beside those it loads, so that it never waits for one."""
_DEATHS_AT_START = 3
"""Of workers, one after the other, that are taken for accidents."""


def reports(tasks: Sequence[Sequence[Split]], crew: Crew, *, is_local: bool) -> Generator[Report | Fault, None, None]:
    """What became of the tasks' batches, in whatever order they end; closing it, or raising in it, ends the workers.

    Raises: what Ray raises where it can't go on.
    """
    _configure()
    source = SplitsDatasource(tasks, batch_documents=crew.batch_documents, is_local=is_local)
    # Reading takes little; were it counted, it would wait for a processor that the workers never give back.
    read = ray.data.read_datasource(
        source, override_num_blocks=len(tasks), num_cpus=0, concurrency=min(len(tasks), max(2, crew.workers))
    )
    loaded = read.map_batches(
        LoadWorker,
        fn_constructor_args=(crew,),
        batch_size=None,
        batch_format="pyarrow",
        num_cpus=crew.size.processors,
        num_gpus=crew.size.gpus or None,
        compute=ActorPoolStrategy(
            size=crew.workers,
            max_concurrent_calls_per_actor=crew.streams,
            max_tasks_in_flight_per_actor=crew.streams + _WAITING_BATCHES,
            enable_true_multi_threading=True,
        ),
    )
    # Not `iter_batches`, which waits on threads of its own: what is raised here would not reach Ray's executor.
    bundles = loaded.iter_internal_ref_bundles()
    try:
        for bundle in bundles:
            for block in bundle.block_refs:
                yield from values_of(ray.get(block))
    finally:
        # A worker ends when nothing refers to it, which what Ray does after an unfinished task does, in cycles.
        del bundles
        gc.collect()


def _configure() -> None:
    context = DataContext.get_current()
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    # No block is put together with another: a batch stays what it was read as.
    context.target_max_block_size = 1
    context.target_min_block_size = 1
    context.max_consecutive_actor_init_deaths = _DEATHS_AT_START
