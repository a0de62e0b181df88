"""Keeps CLIP models converted to ONNX in a cache folder; each is converted once for each precision."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from sidecar.embedding.clip_tokenizer import TokenizerFacts
from sidecar.embedding.clip_weights import ClipSource, overrides, revision
from sidecar.embedding.conversion_run import Subject, build_once, run_converter, slug
from sidecar.embedding.image_preprocessing import ImageSteps
from sidecar.embedding.model_spec import Precision
from sidecar.embedding.precision_files import graph_files

CONVERTER_VERSION = 1
"""Raise it when the converter writes other graphs: models converted before are then converted again."""
FAITHFUL_COSINES: dict[Precision, float] = {"float32": 0.9999, "float16": 0.999}
"""Least cosine to torch's vectors of a conversion that may stand for the model. Of int8 the converter itself judges, by
what a search finds."""
FACTS_FILE = "facts.json"


@dataclass(frozen=True, slots=True)
class ConvertedClip:
    """A converted CLIP model on disk.

    ``image_cosine`` and ``text_cosine`` are the least cosines over the probes to the vectors of torch; those of the
    other forms to the vectors of the float32 form. ``image_tokens`` is what a picture costs, in patches. Texts may be
    as short as their tokens where ``has_short_texts``, else all are filled up to the model's length.
    """

    folder: Path
    dimensions: int
    steps: ImageSteps
    tokenizer: TokenizerFacts
    image_tokens: int
    has_short_texts: bool
    precision: Precision
    image_cosine: float
    text_cosine: float

    @property
    def image_path(self) -> Path:
        return image_graph(self.folder)

    @property
    def text_path(self) -> Path:
        return text_graph(self.folder)

    @property
    def tokenizer_path(self) -> Path:
        return self.folder / "tokenizer.json"

    @property
    def cosine(self) -> float:
        """The lesser of the two towers' cosines."""
        return min(self.image_cosine, self.text_cosine)

    @property
    def is_faithful(self) -> bool:
        """True where both graphs give torch's vectors for every probe, as near as the precision allows."""
        return self.cosine >= FAITHFUL_COSINES.get(self.precision, -1.0)


def image_graph(folder: Path) -> Path:
    """The graph of the image tower in the folder."""
    return folder / "image" / "model.onnx"


def text_graph(folder: Path) -> Path:
    """The graph of the text tower in the folder."""
    return folder / "text" / "model.onnx"


def convert_clip(source: ClipSource, precision: Precision, cache: Path) -> ConvertedClip:
    """The converted form of the model, converting it now when it is not in the folder ``cache``.

    Other precisions are made of the float32 form, which stays in the cache.
    Raises: ModelLoadError when the weights can't be had or are corrupt; ConversionFailed when they can't be
    converted. Nothing is left behind.
    """
    base = cache / f"clip-{slug(source.place)}"
    subject = Subject(source.repository or source.path, source.place)
    weights = revision(source)
    if weights is None:
        kept = _newest(base, source, precision)
        if kept is not None:
            return kept
        # The converter finds out why, and says so.
        weights = f"unknown-{overrides(source)}"
    return (
        _float32(source, base / _folder_name(weights, "float32"), subject)
        if precision == "float32"
        else _derived(source, precision, base, weights, subject)
    )


def _float32(source: ClipSource, place: Path, subject: Subject) -> ConvertedClip:
    def build(folder: Path) -> None:
        from huggingface_hub import constants

        network = "offline" if constants.HF_HUB_OFFLINE else "online"
        run_converter("convert_clip", ["float32", source.as_json(), str(folder), network], subject)

    return build_once(place, read_converted_clip, build, subject)


def _derived(source: ClipSource, precision: Precision, base: Path, weights: str, subject: Subject) -> ConvertedClip:
    place = base / _folder_name(weights, precision)
    kept = read_converted_clip(place)
    if kept is not None:
        return kept
    # Before the folder is locked for the derived form: it is locked for this one too.
    whole = _float32(source, base / _folder_name(weights, "float32"), subject)

    def build(folder: Path) -> None:
        run_converter("convert_clip", [precision, str(whole.folder), str(folder), "offline"], subject)

    return build_once(place, read_converted_clip, build, subject)


def read_converted_clip(folder: Path) -> ConvertedClip | None:
    """The model in the folder; None where there is none, or its files are not all there."""
    try:
        facts = json.loads((folder / FACTS_FILE).read_text(encoding="utf-8"))
        model = ConvertedClip(
            folder=folder,
            dimensions=int(facts["dimensions"]),
            steps=ImageSteps.from_facts(facts["steps"]),
            tokenizer=TokenizerFacts.from_facts(facts["tokenizer"]),
            image_tokens=int(facts["image_tokens"]),
            has_short_texts=bool(facts["has_short_texts"]),
            precision=facts["precision"],
            image_cosine=float(facts["image_cosine"]),
            text_cosine=float(facts["text_cosine"]),
        )
        is_complete = facts["sizes"] == file_sizes(folder)
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return model if is_complete else None


def file_sizes(folder: Path) -> dict[str, int]:
    """Name in the folder -> bytes, of each file that makes the model. Raises: OSError where one is missing."""
    files = [*graph_files(image_graph(folder)), *graph_files(text_graph(folder)), folder / "tokenizer.json"]
    return {file.relative_to(folder).as_posix(): file.stat().st_size for file in files}


def _folder_name(weights: str, precision: Precision) -> str:
    return f"{weights}-{precision}-v{CONVERTER_VERSION}"


def _newest(base: Path, source: ClipSource, precision: Precision) -> ConvertedClip | None:
    pattern = _folder_name(f"*-{overrides(source)}", precision)
    folders = sorted(base.glob(pattern), key=lambda path: path.stat().st_mtime, reverse=True)
    return next((model for model in map(read_converted_clip, folders) if model is not None), None)
