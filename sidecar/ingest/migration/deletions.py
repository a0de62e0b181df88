"""Finds documents that are in one index and not in another any more, and deletes them there."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import orjson

from sidecar.errors import OpenSearchError
from sidecar.opensearch.bulk_actions import BulkAction
from sidecar.opensearch.bulk_writer import BulkWriter
from sidecar.opensearch.client import Cluster
from sidecar.opensearch.request_text import encode_json, index_path
from sidecar.opensearch.shard_changes import ShardChanges, count_documents, read_checkpoints
from sidecar.opensearch.transport import Request

_PAGE_DOCUMENTS = 2000
_AT_ONCE = 4


@dataclass(frozen=True, slots=True)
class _Copy:
    """A document of the index that is copied to."""

    document_id: str
    routing: str | None
    seq_no: int
    version: int


def counts(cluster: Cluster, source: str, target: str) -> tuple[int, int]:
    """How many documents the two indexes have; the source must have been refreshed since its last change."""
    cluster.refresh(target)
    return count_documents(cluster, source), count_documents(cluster, target)


def delete_missing(cluster: Cluster, bulk: BulkWriter, source: str, target: str) -> int:
    """Delete from the target what the source does not have; returns how many documents.

    One that the source gets again meanwhile stays: its copy has a higher version than the deletion, whichever comes
    first. Raises: OpenSearchError where a document could be neither looked up nor deleted.
    """
    deleted = 0
    for missing in _missing_in(cluster, source, _pages(cluster, target)):
        results = bulk.write(target, [_deletion(copy) for copy in missing])
        failed = [result for result in results if result.error is not None and not result.is_conflict]
        if failed:
            raise OpenSearchError(f"Documents of '{target}' could not be deleted: {failed[0].error}")
        deleted += sum(result.result == "deleted" for result in results)
    return deleted


def _missing_in(cluster: Cluster, source: str, pages: Iterator[Sequence[_Copy]]) -> Iterator[list[_Copy]]:
    """Of each page those that the source does not have; several are looked up at once."""
    flying: deque[Future[list[_Copy]]] = deque()
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="migrate lookups") as pool:
        for page in pages:
            flying.append(pool.submit(_missing, cluster, source, page))
            if len(flying) > _AT_ONCE:
                yield flying.popleft().result()
        while flying:
            yield flying.popleft().result()


def _pages(cluster: Cluster, target: str) -> Iterator[Sequence[_Copy]]:
    until = read_checkpoints(cluster, target)
    cluster.refresh(target)
    for shard, last in sorted(until.items()):
        changes = ShardChanges(cluster, target, shard, _PAGE_DOCUMENTS, with_source=False)
        for copies, _ in changes.pages(-1, last, _read):
            if copies:
                yield copies


def _read(answer: bytes) -> list[_Copy]:
    hits = orjson.loads(answer)["hits"]["hits"]
    return [_Copy(hit["_id"], hit.get("_routing"), hit["_seq_no"], hit["_version"]) for hit in hits]


def _missing(cluster: Cluster, source: str, copies: Sequence[_Copy]) -> list[_Copy]:
    if _are_all_there(cluster, source, copies):
        return []
    docs = [{"_id": copy.document_id} | ({} if copy.routing is None else {"routing": copy.routing}) for copy in copies]
    target = f"{index_path(source)}/_mget?_source=false"
    request = Request("POST", target, encode_json({"docs": docs}), is_repeatable=True)
    found = cluster.ask("look_up", request, source)["docs"]
    for item in found:
        if "error" in item:
            raise OpenSearchError(f"Document '{item['_id']}' of '{source}' can't be looked up: {item['error']}")
    return [copy for copy, item in zip(copies, found, strict=True) if not item.get("found")]


def _are_all_there(cluster: Cluster, source: str, copies: Sequence[_Copy]) -> bool:
    """True where a search finds as many documents of these ids: that costs less than reading each, and most pages lack
    none."""
    if any(copy.routing is not None for copy in copies):
        return False
    query = {"query": {"ids": {"values": [copy.document_id for copy in copies]}}}
    target = f"{index_path(source)}/_count?preference=_primary"
    request = Request("POST", target, encode_json(query), is_repeatable=True)
    return int(cluster.ask("count", request, source)["count"]) == len(copies)


def _deletion(copy: _Copy) -> BulkAction:
    return BulkAction(copy.document_id, version=copy.version + 1, routing=copy.routing)
