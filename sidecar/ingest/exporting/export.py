"""Exports the documents of indexes as they are at one moment."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from functools import partial
from typing import BinaryIO

from sidecar.ingest.exporting.destinations import destination_of
from sidecar.ingest.exporting.files import ExportFiles
from sidecar.ingest.exporting.kinds import SchemaTooNarrow
from sidecar.ingest.exporting.lines import DocumentMembers
from sidecar.ingest.exporting.options import ExportFormat, ExportOptions
from sidecar.ingest.exporting.sinks import JsonlSink, Sink
from sidecar.ingest.exporting.tables import begin_columns
from sidecar.ingest.exporting.targets import ExportTarget, read_export_targets
from sidecar.ingest.progress import Progress
from sidecar.ingest.side_by_side import side_by_side
from sidecar.ingest.snapshot import Snapshot, snapshot_of
from sidecar.ingest.stored_documents import StoredDocument
from sidecar.opensearch.client import Cluster

Page = list[StoredDocument]


class ExportStopped(Exception):
    """The export was asked to stop; nothing of it is left."""


@dataclass(frozen=True)
class ExportSummary:
    """What was written. ``json_columns`` are those of Parquet with values that no one type could hold;
    ``unmet_fields`` those that were asked for, but in no document."""

    indexes: tuple[str, ...]
    documents: int
    files: int
    json_columns: tuple[str, ...] = ()
    unmet_fields: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Slice:
    """A slice of an index, within a shard."""

    index: str
    number: int
    snapshot: Snapshot

    def pages(self) -> Iterator[tuple[_Slice, Page]]:
        """Its pages, and an empty one as the last."""
        for page in self.snapshot.pages(self.number):
            yield self, page
        yield self, []


class Export:
    """One job. ``stop`` ends it early, without a trace."""

    def __init__(self, cluster: Cluster, options: ExportOptions, *, progress: Progress | None = None) -> None:
        self._cluster = cluster
        self._options = options
        self._progress = progress or Progress()
        self._stopped = threading.Event()
        self._documents = 0
        self._told = 0
        self._files = 0

    def stop(self) -> None:
        """Give up. Safe to call from any thread, and from a signal's handler."""
        self._stopped.set()

    def run(self) -> ExportSummary:
        """Do it.

        Raises: ExportStopped; InvalidArgument for options that don't go together, a place that is taken or can't be
        written; IndexNotFound; what the cluster raises. In all these cases nothing is left at the destination.
        """
        chosen = self._options.chosen_format()
        targets = read_export_targets(self._cluster, self._options)
        members = {target.name: DocumentMembers(target, self._options) for target in targets}
        with ExitStack() as stack:
            slices = [piece for target in targets for piece in self._slices(target, stack)]
            if chosen is ExportFormat.PARQUET:
                json_columns = self._write_tables(slices, targets, members)
            else:
                self._write(slices, members, chosen, lambda file: JsonlSink(file, chosen))
                json_columns = ()
        unmet = set(self._options.fields) - {name for one in members.values() for name in one.selection.met}
        return ExportSummary(
            tuple(target.name for target in targets), self._documents, self._files, json_columns, tuple(sorted(unmet))
        )

    def _slices(self, target: ExportTarget, stack: ExitStack) -> list[_Slice]:
        snapshot = stack.enter_context(snapshot_of(self._cluster, target.name, target.shards, target.wanted))
        count, limit = snapshot.count(), self._options.limit
        self._progress.found(count if limit is None else min(count, limit))
        return [_Slice(target.name, number, snapshot) for number in range(snapshot.slices)]

    def _write_tables(
        self, slices: Sequence[_Slice], targets: Sequence[ExportTarget], members: Mapping[str, DocumentMembers]
    ) -> tuple[str, ...]:
        """Write Parquet. Where values come that the columns can't hold, all are looked at, and it begins anew.

        Returns: the columns that are JSON text.
        """
        columns = begin_columns(targets, self._options)
        try:
            self._write(slices, members, ExportFormat.PARQUET, columns.sink)
        except SchemaTooNarrow:
            self._begin_anew()
            columns.unsettle()
            for piece, page in self._pages(slices):
                columns.look_at(page, members[piece.index])
            self._begin_anew()
            self._write(slices, members, ExportFormat.PARQUET, columns.sink)
        return tuple(columns.json_columns())

    def _begin_anew(self) -> None:
        self._progress.done(-self._told)
        self._documents = self._told = 0

    def _write(
        self,
        slices: Sequence[_Slice],
        members: Mapping[str, DocumentMembers],
        chosen: ExportFormat,
        make_sink: Callable[[BinaryIO], Sink],
    ) -> None:
        with destination_of(self._options) as destination:
            files = ExportFiles(destination, make_sink, suffix=chosen.value, is_folder=self._options.is_folder)
            for piece, page in self._pages(slices):
                if page:
                    files.of(piece.index, piece.number).write(page, members[piece.index])
                else:
                    files.end(piece.index, piece.number)
            files.close(slices[0].index)
            self._files = files.count

    def _pages(self, slices: Sequence[_Slice]) -> Iterator[tuple[_Slice, Page]]:
        """The pages of all slices, up to the limit; an empty one where a slice ends. Raises: ExportStopped."""
        streams = [partial(piece.pages) for piece in slices]
        with closing(side_by_side(streams, at_once=self._options.shards_at_once)) as pages:
            for piece, page in pages:
                if self._stopped.is_set():
                    raise ExportStopped
                limit = self._options.limit
                taken = page if limit is None else page[: limit - self._documents]
                self._documents += len(taken)
                yield piece, taken
                self._told += len(taken)
                self._progress.done(len(taken))
                if self._documents == limit:
                    return
