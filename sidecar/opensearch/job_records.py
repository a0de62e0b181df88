"""What jobs must remember in the cluster: who loads into an index, how far a migration is. One small hidden index."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import orjson

from sidecar.errors import IndexAlreadyExists, IndexNotFound, OpenSearchError
from sidecar.opensearch.client import Cluster
from sidecar.opensearch.request_text import encode_json
from sidecar.opensearch.transport import Request

JOBS_INDEX = "sidecar-jobs"
"""Mappings can't be changed by compare-and-set (`_meta` is replaced as a whole); documents can."""
_CONFLICT = "version_conflict_engine_exception"
_BODY = {
    "settings": {"index": {"hidden": True, "number_of_shards": 1, "auto_expand_replicas": "0-1"}},
    "mappings": {"dynamic": False, "properties": {"kind": {"type": "keyword"}}},
}
_MOST_RECORDS = 10_000


@dataclass(frozen=True)
class JobRecord:
    """One record as it was read; ``seq_no`` and ``primary_term`` name this state of it."""

    name: str
    value: Mapping[str, Any]
    seq_no: int
    primary_term: int


class JobRecords:
    """Reads and changes records; each change names the state that it was made from, so that none is lost.

    Every method raises what `Cluster.ask` raises.
    """

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def read(self, name: str) -> JobRecord | None:
        """The record as of now; None where there is none."""
        try:
            answer = self._cluster.ask("read_job", Request("GET", _document(name)), JOBS_INDEX)
        except IndexNotFound:
            return None
        except OpenSearchError as error:
            if error.upstream_status == 404:
                return None
            raise
        return JobRecord(name, answer["_source"], answer["_seq_no"], answer["_primary_term"])

    def list(self, kind: str) -> list[JobRecord]:
        """All records of a kind, by name; those written in the last moment too."""
        try:
            self._cluster.refresh(JOBS_INDEX)
            body = {"query": {"term": {"kind": kind}}, "size": _MOST_RECORDS, "seq_no_primary_term": True}
            hits = self._cluster.search(JOBS_INDEX, body)["hits"]["hits"]
        except IndexNotFound:
            return []
        records = [JobRecord(hit["_id"], hit["_source"], hit["_seq_no"], hit["_primary_term"]) for hit in hits]
        return sorted(records, key=lambda record: record.name)

    def create(self, name: str, value: Mapping[str, Any]) -> JobRecord | None:
        """A new record; ``value`` has its ``kind``. None where there is one of that name already."""
        self._ensure_index()
        return self._write(name, value, "op_type=create")

    def replace(self, record: JobRecord, value: Mapping[str, Any]) -> JobRecord | None:
        """Give the record another value; None where it is not as it was read any more."""
        return self._write(record.name, value, _state(record))

    def delete(self, record: JobRecord) -> bool:
        """Remove the record; False where it is not as it was read any more."""
        request = Request("DELETE", f"{_document(record.name)}?{_state(record)}")
        try:
            self._cluster.ask("delete_job", request, JOBS_INDEX)
        except OpenSearchError as error:
            if error.upstream_type == _CONFLICT or error.upstream_status == 404:
                return False
            raise
        return True

    def _write(self, name: str, value: Mapping[str, Any], parameters: str) -> JobRecord | None:
        request = Request("PUT", f"{_document(name)}?{parameters}", orjson.dumps(value))
        try:
            answer = self._cluster.ask("write_job", request, JOBS_INDEX)
        except OpenSearchError as error:
            if error.upstream_type == _CONFLICT:
                return None
            raise
        return JobRecord(name, value, answer["_seq_no"], answer["_primary_term"])

    def _ensure_index(self) -> None:
        with suppress(IndexAlreadyExists):
            self._cluster.ask("create_jobs_index", Request("PUT", f"/{JOBS_INDEX}", encode_json(_BODY)), JOBS_INDEX)


def _document(name: str) -> str:
    return f"/{JOBS_INDEX}/_doc/{quote(name, safe='')}"


def _state(record: JobRecord) -> str:
    return f"if_seq_no={record.seq_no}&if_primary_term={record.primary_term}"
