"""Models that run elsewhere: text is sent to an inference endpoint, and vectors come back."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import orjson

from sidecar.embedding.endpoint_client import EndpointAccess, EndpointClient
from sidecar.embedding.endpoint_protocols import ask_for_vectors, request_body, trusted_start, whole_url
from sidecar.embedding.load import LoadContext, check_dimensions
from sidecar.embedding.loader import (
    MAX_BATCH_TEXTS,
    MAX_BATCH_TOKENS,
    Embeddings,
    Modality,
    Prepared,
    encode_in_batches,
)
from sidecar.embedding.model_spec import ModelSpec

DEFAULT_TIMEOUT_SECONDS = 30.0
DEFAULT_RETRIES = 3
_PROBE = "dimensions"


class EndpointLoader:
    """Embeds texts by one request a batch. The endpoint cuts texts that are too long for its model."""

    modalities = frozenset({Modality.TEXT})
    backend = "endpoint"
    memory_bytes = 0

    def __init__(self, client: EndpointClient, spec: ModelSpec) -> None:
        self._client = client
        self._spec = spec
        self._protocol: str = spec.option("protocol", "openai")
        batch_size: int = spec.option("batch_size", MAX_BATCH_TEXTS)
        # The endpoint forms its own batches by length: here each text is given its share of a full request.
        self._tokens = MAX_BATCH_TOKENS // batch_size
        self.dimensions = spec.dimensions

    def prepare_text(self, texts: Sequence[str]) -> list[Prepared]:
        return [Prepared(text, self._tokens) for text in texts]

    def run_text(self, batch: Sequence[Prepared]) -> Embeddings:
        """As `Loader.run_text`. Raises: EndpointError, InvalidArgument where vectors have other dimensions."""
        body = request_body(self._protocol, self._spec.repository, [prepared.payload for prepared in batch])
        vectors = ask_for_vectors(self._client, self._protocol, body, len(batch))
        check_dimensions(self._spec, vectors.shape[1])
        return np.ascontiguousarray(vectors[:, : self.dimensions])

    def encode_text(self, texts: Sequence[str]) -> Embeddings:
        return encode_in_batches(self, texts)


def load(spec: ModelSpec, context: LoadContext) -> EndpointLoader:
    """Ask the endpoint for one vector, so that a wrong address, token or number of dimensions is told at once.

    Raises: EndpointError, InvalidArgument.
    """
    url: str = whole_url(orjson.loads(spec.location)["url"], spec.option("protocol", "openai"))
    trusted = trusted_start(url, context.access.endpoints)
    token = spec.auth.value("token") if spec.auth is not None and spec.auth.kind == "endpoint" else None
    access = EndpointAccess(
        url=url,
        token=token or (context.access.endpoints[trusted] if trusted is not None else ""),
        allow_private=trusted is not None,
        timeout_seconds=spec.option("timeout", DEFAULT_TIMEOUT_SECONDS),
        retries=spec.option("retries", DEFAULT_RETRIES),
    )
    loader = EndpointLoader(EndpointClient(access), spec)
    loader.encode_text([_PROBE])
    return loader
