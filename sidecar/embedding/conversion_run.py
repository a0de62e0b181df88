"""Converts models in processes of their own, once each, and keeps the results in folders.

A child process converts, so that a server never has torch in its memory for it. The result is built in a folder
beside its place and renamed there: a conversion that is killed leaves nothing that could be taken for a model.
"""

from __future__ import annotations

import logging
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from filelock import FileLock, Timeout

from sidecar.errors import ConversionFailed, ModelLoadError
from sidecar.observation.request import observed_metrics

logger = logging.getLogger(__name__)

CONVERSION_TIMEOUT_SECONDS = 3600.0
UNREADABLE_STATUS = 3
"""Exit status of a converter when the model's own files are missing or corrupt."""

Converted = TypeVar("Converted")


@dataclass(frozen=True, slots=True)
class Subject:
    """What is converted, as messages name it: the model, and the place of its files."""

    model: str
    source: Path | str


def build_once(
    place: Path, read: Callable[[Path], Converted | None], build: Callable[[Path], None], subject: Subject
) -> Converted:
    """What ``read`` finds in the folder ``place``; where it finds nothing, ``build`` fills a new folder first.

    Of processes that want the same place at once, one builds and the others wait for it.
    Raises: ModelLoadError where there is no room, or ``build`` left nothing to read; and what ``build`` raises.
    """
    found = read(place)
    if found is not None:
        return found
    try:
        with _locked(place.parent):
            return read(place) or _build(place, read, build, subject)
    except OSError as error:
        raise ModelLoadError(
            f"the converted form of model {subject.model!r} can't be kept in {place.parent}: {error}. Make room there, "
            "or name another folder by SIDECAR_HOME"
        ) from error


def run_converter(module: str, arguments: Sequence[str], subject: Subject) -> None:
    """Run ``python -m sidecar.embedding.MODULE`` with these arguments to its end; the module's ``main`` takes them.

    Raises: ModelLoadError where the model's files can't be read, ConversionFailed where they can't be converted.
    """
    status, told = run_child(module, arguments, subject)
    if status == 0:
        return
    lines = [line for line in told.splitlines() if line.strip()]
    reason = lines[-1] if lines else f"exit status {status}"
    if status == UNREADABLE_STATUS:
        raise ModelLoadError(f"the files of model {subject.model!r} in {subject.source} can't be loaded: {reason}")
    raise ConversionFailed(f"model {subject.model!r} in {subject.source} can't be converted to ONNX: {reason}")


def run_child(module: str, arguments: Sequence[str], subject: Subject) -> tuple[int, str]:
    """The exit status of the converter, and what it wrote to its standard error. Raises: ModelLoadError."""
    environment = os.environ | {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
    try:
        done = subprocess.run(
            [sys.executable, "-m", f"sidecar.embedding.{module}", *arguments],
            capture_output=True,
            text=True,
            env=environment,
            timeout=CONVERSION_TIMEOUT_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ModelLoadError(f"the conversion of model {subject.model!r} took over an hour and was ended") from error
    return done.returncode, done.stderr


def slug(text: str) -> str:
    """The text as part of a file's name."""
    return re.sub(r"[^A-Za-z0-9._-]+", "--", text)


def _build(
    place: Path, read: Callable[[Path], Converted | None], build: Callable[[Path], None], subject: Subject
) -> Converted:
    logger.info("converting model to ONNX model=%s", subject.model)
    started = time.monotonic()
    temporary = Path(tempfile.mkdtemp(prefix=".converting-", dir=place.parent))
    outcome = "failed"
    try:
        build(temporary)
        outcome = "ok"
        if place.exists():
            shutil.rmtree(place)
        temporary.rename(place)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        _count(outcome, time.monotonic() - started)
    converted = read(place)
    if converted is None:
        raise ModelLoadError(f"the conversion of model {subject.model!r} to ONNX left no usable files in {place}")
    logger.info("converted model model=%s seconds=%.1f", subject.model, time.monotonic() - started)
    return converted


def _count(outcome: str, seconds: float) -> None:
    metrics = observed_metrics()
    if metrics is not None:
        metrics.model_conversions.labels(outcome).observe(seconds)


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
