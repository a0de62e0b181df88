"""What an evaluation works with."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from sidecar.errors import IndexNotFound
from sidecar.evaluation.embedding_cache import EmbeddingCache
from sidecar.evaluation.index_plan import IndexPlan
from sidecar.evaluation.models import Models
from sidecar.evaluation.progress import EvaluationProgress
from sidecar.evaluation.records import RecordFile, Records
from sidecar.evaluation.sidecar_http import Serve, SidecarHttp
from sidecar.opensearch.bulk_writer import BulkWriter
from sidecar.opensearch.client import Cluster
from sidecar.opensearch.index_states import IndexStates
from sidecar.opensearch.transport import Request


@dataclass(frozen=True)
class OpenIndex:
    """The index of a plan while its sidecar runs; ``is_resumed`` where an earlier process had begun to fill it."""

    name: str
    plan: IndexPlan
    record: RecordFile
    http: SidecarHttp
    is_resumed: bool


@dataclass(frozen=True)
class EvaluationParts:
    """``folder`` has what outlasts evaluations; ``runtime`` says what models run on, since vectors differ by it.
    ``owner`` is this machine and cluster, ``cluster_uuid`` the cluster alone."""

    cluster: Cluster
    states: IndexStates
    bulk: BulkWriter
    models: Models
    serve: Serve
    progress: EvaluationProgress
    folder: Path
    runtime: str
    owner: str
    cluster_uuid: str

    @property
    def records(self) -> Records:
        """Those of the indexes that evaluations have made."""
        return Records(self.folder / "indexes")

    def cache_of(self, plan: IndexPlan) -> EmbeddingCache:
        """The embeddings that earlier evaluations have left for such an index."""
        return EmbeddingCache(self.folder / "embeddings" / f"{plan.embedding_key}-{self.runtime}")

    def delete_index(self, name: str) -> None:
        """Delete an index of an evaluation, where it is still there."""
        with suppress(IndexNotFound):
            self.cluster.delete_index(name)
        self.states.invalidate(name)


def read_cluster_uuid(cluster: Cluster) -> str:
    """What tells the cluster from others."""
    return str(cluster.ask("facts", Request("GET", "/"))["cluster_uuid"])
