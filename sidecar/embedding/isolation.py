"""Finds the texts on which a model fails, so that those beside them are embedded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from sidecar.embedding.loader import Embeddings
from sidecar.embedding.model_spec import ModelSpec
from sidecar.embedding.text_embedder import TextEmbedder
from sidecar.errors import EndpointError, EndpointUnavailable, InvalidArgument, ModelFailed, SidecarError

MOST_IN_A_ROW = 8
"""Where a model fails on so many texts, one by one, and works on none, it is the model that is at fault."""


@dataclass(frozen=True, slots=True)
class IsolatedTexts:
    """``vectors``: float32, shape (texts, dimensions), zero for those that failed; ``failures`` has their errors."""

    vectors: Embeddings
    failures: Mapping[int, InvalidArgument]


def is_of_a_text(error: BaseException) -> bool:
    """True for what a model, or an endpoint, may raise because of one of its inputs."""
    return isinstance(error, (ModelFailed, EndpointError)) and not isinstance(error, EndpointUnavailable)


def embed_isolated(engine: TextEmbedder, spec: ModelSpec, texts: Sequence[str], error: SidecarError) -> IsolatedTexts:
    """Embed texts of which one made ``error``: halved, and halved again, until it is alone.

    Raises: an error that is of no text alone, or the first one where no text passes.
    """
    isolation = _Isolation(engine, spec, texts, error)
    isolation.divide(range(len(texts)), error)
    return IsolatedTexts(isolation.assembled(), isolation.failures)


@dataclass(slots=True)
class _Isolation:
    engine: TextEmbedder
    spec: ModelSpec
    texts: Sequence[str]
    first: SidecarError
    failures: dict[int, InvalidArgument] = field(default_factory=dict)
    _vectors: dict[int, Embeddings] = field(default_factory=dict)

    def divide(self, rows: Sequence[int], error: SidecarError) -> None:
        if len(rows) == 1:
            self.failures[rows[0]] = error if isinstance(error, InvalidArgument) else ModelFailed(error.message)
            if len(self.failures) >= MOST_IN_A_ROW and not self._vectors:
                raise self.first
            return
        half = len(rows) // 2
        for part in (rows[:half], rows[half:]):
            try:
                vectors = self.engine.submit(self.spec, [self.texts[row] for row in part]).result()
            except SidecarError as failed:
                if not is_of_a_text(failed):
                    raise
                self.divide(part, failed)
            else:
                self._vectors.update(zip(part, vectors, strict=True))

    def assembled(self) -> Embeddings:
        result = np.zeros((len(self.texts), self.spec.dimensions), dtype=np.float32)
        for row, vector in self._vectors.items():
            result[row] = vector
        return result
