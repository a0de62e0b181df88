"""Whether an index finds what it should: neighbours in its graphs against those by comparing all vectors."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sidecar.embedding.loader import Embeddings
from sidecar.ingest.migration.parts import MigrationParts
from sidecar.opensearch.client import Cluster
from sidecar.opensearch.embedded_paths import ROOT, nested_path
from sidecar.opensearch.index_state import IndexState
from sidecar.opensearch.stored_chunks import stored_chunks
from sidecar.searching.tensor import TensorQuery, build_exact_query, build_tensor_query, candidates

SAMPLE = 50
NEIGHBOURS = 10
_LEAST_FOUND = 0.95
_PATIENCE_SECONDS = 120.0
"""After so long the sample is what has been asked by then: comparing all vectors of a large index takes seconds."""
_EQUAL = 1e-5
"""Scores that differ by less are those of documents that are equally near."""


@dataclass(frozen=True)
class SampledDocument:
    """A document of the sample, with the first vector of one of its fields: float32, shape (dimensions,)."""

    document_id: str
    source: Mapping[str, Any]
    field: str
    vector: Embeddings


@dataclass(frozen=True)
class Neighbours:
    """What was found: the mean share of the ten nearest that a search finds, and of documents that find themselves by
    their own vector, in a sample of ``documents``."""

    documents: int
    recall: float
    found: float

    def why_not(self, least_recall: float) -> str | None:
        """Why the index must not be used; None where nothing speaks against it."""
        if self.documents and self.found < _LEAST_FOUND:
            return f"only {self.found:.0%} of {self.documents} sampled documents find themselves by their own vector"
        if self.documents and self.recall < least_recall:
            return (
                f"a search finds only {self.recall:.0%} of the {NEIGHBOURS} nearest neighbours of {self.documents} "
                f"sampled documents; at least {least_recall:.0%} are wanted. Raise --m or --ef-construction, or lower "
                "--min-recall"
            )
        return None


def sample_documents(cluster: Cluster, state: IndexState, *, size: int = SAMPLE) -> list[SampledDocument]:
    """Documents of the index that have vectors, the same each time as long as it does not change."""
    fields = state.embedded_fields
    if not fields:
        return []
    has_vector = [
        {"nested": {"path": nested_path(field), "query": {"exists": {"field": f"{nested_path(field)}.vector"}}}}
        for field in fields
    ]
    query = {"bool": {"should": has_vector, "minimum_should_match": 1}}
    drawn = {
        "function_score": {"query": query, "random_score": {"seed": 1, "field": "_seq_no"}, "boost_mode": "replace"}
    }
    hits = cluster.search(state.name, {"query": drawn, "size": size})["hits"]["hits"]
    sampled = []
    for number, hit in enumerate(hits):
        source = hit["_source"]
        # Fields take turns, so that the graph of each is looked at.
        own = [field for field in fields if stored_chunks(source, field)]
        if own:
            field = own[number % len(own)]
            vector = np.array(stored_chunks(source, field)[0]["vector"], dtype=np.float32)
            document = {name: value for name, value in source.items() if name != ROOT}
            sampled.append(SampledDocument(hit["_id"], document, field, vector))
    return sampled


def check_neighbours(parts: MigrationParts, state: IndexState, sample: Sequence[SampledDocument]) -> Neighbours:
    """Ask for the neighbours of each document, as a search does and by comparing all vectors."""
    began = time.monotonic()
    recalls: list[float] = []
    found: list[bool] = []
    for document in sample:
        # One after the other: comparing all vectors takes a processor for itself, which searches need too.
        hits, best = (_ask(parts.cluster, state, query) for query in _queries(state, document))
        recalls.append(_recall(hits, best))
        found.append(_finds(document.document_id, hits, best))
        if time.monotonic() - began > _PATIENCE_SECONDS:
            break
    if not recalls:
        return Neighbours(0, 1.0, 1.0)
    return Neighbours(len(recalls), sum(recalls) / len(recalls), sum(found) / len(found))


def _queries(state: IndexState, document: SampledDocument) -> tuple[dict[str, Any], dict[str, Any]]:
    space = state.settings.ann_parameters.space_type
    asked = TensorQuery({document.field: document.vector}, candidates(NEIGHBOURS, 0), chunks=0, space_type=space)
    return build_tensor_query(asked), build_exact_query(asked)


def _ask(cluster: Cluster, state: IndexState, query: Mapping[str, Any]) -> dict[str, float]:
    """The scores of the hits, by document id."""
    body = {"query": query, "size": NEIGHBOURS, "_source": False, "track_total_hits": False}
    return {hit["_id"]: hit["_score"] for hit in cluster.search(state.name, body)["hits"]["hits"]}


def _recall(hits: Mapping[str, float], best: Mapping[str, float]) -> float:
    if not best:
        return 1.0
    least = min(best.values()) - _EQUAL
    return min(1.0, sum(one in best or score >= least for one, score in hits.items()) / len(best))


def _finds(document_id: str, hits: Mapping[str, float], best: Mapping[str, float]) -> bool:
    if document_id in hits:
        return True
    # Its place may be taken by others with the same content.
    return bool(hits) and bool(best) and min(hits.values()) >= max(best.values()) - _EQUAL
