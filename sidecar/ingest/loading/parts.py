"""What a load works with in one process."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from sidecar.config import Settings
from sidecar.embedding.engine import EmbeddingEngine
from sidecar.embedding.media_embedder import MediaEmbedder
from sidecar.embedding.model_table import ModelTable
from sidecar.metrics import Metrics
from sidecar.opensearch.client import Cluster
from sidecar.opensearch.index_states import IndexStates
from sidecar.opensearch.switching import Switches


@dataclass(frozen=True, slots=True)
class LoadParts:
    """The parts of the sidecar that a load uses, as `create_app` builds them."""

    settings: Settings
    cluster: Cluster
    states: IndexStates
    engine: EmbeddingEngine
    media: MediaEmbedder
    table: ModelTable
    metrics: Metrics
    switches: Switches


OpenParts = Callable[[Settings], AbstractContextManager[LoadParts]]
"""Makes the parts in a process that has none yet, and ends them. A module's own function, so that it can be sent to
other processes by its name."""
