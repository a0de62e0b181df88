"""Brings the changes of one index into another, by the numbers that its shards give them."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

from sidecar.errors import InvalidArgument, OpenSearchError
from sidecar.ingest.face_client import told
from sidecar.ingest.migration.conflicts import foreign_versions
from sidecar.ingest.migration.new_index import plain_properties
from sidecar.ingest.migration.parts import MigrationParts, StagedProgress
from sidecar.ingest.migration.state import CopyState, Failure
from sidecar.ingest.migration.transfer import Moved, Transfer
from sidecar.ingest.rate import RateLimit
from sidecar.ingest.stored_documents import StoredDocument, hits_of, read_stored
from sidecar.opensearch.bulk_actions import BulkAction, ItemResult
from sidecar.opensearch.concrete_index import find_index
from sidecar.opensearch.shard_changes import ShardChanges, read_checkpoints

PAGE_DOCUMENTS = 200
MOST_FAILURES = 1000
"""Documents that fail for different reasons than one: with more it is not they that are at fault."""
_AT_ONCE = 3
"""Pages on their way: one is embedded while another is written, and the next is read."""
_SAVE_SECONDS = 2.0


class Stopped(Exception):
    """The user has asked to end; all that was begun is written."""


@dataclass(frozen=True)
class Lane:
    """From where to where: two indexes by their own names, and what documents become on the way."""

    source: str
    target: str
    transfer: Transfer


@dataclass
class _Landed:
    """What became of one page."""

    copied: int = 0
    bare: int = 0
    failures: dict[str, Failure] = field(default_factory=dict)
    document_ids: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _How:
    """``may_be_there``: documents may have been copied before. ``is_urgent``: writers wait."""

    may_be_there: bool
    is_urgent: bool


class Copier:
    """Copies changes; ``state`` is kept up to date, and given to ``save`` from time to time."""

    def __init__(
        self,
        parts: MigrationParts,
        lane: Lane,
        state: CopyState,
        save: Callable[[], object],
        *,
        rate: float | None,
        progress: StagedProgress,
    ) -> None:
        self._parts = parts
        self._lane = lane
        self.state = state
        self._save = save
        self._rate = RateLimit(rate)
        # A page is what is waited for when the user asks to end.
        self._page_documents = PAGE_DOCUMENTS if rate is None else max(1, min(PAGE_DOCUMENTS, int(rate)))
        self._progress = progress
        self._stopped = threading.Event()
        self._writing = threading.Lock()
        self._saved_at = time.monotonic()

    def stop(self) -> None:
        """Begin nothing more; safe to call from a signal's handler."""
        self._stopped.set()

    def follow(self, *, has_ended: bool = False) -> int:
        """Bring over all changes that there are now, also those that failed before; returns how many were read.

        ``has_ended`` says that nobody writes any more: then the last change is among them, and a request to stop is not
        heeded. Raises: Stopped; InvalidArgument where too many documents fail; what the cluster or a model raises.
        What is done by then is in ``state``.
        """
        source = self._lane.source
        # Numbers first: what they tell of is visible after the refresh, and its fields are in the mapping.
        until = read_checkpoints(self._parts.cluster, source, has_ended=has_ended)
        self._parts.cluster.refresh(source)
        self._bring_mapping()
        is_first = not self.state.done
        pages = self._pages(until, is_last=has_ended)
        how = _How(may_be_there=not is_first, is_urgent=has_ended)
        count = self._retry_failures(until, how) + self._copy(pages, how)
        self.state.done |= {shard: max(number, self.state.done.get(shard, -1)) for shard, number in until.items()}
        self._save()
        return count

    def _pages(self, until: Mapping[int, int], *, is_last: bool) -> Iterator[tuple[int, Sequence[StoredDocument], int]]:
        for shard, last in sorted(until.items()):
            size = PAGE_DOCUMENTS if is_last else self._page_documents
            changes = ShardChanges(self._parts.cluster, self._lane.source, shard, size)
            for documents, done in changes.pages(self.state.done.get(shard, -1), last, hits_of):
                if self._stopped.is_set() and not is_last:
                    return
                if not is_last:
                    self._rate.wait(len(documents))
                yield shard, documents, done

    def _copy(self, pages: Iterator[tuple[int, Sequence[StoredDocument], int]], how: _How) -> int:
        count = 0
        flying: deque[tuple[Future[_Landed], int, int]] = deque()
        with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="migrate") as pool:
            for shard, documents, done in pages:
                if len(flying) >= _AT_ONCE:
                    self._land(*flying.popleft())
                count += len(documents)
                flying.append((pool.submit(self._write, documents, how), shard, done))
            while flying:
                self._land(*flying.popleft())
        if self._stopped.is_set() and not how.is_urgent:
            self._save()
            raise Stopped
        return count

    def _land(self, future: Future[_Landed], shard: int, done: int) -> None:
        landed = future.result()
        self._take(landed)
        self.state.done[shard] = done
        if time.monotonic() - self._saved_at >= _SAVE_SECONDS:
            self._save()
            self._saved_at = time.monotonic()

    def _take(self, landed: _Landed) -> None:
        state = self.state
        state.copied += landed.copied
        state.bare += landed.bare
        for document_id in landed.document_ids:
            state.failures.pop(document_id, None)
        state.failures |= landed.failures
        self._progress.done(len(landed.document_ids))
        if len(state.failures) > MOST_FAILURES:
            document_id, failure = next(iter(landed.failures.items()))
            raise InvalidArgument(
                f"More than {MOST_FAILURES} documents can't be copied, the last of them {document_id!r}: "
                f"{failure.reason}"
            )

    def _write(self, documents: Sequence[StoredDocument], how: _How) -> _Landed:
        landed = _Landed(document_ids=[document.document_id for document in documents])
        ready: list[Moved] = []
        actions: list[BulkAction] = []
        for moved in self._lane.transfer.move(documents, may_be_there=how.may_be_there):
            if moved.action is None:
                _fail(landed, moved, moved.reason)
            else:
                ready.append(moved)
                actions.append(moved.action)
        conflicts = []
        for moved, result in zip(ready, self._send(actions, how), strict=True):
            if result.is_conflict:
                conflicts.append(moved)
            elif result.error is not None:
                _fail(landed, moved, told(result.error))
            landed.copied += result.error is None
            landed.bare += moved.is_bare
        # In an index that had documents of its own, a higher version need not be one of ours.
        if conflicts and self.state.version_base:
            self._judge(conflicts, landed)
        return landed

    def _send(self, actions: Sequence[BulkAction], how: _How) -> list[ItemResult]:
        """Write; and then let the cluster be for as long as that took, so that half of its time is left to searches."""
        if how.is_urgent:
            return self._sent(actions)
        with self._writing:
            began = time.monotonic()
            results = self._sent(actions)
            self._stopped.wait(time.monotonic() - began)
        return results

    def _sent(self, actions: Sequence[BulkAction]) -> list[ItemResult]:
        results = self._parts.bulk.write(self._lane.target, actions)
        for result in results:
            if result.is_disk_full or (result.is_retryable and not result.is_conflict):
                raise OpenSearchError(f"Index '{self._lane.target}' takes no writes now: {told(result.error or {})}")
        return results

    def _judge(self, conflicts: Sequence[Moved], landed: _Landed) -> None:
        actions = [moved.action for moved in conflicts if moved.action is not None]
        foreign = foreign_versions(self._parts.cluster, self._lane.target, actions, self.state.version_base)
        for moved in conflicts:
            if (version := foreign.get(moved.document.document_id)) is not None:
                _fail(landed, moved, f"index {self._lane.target!r} has it with the version {version}, set by a client")

    def _retry_failures(self, until: Mapping[int, int], how: _How) -> int:
        """Copy what failed before, as it is now; what has changed since is yet to come."""
        failures = dict(self.state.failures)
        if not failures:
            return 0
        places = [(document_id, failure.routing) for document_id, failure in failures.items()]
        found = read_stored(self._parts.cluster, self._lane.source, places)
        known = [document for document in found if document.seq_no <= max(until.values())]
        gone = failures.keys() - {document.document_id for document in found}
        for document_id in gone:
            self.state.failures.pop(document_id, None)
        for start in range(0, len(known), PAGE_DOCUMENTS):
            self._take(self._write(known[start : start + PAGE_DOCUMENTS], how))
        return len(known)

    def _bring_mapping(self) -> None:
        """Give the target the fields that the source has got meanwhile, with the types that they have there."""
        cluster = self._parts.cluster
        wanted = plain_properties(find_index(cluster, self._lane.source).mapping)
        there = plain_properties(find_index(cluster, self._lane.target).mapping)
        new = {name: value for name, value in wanted.items() if there.get(name) != value}
        if new:
            cluster.put_mapping(self._lane.target, {"properties": new})


def _fail(landed: _Landed, moved: Moved, reason: str) -> None:
    landed.failures[moved.document.document_id] = Failure(reason, moved.document.routing)
