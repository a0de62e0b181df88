"""Cross-encoders in torch: for those whose conversion does not give the same scores, and where torch is asked for."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import numpy as np
from scipy.special import expit

from sidecar.embedding.loader import Embeddings, Prepared
from sidecar.embedding.model_spec import CPU
from sidecar.embedding.torch_cross_encoder import logits_of, open_cross_encoder
from sidecar.embedding.weights import Weights
from sidecar.errors import ModelLoadError


class TorchCrossEncoder:
    """Runs a cross-encoder of sentence-transformers."""

    backend = "torch"

    def __init__(self, weights: Weights, max_tokens: int, *, device: str = CPU) -> None:
        self._lock = threading.Lock()
        try:
            self._model = open_cross_encoder(weights.folder, max_tokens).to(device)
        except Exception as error:
            raise ModelLoadError(f"the model files in {weights.folder} can't be loaded: {error}") from error
        self._max_tokens = int(self._model.tokenizer.model_max_length)
        self.memory_bytes = sum(p.numel() * p.element_size() for p in self._model.parameters())

    def prepare_pairs(self, q: str, texts: Sequence[str]) -> list[Prepared]:
        # The model tokenises by itself; four characters a token is near enough to form batches by.
        return [Prepared((q, text), min(self._max_tokens, (len(q) + len(text)) // 4 + 3)) for text in texts]

    def run_pairs(self, batch: Sequence[Prepared]) -> Embeddings:
        # One run at a time: torch spreads it over all threads itself.
        with self._lock:
            logits = logits_of(self._model, [prepared.payload for prepared in batch])
        return np.asarray(expit(logits), dtype=np.float32)
