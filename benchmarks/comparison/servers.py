"""The servers that some contestants run before the cluster."""

from __future__ import annotations

from pathlib import Path

from benchmarks.comparison.entries import Entry
from benchmarks.comparison.environments import FOLDER
from benchmarks.corpus import MODEL
from benchmarks.server import Server, ServerProcess, free_port


def start(entry: Entry, python: Path, model: Path, cluster_url: str, batch: int | None) -> ServerProcess | None:
    """The entry's server with the model of a folder, started and not yet waited for; None where it has none.

    ``batch`` is Infinity's ``--batch-size``, None for its default; the sidecar knows its model by name, and chooses its
    batches itself.
    """
    if entry.server == "sidecar":
        return Server(cluster_url)
    if entry.server == "infinity":
        return _infinity(entry, python, model, batch)
    return None


def _infinity(entry: Entry, python: Path, model: Path, batch: int | None) -> ServerProcess:
    port = free_port()
    # Started in the model's folder: the engine ``optimum`` finds an ONNX file in no folder but its own.
    command = [
        *(str(python.parent / "infinity_emb"), "v2", "--model-id", ".", "--served-model-name", MODEL),
        *("--engine", entry.engine or "torch", "--device", "cpu", "--dtype", "float32", "--pooling-method", "mean"),
        *("--host", "127.0.0.1", "--port", str(port), "--log-level", "error"),
        *(("--batch-size", str(batch)) if batch is not None else ()),
    ]
    # It keeps models that it has optimised in the hub's cache, by the name of their folder.
    own = {"INFINITY_ANONYMOUS_USAGE_STATS": "0", "HF_HUB_OFFLINE": "1", "HF_HOME": str(FOLDER / "infinity-hub")}
    return ServerProcess(command, own, f"http://127.0.0.1:{port}", ready_path="/health", folder=model)
