"""The cluster's operations that the sidecar uses, one method each."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from sidecar.errors import OpenSearchError, SidecarError
from sidecar.observation.kinds import Stage
from sidecar.observation.stages import stage
from sidecar.opensearch.cluster_name import CLUSTER_NAME
from sidecar.opensearch.decoding import check_search, decode_object, objects, read_as
from sidecar.opensearch.error_answers import error_from_answer, index_not_found
from sidecar.opensearch.request_text import ALL_FIELDS, SourceFilter, encode_json, index_path, routing_query
from sidecar.opensearch.transport import NDJSON, Request, Response, Transport

# How long a write waits inside the cluster for a lost primary shard. Less than the default minute, so that
# the answer comes before the sidecar's own time limit.
_SHARD_TIMEOUT = "20s"
_HEALTH_TIMEOUT_SECONDS = 5.0
_LONGEST_QUERY = 2000
"""Characters of a URL's parameters. OpenSearch takes lines of 4,096 bytes: what is longer goes into the body."""
_TASK_GRACE_SECONDS = 30.0

Version = tuple[int, int, int]
Observe = Callable[[str, float], None]


@dataclass(frozen=True)
class ClusterFacts:
    """What decides which index settings the cluster can serve."""

    version: Version
    is_embedded: bool


@dataclass(frozen=True)
class SearchLine:
    """One search of several that are sent together: the body, and which index, or the point in time that the body
    names (None). ``routing`` names the shards."""

    index: str | None
    body: Mapping[str, Any]
    routing: str | None = None


