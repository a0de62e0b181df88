"""A stream of bulk actions that is written while its caller prepares the next ones."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterable
from contextvars import copy_context
from dataclasses import dataclass
from types import TracebackType

from sidecar.opensearch.bulk_actions import BulkAction, ItemResult
from sidecar.opensearch.bulk_sender import NOBODY_WATCHES, BulkSender, BulkWatch, IsCurrent, unwatched
from sidecar.opensearch.client import Cluster
from sidecar.opensearch.error_answers import disk_full, index_not_found


@dataclass(frozen=True)
class BulkLimits:
    """When a body is full; a single document above `max_bytes` still goes, alone.

    Measured on two cores, 9 KB a document: bodies of 50, 100, 200, 500 reach 0.83, 0.89, 0.93, 1 of the best
    rate. Small ones overlap better with embedding: less is left to send when the last document is embedded.
    """

    max_bytes: int = 2 * 1024 * 1024
    max_actions: int = 100


class BulkWriter:
    """Writes to the cluster in bulk; safe to use from any thread."""

    def __init__(
        self,
        cluster: Cluster,
        *,
        retry_deadline_seconds: float = 30.0,
        limits: BulkLimits = BulkLimits(),
        watch: BulkWatch = NOBODY_WATCHES,
    ) -> None:
        self._cluster = cluster
        self._retry_deadline_seconds = retry_deadline_seconds
        self._limits = limits
        self._watch = watch

    def open(
        self, index: str, *, refresh: bool = False, routing: str | None = None, is_current: IsCurrent = unwatched
    ) -> BulkStream:
        """A stream of actions on one index. With `refresh`, searches see them when `finish` returns; `routing` names
        the shard where it is not the documents' ids that do. Once `is_current` says no, nothing more is sent."""
        sender = BulkSender(
            self._cluster,
            index,
            retry_deadline_seconds=self._retry_deadline_seconds,
            watch=self._watch,
            routing=routing,
            is_current=is_current,
        )
        return BulkStream(self._cluster, sender, self._limits, index=index, refresh=refresh)

    def write(
        self, index: str, actions: Iterable[BulkAction], *, refresh: bool = False, routing: str | None = None
    ) -> list[ItemResult]:
        """Submit all actions and finish."""
        with self.open(index, refresh=refresh, routing=routing) as stream:
            for action in actions:
                stream.submit(action)
            return stream.finish()


class BulkStream:
    """Takes actions, sends full bodies on a thread of its own, and reports on each action at the end.

    For one thread; to be used with `with`, which drops what is unsent when the caller fails. Three bodies at
    most are in memory: one filling, one waiting, one on its way; then `submit` waits. A stream that fits into
    one body needs no thread. Bodies go one after another, so that of two actions on one document the later
    one wins.
    """

    def __init__(self, cluster: Cluster, sender: BulkSender, limits: BulkLimits, *, index: str, refresh: bool) -> None:
        self._cluster = cluster
        self._sender = sender
        self._limits = limits
        self._index = index
        self._refresh = refresh
        self._filling: list[BulkAction] = []
        self._filling_bytes = 0
        self._bodies: queue.Queue[list[BulkAction] | None] = queue.Queue(maxsize=1)
        self._thread: threading.Thread | None = None
        # Written by the sending thread; read by the caller after it has joined that thread, save for the
        # failure.
        self._results: list[ItemResult] = []
        self._failure: BaseException | None = None

    def submit(self, action: BulkAction) -> None:
        """Add an action; may wait for the cluster.

        Raises: what made a body before this one fail as a whole; the stream is then of no further use.
        """
        if self._failure is not None:
            raise self._failure
        self._filling.append(action)
        self._filling_bytes += len(action.source or b"") + len(action.document_id)
        if len(self._filling) >= self._limits.max_actions or self._filling_bytes >= self._limits.max_bytes:
            self._hand_over()

    @property
    def is_lost(self) -> bool:
        """True where the cluster stayed away beyond the deadline, or turned an action away: what comes now will not be
        written."""
        return self._sender.lost is not None or self._sender.turned_away is not None

    def finish(self) -> list[ItemResult]:
        """Send the rest and wait for all; returns what became of each action, in the order of submission.

        Raises: OpenSearchUnreachable or OpenSearchTimeout where the cluster stayed away and nothing was
        written, DiskFull where a full disk refused all, IndexNotFound where the index is gone; what made a
        body fail as a whole.
        """
        if self._thread is None:
            if self._filling:
                self._results += self._sender.send(self._filling, refresh=self._refresh)
                self._filling = []
            self._raise_if_all_failed()
            return self._results
        if self._filling:
            self._hand_over()
        self._stop()
        if self._failure is not None:
            raise self._failure
        self._raise_if_all_failed()
        if self._refresh:
            self._cluster.refresh(self._index)
        return self._results

    def __enter__(self) -> BulkStream:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._filling = []
        self._stop()

    def _hand_over(self) -> None:
        if self._thread is None:
            # What it logs and times is the request's.
            context = copy_context()
            self._thread = threading.Thread(
                target=context.run, args=(self._send_bodies,), name=f"bulk {self._index}", daemon=True
            )
            self._thread.start()
        self._bodies.put(self._filling)
        self._filling, self._filling_bytes = [], 0

    def _stop(self) -> None:
        if self._thread is not None and self._thread.is_alive():
            self._bodies.put(None)
            self._thread.join()

    def _send_bodies(self) -> None:
        while (body := self._bodies.get()) is not None:
            if self._failure is not None:
                continue  # the caller may be waiting to hand over: take, and drop
            try:
                self._results += self._sender.send(body)
            except BaseException as error:  # the thread's edge: the caller raises it
                self._failure = error

    def _raise_if_all_failed(self) -> None:
        """Where nothing was written, and all for one reason, that reason is an error of the whole stream."""
        errors = [result.error for result in self._results if result.error is not None]
        if not errors or len(errors) < len(self._results):
            return
        if self._sender.lost is not None:
            raise self._sender.lost
        if all(result.is_disk_full for result in self._results):
            raise disk_full(f"index '{self._index}'")
        if all(error.get("type") == "index_not_found_exception" for error in errors):
            raise index_not_found(self._index)
