"""What every loader of a model offers, and the types its vectors have."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from PIL.Image import Image

Embeddings = NDArray[np.float32]
"""float32 vectors, shape (n, dimensions)."""


class Modality(str, Enum):
    """What a model can embed. ``MEDIA`` is whatever else a plug-in reads from a file."""

    TEXT = "text"
    IMAGE = "image"
    MEDIA = "media"


@dataclass(frozen=True, slots=True)
class Prepared:
    """A text, an image or the like as the model takes it, and its cost in tokens, by which batches are formed.

    A text costs its tokens, special ones counted; an image about as many as the model makes of it (patches).
    """

    payload: Any
    tokens: int


class Loader(Protocol):
    """A loaded model. All methods may be called by several threads at once."""

    dimensions: int
    modalities: frozenset[Modality]
    backend: str
    memory_bytes: int

    def prepare_text(self, texts: Sequence[str]) -> list[Prepared]:
        """Tokenise, in the order given; each text is cut at the model's ``max_tokens`` without notice."""

    def run_text(self, batch: Sequence[Prepared]) -> Embeddings:
        """Embed one batch of prepared texts. Returns: float32, shape (len(batch), dimensions), not normalised."""

    def encode_text(self, texts: Sequence[str]) -> Embeddings:
        """Embed texts, in the order given. Returns: float32, shape (len(texts), dimensions), not normalised."""


class ImagePreparer(Protocol):
    """A loaded model that takes images."""

    image_size: tuple[int, int]
    """(height, width) in pixels of what the model sees."""

    def prepare_image(self, image: Image) -> Prepared:
        """Resize, crop and so on, as the model was trained. Takes an RGB image, upright, of any size."""


class ImageLoader(Loader, ImagePreparer, Protocol):
    """A loaded model that embeds images, and texts, into one space."""

    def run_image(self, batch: Sequence[Prepared]) -> Embeddings:
        """Embed one batch of prepared images. Returns: float32, shape (len(batch), dimensions), not normalised."""

    def encode_image(self, images: Sequence[Image]) -> Embeddings:
        """Embed RGB images, in the order given. Returns: float32, shape (len(images), dimensions), not normalised."""


class MediaLoader(Loader, Protocol):
    """A loaded model, of a plug-in, that embeds files of other kinds: sound, video, 3-D shapes."""

    media_suffixes: frozenset[str]
    """Ends of file names, lower case and with the dot, that are this model's: ``.wav``."""

    def prepare_media(self, content: bytes, name: str) -> list[Prepared]:
        """The parts of a file that are embedded, at least one. ``name`` is its address, cut to a readable length.

        Raises: ValueError, saying what is wrong with the content; the document fails with that reason.
        """

    def run_media(self, batch: Sequence[Prepared]) -> Embeddings:
        """Embed one batch of prepared parts. Returns: float32, shape (len(batch), dimensions), not normalised."""


RunBatch = Callable[[Sequence[Prepared]], Embeddings]


def runner(loader: Loader, modality: Modality) -> RunBatch:
    """The loader's method that embeds prepared batches of that kind; the loader must have the modality.

    The method raises ValueError too, for vectors with numbers that are none.
    """
    run: RunBatch = getattr(loader, f"run_{modality.value}")

    def checked(batch: Sequence[Prepared]) -> Embeddings:
        vectors = run(batch)
        if not np.isfinite(vectors).all():
            raise ValueError("it made a vector with numbers that are infinite or none at all")
        return vectors

    return checked


def encode_in_batches(loader: Loader, texts: Sequence[str]) -> Embeddings:
    """``encode_text`` for a loader that prepares and runs: in batches of like length, in the order given."""
    return run_in_batches(loader.run_text, loader.prepare_text(texts), loader.dimensions)


def run_in_batches(run: RunBatch, prepared: Sequence[Prepared], dimensions: int) -> Embeddings:
    """Embed by ``run`` in batches of like cost. Returns: float32, shape (len(prepared), dimensions), in order."""
    result = np.empty((len(prepared), dimensions), dtype=np.float32)
    order = sorted(range(len(prepared)), key=lambda position: prepared[position].tokens)
    while order:
        size = batch_length([prepared[position].tokens for position in order[-MAX_BATCH_TEXTS:]])
        batch, order = order[-size:], order[:-size]
        result[batch] = run([prepared[position] for position in batch])
    return result


MAX_BATCH_TEXTS = 32
MAX_BATCH_TOKENS = 512
"""Tokens of a batch, padding counted. On CPUs 512 is fastest: a batch's activations stay in the second-level cache
(all-MiniLM-L6-v2, tokens a second on two threads: 64 tokens a text, 8 texts 19,281, 64 texts 12,293)."""


def batch_length(tokens: Sequence[int]) -> int:
    """How many texts, from the end of an ascending list of token counts, make the next batch (at least 1)."""
    if not tokens:
        return 0
    longest = max(1, tokens[-1])
    return max(1, min(len(tokens), MAX_BATCH_TEXTS, MAX_BATCH_TOKENS // longest))
