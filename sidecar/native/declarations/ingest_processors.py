"""Processors of ingest pipelines as clients write them, read and checked as the neural-search plugin does that."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from sidecar.native.declarations.chunking import FIXED_TOKEN_LENGTH, read_chunking
from sidecar.native.declarations.processor_settings import ProcessorSettings
from sidecar.native.declarations.processors import IngestProcessor, TextChunking, TextEmbedding, TextImageEmbedding
from sidecar.native.errors import ILLEGAL_ARGUMENT, Refused

CHUNKING: Final = "text_chunking"
EMBEDDING: Final = ("text_embedding", "text_image_embedding")
INGEST_KINDS: Final = (*EMBEDDING, CHUNKING)
_OUTSIDE = "the sidecar carries it out before the document reaches the cluster"
_CONTENT = ("text", "image")


def read_ingest_processor(kind: str, settings: Mapping[str, Any]) -> IngestProcessor:
    """One of `INGEST_KINDS` with its settings. Raises: Refused, as the plugin does, and where it has ``if`` or
    ``on_failure``."""
    given = ProcessorSettings(kind, settings)
    given.refuse("if", _OUTSIDE)
    given.refuse("on_failure", _OUTSIDE)
    processor = _READERS[kind](given, given.boolean("ignore_failure"))
    given.finish()
    return processor


def _text_embedding(given: ProcessorSettings, ignore_failure: bool) -> TextEmbedding:
    model = _model(given)
    field_map = given.mapping("field_map")
    # How many documents go to the model at once is the sidecar's to know.
    given.positive("batch_size")
    _check_field_map(field_map)
    return TextEmbedding(model, field_map, given.boolean("skip_existing"), ignore_failure)


def _text_image_embedding(given: ProcessorSettings, ignore_failure: bool) -> TextImageEmbedding:
    model = _model(given)
    embedding = given.text("embedding")
    field_map = given.mapping("field_map")
    unable = "Unable to create the TextImageEmbedding processor"
    if not field_map or any(not isinstance(field, str) for field in field_map.values()):
        raise Refused(ILLEGAL_ARGUMENT, f"{unable} as field_map has invalid key or value")
    if any(name not in _CONTENT for name in field_map):
        supported = f"Following names are supported [{','.join(_CONTENT)}]"
        raise Refused(ILLEGAL_ARGUMENT, f"{unable} with provided field name(s). {supported}")
    return TextImageEmbedding(
        model,
        embedding,
        text_field=field_map.get("text"),
        image_field=field_map.get("image"),
        skip_existing=given.boolean("skip_existing"),
        ignore_failure=ignore_failure,
    )


def _text_chunking(given: ProcessorSettings, ignore_failure: bool) -> TextChunking:
    field_map = given.mapping("field_map")
    _check_field_map(field_map)
    algorithms = given.mapping("algorithm")
    if len(algorithms) > 1:
        raise Refused(
            ILLEGAL_ARGUMENT, f"Unable to create {CHUNKING} processor as [algorithm] contains multiple algorithms"
        )
    name, parameters = next(iter(algorithms.items()), (FIXED_TOKEN_LENGTH, {}))
    if not isinstance(parameters, dict):
        problem = f"as parameters for [{name}] algorithm must be an object"
        raise Refused(ILLEGAL_ARGUMENT, f"Unable to create {CHUNKING} processor {problem}")
    chunking = read_chunking(name, parameters)
    return TextChunking(
        chunking.algorithm,
        chunking.parameters,
        field_map,
        ignore_missing=given.boolean("ignore_missing"),
        ignore_failure=ignore_failure,
    )


def _model(given: ProcessorSettings) -> str:
    model = given.text("model_id")
    if not model.strip():
        raise Refused(ILLEGAL_ARGUMENT, "model_id is null or empty, cannot process it")
    return model


def _check_field_map(field_map: Mapping[str, Any]) -> None:
    if not field_map or not all(_leads_somewhere(source, target) for source, target in field_map.items()):
        raise Refused(ILLEGAL_ARGUMENT, "Unable to create the processor as field_map has invalid key or value")


def _leads_somewhere(source: str, target: Any) -> bool:
    if isinstance(target, dict):
        return bool(source.strip() and target) and all(_leads_somewhere(*entry) for entry in target.items())
    return bool(source.strip() and isinstance(target, str) and target.strip())


_READERS: dict[str, Callable[[ProcessorSettings, bool], IngestProcessor]] = {
    "text_embedding": _text_embedding,
    "text_image_embedding": _text_image_embedding,
    CHUNKING: _text_chunking,
}
