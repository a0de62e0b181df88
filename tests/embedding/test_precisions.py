"""float16 and int8 of the real all-MiniLM-L6-v2 against its float32, in each backend."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, numpy_helper

from sidecar.embedding import conversion, processors
from sidecar.embedding.calibration_texts import calibration_texts
from sidecar.embedding.conversion import ConversionCache, ConvertedModel, read_converted
from sidecar.embedding.load import Backend, ModelLoading
from sidecar.embedding.loader import Embeddings, Loader
from sidecar.embedding.model_spec import PRECISIONS, ModelSpec, Precision
from sidecar.embedding.model_table import ModelTable
from sidecar.embedding.precision_check import kept_neighbours, least_cosine
from sidecar.embedding.precision_files import graph_bytes, graph_files
from sidecar.embedding.precision_float16 import store_as_float16
from sidecar.embedding.precision_variant import convert_precision
from sidecar.embedding.quantize_graph import NARROW_WEIGHT_LEVELS
from sidecar.errors import ConversionFailed, HardwareUnavailable, InvalidArgument
from tests.fix_models import MINILM, quiet

LEAST_KEPT = 0.93
"""What int8 keeps of float32's ten nearest among the texts; measured 0.956."""
LEAST_KEPT_NARROW = 0.90


GET_INT8 = """
import sys
from pathlib import Path
from sidecar.embedding.conversion import ConversionCache
print(ConversionCache(Path(sys.argv[1])).get(sys.argv[2], "sbert", "int8").folder)
"""


def load(cache: ConversionCache, spec: ModelSpec, precision: Precision, backend: Backend = "onnx") -> Loader:
    with quiet():
        return ModelLoading(cache, backend).load(replace(spec, precision=precision))


def copied(model: ConvertedModel, folder: Path) -> ConvertedModel:
    shutil.copytree(model.folder, folder)
    found = read_converted(folder)
    assert found is not None
    return found


def test_float16_gives_float32s_vectors_in_half_the_space(
    cache: ConversionCache, spec: ModelSpec, texts: list[str], wanted: Embeddings
) -> None:
    loader = load(cache, spec, "float16")
    assert loader.backend == "onnx"
    assert least_cosine(loader.encode_text(texts), wanted) >= 0.999
    whole, half = (cache.get(spec.repository, "sbert", precision) for precision in ("float32", "float16"))
    assert graph_bytes(half.graph_path) < 0.51 * graph_bytes(whole.graph_path)
    assert half.memory_bytes == whole.memory_bytes, "in memory the weights are float32 again"


def test_float16_computes_in_float32(cache: ConversionCache, spec: ModelSpec, tmp_path: Path) -> None:
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.optimized_model_filepath = str(tmp_path / "run.onnx")
    ort.InferenceSession(str(cache.get(spec.repository, "sbert", "float16").graph_path), options)
    run = onnx.load(str(tmp_path / "run.onnx"), load_external_data=False).graph
    assert TensorProto.FLOAT16 not in {tensor.data_type for tensor in run.initializer}
    assert not [node for node in run.node if node.op_type == "Cast" and node.input[0].endswith("/float16")]


def test_int8_keeps_float32s_nearest_neighbours(
    cache: ConversionCache, spec: ModelSpec, texts: list[str], wanted: Embeddings
) -> None:
    kept = kept_neighbours(wanted, load(cache, spec, "int8").encode_text(texts))
    assert kept >= (LEAST_KEPT if processors.has_dot_products() else LEAST_KEPT_NARROW)


def test_an_int8_vector_does_not_depend_on_the_batch_it_is_in(
    cache: ConversionCache, spec: ModelSpec, texts: list[str]
) -> None:
    loader = load(cache, spec, "int8")
    prepared = loader.prepare_text([texts[0], *(text * 3 for text in texts[1:8])])
    # Padding adds up in another order, and a rounding may fall the other way; measured scales would cost 0.99.
    assert least_cosine(loader.run_text(prepared)[:1], loader.run_text(prepared[:1])) >= 0.999


