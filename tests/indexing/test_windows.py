from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import replace
from typing import Any, cast

import numpy as np
import orjson
import pytest

from sidecar.embedding.engine import EmbeddingEngine
from sidecar.embedding.loader import Embeddings
from sidecar.embedding.media_embedder import MediaEmbedder
from sidecar.embedding.model_spec import ModelSpec
from sidecar.embedding.model_table import ModelTable
from sidecar.errors import InvalidArgument
from sidecar.indexing.content import ContentRules
from sidecar.indexing.files import PARTS_GUESS, RequestFiles
from sidecar.indexing.validation import ValidDocument
from sidecar.indexing.windows import MAX_CHUNKS, MAX_DOCUMENTS, MAX_FILE_PARTS, MAX_TEXTS, Window
from sidecar.opensearch.bulk_actions import BulkAction, FieldEmbedding
from sidecar.opensearch.embedded_paths import ROOT
from sidecar.opensearch.index_settings import IndexSettings, TextPreprocessing

SPEC = ModelTable().resolve("random/small")
OTHER = ModelTable().resolve("random/medium")


def rules(method: str = "sentence", *, normalize: bool = True, prefix: str | None = None) -> ContentRules:
    text = TextPreprocessing(split_length=1, split_method=method)
    return ContentRules.of_index(IndexSettings(text_preprocessing=text, normalize_embeddings=normalize), SPEC, prefix)


def window_of(content: ContentRules, *, stores_bytes: bool = False, **of_fields: ContentRules) -> Window:
    """An empty window whose fields have these rules, those in ``of_fields`` others."""
    files = RequestFiles(cast(MediaEmbedder, None), {}, None)
    return Window(lambda field: of_fields.get(field, content), files, stores_bytes)


def document(position: int, **texts: str) -> ValidDocument:
    return ValidDocument(position, f"id{position}", True, orjson.dumps(texts), texts)


def hashes(valid: ValidDocument) -> dict[str, str]:
    return {field: f"hash of {field}" for field in valid.texts}


class GivenVectors:
    """An engine that gives these vectors, whatever the texts; by the model's dimensions where there are several."""

    def __init__(self, *vectors: list[list[float]]) -> None:
        self._vectors = list(vectors)
        self.texts: list[str] = []

    def submit(self, spec: ModelSpec, texts: Sequence[str]) -> Future[Embeddings]:
        self.texts += texts
        future: Future[Embeddings] = Future()
        future.set_result(np.array(self._vectors.pop(0), dtype=np.float32))
        return future


def embed(window: Window, *vectors: list[list[float]]) -> tuple[list[str], list[BulkAction]]:
    """The texts that a window has embedded, and what it comes to when its models give these vectors."""
    engine = GivenVectors(*vectors)
    window.submit(cast(EmbeddingEngine, engine))
    outcomes = list(window.outcomes())
    actions = [outcome for outcome in outcomes if isinstance(outcome, BulkAction)]
    assert actions == outcomes
    return engine.texts, actions


def stored(action: BulkAction) -> dict[str, Any]:
    """The action's document, its vectors rounded to six digits: they are kept distinct in the seventh."""
    source: dict[str, Any] = orjson.loads(action.source or b"")
    for chunks in source.get(ROOT, {}).values():
        for chunk in chunks:
            chunk["vector"] = np.round(chunk["vector"], 6).tolist()
    return source


def test_vectors_go_to_the_fields_and_documents_of_their_texts() -> None:
    window = window_of(rules(normalize=False, prefix="p: "))
    for valid in (document(0, a="One. Two.", b="Three."), document(3), document(5, a="Four.")):
        window.add(valid, hashes(valid), {})
    texts, actions = embed(window, [[1, 0], [2, 0], [3, 0], [4, 0]])
    assert texts == ["p: One.", "p: Two.", "p: Three.", "p: Four."]
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
    window = window_of(rules())
    valid = document(0, a="One.")
    window.add(valid, hashes(valid), {})
    _, (action,) = embed(window, [[3, 4]])
    assert stored(action)[ROOT]["a"][0]["vector"] == [0.6, 0.8]


def test_kept_fields_are_not_embedded_and_stay_as_they_were() -> None:
    window = window_of(rules())
    valid = document(0, a="One.", b="Two.")
    kept = FieldEmbedding(np.array([[7, 7]], dtype=np.float32), [(0, 4)], "old hash")
    window.add(valid, hashes(valid), {"a": kept})
    texts, (action,) = embed(window, [[0, 1]])
    assert texts == ["Two."]
    fields = stored(action)[ROOT]
    assert fields["a"] == [{"vector": [7, 7], "start": 0, "end": 4, "hash": "old hash"}]
    assert fields["b"][0]["vector"] == [0, 1]


