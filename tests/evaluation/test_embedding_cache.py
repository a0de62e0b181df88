"""Embeddings that are kept between evaluations."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sidecar.errors import InvalidArgument
from sidecar.evaluation.embedding_cache import EmbeddingCache
from sidecar.opensearch.bulk_actions import FieldEmbedding


def _embedding(chunks: int, content_hash: str | None) -> FieldEmbedding:
    vectors = np.random.default_rng(chunks).normal(size=(chunks, 4)).astype(np.float32)
    return FieldEmbedding(vectors, [(number, number + 2) for number in range(chunks)], content_hash)


def test_embeddings_come_back_to_the_last_bit(tmp_path: Path) -> None:
    kept = {"a": _embedding(1, "hash-a"), "b": _embedding(3, None)}
    EmbeddingCache(tmp_path).add(kept)
    EmbeddingCache(tmp_path).add({"c": _embedding(2, "hash-c")})
    cache = EmbeddingCache(tmp_path)
    for digest, embedding in kept.items():
        found = cache.find(digest)
        assert found is not None
        assert np.array_equal(found.vectors, embedding.vectors)
        assert found.vectors.dtype == np.float32
        assert list(found.spans) == list(embedding.spans)
        assert found.content_hash == embedding.content_hash
    assert "c" in cache
    assert cache.find("d") is None


def test_a_cache_has_at_once_what_is_added(tmp_path: Path) -> None:
    cache = EmbeddingCache(tmp_path)
    cache.add({})
    assert not list(tmp_path.iterdir())
    cache.add({"a": _embedding(1, None)})
    assert "a" in cache


def test_of_two_embeddings_of_one_content_the_newer_counts(tmp_path: Path) -> None:
    for number in range(20):
        EmbeddingCache(tmp_path).add({"a": _embedding(1, f"hash-{number}")})
    found = EmbeddingCache(tmp_path).find("a")
    assert found is not None
    assert found.content_hash == "hash-19"


def test_a_broken_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "x.npz").write_bytes(b"not an archive")
    with pytest.raises(InvalidArgument, match=r"x\.npz can't be read .* delete the file"):
        EmbeddingCache(tmp_path)
