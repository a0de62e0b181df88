"""What a migration works with in one process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from sidecar.config import Settings
from sidecar.embedding.engine import EmbeddingEngine
from sidecar.embedding.media_embedder import MediaEmbedder
from sidecar.embedding.model_table import ModelTable
from sidecar.ingest.progress import Progress
from sidecar.opensearch.bulk_writer import BulkWriter
from sidecar.opensearch.client import Cluster
from sidecar.opensearch.index_states import IndexStates
from sidecar.searching.searcher import Searcher


@dataclass(frozen=True, slots=True)
class MigrationParts:
    """The parts of the sidecar that a migration uses, as `create_app` builds them; ``device`` is where models run."""

    settings: Settings
    cluster: Cluster
    states: IndexStates
    bulk: BulkWriter
    engine: EmbeddingEngine
    media: MediaEmbedder
    table: ModelTable
    searcher: Searcher
    device: str


@dataclass
class StagedProgress(Progress):
    """Tells what is done now too."""

    stage: Callable[[str], object] = field(default=lambda text: None)
