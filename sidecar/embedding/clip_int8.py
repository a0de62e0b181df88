"""Makes the int8 form of a converted CLIP model, calibrated on real texts and photographs; torch is not needed."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sidecar.embedding.calibration_pictures import calibration_pictures
from sidecar.embedding.calibration_ranges import measure_ranges
from sidecar.embedding.calibration_texts import calibration_texts
from sidecar.embedding.clip_conversion import (
    FACTS_FILE,
    ConvertedClip,
    file_sizes,
    image_graph,
    read_converted_clip,
    text_graph,
)
from sidecar.embedding.clip_tokenizer import ClipTokenizer
from sidecar.embedding.image_preprocessing import ImagePreprocessing
from sidecar.embedding.loaders.onnx_clip import OnnxClipLoader
from sidecar.embedding.precision_check import kept_neighbours, least_cosine
from sidecar.embedding.precision_float16 import store_as_float16
from sidecar.embedding.quantize_graph import quantize_graph

TEXTS = 120
"""Half of them calibrate the text tower, and all check it; all pictures do both for the image tower."""
LEAST_NEIGHBOURS = 0.75
"""What loses more than a quarter of the ten nearest of so few inputs is broken."""

Feed = dict[str, NDArray[Any]]


def convert_to_int8(source: Path, target: Path) -> None:
    """Write the model of the folder ``source`` to ``target``, an existing empty folder.

    Raises: ValueError where there is no model in ``source``, or its int8 form is too far from it.
    """
    model = _read(source)
    texts = calibration_texts(TEXTS)
    for graph, feeds in ((image_graph, _images(model)), (text_graph, _texts(model, texts[::2]))):
        graph(target).parent.mkdir()
        ranges = measure_ranges(graph(source), feeds, target)
        quantize_graph(graph(source), graph(target), ranges)
        store_as_float16(graph(target), graph(target))
    shutil.copy(model.tokenizer_path, target)
    facts = json.loads((source / FACTS_FILE).read_text(encoding="utf-8"))
    facts |= {"precision": "int8", "sizes": file_sizes(target)}
    (target / FACTS_FILE).write_text(json.dumps(facts), encoding="utf-8")
    facts |= _compare(model, _read(target), texts)
    (target / FACTS_FILE).write_text(json.dumps(facts, indent=1), encoding="utf-8")


def _read(folder: Path) -> ConvertedClip:
    model = read_converted_clip(folder)
    if model is None:
        raise ValueError(f"the model in {folder} is not complete")
    return model


def _images(model: ConvertedClip) -> Iterator[Feed]:
    preprocessing = ImagePreprocessing(model.steps)
    for picture in calibration_pictures():
        yield {"input": preprocessing.normalize([preprocessing.prepare(picture)])}


def _texts(model: ConvertedClip, texts: list[str]) -> Iterator[Feed]:
    tokenizer = ClipTokenizer(model.tokenizer_path, model.tokenizer, model.tokenizer.context_length)
    for ids in tokenizer.encode(texts):
        length = len(ids) if model.has_short_texts else model.tokenizer.context_length
        padded = np.full((1, length), model.tokenizer.pad_id, dtype=np.int64)
        padded[0, : len(ids)] = ids
        yield {"input": padded}


def _compare(whole: ConvertedClip, small: ConvertedClip, texts: list[str]) -> dict[str, float]:
    """The least cosines of both towers, once it is plain that searches find what they found."""
    loaders = [OnnxClipLoader(model, model.tokenizer.context_length, model.dimensions) for model in (whole, small)]
    pictures = calibration_pictures()
    images, own_images = (loader.encode_image(pictures) for loader in loaders)
    words, own_words = (loader.encode_text(texts) for loader in loaders)
    for what, wanted, found in (("pictures", images, own_images), ("texts", words, own_words)):
        kept = kept_neighbours(wanted, found)
        if kept < LEAST_NEIGHBOURS:
            raise ValueError(
                f"its int8 form finds {kept:.0%} of the ten nearest {what} that float32 finds, under "
                f"{LEAST_NEIGHBOURS:.0%}; use float16 or float32"
            )
    return {"image_cosine": least_cosine(images, own_images), "text_cosine": least_cosine(words, own_words)}
