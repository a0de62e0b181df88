"""An index as it is at one moment, read as a whole: several shards at once, page by page, in little memory."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from sidecar.errors import OpenSearchError, OpenSearchRejected, OpenSearchTimeout, OpenSearchUnreachable
from sidecar.ingest.stored_documents import StoredDocument, hits_of
from sidecar.opensearch.client import Cluster
from sidecar.opensearch.error_answers import NO_CONTEXT
from sidecar.opensearch.points_in_time import close_point, open_point
from sidecar.opensearch.request_text import encode_json, routing_query
from sidecar.opensearch.transport import Request

_KEEP_ALIVE = "30m"
"""How long the snapshot waits for its next page."""
_PAGE_BYTES = 4_000_000
_FIRST_PAGE = 50
_LARGEST_PAGE = 2000
_GROWTH = 4
_PATIENCE_SECONDS = 60.0
_LONGEST_WAIT_SECONDS = 5.0
_FOR_NOW = (OpenSearchRejected, OpenSearchTimeout, OpenSearchUnreachable)

EVERYTHING: Mapping[str, Any] = {"match_all": {}}


@dataclass(frozen=True)
class Wanted:
    """What of an index is read: the documents that ``query`` finds, on the shards of ``routing`` where given; of each
    the fields that ``source`` says, as a search's ``_source``. True is the document's own bytes."""

    query: Mapping[str, Any] = field(default_factory=lambda: EVERYTHING)
    source: Any = True
    routing: str | None = None


class Snapshot:
    """One concrete index at one moment. Its slices, each within a shard, may be read by several threads."""

    def __init__(self, cluster: Cluster, point: str, index: str, slices: int, wanted: Wanted) -> None:
        self._cluster = cluster
        self._point = point
        self._index = index
        self._wanted = wanted
        self.slices = slices

    def count(self) -> int:
        """How many documents there are."""
        body = {"size": 0, "query": self._wanted.query, "track_total_hits": True, "pit": self._pit()}
        return int(self._cluster.search(None, body)["hits"]["total"]["value"])

    def pages(self, number: int) -> Iterator[list[StoredDocument]]:
        """The documents of one slice, page by page, those changed longest ago first. Each page takes about 4 MB.

        Raises: OpenSearchError where the snapshot is gone, or the cluster stays away for a minute.
        """
        after, size = -1, _FIRST_PAGE
        while True:
            text = self._page(number, after, size)
            documents = hits_of(text, need_sources=True)
            if documents:
                after = documents[-1].seq_no
                yield documents
            if len(documents) < size:
                return
            size = _next_size(size, len(text))

    def _page(self, number: int, after: int, size: int) -> bytes:
        body: dict[str, Any] = {
            "size": size,
            "query": self._wanted.query,
            "_source": self._wanted.source,
            "pit": self._pit(),
            "sort": [{"_seq_no": "asc"}],
            "search_after": [after],
            "seq_no_primary_term": True,
            "track_total_hits": False,
        }
        if self.slices > 1:
            # With as many slices as shards, each is one shard, in which no two documents have the same number.
            body["slice"] = {"id": number, "max": self.slices}
        request = Request("POST", "/_search?allow_partial_search_results=false", encode_json(body), is_repeatable=True)
        wait, deadline = 0.1, time.monotonic() + _PATIENCE_SECONDS
        while True:
            try:
                return self._cluster.ask_text("search", request)
            except _FOR_NOW:
                if time.monotonic() >= deadline:
                    raise
            except OpenSearchError as error:
                raise self._explained(error) from error
            time.sleep(random.uniform(0, wait))
            wait = min(2 * wait, _LONGEST_WAIT_SECONDS)

    def _explained(self, error: OpenSearchError) -> OpenSearchError:
        if error.upstream_type != NO_CONTEXT:
            return error
        return OpenSearchError(
            f"The snapshot of index '{self._index}' is gone: the node that kept it has stopped, or half an hour went "
            "by without a page being read. Start again.",
            upstream_status=error.upstream_status,
            upstream_type=error.upstream_type,
        )

    def _pit(self) -> dict[str, str]:
        return {"id": self._point, "keep_alive": _KEEP_ALIVE}


@contextmanager
def snapshot_of(cluster: Cluster, index: str, shards: int, wanted: Wanted = Wanted()) -> Iterator[Snapshot]:
    """The index as it is now, every write that was answered included; let go of at the end.

    ``index`` is concrete, ``shards`` the number of its primary shards. Raises: IndexNotFound.
    """
    cluster.refresh(index)
    point = open_point(cluster, index, keep_alive=_KEEP_ALIVE, parameters=routing_query("&", wanted.routing))
    try:
        yield Snapshot(cluster, point, index, shards, wanted)
    finally:
        # One that is left ends by itself.
        with suppress(OpenSearchError):
            close_point(cluster, point)


def _next_size(size: int, size_bytes: int) -> int:
    fitting = size * _PAGE_BYTES // max(1, size_bytes)
    return max(1, min(fitting, size * _GROWTH, _LARGEST_PAGE))
