"""The documents of one shard of another index, those changed longest ago first."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import quote

import orjson

from sidecar.errors import OpenSearchError
from sidecar.ingest.sources.index_location import IndexLocation
from sidecar.ingest.sources.source import BEGINNING, Place, Record
from sidecar.opensearch.client import Cluster
from sidecar.opensearch.error_answers import NO_CONTEXT
from sidecar.opensearch.points_in_time import close_point, open_point
from sidecar.opensearch.request_text import encode_json
from sidecar.opensearch.transport import Request

_KEEP_ALIVE = "30m"
"""How long the cluster waits for the next page."""
_FIRST_PAGE_DOCUMENTS = 250
_MOST_PAGE_DOCUMENTS = 5000
_PAGE_BYTES = 4 * 1024 * 1024
_SEARCH = {
    "_source": {"excludes": ["__embeddings*"]},
    "sort": [{"_seq_no": "asc"}],
}


@dataclass(frozen=True)
class ShardPart:
    """A shard; a `Part`. A record's ``resume`` is its sequence number, which no other document of the shard has, and
    which grows when the document changes: what is written meanwhile comes later."""

    location: IndexLocation
    index: str
    shard: int
    fingerprint: str
    has_points_in_time: bool

    @property
    def name(self) -> str:
        return f"{self.index}/{self.shard}"

    @property
    def size_bytes(self) -> int | None:
        return None

    def records(self, start: Place = BEGINNING, *, stop: int | None = None) -> Iterator[Record]:
        skipped = start.row if start.resume is None else 0
        row = start.row - skipped
        after = -1 if start.resume is None else start.resume
        with self.location.asked():
            for page in self._pages(after):
                hits = page["hits"]["hits"]
                for hit in hits:
                    if stop is not None and row >= stop:
                        return
                    if row >= start.row:
                        yield self._record(hit, row, page["size"] // len(hits))
                    row += 1

    def count(self) -> int | None:
        target = f"/{quote(self.index, safe='')}/_count?{self._only_this}"
        with self.location.asked():
            return int(self.location.cluster().ask("count", Request("GET", target), self.index)["count"])

    @property
    def _only_this(self) -> str:
        return f"preference=_shards:{self.shard}"

    def _record(self, hit: dict[str, Any], row: int, size: int) -> Record:
        source = hit.get("_source")
        error = None if source is not None else "the index does not store its documents (_source)"
        return Record(self.name, row, source, size, hit["_id"], error, None, hit["sort"][0])

    def _pages(self, after: int) -> Iterator[dict[str, Any]]:
        """The answers of searches, each with the ``size`` of its text."""
        cluster = self.location.cluster()
        kind = _PointInTime if self.has_points_in_time else _Scroll
        reading: _Reading = kind(cluster, self.index, self._only_this)
        size = _FIRST_PAGE_DOCUMENTS
        try:
            while True:
                try:
                    text = reading.next_page(after, size)
                except OpenSearchError as error:
                    if error.upstream_type != NO_CONTEXT:
                        raise
                    # The node that kept it is gone.
                    reading = kind(cluster, self.index, self._only_this)
                    text = reading.next_page(after, size)
                page = orjson.loads(text)
                hits = page["hits"]["hits"]
                if not hits:
                    return
                yield {**page, "size": len(text)}
                after = hits[-1]["sort"][0]
                size = max(1, min(_MOST_PAGE_DOCUMENTS, _PAGE_BYTES * len(hits) // len(text)))
        finally:
            # One that is left ends by itself.
            with suppress(OpenSearchError):
                reading.close()


class _Reading(Protocol):
    """A shard as it was at one moment."""

    def next_page(self, after: int, size: int) -> bytes:
        """The documents behind a sequence number: that at which the last page ended, or at which to begin."""

    def close(self) -> None:
        """Let the cluster forget the moment."""


class _PointInTime:
    def __init__(self, cluster: Cluster, index: str, only: str) -> None:
        self._cluster = cluster
        self._id = open_point(cluster, index, keep_alive=_KEEP_ALIVE, parameters=f"&{only}")

    def next_page(self, after: int, size: int) -> bytes:
        body = {
            **_SEARCH,
            "size": size,
            "pit": {"id": self._id, "keep_alive": _KEEP_ALIVE},
            "search_after": [after],
            "track_total_hits": False,
        }
        target = "/_search?allow_partial_search_results=false"
        return self._cluster.ask_text("search", Request("POST", target, encode_json(body), is_repeatable=True))

    def close(self) -> None:
        close_point(self._cluster, self._id)


class _Scroll:
    """For clusters without points in time as ours. All pages are as large as the first."""

    def __init__(self, cluster: Cluster, index: str, only: str) -> None:
        self._cluster = cluster
        self._index = index
        self._only = only
        self._id: str | None = None

    def next_page(self, after: int, size: int) -> bytes:
        if self._id is None:
            path = f"/{quote(self._index, safe='')}/_search"
            target = f"{path}?scroll={_KEEP_ALIVE}&allow_partial_search_results=false&{self._only}"
            body: dict[str, Any] = {**_SEARCH, "size": size, "query": {"range": {"_seq_no": {"gt": after}}}}
            request = Request("POST", target, encode_json(body))
        else:
            request = Request("POST", "/_search/scroll", encode_json({"scroll": _KEEP_ALIVE, "scroll_id": self._id}))
        text = self._cluster.ask_text("search", request, self._index)
        self._id = orjson.loads(text)["_scroll_id"]
        return text

    def close(self) -> None:
        if self._id is not None:
            body = encode_json({"scroll_id": [self._id]})
            self._cluster.ask("close_scroll", Request("DELETE", "/_search/scroll", body, is_repeatable=True))
