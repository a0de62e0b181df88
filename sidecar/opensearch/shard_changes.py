"""The changes of each shard of an index, by their sequence numbers: how far they go, and the documents among them.

A shard counts its writes. Of a document only its last write is found, by that write's number, so that the documents of
a range of numbers can become fewer while others write, but never more: a range is read without holding anything open.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from sidecar.errors import OpenSearchError
from sidecar.opensearch.client import Cluster
from sidecar.opensearch.request_text import encode_json, index_path
from sidecar.opensearch.transport import Request

_MOST_BYTES = 8 * 1024 * 1024
"""Of a page, about: where documents are large, the next one has fewer."""


class Changed(Protocol):
    """A document, by its last change."""

    @property
    def seq_no(self) -> int:
        """The number of the write that made it as it is."""


_Changed = TypeVar("_Changed", bound=Changed)


def read_checkpoints(cluster: Cluster, index: str, *, has_ended: bool = False) -> dict[int, int]:
    """Of each shard of one concrete index the number up to which every copy has all changes; -1 where there are none.

    ``has_ended`` says that no more writes come: then it is that of the last write.
    Raises: IndexNotFound; OpenSearchError where a shard has no primary now.
    """
    answer = cluster.ask("read_checkpoints", Request("GET", f"{index_path(index)}/_stats/docs?level=shards"), index)
    told: Mapping[str, Any] = answer.get("indices", {}).get(index, {}).get("shards", {})
    key = "max_seq_no" if has_ended else "global_checkpoint"
    found = {
        int(number): int(copy["seq_no"][key])
        for number, copies in told.items()
        for copy in copies
        if copy["routing"]["primary"] and copy["routing"]["state"] in ("STARTED", "RELOCATING")
    }
    shards = answer["_shards"]
    if not found or len(found) < len(told) or shards.get("failed"):
        raise OpenSearchError(f"Not every shard of index '{index}' has a primary now. Look at GET _cluster/health.")
    return found


def count_documents(cluster: Cluster, index: str) -> int:
    """How many documents the primaries of an index have, as of its last refresh."""
    request = Request("GET", f"{index_path(index)}/_count?preference=_primary")
    return int(cluster.ask("count", request, index)["count"])


@dataclass(frozen=True)
class ShardChanges:
    """Reads the documents of one shard, those changed longest ago first. With ``with_source`` they come whole, as they
    are stored; in any case with their versions. A page has ``page_documents`` at most."""

    cluster: Cluster
    index: str
    shard: int
    page_documents: int
    with_source: bool = True

    def pages(
        self, after: int, until: int, read: Callable[[bytes], Sequence[_Changed]]
    ) -> Iterator[tuple[Sequence[_Changed], int]]:
        """The documents whose last change is behind ``after``, up to ``until``; ``read`` takes them out of an answer.

        With each page comes the number up to which all are told; pages may be empty. All up to ``until`` must have been
        visible to searches before.
        """
        size, width = self.page_documents, self.page_documents
        while after < until:
            # Most numbers belong to a document as it is: so wide a range fits into a page, and needs no sorting of all.
            end = min(after + width, until)
            answer = self._page(after, end, size)
            documents = read(answer)
            if len(documents) < size:
                after = end
                width *= 2
            else:
                after = documents[-1].seq_no
                width = max(size, width // 2)
            yield documents, after
            size = self._next_size(size, len(answer))

    def _next_size(self, size: int, answer_bytes: int) -> int:
        if answer_bytes > _MOST_BYTES:
            return max(1, size // 2)
        return min(self.page_documents, 2 * size) if answer_bytes < _MOST_BYTES // 4 else size

    def _page(self, after: int, end: int, size: int) -> bytes:
        body = {
            "size": size,
            "query": {"range": {"_seq_no": {"gt": after, "lte": end}}},
            "sort": [{"_seq_no": "asc"}],
            # Without any pattern, a source is the very bytes that were stored.
            "_source": self.with_source,
            "seq_no_primary_term": True,
            "version": True,
            "track_total_hits": False,
        }
        # The primary has all that was acknowledged; a copy that follows by segments may not, even after a refresh.
        target = (
            f"{index_path(self.index)}/_search?preference=_shards:{self.shard}%7C_primary"
            "&allow_partial_search_results=false"
        )
        request = Request("POST", target, encode_json(body), is_repeatable=True)
        return self.cluster.ask_text("search", request, self.index)