def test_a_window_is_full_with_texts_or_with_documents() -> None:
    window = window_of(rules("character"))
    valid = document(0, a="".join(chr(0x4E00 + number) for number in range(MAX_TEXTS - 1)))
    window.add(valid, hashes(valid), {})
    assert not window.is_full
    valid = document(1, a="x")
    window.add(valid, hashes(valid), {})
    assert window.is_full
    window = window_of(rules())
    for position in range(MAX_DOCUMENTS):
        assert not window.is_full
        window.add(document(position), {}, {})
    assert window.is_full


def test_a_document_of_too_many_chunks_is_not_taken_and_told_its_field() -> None:
    window = window_of(rules("character"))
    kept = FieldEmbedding(np.zeros((1, 2), dtype=np.float32), [(0, 1)])
    valid = document(0, a="x" * MAX_CHUNKS, b="y")
    for kept_fields in ({}, {"b": kept}):
        with pytest.raises(InvalidArgument, match=r"10,001 chunks, most of them \(10,000\) of field 'a'.* 10,000"):
            window.add(valid, hashes(valid), kept_fields)
    assert (window.documents, embed(window)) == ([], ([], []))
    window.add(document(1, a="x" * MAX_CHUNKS), {"a": "h"}, {})
    assert len(window.documents) == 1


def test_a_text_that_stands_in_a_window_more_than_once_is_embedded_once() -> None:
    window = window_of(rules(normalize=False))
    for valid in (document(0, a="Same. Other.", b="Same."), document(1, a="Same.")):
        window.add(valid, hashes(valid), {})
    texts, actions = embed(window, [[1, 0], [2, 0]])
    assert texts == ["Same.", "Other."]
    first, second = (stored(action)[ROOT] for action in actions)
    assert [chunk["vector"] for chunk in first["a"]] == [[1, 0], [2, 0]]
    assert first["b"][0]["vector"] == second["a"][0]["vector"] == [1, 0]


def test_texts_of_several_models_are_embedded_apart() -> None:
    other = replace(rules(), spec=OTHER)
    window = window_of(rules(), b=other, c=other)
    valid = document(0, a="Same.", b="Same.", c="Other.")
    window.add(valid, hashes(valid), {})
    texts, (action,) = embed(window, [[0, 1]], [[1, 0, 0], [0, 0, 1]])
    assert texts == ["Same.", "Same.", "Other."]
    fields = stored(action)[ROOT]
    assert [fields[name][0]["vector"] for name in "abc"] == [[0, 1], [1, 0, 0], [0, 0, 1]]


def test_vectors_of_bytes_are_whole_and_equal_ones_stay_equal() -> None:
    window = window_of(rules(), stores_bytes=True)
    for position in range(2):
        window.add(document(position, a="Same."), {"a": "h"}, {})
    for action in embed(window, [[3, -4]])[1]:
        assert b'"vector":[95,-127]' in (action.source or b"")


def test_a_window_that_is_not_submitted_gives_documents_alone() -> None:
    window = window_of(rules())
    valid = document(0, a="One.")
    window.add(valid, hashes(valid), {})
    (action,) = window.outcomes()
    assert isinstance(action, BulkAction)
    assert orjson.loads(action.source or b"") == {"a": "One."}


def test_text_for_a_model_that_takes_none_is_refused_and_its_document_not_taken() -> None:
    window = window_of(rules(), b=replace(rules(), embeds_text=False))
    valid = document(0, a="One.", b="Two.")
    with pytest.raises(InvalidArgument, match="field 'b' is text"):
        window.add(valid, hashes(valid), {})
    assert (window.documents, embed(window)) == ([], ([], []))


def test_a_window_is_full_with_files() -> None:
    images = replace(rules(), reads_media=True)
    for files, method in ((MAX_FILE_PARTS, None), (MAX_FILE_PARTS // PARTS_GUESS, "simple")):
        window = Window(lambda field: images, RequestFiles(cast(MediaEmbedder, None), {}, method))
        for position in range(files):
            assert not window.is_full
            window.add(document(position, a=f"{position}.png"), {"a": "h"}, {})
        assert window.is_full
