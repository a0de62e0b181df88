"""int8 and float16 in graphs small enough to know the right numbers, and what int8 is calibrated on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper, numpy_helper

from sidecar.embedding import quantize_graph as module
from sidecar.embedding.calibration_ranges import measure_ranges
from sidecar.embedding.calibration_texts import calibration_texts
from sidecar.embedding.loader import Embeddings
from sidecar.embedding.precision_check import kept_neighbours, least_cosine
from sidecar.embedding.precision_float16 import store_as_float16
from sidecar.embedding.quantize_graph import quantize_graph


def write_product(matrix: Embeddings, path: Path) -> None:
    """A graph that multiplies rows by the matrix."""
    inputs, outputs = matrix.shape
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", inputs])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", outputs])
    weights = [numpy_helper.from_array(matrix, "weights")]
    graph = helper.make_graph([helper.make_node("MatMul", ["x", "weights"], ["y"])], "product", [x], [y], weights)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), str(path))


def quantized(rows: Embeddings, matrix: Embeddings, folder: Path) -> Embeddings:
    """What the product of rows and matrix is in int8, calibrated on the rows."""
    write_product(matrix, folder / "exact.onnx")
    ranges = measure_ranges(folder / "exact.onnx", [{"x": rows[:100]}, {"x": rows[100:]}], folder)
    quantize_graph(folder / "exact.onnx", folder / "int8.onnx", ranges)
    assert {path.name for path in folder.iterdir()} == {"exact.onnx", "int8.onnx"}, "nothing is left of measuring"
    found: Embeddings = ort.InferenceSession(str(folder / "int8.onnx")).run(None, {"x": rows})[0]
    return found


@pytest.fixture
def rows() -> Embeddings:
    return np.random.default_rng(0).standard_normal((200, 64)).astype(np.float32)


@pytest.fixture
def matrix() -> Embeddings:
    return np.random.default_rng(1).standard_normal((64, 48)).astype(np.float32)


def test_a_product_in_int8_is_near_the_exact_one(rows: Embeddings, matrix: Embeddings, tmp_path: Path) -> None:
    # One level of 255 over 8 standard deviations is an error of 1 % in each term.
    assert least_cosine(quantized(rows, matrix, tmp_path), rows @ matrix) >= 0.999


def test_a_channel_out_of_line_does_not_spoil_the_others(
    rows: Embeddings, matrix: Embeddings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As in encoders: one channel is huge, and its weights are small.
    rows[:, 7] *= 50
    matrix[7] /= 50
    (tmp_path / "smoothed").mkdir()
    (tmp_path / "plain").mkdir()
    assert least_cosine(quantized(rows, matrix, tmp_path / "smoothed"), rows @ matrix) >= 0.999
    monkeypatch.setattr(module, "OUTLIER_RATIO", np.inf)
    assert least_cosine(quantized(rows, matrix, tmp_path / "plain"), rows @ matrix) < 0.95


def test_rows_beyond_the_calibrated_range_are_cut_to_it(rows: Embeddings, matrix: Embeddings, tmp_path: Path) -> None:
    quantized(rows, matrix, tmp_path)
    session = ort.InferenceSession(str(tmp_path / "int8.onnx"))
    beyond, within = (session.run(None, {"x": np.full((1, 64), number, np.float32)})[0] for number in (1e6, 100))
    np.testing.assert_array_equal(beyond, within)


def test_an_activation_that_is_always_zero_stays_so(matrix: Embeddings, tmp_path: Path) -> None:
    np.testing.assert_array_equal(quantized(np.zeros((200, 64), np.float32), matrix, tmp_path), np.zeros((200, 48)))


def test_a_graph_without_weighted_products_is_refused(tmp_path: Path) -> None:
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 4]) for name in ("x", "y"))
    graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "relu", [x], [y])
    onnx.save(helper.make_model(graph), str(tmp_path / "relu.onnx"))
    with pytest.raises(ValueError, match="no matrix product with constant weights"):
        quantize_graph(tmp_path / "relu.onnx", tmp_path / "int8.onnx", {})


def test_weights_that_16_bits_can_not_hold_stay_in_32(tmp_path: Path) -> None:
    big = np.full((40, 40), 1e6, dtype=np.float32)
    write_product(big, tmp_path / "a.onnx")
    store_as_float16(tmp_path / "a.onnx", tmp_path / "b.onnx")
    kept = onnx.load(str(tmp_path / "b.onnx")).graph.initializer[0]
    np.testing.assert_array_equal(numpy_helper.to_array(kept), big)


def test_kept_neighbours_count_what_both_find() -> None:
    angles = np.linspace(0, 1, 30)
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    assert kept_neighbours(vectors, vectors * 3) == 1.0
    assert kept_neighbours(vectors, vectors[np.random.default_rng(0).permutation(30)]) < 0.6


def test_vectors_that_are_no_numbers_agree_with_nothing() -> None:
    assert least_cosine(np.array([[1.0, 0.0]]), np.array([[np.nan, 0.0]])) == 0.0
    assert least_cosine(np.array([[1.0, 0.0]]), np.array([[0.0, 0.0]])) == 0.0


def test_calibration_texts_are_the_same_each_time_and_of_many_lengths() -> None:
    first = calibration_texts(100)
    assert first == calibration_texts(100)
    assert len(set(first)) == len(first) == 100
    lengths = sorted(len(text) for text in first)
    assert lengths[0] < 60
    assert lengths[-1] > 1000
