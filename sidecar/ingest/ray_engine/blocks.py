"""Batches and reports as Ray Data moves them: blocks of one row each, which holds one of them packed.

So Ray neither cuts a batch nor puts two together, and values that neither Arrow nor JSON has a word for stay what they
are (dates, vectors, numbers of any size).
"""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import pyarrow as pa
from ray.data import DataContext, Datasource, ReadTask
from ray.data.block import BlockMetadata

from sidecar.ingest.ray_engine.batches import Batch, Report, read_batches
from sidecar.ingest.ray_engine.splits import Split

_COLUMN = "packed"
_SCHEMA = pa.schema([(_COLUMN, pa.large_binary())])


def block_of(value: Batch | Report) -> pa.Table:
    """A block of one row."""
    return pa.table({_COLUMN: [pickle.dumps(value, protocol=pickle.HIGHEST_PROTOCOL)]}, schema=_SCHEMA)


def values_of(block: pa.Table) -> Iterator[Any]:
    """What the rows of a block hold; the process that packed them has the same version as this one."""
    for packed in block.column(_COLUMN):
        yield pickle.loads(packed.as_buffer())


class SplitsDatasource(Datasource):
    """The source as Ray Data reads it: a task for each group of splits.

    ``is_local`` says that the source lies on this machine, so that no other can read it.
    """

    def __init__(self, tasks: Sequence[Sequence[Split]], *, batch_records: int, is_local: bool) -> None:
        super().__init__()
        self._tasks = tasks
        self._batch_records = batch_records
        self._is_local = is_local

    def get_name(self) -> str:
        """The name of the tasks, as Ray's own tools show it."""
        return "ReadSource"

    def estimate_inmemory_data_size(self) -> int | None:
        """Unknown; Ray would use it for nothing but to choose the number of tasks."""
        return None

    def get_read_tasks(
        self, parallelism: int, per_task_row_limit: int | None = None, data_context: DataContext | None = None
    ) -> list[ReadTask]:
        """A task for each group of splits, whatever the ``parallelism``."""
        unknown = BlockMetadata(num_rows=None, size_bytes=None, input_files=None, exec_stats=None)
        return [ReadTask(partial(_blocks, tuple(splits), self._batch_records), unknown) for splits in self._tasks]

    @property
    def supports_distributed_reads(self) -> bool:
        """False makes Ray read where the driver runs."""
        return not self._is_local


def _blocks(splits: Sequence[Split], batch_records: int) -> Iterator[pa.Table]:
    for batch in read_batches(splits, most_records=batch_records):
        yield block_of(batch)