class Cluster:
    """Calls the cluster; safe to use from any thread.

    `observe`, where given, is called after each call that got an answer with the operation's name and its
    seconds. Every method raises what `Transport.send` and `error_from_answer` name; those that take an index
    raise IndexNotFound. Index names are literal: one that could be a pattern or a list is an index that does
    not exist.
    """

    def __init__(self, transport: Transport, *, observe: Observe | None = None) -> None:
        self._transport = transport
        self._observe = observe
        self._facts: ClusterFacts | None = None

    def facts(self) -> ClusterFacts:
        """The cluster's version and whether it is an embedded node, read once.

        An embedded node is told by its cluster's name, for its URL may also be given as that of any cluster.
        """
        if self._facts is None:
            answer = self._json("facts", Request("GET", "/"))
            version = answer.get("version")
            number = str(version.get("number") if isinstance(version, dict) else version)
            self._facts = ClusterFacts(parse_version(number), answer.get("cluster_name") == CLUSTER_NAME)
        return self._facts

    def create_index(self, index: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Create an index; returns the cluster's answer. Raises: IndexAlreadyExists, InvalidIndexName."""
        return self._json("create_index", Request("PUT", f"/{quote(index, safe='')}", encode_json(body)), index)

    def delete_index(self, index: str) -> None:
        """Delete an index with all that is in it."""
        self._call("delete_index", Request("DELETE", index_path(index)), index)

    def list_indexes(self) -> list[str]:
        """The names of the indexes that the sidecar made, sorted."""
        target = "/_mapping?filter_path=*.mappings._meta.sidecar.format"
        return sorted(self._json("list_indexes", Request("GET", target)))

    def read_index(self, index: str) -> bytes:
        """Mapping and settings of an index, as the JSON text `{name: {"mappings":…,"settings":…}}`."""
        return self._call("read_index", Request("GET", index_path(index)), index).body

    def put_mapping(self, index: str, body: Mapping[str, Any]) -> None:
        """Add to an index's mapping. A `_meta` in the body replaces the whole of the old one.

        Raises: TooManyFields; nothing was added.
        """
        request = Request("PUT", f"{index_path(index)}/_mapping", encode_json(body), is_repeatable=True)
        self._call("put_mapping", request, index)

    def refresh(self, index: str) -> dict[str, Any]:
        """Make all writes visible to searches; returns the counts of shards: total, successful, failed."""
        request = Request("POST", f"{index_path(index)}/_refresh", is_repeatable=True)
        answer = self._json("refresh", request, index)
        with read_as("refresh"):
            shards: dict[str, Any] = answer["_shards"]
        return shards

    def search(self, index: str | None, body: Mapping[str, Any], *, routing: str | None = None) -> dict[str, Any]:
        """Search; numpy arrays in the body are sent as they are. A shard that fails fails the search.

        Without an index the body names a point in time.
        """
        place = "" if index is None else index_path(index)
        target = f"{place}/_search?allow_partial_search_results=false{routing_query('&', routing)}"
        answer = self._json("search", Request("POST", target, encode_json(body), is_repeatable=True), index)
        with read_as("a search"):
            check_search(answer)
        return answer

    def search_many(self, lines: Sequence[SearchLine]) -> list[dict[str, Any] | SidecarError]:
        """As `search`, several at once, in order; for each that failed there is what `search` would have raised.

        Raises: IndexNotFound for a name of several that no index can have; OpenSearchError with the status 400 where
        one of several can't be parsed: then none is answered.
        """
        if len(lines) == 1:
            try:
                return [self.search(lines[0].index, lines[0].body, routing=lines[0].routing)]
            except SidecarError as error:
                return [error]
        request = Request("POST", "/_msearch", b"".join(map(_encode_line, lines)), NDJSON, is_repeatable=True)
        answer = self._json("search_many", request)
        with read_as("several searches"):
            answers = objects(answer, "responses", len(lines))
            return [_answer_or_error(line, one) for line, one in zip(lines, answers, strict=True)]

    def read_document(
        self, index: str, document_id: str, *, fields: SourceFilter = ALL_FIELDS, routing: str | None = None
    ) -> dict[str, Any] | None:
        """A document's fields as of now, refresh or not; None where there is none of that id."""
        target = f"{index_path(index)}/_doc/{quote(document_id, safe='')}?{_read_query(fields, routing)}"
        response = self._call("read_document", Request("GET", target), index, missing_is_fine=True)
        answer = _decode(response)
        if "found" not in answer:
            raise error_from_answer(response, index)
        return answer.get("_source", {}) if answer["found"] else None

    def read_documents(
        self,
        index: str,
        document_ids: Sequence[str],
        *,
        fields: SourceFilter = ALL_FIELDS,
        routing: str | None = None,
    ) -> list[dict[str, Any] | None]:
        """As `read_document`, for many; in the order of the ids, which may repeat and may be none."""
        if not document_ids:
            return []
        query = _read_query(fields, routing)
        body: dict[str, Any] = {"ids": list(document_ids)}
        if len(query) > _LONGEST_QUERY:
            source = {"includes": fields.includes, "excludes": fields.excludes}
            query = routing_query("", routing)
            body = {"docs": [{"_id": document_id, "_source": source} for document_id in document_ids]}
        request = Request("POST", f"{index_path(index)}/_mget?{query}", encode_json(body), is_repeatable=True)
        answer = self._json("read_documents", request, index)
        with read_as("a read of documents"):
            return [_source_of(item, index) for item in objects(answer, "docs", len(document_ids))]

    def bulk(
        self, index: str, body: bytes, *, refresh: bool = False, routing: str | None = None
    ) -> list[dict[str, Any]]:
        """Send bulk actions (NDJSON, each with an explicit id); returns the answer's items, in order.

        A lost connection may send the body twice: index, create and delete actions with ids, and updates that set
        values, end in the same documents; one created the first time is then reported as updated, or as in the way.
        """
        parameters = f"timeout={_SHARD_TIMEOUT}&refresh={_flag(refresh)}{routing_query('&', routing)}"
        request = Request("POST", f"{index_path(index)}/_bulk?{parameters}", body, NDJSON, is_repeatable=True)
        answer = self._json("bulk", request, index)
        with read_as("a bulk"):
            return objects(answer, "items")

    def begin_delete_by_query(self, index: str, query: Mapping[str, Any], *, refresh: bool) -> str:
        """Have the documents that the query finds deleted, save those that others change meanwhile; returns the name of
        the task that does it."""
        parameters = f"wait_for_completion=false&conflicts=proceed&refresh={_flag(refresh)}"
        request = Request("POST", f"{index_path(index)}/_delete_by_query?{parameters}", encode_json({"query": query}))
        answer = self._json("delete_by_query", request, index)
        with read_as("a deletion by query"):
            return str(answer["task"])

    def read_task(self, task: str, *, wait_seconds: int) -> dict[str, Any]:
        """What the cluster says of a task, once it has ended.

        Raises: OpenSearchError of the type `timeout_exception` where it still runs after `wait_seconds`.
        """
        target = f"/_tasks/{quote(task, safe=':')}?wait_for_completion=true&timeout={wait_seconds}s"
        return self.status_call(target, timeout_seconds=wait_seconds + _TASK_GRACE_SECONDS)

    def count(self, index: str, nested_paths: Iterable[str]) -> tuple[int, int]:
        """The number of documents, and of nested entries under all paths together, as a search sees them."""
        paths = list(nested_paths)
        aggregations = {str(number): {"nested": {"path": path}} for number, path in enumerate(paths)}
        answer = self.search(index, {"size": 0, "track_total_hits": True, "aggs": aggregations})
        with read_as("a count"):
            entries = sum(entry["doc_count"] for entry in answer.get("aggregations", {}).values())
            return answer["hits"]["total"]["value"], entries

    def status_call(
        self, target: str, *, index: str | None = None, timeout_seconds: float = _HEALTH_TIMEOUT_SECONDS
    ) -> dict[str, Any]:
        """A read of the cluster's own state, with a time limit of its own; a 408 is an answer too."""
        response = self._send("status", Request("GET", target), timeout_seconds)
        if response.status >= 400 and response.status != 408:
            raise error_from_answer(response, index)
        return _decode(response)

    def ask(self, operation: str, request: Request, index: str | None = None) -> dict[str, Any]:
        """The answer to a request that a file beside this one makes, about an index where one is given."""
        return self._json(operation, request, index)

    def ask_text(self, operation: str, request: Request, index: str | None = None) -> bytes:
        """As `ask`, the answer's own text: for documents that must not be decoded and written anew."""
        return self._call(operation, request, index).body

    def _json(self, operation: str, request: Request, index: str | None = None) -> dict[str, Any]:
        return _decode(self._call(operation, request, index))

    def _call(
        self, operation: str, request: Request, index: str | None = None, *, missing_is_fine: bool = False
    ) -> Response:
        started = time.perf_counter()
        response = self._send(operation, request)
        if self._observe is not None:
            self._observe(operation, time.perf_counter() - started)
        if response.status >= 400 and not (missing_is_fine and response.status == 404):
            raise error_from_answer(response, index)
        return response

    def _send(self, operation: str, request: Request, timeout_seconds: float | None = None) -> Response:
        with stage(Stage.CLUSTER, operation) as timed:
            response = self._transport.send(request, timeout_seconds=timeout_seconds)
            timed.note("http.response.status_code", response.status)
            return response


def parse_version(number: str) -> Version:
    """`"3.5.0-SNAPSHOT"` as (3, 5, 0). Raises: OpenSearchError where there are no three numbers."""
    found = re.match(r"(\d+)\.(\d+)\.(\d+)", number)
    if found is None:
        raise OpenSearchError(f"The server at OPENSEARCH_URL says its version is {number!r}; is it OpenSearch?")
    major, minor, patch = (int(part) for part in found.groups())
    return major, minor, patch


def _flag(value: bool) -> str:
    return "true" if value else "false"


def _read_query(fields: SourceFilter, routing: str | None) -> str:
    return "&".join(filter(None, (fields.as_query(), routing_query("", routing))))


def _encode_line(line: SearchLine) -> bytes:
    header: dict[str, Any] = {"allow_partial_search_results": False}
    if line.index is not None:
        index_path(line.index)
        header["index"] = line.index
    if line.routing is not None:
        header["routing"] = line.routing
    return b"%b\n%b\n" % (encode_json(header), encode_json(line.body))


def _answer_or_error(line: SearchLine, answer: dict[str, Any]) -> dict[str, Any] | SidecarError:
    if "error" not in answer:
        check_search(answer)
        return answer
    return error_from_answer(Response(int(answer.get("status", 500)), {}, encode_json(answer)), line.index)


def _decode(response: Response) -> dict[str, Any]:
    return decode_object(response.body, response.status)


def _source_of(item: Mapping[str, Any], index: str) -> dict[str, Any] | None:
    if "error" in item:
        if item["error"].get("type") == "index_not_found_exception":
            raise index_not_found(index)
        raise OpenSearchError(
            f"Document '{item['_id']}' of index '{index}' can't be read: {item['error'].get('reason')}",
            upstream_type=str(item["error"].get("type", "")),
        )
    return item.get("_source", {}) if item.get("found") else None
