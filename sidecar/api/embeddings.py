"""Routes in the form of OpenAI's API: embeddings of text and images, and the models there are."""

from __future__ import annotations

import base64
import logging
from dataclasses import replace
from typing import Any

import numpy as np
from flask import Blueprint, Response

from sidecar.api.answers import json_answer
from sidecar.api.bodies import require_json
from sidecar.api.parameters import read_device
from sidecar.api.schemas.embeddings import (
    BadParameter,
    EmbeddingsRequest,
    EncodingFormat,
    ImageInput,
    InputType,
    parse_embeddings,
)
from sidecar.api.services import services
from sidecar.embedding.loader import Embeddings, Modality
from sidecar.embedding.media.prepared import MediaSource
from sidecar.embedding.model_spec import ModelSpec
from sidecar.embedding.model_table import first_prefix
from sidecar.embedding.normalizing import normalized
from sidecar.errors import SidecarError, UnknownModel
from sidecar.logs import request_id
from sidecar.observation.request import failed

logger = logging.getLogger(__name__)

embeddings = Blueprint("embeddings", __name__, url_prefix="/v1")

IMAGES_AT_ONCE = 64
"""Images of one request that are on their way at the same time."""
_CODES = {401: "invalid_api_key", 404: "model_not_found", 429: "rate_limit_exceeded"}


@embeddings.post("/embeddings")
def create_embeddings() -> Response:
    """Embed texts and images, in the order given."""
    asked = parse_embeddings(require_json())
    spec = services().table.resolve(asked.model, asked.model_properties)
    spec = replace(spec, device=read_device(), auth=asked.auth)
    dimensions = _dimensions(asked, spec)
    services().engine.check_room()
    vectors, tokens = _embed(asked, spec)
    vectors = vectors[:, :dimensions]
    if asked.normalize:
        vectors = normalized(vectors)
    data = [
        {"object": "embedding", "index": index, "embedding": _encoded(vector, asked.encoding_format)}
        for index, vector in enumerate(np.ascontiguousarray(vectors))
    ]
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    return json_answer({"object": "list", "data": data, "model": asked.model, "usage": usage})


@embeddings.get("/models")
def list_models() -> Response:
    """Every model of the table, loaded or not."""
    return json_answer({"object": "list", "data": [_model_object(name) for name in services().table.names()]})


@embeddings.get("/models/<path:name>")
def show_model(name: str) -> Response:
    """One model by its name."""
    services().table.resolve(name)
    return json_answer(_model_object(name))


@embeddings.errorhandler(SidecarError)
def answer_own(error: SidecarError) -> Response:
    """A failure in the shape that clients of OpenAI's API read."""
    failed(error)
    status = openai_status(type(error))
    kind = "server_error" if status >= 500 else "rate_limit_error" if status == 429 else "invalid_request_error"
    if status >= 500:
        logger.warning("failed: %s", error.message)
    param = error.param if isinstance(error, BadParameter) else "model" if isinstance(error, UnknownModel) else None
    told = {"message": error.message, "type": kind, "param": param, "code": _CODES.get(status)}
    answer = json_answer({"error": told}, status)
    answer.headers.extend(error.headers())
    return answer


@embeddings.errorhandler(Exception)
def answer_unforeseen(error: Exception) -> Response:
    """A fault of the sidecar's own."""
    logger.exception("an error that nobody foresaw")
    return answer_own(
        SidecarError(f"An error that nobody foresaw; the log tells more, under request id {request_id.get()}.")
    )


def openai_status(error: type[SidecarError]) -> int:
    """The HTTP status by which clients of OpenAI's API know such a failure."""
    if issubclass(error, UnknownModel):
        return 404
    return 400 if error.status == 422 else error.status


def _dimensions(asked: EmbeddingsRequest, spec: ModelSpec) -> int:
    wanted = asked.dimensions
    if wanted is None or wanted == spec.dimensions:
        return spec.dimensions
    if wanted < spec.dimensions and spec.option("matryoshka", False):
        return wanted
    fewer = " or fewer" if spec.option("matryoshka", False) else ""
    raise BadParameter("dimensions", f"model {asked.model!r} gives vectors of {spec.dimensions} dimensions{fewer}.")


def _embed(asked: EmbeddingsRequest, spec: ModelSpec) -> tuple[Embeddings, int]:
    """The vectors, float32 of shape (n, dimensions), in the order of the inputs; and the tokens of the texts."""
    texts = [(row, entry) for row, entry in enumerate(asked.inputs) if isinstance(entry, str)]
    images = [(row, entry) for row, entry in enumerate(asked.inputs) if isinstance(entry, ImageInput)]
    vectors = np.empty((len(asked.inputs), spec.dimensions), dtype=np.float32)
    tokens = 0
    if texts:
        prefix = _prefix(asked, spec)
        embedded, tokens = _embed_texts(asked, spec, [prefix + text for _, text in texts])
        vectors[[row for row, _ in texts]] = embedded
    for start in range(0, len(images), IMAGES_AT_ONCE):
        part = images[start : start + IMAGES_AT_ONCE]
        futures = [services().media.submit(spec, MediaSource(image.pointer)) for _, image in part]
        try:
            for (row, _), future in zip(part, futures, strict=True):
                vectors[row] = np.mean(future.result().vectors, axis=0)
        finally:
            for future in futures:
                future.cancel()
    return vectors, tokens


def _embed_texts(asked: EmbeddingsRequest, spec: ModelSpec, texts: list[str]) -> tuple[Embeddings, int]:
    engine = services().engine
    loader = engine.loader(spec, Modality.TEXT)
    prepared = loader.prepare_text(texts)
    tokens = sum(text.tokens for text in prepared)
    if asked.input_type is InputType.QUERY and len(prepared) == 1:
        # Somebody waits for the answer to a search: it goes before the texts of documents.
        return engine.embed_prepared_query(loader, Modality.TEXT, prepared[0])[np.newaxis], tokens
    return engine.submit_prepared(loader, Modality.TEXT, prepared).result(), tokens


def _prefix(asked: EmbeddingsRequest, spec: ModelSpec) -> str:
    if asked.input_type is None:
        return ""
    return first_prefix(
        spec.text_query_prefix if asked.input_type is InputType.QUERY else spec.text_chunk_prefix,
    )


def _encoded(vector: Embeddings, encoding_format: EncodingFormat) -> Any:
    if encoding_format == "float":
        return vector
    return base64.b64encode(vector.astype("<f4").tobytes()).decode()


def _model_object(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": 0, "owned_by": "sidecar"}
