"""Text models: which of ONNX Runtime, OpenVINO and torch runs one, and how its weights become that."""

from __future__ import annotations

import importlib.util
import logging

from sidecar.embedding.backend_choice import fastest_backend
from sidecar.embedding.conversion import FAITHFUL_COSINE, ConvertedModel
from sidecar.embedding.load import LoadContext, check_dimensions
from sidecar.embedding.loader import Loader
from sidecar.embedding.model_spec import CPU, ModelSpec
from sidecar.embedding.weights import find_weights
from sidecar.errors import ConversionFailed, InvalidArgument, ModelLoadError

logger = logging.getLogger(__name__)


def load_sbert(spec: ModelSpec, context: LoadContext) -> Loader:
    """A sentence-transformers model, pooled as its own files say."""
    return _load_text(spec, context, "sbert")


def load_hf(spec: ModelSpec, context: LoadContext) -> Loader:
    """An encoder of transformers with mean pooling."""
    return _load_text(spec, context, "mean")


def load_onnx(spec: ModelSpec, context: LoadContext) -> Loader:
    """A sentence-transformers model that runs in ONNX Runtime, whatever the backend of plain names."""
    _check_int8(spec)
    converted = context.conversions.get(spec.repository, "sbert", spec.precision)
    if not converted.is_faithful:
        raise ModelLoadError(
            f"model {spec.name!r}: its ONNX form gives vectors of cosine {converted.cosine:.5f} to torch's, under "
            f"{FAITHFUL_COSINE}; use the name without onnx/"
        )
    return _open_onnx(spec, converted)


def _load_text(spec: ModelSpec, context: LoadContext, pooling: str) -> Loader:
    _check_int8(spec)
    runs_on_cpu = spec.device == CPU
    if context.backend == "torch" or (context.backend != "onnx" and not runs_on_cpu):
        return _load_torch(spec, pooling, f"SIDECAR_BACKEND is {context.backend}")
    try:
        converted = context.conversions.get(spec.repository, pooling, spec.precision)
    except ConversionFailed as error:
        # int8 is of the graph alone, and never replaced by something slower without being told.
        if context.backend != "auto" or spec.precision == "int8":
            raise
        logger.warning("running in torch name=%s reason=%s", spec.name, error.message)
        return _load_torch(spec, pooling, error.message)
    if context.backend == "auto" and not converted.is_faithful:
        reason = f"its ONNX form gives vectors of cosine {converted.cosine:.5f} to torch's, under {FAITHFUL_COSINE}"
        return _load_torch(spec, pooling, reason)
    return _open_converted(spec, converted, context)


def _check_int8(spec: ModelSpec) -> None:
    if spec.precision == "int8" and spec.device != CPU:
        raise InvalidArgument(
            f"model {spec.name!r}: 'precision' int8 runs on the CPU alone; on {spec.device} give float16, which is the "
            "fast one there"
        )


def _open_converted(spec: ModelSpec, converted: ConvertedModel, context: LoadContext) -> Loader:
    backend: str = context.backend
    if backend == "auto":
        backend = fastest_backend(converted, min(spec.max_tokens, converted.max_tokens))
    return _open_openvino(spec, converted) if backend == "openvino" else _open_onnx(spec, converted)


def _open_onnx(spec: ModelSpec, converted: ConvertedModel) -> Loader:
    from sidecar.embedding.loaders.onnx_text import OnnxTextLoader

    check_dimensions(spec, converted.dimensions)
    return OnnxTextLoader(converted, min(spec.max_tokens, converted.max_tokens), spec.dimensions, device=spec.device)


def _open_openvino(spec: ModelSpec, converted: ConvertedModel) -> Loader:
    check_dimensions(spec, converted.dimensions)
    if importlib.util.find_spec("openvino") is None:
        raise ModelLoadError(
            f"model {spec.name!r} can't be loaded: SIDECAR_BACKEND is openvino, which is not installed. Install it by "
            "`pip install 'vector-sidecar[openvino]'`, or set SIDECAR_BACKEND to auto"
        )
    from sidecar.embedding.loaders.openvino_text import OpenVinoTextLoader

    return OpenVinoTextLoader(converted, min(spec.max_tokens, converted.max_tokens), spec.dimensions)


def _load_torch(spec: ModelSpec, pooling: str, reason: str) -> Loader:
    """``reason`` says why it is torch that runs the model."""
    if spec.precision == "int8":
        raise InvalidArgument(
            f"model {spec.name!r}: 'precision' int8 needs ONNX Runtime or OpenVINO, but {reason}; give float16 or "
            "float32"
        )
    weights = find_weights(spec.repository)
    from sidecar.embedding.loaders.torch_text import TorchTextLoader

    loader = TorchTextLoader(
        weights, pooling, spec.max_tokens, spec.dimensions, device=spec.device, precision=spec.precision
    )
    check_dimensions(spec, loader.model_dimensions)
    return loader
