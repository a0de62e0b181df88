"""The servers that some contestants run before the cluster."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from benchmarks.comparison.entries import Entry
from benchmarks.comparison.environments import FOLDER
from benchmarks.corpus import MODEL
from benchmarks.server import Server, ServerProcess, free_port
from sidecar.embedding.model_table import ModelTable
from sidecar.embedding.weights import find_weights

MODEL_NAME = MODEL


def model_folder() -> Path:
    """Where the real weights lie, as sentence-transformers saved them."""
    return find_weights(ModelTable().resolve(MODEL).repository).folder


def start(entry: Entry, python: Path, cluster_url: str, batch: int | None) -> ServerProcess | None:
    """The entry's server, started and not yet waited for; None where it has none.

    ``batch`` is Infinity's ``--batch-size``, None for its default; the sidecar chooses its batches itself.
    """
    if entry.server == "sidecar":
        return Server(cluster_url)
    if entry.server == "infinity":
        return _infinity(entry, python, batch)
    return None


def _infinity(entry: Entry, python: Path, batch: int | None) -> ServerProcess:
    port = free_port()
    folder = model_folder() if entry.engine == "torch" else _onnx_folder(python)
    command = [
        *(str(python.parent / "infinity_emb"), "v2", "--model-id", str(folder), "--served-model-name", MODEL_NAME),
        *("--engine", entry.engine, "--device", "cpu", "--dtype", "float32", "--pooling-method", "mean"),
        *("--host", "127.0.0.1", "--port", str(port), "--log-level", "error"),
        *(("--batch-size", str(batch)) if batch is not None else ()),
    ]
    environment = {"DO_NOT_TRACK": "1", "INFINITY_ANONYMOUS_USAGE_STATS": "0", "HF_HUB_OFFLINE": "1"}
    return ServerProcess(command, environment, f"http://127.0.0.1:{port}", "/health")


def _onnx_folder(python: Path) -> Path:
    """The model as Infinity's engine ``optimum`` wants it: converted, once, by the command of optimum."""
    folder = FOLDER / "infinity-onnx"
    if not (folder / "model.onnx").is_file():
        command = [str(python.parent / "optimum-cli"), "export", "onnx", "--model", str(model_folder())]
        options = ["--task", "feature-extraction", "--library", "transformers", str(folder)]
        done = subprocess.run(
            [*command, *options], env=os.environ | {"HF_HUB_OFFLINE": "1"}, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise RuntimeError(f"optimum-cli export onnx ended with {done.returncode}: {done.stderr[-2000:]}")
    return folder
