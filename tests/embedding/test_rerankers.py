"""Cross-encoders: their scores are those of sentence-transformers, whatever runs them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from sidecar.embedding import cross_encoder_conversion
from sidecar.embedding.conversion import ConversionCache
from sidecar.embedding.load import Backend, ModelLoading
from sidecar.embedding.loaders.random_pairs import RandomPairs
from sidecar.embedding.model_spec import ModelAuth, ModelSpec
from sidecar.embedding.rerankers import PairScorer, reads_images, reranker_spec, score_texts
from sidecar.errors import ModelLoadError
from tests.fix_models import quiet
from tests.hub_cache import put_into_cache

Q = "How do I read a file line by line?"
TEXTS = [
    "a",
    "  space at the ends ",
    "Open the file. Then iterate over it.",
    "Zürich – naïve café, 東京 и Москва, عربي 🎉",
    "def f(x):\n    return x ** 2  # square",
    "of a query " * 12,
    "of a query " * 100,
]
SCORE_TOLERANCE = 1e-4
"""What float32 adds up to in another order; the scores of these texts lie further apart."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cross-encoder of random weights."""
    from tests.random_models import random_cross_encoder

    with quiet():
        return random_cross_encoder(tmp_path_factory.mktemp("model") / "model")


@pytest.fixture(scope="module")
def reference(folder: Path) -> Any:
    """The same in the library that such models are made for."""
    from sentence_transformers import CrossEncoder

    with quiet():
        return CrossEncoder(str(folder), device="cpu", max_length=64)


def load(name: str, home: Path, backend: Backend = "auto") -> PairScorer:
    loading = ModelLoading(ConversionCache(home / "converted"), backend)
    with quiet():
        return cast(PairScorer, loading.load(reranker_spec(name, device="cpu")))


def library_scores(reference: Any, q: str) -> np.ndarray[Any, Any]:
    import torch

    with quiet():
        return np.asarray(reference.predict([(q, text) for text in TEXTS], activation_fn=torch.nn.Sigmoid()))


@pytest.mark.usefixtures("converts_in_process")
@pytest.mark.parametrize(
    ("prefix", "backend", "runs_in"),
    [("", "auto", "onnx"), ("", "onnx", "onnx"), ("", "torch", "torch"), ("onnx/", "torch", "onnx")],
)
def test_scores_are_those_of_the_library(
    prefix: str, backend: Backend, runs_in: str, folder: Path, reference: Any, tmp_path: Path
) -> None:
    scorer = load(f"{prefix}{folder}", tmp_path, backend)
    assert scorer.backend == runs_in
    for q in (Q, "of a query " * 50):
        wanted = library_scores(reference, q)
        assert np.ptp(wanted) > 100 * SCORE_TOLERANCE
        np.testing.assert_allclose(score_texts(scorer, q, TEXTS), wanted, atol=SCORE_TOLERANCE)
        alone = [score_texts(scorer, q, [text])[0] for text in TEXTS]
        np.testing.assert_allclose(alone, wanted, atol=SCORE_TOLERANCE)


@pytest.mark.usefixtures("converts_in_process")
@pytest.mark.parametrize("backend", ["onnx", "torch"])
def test_pairs_are_cut_at_512_tokens(backend: Backend, tmp_path: Path) -> None:
    from tests.random_models import random_cross_encoder

    with quiet():
        folder = random_cross_encoder(tmp_path / "model", positions=1024)
    config = folder / "tokenizer_config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"model_max_length": 1024}))
    scorer = load(str(folder), tmp_path, backend)
    # Beside the words there are three special tokens, and that of the query.
    for words, is_read in ((508, True), (509, False)):
        ended, plain = score_texts(scorer, "car", [" car" * (words - 1) + end for end in (" red", " car")])
        assert (ended != plain) == is_read


@pytest.mark.parametrize("backend", ["onnx", "torch"])
@pytest.mark.usefixtures("converts_in_process")
def test_halves_of_surrogate_pairs_and_empty_texts_have_scores(backend: Backend, folder: Path, tmp_path: Path) -> None:
    scorer = load(str(folder), tmp_path, backend)
    assert len(score_texts(scorer, "\ud83d", ["\ude00 half", ""])) == 2
    assert score_texts(scorer, Q, []) == []


@pytest.mark.usefixtures("converts_in_process")
def test_converted_model_stays_when_its_weights_are_gone(folder: Path, reference: Any, tmp_path: Path) -> None:
    own = tmp_path / "model"
    shutil.copytree(folder, own)
    load(str(own), tmp_path)
    shutil.rmtree(own)
    scorer = load(f"onnx/{own}", tmp_path)
    np.testing.assert_allclose(score_texts(scorer, Q, TEXTS), library_scores(reference, Q), atol=SCORE_TOLERANCE)


