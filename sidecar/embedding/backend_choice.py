"""Which of ONNX Runtime and OpenVINO runs a converted text model faster here: measured once, and remembered.

What was found lies beside the model, under the processor's name, the versions of both libraries and that of the rule:
another machine that shares the folder, or an upgrade, measures anew.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import logging
import statistics
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Literal

from sidecar.embedding.calibration_texts import calibration_texts
from sidecar.embedding.conversion import FAITHFUL_COSINE, ConvertedModel
from sidecar.embedding.loader import Embeddings, Loader, Prepared, batch_length
from sidecar.embedding.precision_check import kept_neighbours, least_cosine
from sidecar.embedding.processors import available_processors, processor_name
from sidecar.whole_file import write_whole

logger = logging.getLogger(__name__)

GraphBackend = Literal["onnx", "openvino"]
CHOICES = "backends.json"
LEAST_GAIN = 1.2
"""OpenVINO is taken where it is this many times as fast in batches: it takes 100 MB more of memory for a small model,
and more with every shape of batch, which is not worth a difference that the next run may not show."""
LEAST_LONE_GAIN = 0.95
"""And where it is not slower with one query; the rest is noise."""
LEAST_NEIGHBOURS = 0.95
"""What OpenVINO's int8 vectors keep of the ten nearest by ONNX Runtime's: in int8 a rounding that falls the other way
is a whole level, so that cosines say little."""
_RULE = 2
"""Goes up with each change of the rule, so that nobody is left with what an older one chose."""
_TEXTS = 64
_LONE_TEXTS = 8
_LONE_CHARACTERS = 48
_ROUNDS = 5
_LONGEST_SECONDS = 20.0


def fastest_backend(model: ConvertedModel, max_tokens: int) -> GraphBackend:
    """The backend for the model on this machine; measures for some seconds where that is not known yet."""
    if importlib.util.find_spec("openvino") is None:
        return "onnx"
    path, key = model.folder / CHOICES, _key()
    known = _read(path)
    if known.get(key) in ("onnx", "openvino"):
        return "openvino" if known[key] == "openvino" else "onnx"
    chosen = _measure(model, max_tokens)
    _write(path, known | {key: chosen})
    return chosen


def _key() -> str:
    versions = [f"{name} {importlib.metadata.version(name)}" for name in ("onnxruntime", "openvino")]
    return ", ".join([processor_name(), f"{available_processors()} processors", *versions, f"rule {_RULE}"])


def _measure(model: ConvertedModel, max_tokens: int) -> GraphBackend:
    from sidecar.embedding.loaders.onnx_text import OnnxTextLoader
    from sidecar.embedding.loaders.openvino_text import OpenVinoTextLoader

    texts = calibration_texts(_TEXTS)
    loaders: dict[GraphBackend, Loader] = {"onnx": OnnxTextLoader(model, max_tokens, model.dimensions)}
    try:
        loaders["openvino"] = OpenVinoTextLoader(model, max_tokens, model.dimensions)
        agrees = _agrees(model, *(loader.encode_text(texts) for loader in loaders.values()))
    except Exception as error:
        logger.warning("OpenVINO can't run the model folder=%s reason=%s", model.folder, error)
        return "onnx"
    if not agrees:
        logger.info("running in ONNX Runtime: OpenVINO gives other vectors folder=%s", model.folder)
        return "onnx"
    batches, lone = _seconds(loaders, texts), _lone_seconds(loaders, texts)
    gains = [taken["onnx"] / taken["openvino"] for taken in (batches, lone)]
    chosen: GraphBackend = "openvino" if gains[0] >= LEAST_GAIN and gains[1] >= LEAST_LONE_GAIN else "onnx"
    logger.info(
        "measured backends chosen=%s openvino_gain_in_batches=%.2f openvino_gain_alone=%.2f folder=%s",
        *(chosen, *gains, model.folder),
    )
    return chosen


def _agrees(model: ConvertedModel, wanted: Embeddings, found: Embeddings) -> bool:
    if model.precision == "int8":
        return kept_neighbours(wanted, found) >= LEAST_NEIGHBOURS
    return least_cosine(wanted, found) >= FAITHFUL_COSINE


def _seconds(loaders: dict[GraphBackend, Loader], texts: Sequence[str]) -> dict[GraphBackend, float]:
    """The least time that each takes for the texts on all processors, in turns, since a machine is never quiet."""
    batches = {name: _batches(loader.prepare_text(texts)) for name, loader in loaders.items()}
    taken: dict[GraphBackend, float] = dict.fromkeys(loaders, float("inf"))
    begun = time.monotonic()
    with ThreadPoolExecutor(available_processors()) as pool:
        for number in range(_ROUNDS):
            for name, loader in loaders.items():
                started = time.perf_counter()
                list(pool.map(loader.run_text, batches[name]))
                # The first round prepares kernels for the batches' shapes.
                taken[name] = min(taken[name], time.perf_counter() - started) if number else float("inf")
            if number and time.monotonic() - begun > _LONGEST_SECONDS:
                break
    return taken


def _lone_seconds(loaders: dict[GraphBackend, Loader], texts: Sequence[str]) -> dict[GraphBackend, float]:
    """The median time that each takes for a text of a query's length alone, in turns."""
    taken: dict[GraphBackend, list[float]] = {name: [] for name in loaders}
    begun = time.monotonic()
    for number in range(_ROUNDS):
        for name, loader in loaders.items():
            for text in loader.prepare_text([text[:_LONE_CHARACTERS] for text in texts[:_LONE_TEXTS]]):
                started = time.perf_counter()
                loader.run_text([text])
                taken[name].append(time.perf_counter() - started)
        if number and time.monotonic() - begun > _LONGEST_SECONDS:
            break
    return {name: statistics.median(seconds) for name, seconds in taken.items()}


def _batches(prepared: list[Prepared]) -> list[list[Prepared]]:
    waiting, batches = sorted(prepared, key=lambda text: text.tokens), []
    while waiting:
        size = batch_length([text.tokens for text in waiting])
        batches.append(waiting[-size:])
        del waiting[-size:]
    return batches


def _read(path: Path) -> dict[str, str]:
    try:
        known = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


def _write(path: Path, known: dict[str, str]) -> None:
    try:
        write_whole(path, json.dumps(known, indent=1).encode())
    except OSError as error:
        logger.warning("the choice of a backend can't be kept, and is measured again next time reason=%s", error)
