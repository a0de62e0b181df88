"""How long a load takes and how much it stores, by a sample of its documents."""

from __future__ import annotations

from dataclasses import dataclass

from sidecar.ingest.loading.dry_run import Sample
from sidecar.ingest.loading.progress import Total
from sidecar.ingest.loading.target_index import Target

STORED_SHARE = 0.69
"""Of the JSON text of documents with their vectors, what its compressed form takes. Measured as the two below, with
OpenSearch 3.5.0, documents of 3.2 chunks, and 32, 384 and 768 dimensions: 0.68, 0.69, 0.68; in all within 5 %."""
INDEXED_SHARE = 1.8
"""Of the JSON text of documents without vectors, what terms, keywords and columns of their fields take."""
_LINK_BYTES = 4


@dataclass(frozen=True)
class Estimate:
    """``documents`` is None where the source does not tell how many it has; so are what depends on it. ``seconds`` are
    those of splitting and embedding on this machine, beside which the cluster writes; None where no model runs.
    ``stored_bytes`` are those of all copies, ``vector_bytes`` of the vectors and their graph in one copy, which are
    what searches want in memory."""

    documents: int | None
    chunks_per_document: float
    documents_per_second: float | None
    seconds: float | None
    vector_bytes: int | None
    stored_bytes: int | None


def estimate(sample: Sample, total: Total, target: Target) -> Estimate | None:
    """Scale the sample up to the source; None where all of the sample failed."""
    loaded = sample.loaded
    if not loaded:
        return None
    documents = _documents(sample, total)
    chunks = sum(sum(each.chunks.values()) for each in loaded) / len(loaded)
    rate = len(sample.documents) / sample.seconds if sample.runs_model else None
    vectors = sum(
        count * _bytes_of_vector(target, field) for each in loaded for field, count in each.chunks.items()
    ) / len(loaded)
    texts = sum(STORED_SHARE * each.size_bytes + INDEXED_SHARE * each.own_bytes for each in loaded) / len(loaded)
    copies = 1 + target.settings.number_of_replicas
    return Estimate(
        documents,
        chunks,
        rate,
        None if documents is None or rate is None else documents / rate,
        None if documents is None else int(documents * vectors),
        None if documents is None else int(documents * copies * (vectors + texts)),
    )


def _documents(sample: Sample, total: Total) -> int | None:
    if total.documents is not None:
        return total.documents
    sampled_bytes = sum(each.record.size_bytes for each in sample.documents)
    if total.read_bytes is None or not sampled_bytes:
        return None
    return round(total.read_bytes * len(sample.documents) / sampled_bytes)


def _bytes_of_vector(target: Target, field: str) -> int:
    ann = target.settings.ann_parameters
    number_bytes = 1 if ann.stores_bytes else 4
    # On the graph's lowest level a vector has up to twice m neighbours.
    return target.dimensions_of(field) * number_bytes + 2 * ann.m * _LINK_BYTES
