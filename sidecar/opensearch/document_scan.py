"""All documents of an index that a query finds, page by page, as the index was at one moment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from sidecar.errors import OpenSearchError
from sidecar.opensearch.client import Cluster
from sidecar.opensearch.decoding import decode_object
from sidecar.opensearch.error_answers import NO_CONTEXT
from sidecar.opensearch.points_in_time import close_point, open_point
from sidecar.opensearch.request_text import encode_json, index_path
from sidecar.opensearch.transport import Request

KEEP_ALIVE = "30m"
"""How long a point in time waits for its next page."""
_ORDER = "_seq_no"


class DocumentScan:
    """Reads the documents of one concrete index that ``query`` finds, those changed longest ago first.

    ``fields`` are the patterns of what is read of each. Pages are ordered by sequence numbers, which each shard counts
    for itself, so that several documents may have the same.
    """

    def __init__(
        self, cluster: Cluster, index: str, query: Mapping[str, Any], *, fields: Sequence[str], page_documents: int
    ) -> None:
        self._cluster = cluster
        self._index = index
        self._query = query
        self._fields = list(fields)
        self._page_documents = page_documents

    def count(self) -> int:
        """How many documents the query finds."""
        request = Request("POST", f"{index_path(self._index)}/_count", encode_json({"query": self._query}))
        return int(self._cluster.ask("count", request, self._index)["count"])

    def pages(self, *, after: int = -1) -> Iterator[tuple[bytes, int]]:
        """Each page as the cluster's answer, and the last sequence number with which all before it are told.

        Documents that begin a page may have been the last of the page before: those of the sequence number at which it
        ended. ``after`` takes up a scan behind a number that was told.
        """
        point = self._open()
        try:
            while True:
                try:
                    page = self._page(point, after)
                except OpenSearchError as error:
                    if error.upstream_type != NO_CONTEXT:
                        raise
                    # The node that kept it is gone. What changed meanwhile comes later by its new number.
                    point = self._open()
                    page = self._page(point, after)
                found = decode_object(page)["hits"]["hits"]
                if not found:
                    return
                is_last = len(found) < self._page_documents
                last = int(found[-1]["_seq_no"])
                if not is_last and int(found[0]["_seq_no"]) == last:
                    # As many shards as the page has places; the next would begin with the same documents.
                    self._page_documents *= 2
                    continue
                # Another shard's document of the same number may not have fitted.
                after = last if is_last else last - 1
                yield page, after
                if is_last:
                    return
        finally:
            self._close(point)

    def _page(self, point: str, after: int) -> bytes:
        body = {
            "size": self._page_documents,
            "query": self._query,
            "_source": {"includes": self._fields},
            "pit": {"id": point, "keep_alive": KEEP_ALIVE},
            "sort": [{_ORDER: "asc"}],
            "search_after": [after],
            "seq_no_primary_term": True,
            "track_total_hits": False,
        }
        request = Request("POST", "/_search?allow_partial_search_results=false", encode_json(body), is_repeatable=True)
        return self._cluster.ask_text("search", request)

    def _open(self) -> str:
        return open_point(self._cluster, self._index, keep_alive=KEEP_ALIVE)

    def _close(self, point: str) -> None:
        # One that is left ends by itself.
        with suppress(OpenSearchError):
            close_point(self._cluster, point)
