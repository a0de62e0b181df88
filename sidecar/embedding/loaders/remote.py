"""Models that another sidecar runs in this one's place: texts and images are sent to its ``/v1/embeddings``."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from sidecar.embedding.endpoint_client import EndpointAccess, EndpointClient
from sidecar.embedding.endpoint_protocols import ask_for_vectors, trusted_start, whole_url
from sidecar.embedding.load import LoadContext, check_dimensions
from sidecar.embedding.loader import (
    MAX_BATCH_TEXTS,
    MAX_BATCH_TOKENS,
    Embeddings,
    Modality,
    Prepared,
    encode_in_batches,
    run_in_batches,
)
from sidecar.embedding.model_options import CLIP_KINDS
from sidecar.embedding.model_properties import as_properties
from sidecar.embedding.model_spec import ModelSpec
from sidecar.embedding.model_table import read_table

if TYPE_CHECKING:
    from PIL.Image import Image

LOAD_TIMEOUT_SECONDS = 1800.0
"""For the first request, at which the other sidecar may download and convert the model."""
TIMEOUT_SECONDS = 60.0
RETRIES = 3
IMAGE_SIDE = 336
"""Pixels of what models see, which only the other sidecar knows: the side of nearly all, or more."""
IMAGES_PER_REQUEST = 8
_PROBE = "dimensions"


class RemoteLoader:
    """Embeds by one request a batch. Images are sent without loss, no smaller than twice what models see."""

    backend = "remote"
    memory_bytes = 0
    image_size = (IMAGE_SIDE, IMAGE_SIDE)

    def __init__(self, client: EndpointClient, spec: ModelSpec) -> None:
        self._client = client
        self._spec = spec
        self._model = _model_of(spec)
        is_clip = spec.loader in CLIP_KINDS
        self.modalities = frozenset({Modality.TEXT, Modality.IMAGE} if is_clip else {Modality.TEXT})
        self.dimensions = spec.dimensions

    def prepare_text(self, texts: Sequence[str]) -> list[Prepared]:
        cleaned = [text.encode("utf-8", "replace").decode("utf-8") for text in texts]
        return [Prepared(text, MAX_BATCH_TOKENS // MAX_BATCH_TEXTS) for text in cleaned]

    def run_text(self, batch: Sequence[Prepared]) -> Embeddings:
        """As `Loader.run_text`. Raises: EndpointError, InvalidArgument where vectors have other dimensions."""
        return self._run([prepared.payload for prepared in batch])

    def encode_text(self, texts: Sequence[str]) -> Embeddings:
        return encode_in_batches(self, texts)

    def prepare_image(self, image: Image) -> Prepared:
        shrinking = min(image.size) // (2 * IMAGE_SIDE)
        smaller = image.reduce(shrinking) if shrinking > 1 else image
        content = io.BytesIO()
        smaller.save(content, "PNG", compress_level=1)
        pointer = f"data:image/png;base64,{base64.b64encode(content.getvalue()).decode()}"
        return Prepared({"image": pointer}, MAX_BATCH_TOKENS // IMAGES_PER_REQUEST)

    def run_image(self, batch: Sequence[Prepared]) -> Embeddings:
        """As `ImageLoader.run_image`. Raises: EndpointError."""
        return self._run([prepared.payload for prepared in batch])

    def encode_image(self, images: Sequence[Image]) -> Embeddings:
        return run_in_batches(self.run_image, [self.prepare_image(image) for image in images], self.dimensions)

    def _run(self, inputs: list[Any]) -> Embeddings:
        body = {**self._model, "input": inputs, "encoding_format": "base64", "normalize": False}
        vectors = ask_for_vectors(self._client, "openai", body, len(inputs))
        check_dimensions(self._spec, vectors.shape[1])
        return np.ascontiguousarray(vectors)


def load(spec: ModelSpec, context: LoadContext) -> RemoteLoader:
    """Let the other sidecar load the model, and ask it for one vector. Raises: EndpointError, InvalidArgument."""
    assert context.access.sidecar_url is not None
    url = whole_url(context.access.sidecar_url, "openai")
    trusted = trusted_start(url, context.access.endpoints)
    token = context.access.endpoints[trusted] if trusted is not None else ""
    first = EndpointClient(EndpointAccess(url, token, True, LOAD_TIMEOUT_SECONDS, RETRIES))
    RemoteLoader(first, spec).encode_text([_PROBE])
    return RemoteLoader(EndpointClient(EndpointAccess(url, token, True, TIMEOUT_SECONDS, RETRIES)), spec)


def _model_of(spec: ModelSpec) -> dict[str, Any]:
    """The keys of a request that name the model: its name in the table alone, or with the properties."""
    if (known := _table().get(spec.name)) is not None and known.fingerprint == spec.fingerprint:
        return {"model": spec.name}
    auth = {"modelAuth": {spec.auth.kind: dict(spec.auth.values)}} if spec.auth is not None else {}
    return {"model": spec.name, "model_properties": as_properties(spec), **auth}


@lru_cache
def _table() -> dict[str, ModelSpec]:
    return read_table()
