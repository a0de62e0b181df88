"""Boxes around what a DINO vision transformer looks at: the patch methods ``dino-v1`` and ``dino-v2``.

The method is that of the authors' demonstration (Caron et al., "Emerging Properties in Self-Supervised Vision
Transformers", 2021): the attention of the class token in the last layer, of which the cells are kept that together
have 60 % of it. Connected cells make a box.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sidecar.errors import ModelLoadError

if TYPE_CHECKING:
    from PIL.Image import Image

MODEL = "vit_small_patch16_224.dino"
KEPT_ATTENTION = 0.6
MIN_CELLS = 3
"""Of a connected component; smaller ones are specks."""
MAX_BOXES = 16
SAME_BOX = 0.7
"""Boxes of which the shared area is more than this part of their joint area are one."""
_CELL = 16

Boxes = list[tuple[int, int, int, int]]


class AttentionModel:
    """The vision transformer, loaded at first use and kept. Safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._model: Any = None

    def boxes(self, image: Image, *, each_head: bool) -> Boxes:
        """The boxes (x1, y1, x2, y2) in pixels of an RGB image whose sides are multiples of 16, row by row.

        The heads of the attention are taken together, or each by itself. Weights come from the Hugging Face cache or
        hub at the first call. Raises: ModelLoadError where they can't be had.
        """
        with self._lock:
            if self._model is None:
                self._model = load_model()
        heads = attention_of(image, self._model)
        return boxes_of(heads if each_head else heads.mean(axis=0, keepdims=True))


def boxes_of(maps: NDArray[np.float32]) -> Boxes:
    """The boxes of maps of attention, shape (maps, rows, columns), row by row; where they are many, the strongest."""
    found = [box for attention in maps for box in _components(attention)]
    found.sort(key=lambda one: -one[0])
    boxes: Boxes = []
    for _, box in found:
        if len(boxes) < MAX_BOXES and not any(_overlap(box, other) > SAME_BOX for other in boxes):
            boxes.append(box)
    return sorted(boxes, key=lambda box: (box[1], box[0]))


def kept_cells(attention: NDArray[np.float32]) -> NDArray[np.bool_]:
    """The fewest cells that together have 60 % of the attention."""
    order = np.argsort(-attention, axis=None, kind="stable")
    before = np.cumsum(attention.ravel()[order]) - attention.ravel()[order]
    kept = np.zeros(attention.size, dtype=np.bool_)
    kept[order[before < KEPT_ATTENTION * attention.sum()]] = True
    return kept.reshape(attention.shape)


def _components(attention: NDArray[np.float32]) -> list[tuple[float, tuple[int, int, int, int]]]:
    """The connected components of the kept cells: each one's attention, and its box in pixels."""
    from scipy import ndimage

    labels, _ = ndimage.label(kept_cells(attention))
    components = []
    for number, (rows, columns) in enumerate(ndimage.find_objects(labels), start=1):
        cells = labels == number
        if int(cells.sum()) >= MIN_CELLS:
            box = (columns.start * _CELL, rows.start * _CELL, columns.stop * _CELL, rows.stop * _CELL)
            components.append((float(attention[cells].sum()), box))
    return components


def _overlap(one: tuple[int, int, int, int], other: tuple[int, int, int, int]) -> float:
    """Intersection over union."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    shared = max(0, width) * max(0, height)
    areas = [(x2 - x1) * (y2 - y1) for x1, y1, x2, y2 in (one, other)]
    return shared / (sum(areas) - shared)


def attention_of(image: Image, model: Any) -> NDArray[np.float32]:
    """What each head of the last layer looks at. Returns: shape (heads, rows, columns), each head's sum at most 1."""
    import torch

    pixels = np.asarray(image, dtype=np.float32) / 255
    mean, deviation = (np.asarray(model.pretrained_cfg[key], dtype=np.float32) for key in ("mean", "std"))
    inputs = torch.from_numpy(((pixels - mean) / deviation).transpose(2, 0, 1)[None])
    with torch.inference_mode():
        # Of the last layer only queries and keys are wanted, so that the model is stopped before it.
        before_last = [len(model.blocks) - 2]
        spatial, prefix = model.forward_intermediates(
            inputs, indices=before_last, output_fmt="NLC", return_prefix_tokens=True, intermediates_only=True
        )[0]
        tokens, last = torch.cat([prefix, spatial], dim=1), model.blocks[-1]
        projected = last.attn.qkv(last.norm1(tokens)).reshape(tokens.shape[1], 3, last.attn.num_heads, -1)
        query, keys = projected[0, 0], projected[:, 1]
        weights = torch.softmax(torch.einsum("hd,nhd->hn", query, keys) * last.attn.scale, dim=-1)
    rows, columns = image.height // _CELL, image.width // _CELL
    return np.asarray(weights[:, 1:].reshape(-1, rows, columns).numpy(), dtype=np.float32)


def load_model() -> Any:
    """The transformer, of timm's making. Raises: ModelLoadError where its weights can't be had or are damaged."""
    import timm
    from safetensors import SafetensorError

    try:
        return timm.create_model(MODEL, pretrained=True, num_classes=0, dynamic_img_size=True).eval()
    except (OSError, RuntimeError, ValueError, SafetensorError) as error:
        raise ModelLoadError(
            f"the patch methods dino-v1 and dino-v2 need the weights of 'timm/{MODEL}', which are neither in the "
            f"Hugging Face cache nor to be had from the hub ({type(error).__name__}). Bring them there, or use "
            "'simple' or 'overlap'"
        ) from error
