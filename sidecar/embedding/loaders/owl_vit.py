"""OWL-ViT in torch: finds in an image what a text says."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from transformers import OwlViTForObjectDetection, OwlViTProcessor

from sidecar.embedding.load import LoadContext
from sidecar.embedding.loader import Prepared
from sidecar.embedding.model_spec import CPU, ModelSpec
from sidecar.embedding.rerankers import Detection, hub_token
from sidecar.embedding.weights import find_weights
from sidecar.errors import ModelLoadError

if TYPE_CHECKING:
    from PIL.Image import Image


class OwlViT:
    """Runs one image at a time, which keeps all processors busy: it is seen at 768x768 pixels or more."""

    backend = "torch"

    def __init__(self, folder: Path, *, device: str = CPU) -> None:
        self._lock = threading.Lock()
        self._device = torch.device(device)
        try:
            processor: Any = OwlViTProcessor.from_pretrained(folder, local_files_only=True)
            model: Any = OwlViTForObjectDetection.from_pretrained(folder, local_files_only=True)
            size = processor.image_processor.size
            self.image_size = (int(size["height"]), int(size["width"]))
        except Exception as error:
            raise ModelLoadError(f"the model files in {folder} can't be loaded: {error}") from error
        self._processor = processor
        self._model = model.float().eval().to(self._device)
        self._max_tokens = int(model.config.text_config.max_position_embeddings)
        patch = int(model.config.vision_config.patch_size)
        self._image_tokens = (self.image_size[0] // patch) * (self.image_size[1] // patch)
        self.memory_bytes = sum(p.numel() * p.element_size() for p in model.parameters())

    def prepare_image(self, image: Image) -> Prepared:
        found = self._processor.image_processor(images=image, return_tensors="pt")
        return Prepared(found["pixel_values"], self._image_tokens)

    def detect(self, q: str, prepared: Prepared) -> Detection:
        text = self._processor.tokenizer(
            [q.encode("utf-8", "replace").decode("utf-8")],
            padding="max_length",
            truncation=True,
            max_length=self._max_tokens,
            return_tensors="pt",
        )
        # One run at a time: torch spreads it over all threads, or the whole device, itself.
        with self._lock, torch.inference_mode():
            found = self._model(
                input_ids=text["input_ids"].to(self._device),
                attention_mask=text["attention_mask"].to(self._device),
                pixel_values=prepared.payload.to(self._device),
            )
        logits = found.logits[0, :, 0].cpu()
        best = int(logits.argmax())
        x, y, width, height = found.pred_boxes[0, best].tolist()
        box = (x - width / 2, y - height / 2, x + width / 2, y + height / 2)
        left, top, right, bottom = (min(1.0, max(0.0, side)) for side in box)
        return Detection(float(torch.sigmoid(logits[best])), (left, top, right, bottom))


def load(spec: ModelSpec, context: LoadContext) -> OwlViT:
    """An OWL-ViT of the hub. Raises: ModelLoadError where its files can't be had or read."""
    return OwlViT(find_weights(spec.repository, token=hub_token(spec)).folder, device=spec.device)
