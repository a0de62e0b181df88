"""Text models in torch: for those whose conversion does not give the same vectors, and where torch is asked for."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import numpy as np

from sidecar.embedding.loader import Embeddings, Modality, Prepared, encode_in_batches
from sidecar.embedding.model_spec import CPU, Precision
from sidecar.embedding.torch_text import load_sentence_transformer, max_positions
from sidecar.embedding.weights import Weights
from sidecar.errors import ModelLoadError


class TorchTextLoader:
    """Runs a sentence-transformers model, or an encoder with mean pooling.

    ``float16`` computes in 16 bits on a CUDA device. On the CPU, where that can be a hundred times slower, it rounds
    the weights to 16 bits and computes in 32. ``model_dimensions`` are those of the model itself, of which vectors keep
    the first ``dimensions``.
    """

    modalities = frozenset({Modality.TEXT})
    backend = "torch"

    def __init__(
        self,
        weights: Weights,
        pooling: str,
        max_tokens: int,
        dimensions: int,
        *,
        device: str = CPU,
        precision: Precision = "float32",
    ) -> None:
        self._lock = threading.Lock()
        try:
            model = load_sentence_transformer(weights.folder, pooling)
            if precision == "float16":
                model = model.half()
                model = model.float() if device == CPU else model
            self._model = model.to(device)
            self._model.max_seq_length = min(max_tokens, max_positions(self._model))
            self.model_dimensions = int(self._encode(["dimensions"]).shape[1])
        except Exception as error:
            raise ModelLoadError(f"the model files in {weights.folder} can't be loaded: {error}") from error
        self.dimensions = dimensions
        self.memory_bytes = sum(p.numel() * p.element_size() for p in self._model.parameters())

    def prepare_text(self, texts: Sequence[str]) -> list[Prepared]:
        # The model tokenises by itself; four characters a token is near enough to form batches by.
        limit = self._model.max_seq_length or 512
        return [Prepared(text, min(limit, len(text) // 4 + 2)) for text in texts]

    def run_text(self, batch: Sequence[Prepared]) -> Embeddings:
        vectors = self._encode([prepared.payload.encode("utf-8", "replace").decode("utf-8") for prepared in batch])
        return vectors[:, : self.dimensions]

    def encode_text(self, texts: Sequence[str]) -> Embeddings:
        return encode_in_batches(self, texts)

    def _encode(self, texts: list[str]) -> Embeddings:
        # One run at a time: torch spreads it over all threads itself.
        with self._lock:
            vectors = self._model.encode(texts, batch_size=len(texts), show_progress_bar=False)
        return np.asarray(vectors, dtype=np.float32)
