"""Loads a model: picks its loader, finds or converts its weights, checks its dimensions."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Literal

from sidecar.embedding.conversion import FAITHFUL_COSINE, ConversionCache, ConvertedModel
from sidecar.embedding.loader import Loader
from sidecar.embedding.model_table import NO_MODEL, ModelSpec
from sidecar.embedding.weights import find_weights
from sidecar.errors import BadRequest, ConversionFailed, InvalidArgument, ModelLoadError

logger = logging.getLogger(__name__)

Backend = Literal["auto", "torch", "onnx"]
LoadModel = Callable[[ModelSpec], Loader]


class ModelLoading:
    """Turns a `ModelSpec` into a loaded model. Loaders are imported when the first model needs them."""

    def __init__(self, conversions: ConversionCache, backend: Backend) -> None:
        self._conversions = conversions
        self._backend = backend
        self._loaders: dict[str, LoadModel] = {
            "sbert": self._load_sbert,
            "test": self._load_sbert,
            "hf": self._load_hf,
            "sbert_onnx": self._load_onnx,
            "random": _load_random,
            NO_MODEL: _refuse_no_model,
        }

    def load(self, spec: ModelSpec) -> Loader:
        """Load the model; takes seconds, and minutes where weights are downloaded or converted.

        Raises: ModelLoadError; nothing is kept of a failed try, so that the next one starts anew.
        InvalidArgument when the model has other dimensions than the index was told.
        """
        return self._loaders[spec.loader](spec)

    def _load_sbert(self, spec: ModelSpec) -> Loader:
        return self._load_text(spec, "sbert")

    def _load_hf(self, spec: ModelSpec) -> Loader:
        return self._load_text(spec, "mean")

    def _load_text(self, spec: ModelSpec, pooling: str) -> Loader:
        if self._backend == "torch":
            return _load_torch(spec, pooling)
        try:
            converted = self._conversions.get(spec.repository, pooling)
        except ConversionFailed as error:
            if self._backend == "onnx":
                raise
            logger.warning("running in torch name=%s reason=%s", spec.name, error.message)
            return _load_torch(spec, pooling)
        if self._backend == "auto" and not converted.is_faithful:
            return _load_torch(spec, pooling)
        return _open_converted(spec, converted)

    def _load_onnx(self, spec: ModelSpec) -> Loader:
        converted = self._conversions.get(spec.repository, "sbert")
        if not converted.is_faithful:
            raise ModelLoadError(
                f"model {spec.name!r}: its ONNX form gives vectors of cosine {converted.cosine:.5f} to torch's, under "
                f"{FAITHFUL_COSINE}; use the name without onnx/"
            )
        return _open_converted(spec, converted)


def _open_converted(spec: ModelSpec, converted: ConvertedModel) -> Loader:
    from sidecar.embedding.loaders.onnx_text import OnnxTextLoader

    _check_dimensions(spec, converted.dimensions)
    return OnnxTextLoader(converted, min(spec.max_tokens, converted.max_tokens), spec.dimensions)


def _load_torch(spec: ModelSpec, pooling: str) -> Loader:
    weights = find_weights(spec.repository)
    from sidecar.embedding.loaders.torch_text import TorchTextLoader

    loader = TorchTextLoader(weights, pooling, spec.max_tokens, spec.dimensions)
    _check_dimensions(spec, loader.model_dimensions)
    return loader


def _load_random(spec: ModelSpec) -> Loader:
    from sidecar.embedding.loaders.random import RandomLoader

    return RandomLoader(spec.dimensions)


def _refuse_no_model(spec: ModelSpec) -> Loader:
    raise BadRequest(f"the index has no model (model {NO_MODEL!r}), so that text can't be vectorised")


def _check_dimensions(spec: ModelSpec, dimensions: int) -> None:
    # The test models are the first dimensions of a real one.
    if dimensions != spec.dimensions and not (spec.loader == "test" and dimensions > spec.dimensions):
        raise InvalidArgument(
            f"model {spec.name!r} gives vectors of {dimensions} dimensions; the index was created with "
            f"'dimensions' {spec.dimensions}. Create the index again with {dimensions}"
        )
