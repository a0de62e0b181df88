"""Keeps text models converted to ONNX in a cache folder; each is converted once, and once into each precision."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from sidecar.embedding.conversion_run import Subject, build_once, run_converter, slug
from sidecar.embedding.model_spec import Precision
from sidecar.embedding.precision_files import graph_bytes, variant_of
from sidecar.embedding.weights import Weights, find_local_weights, find_weights

CONVERTER_VERSION = 1
"""Raise it when the converter writes other graphs: models converted before are then converted again."""
VARIANT_VERSION = 1
"""The same, for the forms of other precisions."""
FAITHFUL_COSINE = 0.9999
GRAPH, TOKENIZER, FACTS = "model.onnx", "tokenizer.json", "facts.json"
"""The files of a converted model; weights, but for a small model's, lie in ``model.onnx.data``."""


@dataclass(frozen=True, slots=True)
class ConvertedFiles:
    """The folder of a converted model, and the names of its files."""

    folder: Path

    @property
    def graph_path(self) -> Path:
        return self.folder / GRAPH

    @property
    def tokenizer_path(self) -> Path:
        return self.folder / TOKENIZER


@dataclass(frozen=True, slots=True)
class ConvertedModel(ConvertedFiles):
    """A converted text model on disk.

    ``cosine`` is the least cosine of its float32 form to torch's vectors over the probe texts. ``memory_bytes`` is what
    its weights take when they are loaded.
    """

    dimensions: int
    max_tokens: int
    strips_text: bool
    cosine: float
    memory_bytes: int
    precision: Precision

    @property
    def is_faithful(self) -> bool:
        """True where the graph, in float32, gives torch's vectors for every probe text."""
        return self.cosine >= FAITHFUL_COSINE


class ConversionCache:
    """The converted models under one folder, shared by all sidecars that use it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def get(self, repository: str, pooling: str, precision: Precision = "float32") -> ConvertedModel:
        """The converted form of the repository's model in that precision, converting it now when it is not there.

        ``pooling`` is ``sbert`` (as the repository's sentence-transformers files say) or ``mean``.
        Raises: ModelLoadError when the weights can't be had or are corrupt; ConversionFailed when they can't be
        converted, or their form is too far from float32's. Nothing is left behind.
        """
        base = self.folder / f"{slug(repository)}-{pooling}"
        variant = _suffix(precision)
        weights = find_local_weights(repository)
        if weights is None:
            kept = _newest(base, variant)
            if kept is not None:
                return kept
            whole = _newest(base, "")
            if whole is not None:
                return _in_precision(repository, whole, precision)
            weights = find_weights(repository)
        kept = read_converted(_place(base, weights, variant))
        if kept is not None:
            return kept
        whole = _convert(repository, pooling, weights, _place(base, weights, ""))
        return whole if precision == "float32" else _in_precision(repository, whole, precision)


def read_converted(folder: Path) -> ConvertedModel | None:
    """The model in the folder; None where there is none, or its files are not all there."""
    try:
        facts = json.loads((folder / FACTS).read_text(encoding="utf-8"))
        model = ConvertedModel(
            folder,
            int(facts["dimensions"]),
            int(facts["max_tokens"]),
            bool(facts["strips_text"]),
            float(facts["cosine"]),
            int(facts.get("memory_bytes", facts["graph_bytes"])),
            facts.get("precision", "float32"),
        )
        is_complete = (
            graph_bytes(model.graph_path) == facts["graph_bytes"]
            and model.tokenizer_path.stat().st_size == facts["tokenizer_bytes"]
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return model if is_complete else None


def _convert(repository: str, pooling: str, weights: Weights, place: Path) -> ConvertedModel:
    subject = Subject(repository, weights.folder)

    def build(folder: Path) -> None:
        run_converter("convert_text", [str(weights.folder), pooling, str(folder)], subject)

    return build_once(place, read_converted, build, subject)


def _in_precision(repository: str, whole: ConvertedModel, precision: Precision) -> ConvertedModel:
    """The form of the model beside its float32 form."""
    subject = Subject(f"{repository} ({precision})", whole.folder)

    def build(folder: Path) -> None:
        run_converter("precision_variant", [str(whole.folder), precision, str(folder)], subject)

    place = whole.folder.with_name(whole.folder.name + _suffix(precision))
    return build_once(place, read_converted, build, subject)


def _place(base: Path, weights: Weights, variant: str) -> Path:
    return base / f"{slug(weights.revision)}-v{CONVERTER_VERSION}{variant}"


def _suffix(precision: Precision) -> str:
    variant = variant_of(precision)
    # Never the end of a float32 form's name, which is looked for by it.
    return f"{variant}-{VARIANT_VERSION}" if variant else ""


def _newest(base: Path, variant: str) -> ConvertedModel | None:
    folders = sorted(base.glob(f"*-v{CONVERTER_VERSION}{variant}"), key=lambda path: path.stat().st_mtime, reverse=True)
    return next((model for model in map(read_converted, folders) if model is not None), None)