def test_int8_is_of_integer_products(cache: ConversionCache, spec: ModelSpec) -> None:
    graph = onnx.load(str(cache.get(spec.repository, "sbert", "int8").graph_path)).graph
    stored = {tensor.name: tensor.data_type for tensor in graph.initializer}
    weights = [node for node in graph.node if node.op_type == "DequantizeLinear" and node.input[0] in stored]
    assert len(weights) == 36, "six layers of six products"
    assert {stored[node.input[0]] for node in weights} == {TensorProto.INT8}


def test_weights_keep_to_seven_bits_on_x86_without_dot_products(
    cache: ConversionCache,
    spec: ModelSpec,
    texts: list[str],
    wanted: Embeddings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole = copied(cache.get(spec.repository, "sbert"), tmp_path / "whole")
    monkeypatch.setattr("sidecar.embedding.quantize_graph.has_dot_products", lambda: False)
    monkeypatch.setattr("sidecar.embedding.precision_variant.TEXTS", 80)
    (tmp_path / "int8").mkdir()
    convert_precision(whole.folder, "int8", tmp_path / "int8")
    narrow = read_converted(tmp_path / "int8")
    assert narrow is not None
    weights = [
        numpy_helper.to_array(t) for t in onnx.load(str(narrow.graph_path)).graph.initializer if t.data_type == 3
    ]
    assert max(int(np.abs(matrix.astype(np.int16)).max()) for matrix in weights) == NARROW_WEIGHT_LEVELS
    from sidecar.embedding.loaders.onnx_text import OnnxTextLoader

    found = OnnxTextLoader(narrow, 256, 384).encode_text(texts)
    assert kept_neighbours(wanted, found) >= LEAST_KEPT_NARROW


def test_both_kinds_of_int8_have_folders_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    from sidecar.embedding import precision_files

    names = set()
    for has_them in (True, False):
        monkeypatch.setattr(precision_files, "has_dot_products", lambda has_them=has_them: has_them)
        names |= {precision_files.variant_of(precision) for precision in PRECISIONS}
    assert names == {"", "-float16", "-int8", "-int8-narrow"}


@pytest.mark.usefixtures("converts_in_process")
@pytest.mark.parametrize("precision", ["float16", "int8"])
def test_a_precision_is_converted_once(
    precision: Precision, cache: ConversionCache, spec: ModelSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = cache.get(spec.repository, "sbert", precision)
    assert first.precision == precision

    def refuse(*_: object) -> None:
        raise AssertionError("converted again")

    monkeypatch.setattr(conversion, "run_converter", refuse)
    assert ConversionCache(cache.folder).get(spec.repository, "sbert", precision) == first


def test_a_killed_int8_conversion_leaves_nothing_that_is_read(
    cache: ConversionCache, spec: ModelSpec, tmp_path: Path
) -> None:
    whole = cache.get(spec.repository, "sbert")
    shutil.copytree(whole.folder, tmp_path / whole.folder.parent.name / whole.folder.name)
    command = [sys.executable, "-c", GET_INT8, str(tmp_path), spec.repository]
    killed = subprocess.Popen(command, stderr=subprocess.DEVNULL, start_new_session=True)
    pause = threading.Event()
    while not (left := list(tmp_path.rglob(".converting-*"))):
        assert killed.poll() is None
        pause.wait(0.02)
    os.killpg(killed.pid, signal.SIGKILL)
    killed.wait()
    assert left[0].is_dir()
    assert not list(tmp_path.glob("*/*-int8*"))
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=True)
    converted = read_converted(Path(done.stdout.strip()))
    assert converted is not None
    assert converted.precision == "int8"
    assert not list(tmp_path.rglob(".converting-*")), "what the killed one left is gone"


def test_a_form_too_far_from_float32_is_refused(
    cache: ConversionCache, spec: ModelSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Weights of one bit, which no real model bears.
    monkeypatch.setattr("sidecar.embedding.precision_variant.TEXTS", 80)
    monkeypatch.setattr("sidecar.embedding.quantize_graph.WEIGHT_LEVELS", 1)
    monkeypatch.setattr("sidecar.embedding.quantize_graph.NARROW_WEIGHT_LEVELS", 1)
    with pytest.raises(ValueError, match=r"int8 form finds \d+% of the ten nearest .* use float16 or float32"):
        convert_precision(cache.get(spec.repository, "sbert").folder, "int8", tmp_path)


@pytest.mark.usefixtures("converts_in_process")
def test_what_can_not_be_had_in_int8_never_runs_in_something_else(tmp_path: Path) -> None:
    from tests.random_models import mean_normalized, random_bert

    with quiet():
        folder = random_bert(
            tmp_path / "model", mean_normalized, prompts={"query": "search for: "}, default_prompt_name="query"
        )
    described = ModelTable().resolve("mine", {"localpath": str(folder), "dimensions": 32, "tokens": 64})
    with pytest.raises((InvalidArgument, ConversionFailed), match="int8"):
        load(ConversionCache(tmp_path / "converted"), described, "int8", "auto")
    assert load(ConversionCache(tmp_path / "converted"), described, "float16", "auto").backend == "torch"


def test_int8_is_refused_where_torch_is_asked_for(cache: ConversionCache, spec: ModelSpec) -> None:
    with pytest.raises(InvalidArgument, match=r"int8 needs ONNX Runtime or OpenVINO, but SIDECAR_BACKEND is torch"):
        load(cache, spec, "int8", "torch")


def test_int8_is_refused_on_cuda(cache: ConversionCache, spec: ModelSpec) -> None:
    for name in (MINILM, f"onnx/{MINILM.partition('/')[2]}"):
        there = replace(ModelTable().resolve(name), device="cuda:0", precision="int8")
        with pytest.raises(InvalidArgument, match="int8 runs on the CPU alone; on cuda:0 give float16"):
            ModelLoading(cache, "auto").load(there)


def test_onnx_names_on_cuda_need_its_runtime(cache: ConversionCache) -> None:
    import onnxruntime as ort

    if "CUDAExecutionProvider" in ort.get_available_providers():
        pytest.skip("onnxruntime-gpu is installed")
    there = replace(ModelTable().resolve("onnx/all-MiniLM-L6-v2"), device="cuda:0")
    with pytest.raises(HardwareUnavailable, match=r"'cuda:0'.*Install onnxruntime-gpu"):
        ModelLoading(cache, "auto").load(there)


def test_torch_rounds_weights_to_float16_and_computes_in_float32(
    cache: ConversionCache, spec: ModelSpec, wanted: Embeddings, texts: list[str]
) -> None:
    loader = load(cache, spec, "float16", "torch")
    found = loader.encode_text(texts[:20])
    assert 0.999 <= least_cosine(found, wanted[:20]) < 1 - 1e-9
    assert loader.memory_bytes > 80_000_000, "float32 in memory"


def test_a_graph_with_weights_beside_it_is_stored_in_16_bits(
    cache: ConversionCache, spec: ModelSpec, tmp_path: Path
) -> None:
    whole = cache.get(spec.repository, "sbert")
    big = tmp_path / "big.onnx"
    onnx.save(onnx.load(str(whole.graph_path)), str(big), save_as_external_data=True, location="elsewhere.bin")
    (tmp_path / "target").mkdir()
    target = tmp_path / "target" / "model.onnx"
    store_as_float16(big, target)
    assert [path.name for path in graph_files(target)] == ["model.onnx", "model.onnx.data"]
    assert target.stat().st_size < 1_000_000
    for name in ("tokenizer.json", "facts.json"):
        shutil.copy(whole.folder / name, target.parent / name)
    facts = json.loads((target.parent / "facts.json").read_text()) | {"graph_bytes": graph_bytes(target)}
    (target.parent / "facts.json").write_text(json.dumps(facts))
    half = read_converted(target.parent)
    assert half is not None
    from sidecar.embedding.loaders.onnx_text import OnnxTextLoader

    sentences = calibration_texts(20)
    ours, theirs = (OnnxTextLoader(model, 256, 384).encode_text(sentences) for model in (half, whole))
    assert least_cosine(ours, theirs) >= 0.999
    target.with_name("model.onnx.data").unlink()
    assert read_converted(target.parent) is None, "half a model is none"
