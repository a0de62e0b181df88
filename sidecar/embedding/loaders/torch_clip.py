"""CLIP models in torch: on graphics cards, and where the converted form does not give the same vectors."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from sidecar.embedding.clip_source import ClipModel
from sidecar.embedding.image_preprocessing import ImagePreprocessing
from sidecar.embedding.loader import Embeddings, Modality, Prepared, encode_in_batches, run_in_batches
from sidecar.embedding.model_spec import CPU, Precision

if TYPE_CHECKING:
    from PIL.Image import Image


class TorchClipLoader:
    """Runs an open_clip model on its device; in 16 bits where asked for, except on the processor, where that is slow.

    ``model_dimensions`` are those of the model itself, of which vectors keep the first ``dimensions``.
    """

    modalities = frozenset({Modality.TEXT, Modality.IMAGE})
    backend = "torch"

    def __init__(self, clip: ClipModel, device: str, precision: Precision, *, max_tokens: int, dimensions: int) -> None:
        self._lock = threading.Lock()
        self._device = torch.device(device)
        is_half = precision == "float16" and device != CPU
        self._dtype = torch.float16 if is_half else torch.float32
        self._model: Any = clip.model.to(device=self._device, dtype=self._dtype)
        self._tokenizer = clip.tokenizer
        self._length = int(clip.tokenizer.context_length)
        self._max_tokens = max(2, min(max_tokens, self._length))
        self._pad_id = int(getattr(getattr(clip.tokenizer, "tokenizer", None), "pad_token_id", 0) or 0)
        self._preprocessing = ImagePreprocessing(clip.steps)
        self._image_tokens = clip.image_tokens
        self.image_size = (clip.steps.height, clip.steps.width)
        self.model_dimensions = clip.dimensions
        self.dimensions = dimensions
        self.memory_bytes = sum(p.numel() * p.element_size() for p in self._model.parameters())

    def prepare_text(self, texts: Sequence[str]) -> list[Prepared]:
        if not texts:
            return []
        whole = [text.encode("utf-8", "replace").decode("utf-8") for text in texts]
        ids = np.full((len(texts), self._length), self._pad_id, dtype=np.int64)
        ids[:, : self._max_tokens] = self._tokenizer(whole, context_length=self._max_tokens).numpy()
        # The library's own towers run at full length whatever the text.
        return [Prepared(row, self._length) for row in ids]

    def run_text(self, batch: Sequence[Prepared]) -> Embeddings:
        ids = torch.from_numpy(np.stack([prepared.payload for prepared in batch]))
        return self._run(self._model.encode_text, ids.to(self._device))

    def encode_text(self, texts: Sequence[str]) -> Embeddings:
        return encode_in_batches(self, texts)

    def prepare_image(self, image: Image) -> Prepared:
        return Prepared(self._preprocessing.prepare(image), self._image_tokens)

    def run_image(self, batch: Sequence[Prepared]) -> Embeddings:
        pixels = torch.from_numpy(self._preprocessing.normalize([prepared.payload for prepared in batch]))
        return self._run(self._model.encode_image, pixels.to(self._device, self._dtype))

    def encode_image(self, images: Sequence[Image]) -> Embeddings:
        return run_in_batches(self.run_image, [self.prepare_image(image) for image in images], self.dimensions)

    def _run(self, encode: Callable[[torch.Tensor], torch.Tensor], batch: torch.Tensor) -> Embeddings:
        # One run at a time: torch spreads it over all threads, or the whole device, itself.
        with self._lock, torch.inference_mode():
            vectors = encode(batch)
        result: Embeddings = vectors[:, : self.dimensions].float().cpu().numpy()
        return result
