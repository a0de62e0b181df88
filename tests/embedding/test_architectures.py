"""Models of other architectures, with random weights: converted, they give the vectors of the library."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from sidecar.embedding.conversion import ConversionCache
from sidecar.embedding.load import Backend, ModelLoading
from sidecar.embedding.loader import Loader
from sidecar.embedding.model_table import ModelTable
from sidecar.errors import InvalidArgument, ModelLoadError
from tests.fix_models import quiet

TEXTS = [
    "a",
    " ",
    "  space at the ends ",
    "How do I read a file line by line?",
    "Zürich – naïve café, 東京 и Москва, عربي 🎉",
    "def f(x):\n    return x ** 2  # square",
    "of a query " * 12,
    "of a query " * 100,
]


@pytest.fixture(autouse=True)
def runs_in_onnx_runtime(monkeypatch: pytest.MonkeyPatch) -> None:
    """Which of the backends is faster is for `test_backend_choice`, and takes seconds."""
    monkeypatch.setattr("sidecar.embedding.loaders.text.fastest_backend", lambda *_: "onnx")


def load(folder: Path, kind: str, *, dimensions: int = 32, backend: Backend = "auto") -> Loader:
    """The model in the folder, as `model_properties` name it."""
    properties = {"localpath": str(folder / "model"), "dimensions": dimensions, "tokens": 512, "type": kind}
    loading = ModelLoading(ConversionCache(folder / "converted"), backend)
    with quiet():
        return loading.load(ModelTable().resolve("mine", properties))


def build_mpnet(folder: Path) -> Path:
    from tests.random_models import mean_normalized, random_mpnet

    return random_mpnet(folder, mean_normalized)


def build_xlm_roberta(folder: Path) -> Path:
    from tests.random_models import mean_normalized, random_xlm_roberta

    return random_xlm_roberta(folder, mean_normalized)


def build_bert_by_first_token(folder: Path) -> Path:
    from tests.random_models import first_token, random_bert

    return random_bert(folder, first_token)


def build_bert_with_dense(folder: Path) -> Path:
    from tests.random_models import mean_and_dense, random_bert

    return random_bert(folder, mean_and_dense)


def build_bert_with_prompt(folder: Path) -> Path:
    """A model that the library gives more than the text, which the converted graph can't know."""
    from tests.random_models import mean_normalized, random_bert

    return random_bert(folder, mean_normalized, prompts={"query": "search for: "}, default_prompt_name="query")


Build = Callable[[Path], Path]


@pytest.mark.usefixtures("converts_in_process")
@pytest.mark.parametrize(
    ("build", "dimensions"),
    [(build_mpnet, 32), (build_xlm_roberta, 32), (build_bert_by_first_token, 32), (build_bert_with_dense, 24)],
)
def test_sentence_transformers_models_give_the_librarys_vectors(build: Build, dimensions: int, tmp_path: Path) -> None:
    from sentence_transformers import SentenceTransformer

    with quiet():
        reference = SentenceTransformer(str(build(tmp_path / "model")), device="cpu")
        wanted = reference.encode(TEXTS)
    for kind in ("sbert", "sbert_onnx"):
        loader = load(tmp_path, kind, dimensions=dimensions)
        assert loader.backend == "onnx"
        np.testing.assert_allclose(loader.encode_text(TEXTS), wanted, atol=1e-4)


@pytest.mark.usefixtures("converts_in_process")
@pytest.mark.parametrize("architecture", ["bert", "mpnet", "xlm_roberta"])
def test_encoders_give_the_mean_of_their_token_vectors(architecture: str, tmp_path: Path) -> None:
    import torch
    from transformers import AutoModel, AutoTokenizer

    from tests import random_models

    with quiet():
        folder = getattr(random_models, f"random_{architecture}")(tmp_path / "model")
        encoder, tokenizer = AutoModel.from_pretrained(folder).eval(), AutoTokenizer.from_pretrained(folder)
    wanted = []
    for text in TEXTS:
        taken = tokenizer(text, truncation=True, max_length=random_models.POSITIONS, return_tensors="pt")
        with torch.no_grad():
            wanted.append(encoder(**taken).last_hidden_state[0].mean(dim=0).numpy())
    loader = load(tmp_path, "hf")
    assert loader.backend == "onnx"
    np.testing.assert_allclose(loader.encode_text(TEXTS), np.array(wanted), atol=1e-4)


@pytest.mark.usefixtures("converts_in_process")
def test_a_model_whose_conversion_is_not_faithful_runs_in_torch(tmp_path: Path) -> None:
    from sentence_transformers import SentenceTransformer

    with quiet():
        reference = SentenceTransformer(str(build_bert_with_prompt(tmp_path / "model")), device="cpu")
        wanted = reference.encode(TEXTS)
    loader = load(tmp_path, "sbert")
    assert loader.backend == "torch"
    with quiet():
        np.testing.assert_allclose(loader.encode_text(TEXTS), wanted, atol=1e-5)
    with pytest.raises(ModelLoadError, match=r"'mine': its ONNX form gives vectors of cosine 0\.\d+ .* without onnx/"):
        load(tmp_path, "sbert_onnx")


@pytest.mark.usefixtures("converts_in_process")
@pytest.mark.parametrize("backend", ["torch", "onnx"])
def test_a_backend_that_is_asked_for_is_taken(backend: Backend, tmp_path: Path) -> None:
    with quiet():
        build_bert_with_prompt(tmp_path / "model")
    assert load(tmp_path, "sbert", backend=backend).backend == backend


@pytest.mark.usefixtures("converts_in_process")
@pytest.mark.parametrize("backend", ["auto", "torch"])
@pytest.mark.parametrize("dimensions", [16, 64])
def test_other_dimensions_than_the_models_are_refused(backend: Backend, dimensions: int, tmp_path: Path) -> None:
    with quiet():
        build_mpnet(tmp_path / "model")
    with pytest.raises(InvalidArgument, match=f"gives vectors of 32 dimensions.*'dimensions' {dimensions}"):
        load(tmp_path, "sbert", dimensions=dimensions, backend=backend)


@pytest.mark.usefixtures("converts_in_process")
@pytest.mark.parametrize("backend", ["auto", "torch"])
def test_test_models_give_the_first_dimensions_of_a_real_one(backend: Backend, tmp_path: Path) -> None:
    with quiet():
        build_mpnet(tmp_path / "model")
    whole = load(tmp_path, "sbert", backend=backend).encode_text(TEXTS)
    start = load(tmp_path, "test", dimensions=16, backend=backend)
    np.testing.assert_allclose(start.encode_text(TEXTS), whole[:, :16], atol=1e-6)
