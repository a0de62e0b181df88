"""Objects of texts and images that are embedded as one: what they must be like, and their vector."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sidecar.embedding.loader import Embeddings
from sidecar.embedding.normalizing import normalized
from sidecar.errors import InvalidArgument
from sidecar.indexing.names import check_field_name
from sidecar.indexing.requests import MultimodalCombination


@dataclass(frozen=True, slots=True)
class Combination:
    """One field's sub-fields, each with its string and its weight, in the document's order."""

    members: tuple[tuple[str, str, float], ...]

    @property
    def strings(self) -> list[str]:
        """What is embedded, in order."""
        return [string for _, string, _ in self.members]

    @property
    def weights(self) -> list[float]:
        """The weight of each of `strings`."""
        return [weight for _, _, weight in self.members]


def read_combination(name: str, value: Mapping[str, Any], mapping: MultimodalCombination) -> Combination:
    """The sub-fields of field ``name``. Raises: InvalidArgument, InvalidFieldName, naming the field and the rule."""
    if not value:
        raise InvalidArgument(f"field {name!r}, a multimodal_combination, is empty: it has no sub-field")
    members = []
    for sub, string in value.items():
        check_field_name(sub)
        if not isinstance(string, str):
            raise InvalidArgument(
                f"field {name!r}, a multimodal_combination: sub-field {sub!r} must be a string, "
                f"not {type(string).__name__}"
            )
        if sub not in mapping.weights:
            raise InvalidArgument(
                f"field {name!r}, a multimodal_combination: sub-field {sub!r} has no weight; give it one in the "
                "weights of the mappings"
            )
        members.append((sub, string, mapping.weights[sub]))
    return Combination(tuple(members))


def combine(vectors: Embeddings, weights: Sequence[float], *, normalize: bool) -> Embeddings:
    """The vector of a combination: the mean of its sub-fields' vectors, each times its weight.

    Takes float32, shape (n, dimensions), and n weights; ``normalize`` brings each vector, and the result, to length 1.
    Returns: float32, shape (dimensions,).
    """
    rows = normalized(vectors) if normalize else vectors
    mean = np.asarray(np.array(weights) @ rows.astype(np.float64) / len(weights), dtype=np.float32)
    return normalized(mean) if normalize else mean
