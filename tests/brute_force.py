"""Documents of short sentences, and what comparing all of their vectors one by one says of a search."""

from __future__ import annotations

from typing import Any

import numpy as np

from sidecar.embedding.loader import Embeddings
from sidecar.embedding.loaders.random import RandomLoader
from tests.rooms import Hit

RIGHT = RandomLoader(32)
"""What random/small makes of texts."""
SCORE_TOLERANCE = 1e-4
"""Lucene computes similarities in float32, in another order of sums."""

Texts = dict[str, dict[str, list[str]]]
"""Sentences by document and field."""
Found = list[tuple[str, float, dict[str, str]]]
"""Id, score and highlight of documents, best first."""


def chunked(count: int, fields: tuple[str, ...]) -> Texts:
    """Sentences by document and field; some documents lack a field."""
    return {
        f"d{number}": {
            field: [f"Sentence {number} {field} {part}." for part in range(1 + number % 4)]
            for place, field in enumerate(fields)
            if (number + place) % 5
        }
        for number in range(count)
    }


def documents_of(texts: Texts) -> list[dict[str, Any]]:
    """The documents, each with its number."""
    return [
        {"_id": document_id, "number": number} | {field: " ".join(parts) for field, parts in fields.items()}
        for number, (document_id, fields) in enumerate(texts.items())
    ]


def similarity(left: Embeddings, right: Embeddings, space_type: str) -> Embeddings:
    """The scores that OpenSearch documents for a space."""
    products = left.astype(np.float64) @ right
    if space_type == "l2":
        return np.asarray(1 / (1 + ((left.astype(np.float64) - right) ** 2).sum(axis=-1)))
    if space_type == "innerproduct":
        return np.asarray(np.where(products < 0, 1 / (1 + np.abs(products)), products + 1))
    lengths = np.linalg.norm(left.astype(np.float64), axis=-1) * np.linalg.norm(right.astype(np.float64))
    return np.asarray((1 + products / lengths) / 2)


def brute_force(texts: Texts, q: str, fields: tuple[str, ...], space_type: str = "cosinesimil") -> Found:
    """Id, score and highlight of each document that has one of the fields, best first."""
    query_vector = RIGHT.encode_text([q])[0]
    found = []
    for document_id, by_field in texts.items():
        chunks = [(field, part) for field in fields for part in by_field.get(field, [])]
        if chunks:
            scores = similarity(RIGHT.encode_text([part for _, part in chunks]), query_vector, space_type)
            field, part = chunks[int(scores.argmax())]
            found.append((document_id, float(scores.max()), {field: part}))
    return sorted(found, key=lambda entry: -entry[1])


def ids(hits: list[Hit]) -> list[str]:
    """The ids of hits, in their order."""
    return [hit["_id"] for hit in hits]


def found_ids(found: Found) -> list[str]:
    """The ids of what `brute_force` found, in its order."""
    return [document_id for document_id, _, _ in found]
