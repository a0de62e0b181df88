"""Keeps text models converted to ONNX in a cache folder; each is converted once."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from sidecar.embedding.conversion_run import Subject, build_once, run_converter, slug
from sidecar.embedding.weights import find_local_weights, find_weights

CONVERTER_VERSION = 1
"""Raise it when the converter writes other graphs: models converted before are then converted again."""
FAITHFUL_COSINE = 0.9999
_FACTS = "facts.json"


@dataclass(frozen=True, slots=True)
class ConvertedModel:
    """A converted text model on disk. ``cosine`` is the least cosine to torch's vectors over the probe texts."""

    folder: Path
    dimensions: int
    max_tokens: int
    strips_text: bool
    cosine: float

    @property
    def graph_path(self) -> Path:
        return self.folder / "model.onnx"

    @property
    def tokenizer_path(self) -> Path:
        return self.folder / "tokenizer.json"

    @property
    def is_faithful(self) -> bool:
        """True where the graph gives torch's vectors for every probe text."""
        return self.cosine >= FAITHFUL_COSINE


class ConversionCache:
    """The converted models under one folder, shared by all sidecars that use it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def get(self, repository: str, pooling: str) -> ConvertedModel:
        """The converted form of the repository's model, converting it now when it is not there.

        ``pooling`` is ``sbert`` (as the repository's sentence-transformers files say) or ``mean``.
        Raises: ModelLoadError when the weights can't be had or are corrupt; ConversionFailed when they can't be
        converted. Nothing is left behind.
        """
        base = self.folder / f"{slug(repository)}-{pooling}"
        weights = find_local_weights(repository)
        if weights is None:
            kept = _newest(base)
            if kept is not None:
                return kept
            weights = find_weights(repository)
        place = base / f"{slug(weights.revision)}-v{CONVERTER_VERSION}"
        subject = Subject(repository, weights.folder)

        def build(folder: Path) -> None:
            run_converter("convert_text", [str(weights.folder), pooling, str(folder)], subject)

        return build_once(place, read_converted, build, subject)


def read_converted(folder: Path) -> ConvertedModel | None:
    """The model in the folder; None where there is none, or its files are not all there."""
    try:
        facts = json.loads((folder / _FACTS).read_text(encoding="utf-8"))
        model = ConvertedModel(
            folder,
            int(facts["dimensions"]),
            int(facts["max_tokens"]),
            bool(facts["strips_text"]),
            float(facts["cosine"]),
        )
        files = ((model.graph_path, "graph_bytes"), (model.tokenizer_path, "tokenizer_bytes"))
        is_complete = all(path.stat().st_size == facts[size] for path, size in files)
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return model if is_complete else None


def _newest(base: Path) -> ConvertedModel | None:
    folders = sorted(base.glob(f"*-v{CONVERTER_VERSION}"), key=lambda path: path.stat().st_mtime, reverse=True)
    return next((model for model in map(read_converted, folders) if model is not None), None)
