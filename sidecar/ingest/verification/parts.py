"""What a verification works with, and what it is asked to do."""

from __future__ import annotations

from dataclasses import dataclass

from sidecar.ingest.face_client import FaceClient
from sidecar.native.embedder import NativeEmbedder
from sidecar.opensearch.client import Cluster
from sidecar.opensearch.index_states import IndexStates

EXAMPLES = 5
DEEP_DOCUMENTS = 200


@dataclass(frozen=True, slots=True)
class VerificationParts:
    """The cluster, and the native face with what it embeds by."""

    cluster: Cluster
    states: IndexStates
    face: FaceClient
    embedder: NativeEmbedder


@dataclass(frozen=True)
class VerificationOptions:
    """``index`` is an index or alias, or a list or pattern of these. ``fields`` are the embedded fields, or paths of
    declared vectors, to look at; none for all. ``sample`` is about how many documents of each index are looked at, None
    for all. Of about ``deep_documents`` vectors are computed anew, and compared. What is wrong is mended where ``fix``.
    ``examples`` ids are kept of each problem.
    """

    index: str
    fields: tuple[str, ...] = ()
    sample: int | None = None
    deep_documents: int = 0
    fix: bool = False
    examples: int = EXAMPLES
