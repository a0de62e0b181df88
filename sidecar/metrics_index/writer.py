"""Writes the metrics index in the background, and keeps it from growing without end."""

from __future__ import annotations

import logging
import platform
import threading
import time
import uuid
from dataclasses import dataclass
from datetime import datetime, timezone
from importlib.resources import files
from typing import Any

import orjson
from prometheus_client import CollectorRegistry

from sidecar.errors import IndexAlreadyExists, IndexNotFound, OpenSearchError, SidecarError
from sidecar.metrics_index.counts import Counts, read_counts
from sidecar.metrics_index.documents import Interval, documents_of
from sidecar.opensearch.client import Cluster

logger = logging.getLogger(__name__)

CLEAN_SECONDS = 3600.0
"""Between two looks for documents that are too old."""
_CLOSE_SECONDS = 1.0
"""How long the end of the process may wait for a write that is on its way."""


@dataclass(frozen=True, slots=True)
class MetricsIndexOptions:
    """Where, how often and for how long; the fields are the settings ``SIDECAR_METRICS_…``."""

    index: str
    interval_seconds: float
    days: int


class MetricsIndex:
    """Writes what was counted in each interval; nothing that fails here reaches a request.

    A write that fails is made up for by the next one, whose interval is the longer. The documents of an interval have
    the same ids until the cluster has said that it has them, so that none is counted twice.
    """

    def __init__(self, cluster: Cluster, registry: CollectorRegistry, options: MetricsIndexOptions) -> None:
        self._cluster = cluster
        self._registry = registry
        self._options = options
        self._instance = uuid.uuid4().hex
        self._host = platform.node()
        self._number = 0
        self._is_mapped = False
        self._counts = Counts()
        self._since = time.monotonic()
        self._cleaned: float | None = None
        self._is_failing = False
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="metrics-index", daemon=True)

    def begin(self) -> None:
        """Write from now on; returns at once."""
        self._thread.start()

    def close(self) -> None:
        """Write no more; what was counted since the last interval is left out."""
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join(_CLOSE_SECONDS)

    def write(self) -> None:
        """Write what was counted since the last time, in an index made where it is not there.

        Raises: SidecarError; the counts are kept for the next time.
        """
        counts, now = read_counts(self._registry), time.monotonic()
        ended = datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        interval = Interval(ended, now - self._since, self._host, self._instance)
        documents = documents_of(counts.since(self._counts), interval)
        self._make_index()
        self._send(documents)
        self._number += 1
        self._counts, self._since = counts, now

    def clean(self) -> str:
        """Have documents deleted that are older than they may be; returns the task's name. Raises: SidecarError."""
        too_old = {"range": {"@timestamp": {"lt": f"now-{self._options.days}d"}}}
        return self._cluster.begin_delete_by_query(self._options.index, too_old, refresh=False)

    def _run(self) -> None:
        while not self._stopping.wait(self._options.interval_seconds):
            try:
                self.write()
                if self._cleaned is None or time.monotonic() - self._cleaned > CLEAN_SECONDS:
                    self.clean()
                    self._cleaned = time.monotonic()
            except SidecarError as error:
                self._tell_failure(error.message)
            except Exception:
                logger.exception("the metrics index could not be written index=%s", self._options.index)
            else:
                self._tell_success()

    def _make_index(self) -> None:
        """Make the index with its mapping: the cluster would guess one where it was deleted meanwhile.

        One that an earlier version made gets the fields that it has not.
        """
        try:
            self._cluster.read_index(self._options.index)
            if not self._is_mapped:
                self._cluster.put_mapping(self._options.index, {"properties": index_body()["mappings"]["properties"]})
                self._is_mapped = True
        except IndexNotFound:
            try:
                self._cluster.create_index(self._options.index, index_body())
            except IndexAlreadyExists:
                logger.debug("another sidecar has just made the metrics index")

    def _send(self, documents: dict[str, dict[str, Any]]) -> None:
        lines = []
        for key, document in documents.items():
            document_id = f"{self._instance}-{self._number}-{key}"
            lines += [orjson.dumps({"index": {"_id": document_id}}), orjson.dumps(document)]
        for item in self._cluster.bulk(self._options.index, b"\n".join(lines) + b"\n"):
            (result,) = item.values()
            if "error" in result:
                raise OpenSearchError(f"a document was refused: {result['error'].get('reason')}")

    def _tell_failure(self, reason: str) -> None:
        level = logging.DEBUG if self._is_failing else logging.WARNING
        logger.log(level, "the metrics index can't be written index=%s reason=%s", self._options.index, reason)
        self._is_failing = True

    def _tell_success(self) -> None:
        if self._is_failing:
            logger.info("the metrics index is written again index=%s", self._options.index)
        self._is_failing = False


def index_body() -> dict[str, Any]:
    """Settings and mapping of the metrics index."""
    body: dict[str, Any] = orjson.loads(files("sidecar.mappings").joinpath("metrics_index.json").read_bytes())
    return body
