"""Gives the documents of indexes the vectors that declared fields lack, while others write to them."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import orjson

from sidecar.ingest.checkpoint import Checkpoint
from sidecar.ingest.defaults import BATCH_DOCUMENTS
from sidecar.ingest.documents_writer import DocumentsWriter, Outcome
from sidecar.ingest.face_client import FaceClient
from sidecar.ingest.lacking import has_content, lacking_query, lacks, place_of, source_query
from sidecar.ingest.progress import Progress
from sidecar.ingest.rate import RateLimit
from sidecar.ingest.stored_documents import StoredDocument, read_again, scanned
from sidecar.ingest.targets import BackfillTarget, read_targets
from sidecar.opensearch.client import Cluster
from sidecar.opensearch.document_scan import DocumentScan
from sidecar.opensearch.request_text import index_path
from sidecar.opensearch.transport import Request

_AT_ONCE = 2
"""Batches on their way: one is embedded while another is written, and the next is read."""
_MOST_PASSES = 20
_PATIENCE_SECONDS = 60.0


@dataclass(frozen=True)
class BackfillOptions:
    """``vectors`` are the declared ones to compute, none for all; ``checkpoint`` makes it a job that computes all of
    them anew, even those that are there."""

    index: str
    vectors: tuple[str, ...] = ()
    batch_documents: int = BATCH_DOCUMENTS
    documents_per_second: float | None = None
    checkpoint: Checkpoint | None = None
    patience_seconds: float = _PATIENCE_SECONDS


class Backfill:
    """One job. ``stop`` ends it early, with all written that was begun; what is left is found by the next run."""

    def __init__(
        self, cluster: Cluster, face: FaceClient, options: BackfillOptions, *, progress: Progress | None = None
    ) -> None:
        self._cluster = cluster
        self._face = face
        self._options = options
        self._progress = progress or Progress()
        self._rate = RateLimit(options.documents_per_second)
        self._stopped = threading.Event()

    def stop(self) -> None:
        """Begin nothing more. Safe to call from any thread, and from a signal's handler."""
        self._stopped.set()

    def run(self) -> Outcome:
        """Do it; returns what became of the documents. Of those that failed in several passes each counts once.

        Raises: InvalidArgument where the index has no such declared vector; IndexNotFound; what the cluster raises.
        What was done until then stays.
        """
        targets = read_targets(self._cluster, self._options.index, self._options.vectors)
        with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="backfill") as pool:
            outcome = Outcome()
            for target in targets:
                outcome.add(self._fill(target, pool))
        if self._options.checkpoint is not None and not self._stopped.is_set():
            self._options.checkpoint.remove()
        return outcome

    def _fill(self, target: BackfillTarget, pool: ThreadPoolExecutor) -> Outcome:
        if self._options.checkpoint is not None:
            return self._replace(target, self._options.checkpoint, pool)
        total = Outcome()
        query = lacking_query(target.chosen, target.mapping)
        for _ in range(_MOST_PASSES):
            # What a writer sent that did not know of the declaration yet is found by the next pass.
            found = self._pass(target, query, pool)
            total.failed, total.failures = 0, {}
            total.add(found)
            if not found.embedded or self._stopped.is_set():
                break
        return total

    def _replace(self, target: BackfillTarget, checkpoint: Checkpoint, pool: ThreadPoolExecutor) -> Outcome:
        self._cluster.refresh(target.name)
        query = source_query(target.chosen, target.mapping)
        after, until = checkpoint.done.get(target.uuid) or (-1, self._newest(target.name))
        limits = {"range": {"_seq_no": {"gt": after, "lte": until}}}
        return self._pass(
            target,
            {"bool": {"filter": [query, limits]}},
            pool,
            after=after,
            keep=lambda done: checkpoint.keep(target.uuid, done, until),
        )

    def _pass(
        self,
        target: BackfillTarget,
        query: Mapping[str, Any],
        pool: ThreadPoolExecutor,
        *,
        after: int = -1,
        keep: Callable[[int], object] = lambda done: None,
    ) -> Outcome:
        """Go through the documents that the query finds now; ``keep`` is told up to where all are done."""
        self._cluster.refresh(target.name)
        fields = fields_of(target)
        scan = DocumentScan(
            self._cluster, target.name, query, fields=fields, page_documents=self._options.batch_documents
        )
        found = scan.count()
        if not found:
            return Outcome()
        self._progress.found(found)
        writer = self._writer(target, fields)
        outcome = Outcome()
        flying: deque[tuple[Future[Outcome], int]] = deque()
        for documents, told in self._until_stopped(scanned(scan, after=after)):
            if len(flying) >= _AT_ONCE:
                self._land(flying, outcome, keep)
            self._rate.wait(len(documents))
            flying.append((pool.submit(self._write, writer, target, documents), told))
        while flying:
            self._land(flying, outcome, keep)
        return outcome

    def _until_stopped(
        self, pages: Iterator[tuple[list[StoredDocument], int]]
    ) -> Iterator[tuple[list[StoredDocument], int]]:
        for page in pages:
            if self._stopped.is_set():
                return
            yield page

    def _land(
        self, flying: deque[tuple[Future[Outcome], int]], outcome: Outcome, keep: Callable[[int], object]
    ) -> None:
        future, told = flying.popleft()
        outcome.add(future.result())
        keep(told)

    def _write(self, writer: DocumentsWriter, target: BackfillTarget, documents: Sequence[StoredDocument]) -> Outcome:
        wanting = self._wanting(target, documents)
        outcome = writer.write(wanting) if wanting else Outcome()
        outcome.unchanged += len(documents) - len(wanting)
        self._progress.done(len(documents))
        return outcome

    def _wanting(self, target: BackfillTarget, documents: Sequence[StoredDocument]) -> list[StoredDocument]:
        if self._options.checkpoint is None:
            return [document for document in documents if lacks(document, target.chosen)]
        return [one for one in documents if any(has_content(one, declared) for declared in target.chosen)]

    def _writer(self, target: BackfillTarget, fields: Sequence[str]) -> DocumentsWriter:
        index = target.name

        def again(documents: Sequence[StoredDocument]) -> Sequence[StoredDocument]:
            return self._wanting(target, read_again(self._cluster, index, documents, fields))

        cleared = frozenset(map(place_of, target.chosen)) if self._options.checkpoint is not None else frozenset()
        names = names_of(target)

        def lines(document: StoredDocument) -> bytes:
            return document.update_lines(index, names, cleared)

        return DocumentsWriter(self._face, lines, again, patience_seconds=self._options.patience_seconds)

    def _newest(self, index: str) -> int:
        """The highest sequence number that the index has given; -1 where it has no documents."""
        body = orjson.dumps({"size": 0, "aggs": {"newest": {"max": {"field": "_seq_no"}}}})
        target = f"{index_path(index)}/_search"
        answer = self._cluster.ask("search", Request("POST", target, body, is_repeatable=True), index)
        value = answer["aggregations"]["newest"]["value"]
        return -1 if value is None else int(value)


def names_of(target: BackfillTarget) -> frozenset[str]:
    """The top-level fields that hold a source or a vector. All of them are sent, so that the write path sees which
    vectors are there."""
    paths = [path for one in target.declared for path in (place_of(one), *(source.field for source in one.sources))]
    return frozenset(path.partition(".")[0] for path in paths)


def fields_of(target: BackfillTarget) -> list[str]:
    """The patterns of what is read: these fields, whether their keys have dots or objects below them."""
    return sorted(pattern for name in names_of(target) for pattern in (name, f"{name}.*"))
