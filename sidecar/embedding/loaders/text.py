"""Text models: which of ONNX Runtime and torch runs one, and how its weights become that."""

from __future__ import annotations

import logging

from sidecar.embedding.conversion import FAITHFUL_COSINE, ConvertedModel
from sidecar.embedding.load import LoadContext, check_dimensions
from sidecar.embedding.loader import Loader
from sidecar.embedding.model_spec import ModelSpec
from sidecar.embedding.weights import find_weights
from sidecar.errors import ConversionFailed, ModelLoadError

logger = logging.getLogger(__name__)


def load_sbert(spec: ModelSpec, context: LoadContext) -> Loader:
    """A sentence-transformers model, pooled as its own files say."""
    return _load_text(spec, context, "sbert")


def load_hf(spec: ModelSpec, context: LoadContext) -> Loader:
    """An encoder of transformers with mean pooling."""
    return _load_text(spec, context, "mean")


def load_onnx(spec: ModelSpec, context: LoadContext) -> Loader:
    """A sentence-transformers model that runs in ONNX Runtime, whatever the backend of plain names."""
    converted = context.conversions.get(spec.repository, "sbert")
    if not converted.is_faithful:
        raise ModelLoadError(
            f"model {spec.name!r}: its ONNX form gives vectors of cosine {converted.cosine:.5f} to torch's, under "
            f"{FAITHFUL_COSINE}; use the name without onnx/"
        )
    return _open_converted(spec, converted)


def _load_text(spec: ModelSpec, context: LoadContext, pooling: str) -> Loader:
    if context.backend == "torch":
        return _load_torch(spec, pooling)
    try:
        converted = context.conversions.get(spec.repository, pooling)
    except ConversionFailed as error:
        if context.backend == "onnx":
            raise
        logger.warning("running in torch name=%s reason=%s", spec.name, error.message)
        return _load_torch(spec, pooling)
    if context.backend == "auto" and not converted.is_faithful:
        return _load_torch(spec, pooling)
    return _open_converted(spec, converted)


def _open_converted(spec: ModelSpec, converted: ConvertedModel) -> Loader:
    from sidecar.embedding.loaders.onnx_text import OnnxTextLoader

    check_dimensions(spec, converted.dimensions)
    return OnnxTextLoader(converted, min(spec.max_tokens, converted.max_tokens), spec.dimensions)


def _load_torch(spec: ModelSpec, pooling: str) -> Loader:
    weights = find_weights(spec.repository)
    from sidecar.embedding.loaders.torch_text import TorchTextLoader

    loader = TorchTextLoader(weights, pooling, spec.max_tokens, spec.dimensions)
    check_dimensions(spec, loader.model_dimensions)
    return loader
