from __future__ import annotations

from concurrent.futures import Future
from typing import Any

import numpy as np
import orjson
import pytest

from sidecar.embedding.loader import Embeddings
from sidecar.embedding.model_table import ModelTable
from sidecar.errors import InvalidArgument
from sidecar.indexing.content import ContentRules
from sidecar.indexing.validation import ValidDocument
from sidecar.indexing.windows import MAX_CHUNKS, MAX_DOCUMENTS, MAX_TEXTS, Window
from sidecar.opensearch.bulk_actions import BulkAction, FieldEmbedding
from sidecar.opensearch.embedded_paths import ROOT
from sidecar.opensearch.index_settings import IndexSettings, TextPreprocessing

SPEC = ModelTable().resolve("random/small")


def rules(method: str = "sentence", *, normalize: bool = True, prefix: str | None = None) -> ContentRules:
    text = TextPreprocessing(split_length=1, split_method=method)
    return ContentRules.of_index(IndexSettings(text_preprocessing=text, normalize_embeddings=normalize), SPEC, prefix)


def document(position: int, **texts: str) -> ValidDocument:
    return ValidDocument(position, f"id{position}", True, orjson.dumps(texts), texts)


def hashes(valid: ValidDocument) -> dict[str, str]:
    return {field: f"hash of {field}" for field in valid.texts}


def embedded(vectors: list[list[float]]) -> Future[Embeddings]:
    future: Future[Embeddings] = Future()
    future.set_result(np.array(vectors, dtype=np.float32))
    return future


def stored(action: BulkAction) -> dict[str, Any]:
    """The action's document, its vectors rounded to six digits: they are kept distinct in the seventh."""
    source: dict[str, Any] = orjson.loads(action.source or b"")
    for chunks in source.get(ROOT, {}).values():
        for chunk in chunks:
            chunk["vector"] = np.round(chunk["vector"], 6).tolist()
    return source


def test_vectors_go_to_the_fields_and_documents_of_their_texts() -> None:
    window = Window(rules(normalize=False, prefix="p: "))
    for valid in (document(0, a="One. Two.", b="Three."), document(3), document(5, a="Four.")):
        window.add(valid, hashes(valid), {})
    assert window.texts == ["p: One.", "p: Two.", "p: Three.", "p: Four."]
    window.embedded = embedded([[1, 0], [2, 0], [3, 0], [4, 0]])
    actions = list(window.actions())
    assert [action.document_id for action in actions] == ["id0", "id3", "id5"]
    sources = [stored(action) for action in actions]
    assert sources[0] == {
        "a": "One. Two.",
        "b": "Three.",
        ROOT: {
            "a": [
                {"vector": [1, 0], "start": 0, "end": 4, "hash": "hash of a"},
                {"vector": [2, 0], "start": 5, "end": 9},
            ],
            "b": [{"vector": [3, 0], "start": 0, "end": 6, "hash": "hash of b"}],
        },
    }
    assert ROOT not in sources[1]
    assert sources[2][ROOT]["a"][0]["vector"] == [4, 0]


def test_vectors_are_normalised_where_the_rules_say_so() -> None:
    window = Window(rules())
    valid = document(0, a="One.")
    window.add(valid, hashes(valid), {})
    window.embedded = embedded([[3, 4]])
    (action,) = window.actions()
    assert stored(action)[ROOT]["a"][0]["vector"] == [0.6, 0.8]


def test_kept_fields_are_not_embedded_and_stay_as_they_were() -> None:
    window = Window(rules())
    valid = document(0, a="One.", b="Two.")
    kept = FieldEmbedding(np.array([[7, 7]], dtype=np.float32), [(0, 4)], "old hash")
    window.add(valid, hashes(valid), {"a": kept})
    assert window.texts == ["Two."]
    window.embedded = embedded([[0, 1]])
    (action,) = window.actions()
    fields = stored(action)[ROOT]
    assert fields["a"] == [{"vector": [7, 7], "start": 0, "end": 4, "hash": "old hash"}]
    assert fields["b"][0]["vector"] == [0, 1]


def test_a_window_is_full_with_texts_or_with_documents() -> None:
    window = Window(rules("character"))
    valid = document(0, a="".join(chr(0x4E00 + number) for number in range(MAX_TEXTS - 1)))
    window.add(valid, hashes(valid), {})
    assert not window.is_full
    valid = document(1, a="x")
    window.add(valid, hashes(valid), {})
    assert window.is_full
    window = Window(rules())
    for position in range(MAX_DOCUMENTS):
        assert not window.is_full
        window.add(document(position), {}, {})
    assert window.is_full


def test_a_document_of_too_many_chunks_is_not_taken_and_told_its_field() -> None:
    window = Window(rules("character"))
    kept = FieldEmbedding(np.zeros((1, 2), dtype=np.float32), [(0, 1)])
    valid = document(0, a="x" * MAX_CHUNKS, b="y")
    for kept_fields in ({}, {"b": kept}):
        with pytest.raises(InvalidArgument, match=r"10,001 chunks, most of them \(10,000\) of field 'a'.* 10,000"):
            window.add(valid, hashes(valid), kept_fields)
    assert (window.documents, window.texts, list(window.actions())) == ([], [], [])
    window.add(document(1, a="x" * MAX_CHUNKS), {"a": "h"}, {})
    assert len(window.documents) == 1


def test_a_text_that_stands_in_a_window_more_than_once_is_embedded_once() -> None:
    window = Window(rules(normalize=False))
    for valid in (document(0, a="Same. Other.", b="Same."), document(1, a="Same.")):
        window.add(valid, hashes(valid), {})
    assert window.texts == ["Same.", "Other."]
    window.embedded = embedded([[1, 0], [2, 0]])
    first, second = (stored(action)[ROOT] for action in window.actions())
    assert [chunk["vector"] for chunk in first["a"]] == [[1, 0], [2, 0]]
    assert first["b"][0]["vector"] == second["a"][0]["vector"] == [1, 0]
