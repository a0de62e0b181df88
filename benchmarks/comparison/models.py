"""The real all-MiniLM-L6-v2 as contestants load it: a folder of sentence-transformers, and ONNX."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from benchmarks.comparison.environments import FOLDER
from benchmarks.corpus import MODEL
from sidecar.embedding.model_table import ModelTable
from sidecar.embedding.weights import find_weights


def model_folder() -> Path:
    """Where the weights lie, as they were published."""
    return find_weights(ModelTable().resolve(MODEL).repository).folder


def onnx_folder(python: Path) -> Path:
    """The same folder with ``model.onnx`` in it: made, once, by the command of optimum in that environment.

    Raises: RuntimeError with what the command said.
    """
    folder = FOLDER / "all-MiniLM-L6-v2-onnx"
    if (folder / "model.onnx").is_file():
        return folder
    shutil.copytree(model_folder(), folder, dirs_exist_ok=True)
    command = [str(python.parent / "optimum-cli"), "export", "onnx", "--model", str(model_folder())]
    options = ["--task", "feature-extraction", "--library", "transformers", str(folder)]
    environment = os.environ | {"HF_HUB_OFFLINE": "1"}
    done = subprocess.run([*command, *options], env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"optimum-cli export onnx ended with {done.returncode}: {done.stderr[-2000:]}")
    return folder
