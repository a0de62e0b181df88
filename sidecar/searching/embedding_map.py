"""A map of an embedded field: some of its chunks as points of a plane, near one another where their vectors are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sidecar.embedding.normalizing import normalized
from sidecar.errors import InvalidArgument
from sidecar.opensearch.chunk_sample import ChunkSample, SampleRequest, sample_chunks
from sidecar.opensearch.client import Cluster
from sidecar.opensearch.index_state import IndexState
from sidecar.searching.projection import Projection, project

_COSINE = "cosinesimil"


@dataclass(frozen=True, slots=True)
class MapRequest:
    """As `SampleRequest`, but that ``field`` may be None where the index has one embedded field only."""

    field: str | None
    size: int
    seed: int
    attribute: str | None


@dataclass(frozen=True, slots=True)
class EmbeddingMap:
    """The points of ``projection`` are those of the sample's chunks, in their order."""

    field: str
    sample: ChunkSample
    projection: Projection


def draw_map(cluster: Cluster, state: IndexState, request: MapRequest) -> EmbeddingMap:
    """Take a sample of the field's chunks, and lay it flat.

    Where only directions count, as with cosine or in an index of bytes, all vectors are taken at length 1.
    Raises: InvalidArgument, which names the fields that there are; what `Cluster.search` raises.
    """
    field = _field(state, request.field)
    if request.attribute is not None and request.attribute not in state.field_types:
        raise InvalidArgument(
            f"attribute: the documents of index {state.index!r} have no field {request.attribute!r}. "
            f"GET /indexes/{state.index}/fields has those there are."
        )
    sample = sample_chunks(cluster, state, SampleRequest(field, request.size, request.seed, request.attribute))
    vectors = np.asarray(sample.vectors, dtype=np.float32)
    ann = state.settings.ann_parameters
    if ann.stores_bytes or ann.space_type == _COSINE:
        vectors = normalized(vectors)
    return EmbeddingMap(field, sample, project(vectors))


def _field(state: IndexState, field: str | None) -> str:
    embedded = state.embedded_fields
    if field is None and len(embedded) == 1:
        return embedded[0]
    if field is not None and field in embedded:
        return field
    names = ", ".join(map(repr, embedded)) or "nothing"
    if field is None:
        raise InvalidArgument(f"field: say which one to show. In index {state.index!r} is embedded: {names}.")
    raise InvalidArgument(f"field: {field!r} is not embedded in index {state.index!r}; embedded is: {names}.")
