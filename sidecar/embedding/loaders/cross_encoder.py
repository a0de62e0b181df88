"""Cross-encoders: which of ONNX Runtime and torch runs one, and how its weights become that."""

from __future__ import annotations

import logging

from sidecar.embedding.cross_encoder_conversion import ConvertedCrossEncoder, convert_cross_encoder
from sidecar.embedding.load import LoadContext
from sidecar.embedding.model_spec import CPU, ModelSpec
from sidecar.embedding.rerankers import PairScorer, hub_token
from sidecar.embedding.weights import find_weights
from sidecar.errors import ConversionFailed, ModelLoadError

logger = logging.getLogger(__name__)


def load(spec: ModelSpec, context: LoadContext) -> PairScorer:
    """A cross-encoder by its plain name: converted where that gives torch's scores; else, and on other devices, torch.

    OpenVINO, where ``SIDECAR_BACKEND`` names it, runs models that embed; a cross-encoder runs as with ``auto`` then.
    """
    if context.backend == "torch" or (context.backend != "onnx" and spec.device != CPU):
        return _load_torch(spec)
    try:
        converted = _convert(spec, context)
    except ConversionFailed as error:
        if context.backend == "onnx":
            raise
        logger.warning("running in torch name=%s reason=%s", spec.name, error.message)
        return _load_torch(spec)
    if context.backend != "onnx" and not converted.is_faithful:
        logger.warning("running in torch name=%s difference=%.6f", spec.name, converted.difference)
        return _load_torch(spec)
    return _load_converted(spec, converted)


def load_onnx(spec: ModelSpec, context: LoadContext) -> PairScorer:
    """A cross-encoder that runs in ONNX Runtime, whatever the backend of plain names."""
    converted = _convert(spec, context)
    if not converted.is_faithful:
        raise ModelLoadError(
            f"model {spec.name!r}: its ONNX form gives results that differ by {converted.difference:.6f} from torch's; "
            "use the name without onnx/"
        )
    return _load_converted(spec, converted)


def _convert(spec: ModelSpec, context: LoadContext) -> ConvertedCrossEncoder:
    return convert_cross_encoder(spec.repository, context.conversions.folder, token=hub_token(spec))


def _load_converted(spec: ModelSpec, converted: ConvertedCrossEncoder) -> PairScorer:
    from sidecar.embedding.loaders.onnx_cross_encoder import OnnxCrossEncoder

    return OnnxCrossEncoder(converted, spec.max_tokens, device=spec.device)


def _load_torch(spec: ModelSpec) -> PairScorer:
    weights = find_weights(spec.repository, token=hub_token(spec))
    from sidecar.embedding.loaders.torch_cross_encoder import TorchCrossEncoder

    return TorchCrossEncoder(weights, spec.max_tokens, device=spec.device)
