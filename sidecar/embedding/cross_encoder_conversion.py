"""Keeps cross-encoders converted to ONNX in a cache folder; each is converted once."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from sidecar.embedding.conversion import FACTS, ConvertedFiles
from sidecar.embedding.conversion_run import Subject, build_once, run_converter, slug
from sidecar.embedding.precision_files import graph_bytes
from sidecar.embedding.weights import find_local_weights, find_weights

CONVERTER_VERSION = 1
"""Raise it when the converter writes other graphs: models converted before are then converted again."""
FAITHFUL_DIFFERENCE = 2e-4
"""Largest difference of a converted model's results to torch's, before the sigmoid: scores differ by a quarter of it at
most."""


@dataclass(frozen=True, slots=True)
class ConvertedCrossEncoder(ConvertedFiles):
    """A converted cross-encoder on disk.

    ``difference`` is the largest to torch's results over the probes, before the sigmoid. ``memory_bytes`` is what its
    weights take when they are loaded.
    """

    max_tokens: int
    difference: float
    memory_bytes: int

    @property
    def is_faithful(self) -> bool:
        """True where the graph gives torch's scores for every probe."""
        return self.difference <= FAITHFUL_DIFFERENCE


def convert_cross_encoder(repository: str, cache: Path, *, token: str | None = None) -> ConvertedCrossEncoder:
    """The converted form of the repository's model, converting it now when it is not in the folder ``cache``.

    ``token`` is the hub's, for a private repository; None is that of the machine, if any.
    Raises: ModelLoadError when the weights can't be had or are corrupt; ConversionFailed when they can't be
    converted. Nothing is left behind.
    """
    base = cache / f"cross-encoder-{slug(repository)}"
    weights = find_local_weights(repository)
    if weights is None:
        kept = _newest(base)
        if kept is not None:
            return kept
        weights = find_weights(repository, token=token)
    subject = Subject(repository, weights.folder)
    source = weights.folder

    def build(folder: Path) -> None:
        run_converter("convert_cross_encoder", [str(source), str(folder)], subject)

    place = base / f"{slug(weights.revision)}-v{CONVERTER_VERSION}"
    return build_once(place, read_converted_cross_encoder, build, subject)


def read_converted_cross_encoder(folder: Path) -> ConvertedCrossEncoder | None:
    """The model in the folder; None where there is none, or its files are not all there."""
    try:
        facts = json.loads((folder / FACTS).read_text(encoding="utf-8"))
        size = int(facts["graph_bytes"])
        model = ConvertedCrossEncoder(folder, int(facts["max_tokens"]), float(facts["difference"]), size)
        is_complete = (
            graph_bytes(model.graph_path) == size and model.tokenizer_path.stat().st_size == facts["tokenizer_bytes"]
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return model if is_complete else None


def _newest(base: Path) -> ConvertedCrossEncoder | None:
    folders = sorted(base.glob(f"*-v{CONVERTER_VERSION}"), key=lambda path: path.stat().st_mtime, reverse=True)
    return next((model for model in map(read_converted_cross_encoder, folders) if model is not None), None)
