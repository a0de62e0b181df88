"""What the machine gives without a sidecar: ONNX Runtime alone, and the reference library alone."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from benchmarks.corpus import MODEL
from sidecar.embedding.conversion import ConversionCache
from sidecar.embedding.load import ModelLoading
from sidecar.embedding.loader import Embeddings, Loader, batch_length
from sidecar.embedding.model_table import ModelTable
from sidecar.embedding.processors import available_processors
from sidecar.embedding.weights import find_weights
from sidecar.given_settings import load_settings


def load_raw() -> Loader:
    """The converted model, as the sidecar runs it."""
    loading = ModelLoading(ConversionCache(load_settings().models_folder), "onnx")
    return loading.load(ModelTable().resolve(MODEL))


def raw_seconds(loader: Loader, texts: Sequence[str]) -> float:
    """Seconds to tokenise and embed the texts, sorted as a whole, in the best batches, on all processors."""
    started = time.perf_counter()
    prepared = sorted(loader.prepare_text(texts), key=lambda text: text.tokens)
    batches = []
    while prepared:
        size = batch_length([text.tokens for text in prepared])
        batches.append(prepared[-size:])
        del prepared[-size:]
    with ThreadPoolExecutor(available_processors()) as pool:
        for _ in pool.map(loader.run_text, batches):
            pass
    return time.perf_counter() - started


class Reference:
    """``SentenceTransformer.encode`` with the same weights."""

    def __init__(self) -> None:
        from sentence_transformers import SentenceTransformer

        spec = ModelTable().resolve(MODEL)
        self._model = SentenceTransformer(str(find_weights(spec.repository).folder), device="cpu")
        self._model.max_seq_length = spec.max_tokens

    def encode(self, texts: Sequence[str]) -> Embeddings:
        """Embed, with the library's own batches."""
        return np.asarray(self._model.encode(list(texts), show_progress_bar=False), dtype=np.float32)


def least_cosine(left: Embeddings, right: Embeddings) -> float:
    """The least cosine of rows that belong together."""
    products = (left * right).sum(axis=1)
    return float((products / (np.linalg.norm(left, axis=1) * np.linalg.norm(right, axis=1))).min())
