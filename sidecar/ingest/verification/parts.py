"""What a verification works with."""

from __future__ import annotations

from dataclasses import dataclass

from sidecar.ingest.face_client import FaceClient
from sidecar.native.embedder import NativeEmbedder
from sidecar.opensearch.client import Cluster
from sidecar.opensearch.index_states import IndexStates


@dataclass(frozen=True, slots=True)
class VerificationParts:
    """The cluster, and the native face with what it embeds by."""

    cluster: Cluster
    states: IndexStates
    face: FaceClient
    embedder: NativeEmbedder
