"""CLIP models: which of ONNX Runtime and torch runs one, and how its weights become that."""

from __future__ import annotations

import logging

from sidecar.embedding.clip_conversion import FAITHFUL_COSINES, ConvertedClip, convert_clip
from sidecar.embedding.clip_weights import ClipSource, clip_source, revision
from sidecar.embedding.load import LoadContext, check_dimensions
from sidecar.embedding.loader import Loader
from sidecar.embedding.model_files import files_of
from sidecar.embedding.model_spec import CPU, ModelSpec
from sidecar.errors import ConversionFailed, InvalidArgument, ModelLoadError

logger = logging.getLogger(__name__)


def load_clip(spec: ModelSpec, context: LoadContext) -> Loader:
    """A CLIP model by its plain name: converted where that gives torch's vectors; else, and on other devices, torch."""
    source = _source(spec, context)
    if context.backend == "torch" or spec.device != CPU:
        return _load_torch(spec, source)
    try:
        converted = convert_clip(source, spec.precision, context.conversions.folder)
    except ConversionFailed as error:
        # int8 is never replaced by something slower without being told.
        if context.backend != "auto" or spec.precision == "int8":
            raise
        logger.warning("running in torch name=%s reason=%s", spec.name, error.message)
        return _load_torch(spec, source)
    if context.backend == "auto" and not converted.is_faithful:
        return _load_torch(spec, source)
    return _open_converted(spec, converted)


def load_clip_onnx(spec: ModelSpec, context: LoadContext) -> Loader:
    """A CLIP model that runs in ONNX Runtime, whatever the backend of plain names."""
    converted = convert_clip(_source(spec, context), spec.precision, context.conversions.folder)
    if not converted.is_faithful:
        raise ModelLoadError(
            f"model {spec.name!r}: its ONNX form gives vectors of cosine {converted.cosine:.5f} to torch's, under "
            f"{FAITHFUL_COSINES[converted.precision]}; use the name without onnx32/ or onnx16/"
        )
    return _open_converted(spec, converted)


def _source(spec: ModelSpec, context: LoadContext) -> ClipSource:
    if spec.precision == "int8" and (spec.device != CPU or context.backend == "torch"):
        where = f"on {spec.device}" if spec.device != CPU else "in torch, which SIDECAR_BACKEND names"
        raise InvalidArgument(
            f"model {spec.name!r}: 'precision' int8 runs in ONNX Runtime on the CPU, not {where}; give float16"
        )
    return clip_source(spec, files_of(spec, context).path if spec.location else None)


def _open_converted(spec: ModelSpec, converted: ConvertedClip) -> Loader:
    from sidecar.embedding.loaders.onnx_clip import OnnxClipLoader

    check_dimensions(spec, converted.dimensions)
    return OnnxClipLoader(converted, spec.max_tokens, spec.dimensions, spec.device)


def _load_torch(spec: ModelSpec, source: ClipSource) -> Loader:
    # A path that is not there is told before torch is imported.
    revision(source)
    from sidecar.embedding.clip_source import ClipUnreadable, open_clip_model
    from sidecar.embedding.loaders.torch_clip import TorchClipLoader

    try:
        clip = open_clip_model(source)
    except ClipUnreadable as error:
        raise ModelLoadError(f"the files of model {spec.name!r} in {source.place} can't be loaded: {error}") from error
    check_dimensions(spec, clip.dimensions)
    return TorchClipLoader(clip, spec.device, spec.precision, max_tokens=spec.max_tokens, dimensions=spec.dimensions)
