"""Keeps text models converted to ONNX in a cache folder; each is converted once, in a process of its own.

A child process converts, so that a server never has torch in its memory for it. The result is built in a folder
beside its place and renamed there: a conversion that is killed leaves nothing that could be taken for a model.
"""

from __future__ import annotations

import json
import logging
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from sidecar.embedding.weights import Weights, find_local_weights, find_weights
from sidecar.errors import ConversionFailed, ModelLoadError

logger = logging.getLogger(__name__)

CONVERTER_VERSION = 1
"""Raise it when the converter writes other graphs: models converted before are then converted again."""
FAITHFUL_COSINE = 0.9999
CONVERSION_TIMEOUT_SECONDS = 3600.0
UNREADABLE_STATUS = 3
"""Exit status of the converter when the model's own files are missing or corrupt."""
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
        self._folder = folder

    def get(self, repository: str, pooling: str) -> ConvertedModel:
        """The converted form of the repository's model, converting it now when it is not there.

        ``pooling`` is ``sbert`` (as the repository's sentence-transformers files say) or ``mean``.
        Raises: ModelLoadError when the weights can't be had or are corrupt; ConversionFailed when they can't be
        converted. Nothing is left behind.
        """
        base = self._folder / f"{_slug(repository)}-{pooling}"
        weights = find_local_weights(repository)
        if weights is None:
            kept = _newest(base)
            if kept is not None:
                return kept
            weights = find_weights(repository)
        place = base / f"{_slug(weights.revision)}-v{CONVERTER_VERSION}"
        found = read_converted(place)
        if found is not None:
            return found
        try:
            with _locked(base):
                return read_converted(place) or _convert(weights, pooling, place, repository)
        except OSError as error:
            raise ModelLoadError(
                f"the converted form of model {repository!r} can't be kept in {base}: {error}. Make room there, or "
                "name another folder by SIDECAR_HOME"
            ) from error


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


def _convert(weights: Weights, pooling: str, place: Path, repository: str) -> ConvertedModel:
    logger.info("converting model to ONNX repository=%s pooling=%s", repository, pooling)
    started = time.monotonic()
    temporary = Path(tempfile.mkdtemp(prefix=".converting-", dir=place.parent))
    try:
        _run_converter(weights.folder, pooling, temporary, repository)
        if place.exists():
            shutil.rmtree(place)
        temporary.rename(place)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    model = read_converted(place)
    if model is None:
        raise ModelLoadError(f"the conversion of model {repository!r} to ONNX left no usable files in {place}")
    logger.info(
        "converted model repository=%s seconds=%.1f cosine=%.6f",
        repository,
        time.monotonic() - started,
        model.cosine,
    )
    return model


def _run_converter(source: Path, pooling: str, target: Path, repository: str) -> None:
    command = [sys.executable, "-m", "sidecar.embedding.convert_text", str(source), pooling, str(target)]
    environment = os.environ | {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            env=environment,
            timeout=CONVERSION_TIMEOUT_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ModelLoadError(f"the conversion of model {repository!r} took over an hour and was ended") from error
    if done.returncode != 0:
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        reason = lines[-1] if lines else f"exit status {done.returncode}"
        if done.returncode == UNREADABLE_STATUS:
            raise ModelLoadError(f"the files of model {repository!r} in {source} can't be loaded: {reason}")
        raise ConversionFailed(f"model {repository!r} in {source} can't be converted to ONNX: {reason}")


@contextmanager
def _locked(base: Path) -> Iterator[None]:
    base.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(base / ".lock", timeout=CONVERSION_TIMEOUT_SECONDS):
            for left in base.glob(".converting-*"):
                shutil.rmtree(left, ignore_errors=True)
            yield
    except Timeout as error:
        raise ModelLoadError(f"another process has been converting the model in {base} for over an hour") from error


def _slug(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "--", text)