@pytest.mark.usefixtures("converts_in_process")
def test_file_that_was_cut_off_is_noticed_and_the_model_converted_again(folder: Path, tmp_path: Path) -> None:
    wanted = score_texts(load(str(folder), tmp_path), Q, TEXTS)
    (graph,) = (tmp_path / "converted").rglob("model.onnx")
    graph.write_bytes(graph.read_bytes()[:1000])
    assert score_texts(load(str(folder), tmp_path), Q, TEXTS) == wanted


@pytest.mark.usefixtures("converts_in_process")
def test_model_whose_conversion_gives_other_scores_runs_in_torch(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cross_encoder_conversion, "FAITHFUL_DIFFERENCE", -1.0)
    assert load(str(folder), tmp_path, "auto").backend == "torch"
    with pytest.raises(ModelLoadError, match="use the name without onnx/"):
        load(f"onnx/{folder}", tmp_path)


@pytest.mark.usefixtures("converts_in_process")
@pytest.mark.parametrize("backend", ["auto", "torch"])
def test_model_that_only_embeds_is_no_cross_encoder(backend: Backend, tmp_path: Path) -> None:
    from tests.random_models import random_bert

    with quiet():
        folder = random_bert(tmp_path / "model")
    with pytest.raises(ModelLoadError, match="it is no cross-encoder: its architecture is BertModel"):
        load(str(folder), tmp_path, backend)


@pytest.mark.usefixtures("converts_in_process")
@pytest.mark.parametrize("backend", ["auto", "torch"])
def test_model_of_several_labels_is_refused(backend: Backend, tmp_path: Path) -> None:
    from tests.random_models import random_cross_encoder

    with quiet():
        folder = random_cross_encoder(tmp_path / "model", labels=3)
    with pytest.raises(ModelLoadError, match="3 scores for each text"):
        load(str(folder), tmp_path, backend)


def test_weights_that_are_no_numbers_are_told(folder: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    own = tmp_path / "model"
    shutil.copytree(folder, own)
    weights = load_file(own / "model.safetensors")
    weights["classifier.weight"][:] = float("nan")
    save_file(weights, own / "model.safetensors", {"format": "pt"})
    with pytest.raises(ValueError, match="no numbers"):
        score_texts(load(str(own), tmp_path, "torch"), Q, TEXTS)


def test_model_is_found_in_the_cache_of_the_hub(folder: Path, own_hub_cache: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelLoadError, match="org/scorer"):
        load("org/scorer", tmp_path, "torch")
    put_into_cache(own_hub_cache, "org/scorer", {path.name: path.read_bytes() for path in folder.iterdir()})
    assert load("org/scorer", tmp_path, "torch").backend == "torch"


@pytest.mark.parametrize(
    ("name", "kind", "repository"),
    [
        ("cross-encoder/ms-marco-MiniLM-L-6-v2", "cross_encoder", "cross-encoder/ms-marco-MiniLM-L-6-v2"),
        ("onnx/cross-encoder/ms-marco-MiniLM-L-6-v2", "cross_encoder_onnx", "cross-encoder/ms-marco-MiniLM-L-6-v2"),
        ("_testing", "random_pairs", ""),
        ("owl/ViT-B/32", "owl_vit", "google/owlvit-base-patch32"),
        ("owl/ViT-B/16", "owl_vit", "google/owlvit-base-patch16"),
        ("owl/ViT-L/14", "owl_vit", "google/owlvit-large-patch14"),
        ("google/owlvit-large-patch14", "owl_vit", "google/owlvit-large-patch14"),
    ],
)
def test_names_stand_for_models(name: str, kind: str, repository: str) -> None:
    spec = reranker_spec(name, device="cuda:1", auth=ModelAuth("hf", (("token", "t"),)))
    assert (spec.name, spec.loader, spec.repository, spec.device) == (name, kind, repository, "cuda:1")
    assert reads_images(spec) == (kind == "owl_vit")


def test_random_scores_are_one_for_each_pair() -> None:
    texts = [f"text {number}" for number in range(100)]
    scores = score_texts(RandomPairs(), Q, texts)
    assert all(0 <= score < 1 for score in scores)
    assert len(set(scores)) > 90
    assert score_texts(RandomPairs(), Q, texts[::-1]) == scores[::-1]
    assert score_texts(RandomPairs(), "other", texts) != scores


def test_random_scores_need_no_weights(tmp_path: Path) -> None:
    assert load("_testing", tmp_path).backend == "random"


def test_equal_models_are_one_in_memory_by_both_names() -> None:
    def identity(name: str) -> tuple[object, ...]:
        spec: ModelSpec = reranker_spec(name, device="cpu")
        return spec.identity

    assert identity("owl/ViT-B/32") == identity("google/owlvit-base-patch32")
    assert identity("org/scorer") != identity("onnx/org/scorer")
