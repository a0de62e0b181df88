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

from sidecar.ingest.loading.reading import ReadBatch, read_gaps
from sidecar.ingest.ray_engine.report import Fault, Report
from sidecar.ingest.ray_engine.splits import Split

_COLUMN = "packed"
_SCHEMA = pa.schema([(_COLUMN, pa.large_binary())])


def block_of(value: ReadBatch | Report | Fault) -> pa.Table:
    """A block of one row."""
    return pa.table({_COLUMN: [pickle.dumps(value, protocol=pickle.HIGHEST_PROTOCOL)]}, schema=_SCHEMA)


def values_of(block: pa.Table) -> Iterator[Any]:
    """What the rows of a block hold; whoever packed them has the same version as this process."""
    for packed in block.column(_COLUMN):
        yield pickle.loads(packed.as_buffer())


class SplitsDatasource(Datasource):
    """The source as Ray Data reads it. ``is_local`` says that it lies on this machine, so that no other can read it."""

    def __init__(self, tasks: Sequence[Sequence[Split]], *, batch_documents: int, is_local: bool) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._tasks = tasks
        self._batch_documents = batch_documents
        self._is_local = is_local

    def get_name(self) -> str:
        """The name of the tasks, as Ray's own tools show it."""
        return "Source"

    def estimate_inmemory_data_size(self) -> int | None:
        """Unknown; Ray would use it for nothing but to choose the number of tasks."""
        return None

    def get_read_tasks(
        self, parallelism: int, per_task_row_limit: int | None = None, data_context: DataContext | None = None
    ) -> list[ReadTask]:
        """The tasks as they are, whatever the ``parallelism``."""
        unknown = BlockMetadata(num_rows=None, size_bytes=None, input_files=None, exec_stats=None)
        return [ReadTask(partial(_blocks, tuple(splits), self._batch_documents), unknown) for splits in self._tasks]

    @property
    def supports_distributed_reads(self) -> bool:
        """False makes Ray read where the driver runs."""
        return not self._is_local


def _blocks(splits: Sequence[Split], batch_documents: int) -> Iterator[pa.Table]:
    try:
        for batch in read_gaps([(split.part, split.gap) for split in splits], most_records=lambda: batch_documents):
            yield block_of(batch)
    except Exception as error:  # the process's edge; Ray would wrap it, and show where it was raised
        yield block_of(Fault.of(error))
