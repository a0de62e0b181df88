"""OpenVINO beside ONNX Runtime: the same vectors, and which of the two is taken."""

from __future__ import annotations

import importlib.util
import json
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sidecar.embedding import backend_choice
from sidecar.embedding.conversion import ConversionCache, ConvertedModel, read_converted
from sidecar.embedding.load import Backend, ModelLoading
from sidecar.embedding.loader import Embeddings, Loader
from sidecar.embedding.model_spec import ModelSpec, Precision
from sidecar.embedding.precision_check import kept_neighbours, least_cosine
from sidecar.embedding.processors import available_processors
from sidecar.errors import ModelLoadError
from tests.contracts import LoaderContract
from tests.fix_models import quiet

LEAST_KEPT = 0.9
"""What OpenVINO's int8 keeps of float32's ten nearest; measured 0.956."""
needs_openvino = pytest.mark.skipif(importlib.util.find_spec("openvino") is None, reason="openvino is not installed")


def load(cache: ConversionCache, spec: ModelSpec, precision: Precision, backend: Backend) -> Loader:
    with quiet():
        return ModelLoading(cache, backend).load(replace(spec, precision=precision))


def copied(model: ConvertedModel, folder: Path) -> ConvertedModel:
    shutil.copytree(model.folder, folder)
    (folder / backend_choice.CHOICES).unlink(missing_ok=True)
    found = read_converted(folder)
    assert found is not None
    return found


@needs_openvino
class TestOpenVinoTextLoader(LoaderContract):
    @pytest.fixture(scope="class")
    def loader(self, cache: ConversionCache, spec: ModelSpec) -> Loader:
        return load(cache, spec, "float32", "openvino")


@needs_openvino
@pytest.mark.parametrize("precision", ["float32", "float16"])
def test_openvino_gives_onnx_runtimes_vectors(
    precision: Precision, cache: ConversionCache, spec: ModelSpec, texts: list[str], wanted: Embeddings
) -> None:
    loader = load(cache, spec, precision, "openvino")
    assert loader.backend == "openvino"
    least = 0.9999 if precision == "float32" else 0.999
    assert least_cosine(loader.encode_text(texts), wanted) >= least
    assert least_cosine(loader.encode_text(texts[:1]), wanted[:1]) >= least


@needs_openvino
def test_openvinos_int8_keeps_float32s_nearest_neighbours(
    cache: ConversionCache, spec: ModelSpec, texts: list[str], wanted: Embeddings
) -> None:
    assert kept_neighbours(wanted, load(cache, spec, "int8", "openvino").encode_text(texts)) >= LEAST_KEPT


@needs_openvino
def test_openvino_serves_more_threads_than_it_has_streams(
    cache: ConversionCache, spec: ModelSpec, texts: list[str], wanted: Embeddings
) -> None:
    loader = load(cache, spec, "float32", "openvino")
    parts = [slice(start, start + 8) for start in range(0, 96, 8)]
    with ThreadPoolExecutor(3 * available_processors()) as pool:
        found = list(pool.map(lambda part: loader.encode_text(texts[part]), parts))
    assert least_cosine(np.concatenate(found), wanted[:96]) >= 0.9999


@needs_openvino
def test_the_backend_is_measured_once_for_each_machine(
    cache: ConversionCache, spec: ModelSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = copied(cache.get(spec.repository, "sbert"), tmp_path / "model")
    chosen = backend_choice.fastest_backend(model, 64)
    assert list(json.loads((tmp_path / "model" / backend_choice.CHOICES).read_text()).values()) == [chosen]

    def refuse(*_: object) -> None:
        raise AssertionError("measured again")

    with monkeypatch.context() as patched:
        patched.setattr(backend_choice, "_measure", refuse)
        assert backend_choice.fastest_backend(model, 64) == chosen
    monkeypatch.setattr(backend_choice, "processor_name", lambda: "another processor")
    monkeypatch.setattr(backend_choice, "_measure", lambda *_: "openvino")
    assert backend_choice.fastest_backend(model, 64) == "openvino"
    assert len(json.loads((tmp_path / "model" / backend_choice.CHOICES).read_text())) == 2


@needs_openvino
@pytest.mark.parametrize(
    ("in_batches", "alone", "chosen"),
    [(2.0, 1.0, "openvino"), (1.1, 2.0, "onnx"), (2.0, 0.8, "onnx"), (0.5, 0.5, "onnx")],
)
def test_openvino_is_taken_where_it_is_clearly_faster_in_batches_and_not_slower_with_one_query(
    in_batches: float,
    alone: float,
    chosen: str,
    cache: ConversionCache,
    spec: ModelSpec,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(backend_choice, "_seconds", lambda *_: {"onnx": in_batches, "openvino": 1.0})
    monkeypatch.setattr(backend_choice, "_lone_seconds", lambda *_: {"onnx": alone, "openvino": 1.0})
    assert backend_choice._measure(cache.get(spec.repository, "sbert"), 64) == chosen


@needs_openvino
def test_what_an_older_rule_chose_is_measured_anew(
    cache: ConversionCache, spec: ModelSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = copied(cache.get(spec.repository, "sbert"), tmp_path / "model")
    monkeypatch.setattr(backend_choice, "_measure", lambda *_: "openvino")
    assert backend_choice.fastest_backend(model, 64) == "openvino"
    monkeypatch.setattr(backend_choice, "_measure", lambda *_: "onnx")
    monkeypatch.setattr(backend_choice, "_RULE", backend_choice._RULE + 1)
    assert backend_choice.fastest_backend(model, 64) == "onnx"


@needs_openvino
def test_openvino_is_not_taken_where_it_gives_other_vectors(
    cache: ConversionCache, spec: ModelSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sidecar.embedding.loaders.openvino_text import OpenVinoTextLoader

    exact = OpenVinoTextLoader.encode_text
    monkeypatch.setattr(OpenVinoTextLoader, "encode_text", lambda self, texts: exact(self, texts) + 0.001)
    for name in ("_seconds", "_lone_seconds"):
        monkeypatch.setattr(backend_choice, name, lambda *_: {"onnx": 2.0, "openvino": 1.0})
    assert backend_choice._measure(cache.get(spec.repository, "sbert"), 64) == "onnx"


def test_without_openvino_auto_is_onnx_runtime_and_asking_for_it_says_how_to_install_it(
    cache: ConversionCache, spec: ModelSpec, monkeypatch: pytest.MonkeyPatch, load_by_name: Callable[[str], Loader]
) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "openvino" else find(name))
    assert load(cache, spec, "float32", "auto").backend == "onnx"
    with pytest.raises(ModelLoadError, match=r"openvino, which is not installed. Install it by .*\[openvino\]"):
        load(cache, spec, "float32", "openvino")
