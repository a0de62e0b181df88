"""CLIP models in ONNX Runtime: two converted graphs and a tokenizer, with neither torch nor open_clip in memory."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sidecar.embedding.clip_conversion import ConvertedClip
from sidecar.embedding.clip_tokenizer import ClipTokenizer
from sidecar.embedding.image_preprocessing import ImagePreprocessing
from sidecar.embedding.loader import Embeddings, Modality, Prepared, encode_in_batches, run_in_batches
from sidecar.embedding.model_spec import CPU
from sidecar.embedding.onnx_session import open_session
from sidecar.embedding.precision_files import graph_files
from sidecar.embedding.processors import available_processors
from sidecar.errors import HardwareUnavailable, ModelLoadError

if TYPE_CHECKING:
    from PIL.Image import Image

LONE_THREADS = 4
LONE_BYTES = 512 * 1024 * 1024
"""Largest tower, in memory, that is held a second time for lone inputs."""
LONE_TEXT_TOKENS = 77


class OnnxClipLoader:
    """Runs a converted CLIP model.

    As for texts, a batch uses the calling thread only, and an input alone, as a query is, several threads by a second
    session of the tower where that is small.
    """

    modalities = frozenset({Modality.TEXT, Modality.IMAGE})
    backend = "onnx"

    def __init__(self, model: ConvertedClip, max_tokens: int, dimensions: int, device: str = CPU) -> None:
        try:
            self._images = _Tower(model.image_path, device, is_stored_short=model.precision == "float16")
            self._texts = _Tower(model.text_path, device, is_stored_short=model.precision == "float16")
            self._tokenizer = ClipTokenizer(model.tokenizer_path, model.tokenizer, max_tokens)
        except HardwareUnavailable:
            raise
        except Exception as error:
            raise ModelLoadError(
                f"the converted model in {model.folder} can't be read ({error}); delete the folder to convert it again"
            ) from error
        self._preprocessing = ImagePreprocessing(model.steps)
        self._image_tokens = model.image_tokens
        self._pad_id = model.tokenizer.pad_id
        self._length = None if model.has_short_texts else model.tokenizer.context_length
        self.image_size = (model.steps.height, model.steps.width)
        self.dimensions = dimensions
        self.memory_bytes = self._images.memory_bytes + self._texts.memory_bytes

    def prepare_text(self, texts: Sequence[str]) -> list[Prepared]:
        return [Prepared(ids, self._length or len(ids)) for ids in self._tokenizer.encode(texts)]

    def run_text(self, batch: Sequence[Prepared]) -> Embeddings:
        longest = self._length or max(prepared.tokens for prepared in batch)
        ids = np.full((len(batch), longest), self._pad_id, dtype=np.int64)
        for row, prepared in enumerate(batch):
            ids[row, : len(prepared.payload)] = prepared.payload
        return self._texts.run(ids)[:, : self.dimensions]

    def encode_text(self, texts: Sequence[str]) -> Embeddings:
        return encode_in_batches(self, texts)

    def prepare_image(self, image: Image) -> Prepared:
        return Prepared(self._preprocessing.prepare(image), self._image_tokens)

    def run_image(self, batch: Sequence[Prepared]) -> Embeddings:
        pixels = self._preprocessing.normalize([prepared.payload for prepared in batch])
        return self._images.run(pixels)[:, : self.dimensions]

    def encode_image(self, images: Sequence[Image]) -> Embeddings:
        return run_in_batches(self.run_image, [self.prepare_image(image) for image in images], self.dimensions)


class _Tower:
    """One graph, with one session for batches and perhaps another for a lone input."""

    def __init__(self, path: Path, device: str, *, is_stored_short: bool) -> None:
        size_bytes = sum(file.stat().st_size for file in graph_files(path)) * (2 if is_stored_short else 1)
        threads = min(available_processors(), LONE_THREADS) if size_bytes <= LONE_BYTES and device == CPU else 1
        self._session = open_session(path, 1, device)
        self._lone_session = open_session(path, threads, device) if threads > 1 else self._session
        self.memory_bytes = size_bytes * (1 if self._lone_session is self._session else 2)

    def run(self, batch: NDArray[Any]) -> Embeddings:
        session = self._lone_session if len(batch) == 1 else self._session
        vectors: Embeddings = session.run(None, {"input": batch})[0]
        return vectors
