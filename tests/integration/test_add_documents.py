"""The write path on a real node: what is stored, what is embedded, and what fails alone."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

import numpy as np
import orjson
import pytest

from sidecar.embedding.engine import EngineLimits
from sidecar.embedding.loader import Embeddings
from sidecar.embedding.loaders.random import RandomLoader
from sidecar.embedding.normalizing import normalized
from sidecar.errors import (
    BadRequest,
    DocumentNotFound,
    IndexNotFound,
    ModelFailed,
    ModelLoadError,
    NotASidecarIndex,
    TooManyFields,
    TooManyRequests,
)
from sidecar.indexing.requests import AddDocuments
from sidecar.indexing.windows import MAX_CHUNKS, MAX_TEXTS
from sidecar.opensearch.embedded_paths import ROOT, nested_path
from sidecar.opensearch.index_settings import AnnParameters, IndexSettings, TextPreprocessing
from sidecar.opensearch.mapping_builder import build_index_body
from sidecar.opensearch.transport import Transport
from tests.embedding.faulty_loader import POISON, FaultyLoader
from tests.fix_models import MINILM
from tests.rooms import SETTINGS, Rooms

RIGHT = RandomLoader(32)
ROUNDING = 2.5e-7
"""Two steps of float32: stored vectors are kept distinct by at most one."""


@pytest.fixture
def index(rooms: Rooms, index_name: str) -> str:
    """An empty index of the model random/small."""
    return rooms.create(index_name)


@pytest.fixture
def loader() -> FaultyLoader:
    return FaultyLoader(32)


@pytest.fixture
def faulty(transport: Transport, loader: FaultyLoader, index_name: str) -> Any:
    """Rooms whose model is the faulty loader, with an index of it."""
    with Rooms(transport, lambda spec: loader, limits=EngineLimits(1, 64, 8)) as rooms:
        rooms.create(index_name)
        yield rooms
        loader.may_run.set()


def vectors(rooms: Rooms, index: str, document_id: str, field: str = "text") -> Embeddings:
    """The stored vectors of a field."""
    chunks = rooms.stored(index, document_id)[ROOT][field]
    return np.array([chunk["vector"] for chunk in chunks], dtype=np.float32)


def statuses(items: list[dict[str, Any]]) -> list[int]:
    return [item["status"] for item in items]


# What is stored


def test_documents_of_three_sentences_have_two_chunks(rooms: Rooms, index: str) -> None:
    items = rooms.add(index, [{"_id": f"{n}", "text": "One is. Two are. Three were."} for n in range(20)])
    assert items[0] == {"_id": "0", "result": "created", "status": 201, "forced_refresh": True}
    assert rooms.cluster.count(index, [nested_path("text")]) == (20, 40)


def test_documents_are_read_as_they_were_sent(rooms: Rooms, index: str) -> None:
    document = {"_id": "a b/c", "text": "Été 🎉.\r\nB.", "n": 1, "f": 0.5, "ok": True, "tags": ["x", "y"], "none": []}
    rooms.writer.add(index, AddDocuments([document], ("text",), None))
    assert rooms.reader.get(index, "a b/c") == document
    assert rooms.reader.get_many(index, ["nope", "a b/c"]) == [None, document]
    with pytest.raises(DocumentNotFound, match="'nope'"):
        rooms.reader.get(index, "nope")


@pytest.mark.parametrize("space_type", ["cosinesimil", "l2"])
@pytest.mark.parametrize("normalize", [True, False])
def test_stored_vectors_are_the_engines_to_the_last_digit(
    rooms: Rooms, index_name: str, load_by_name: Any, space_type: str, normalize: bool
) -> None:
    ann = AnnParameters(space_type=space_type)
    rooms.create(
        index_name, replace(SETTINGS, model="hf/all-MiniLM-L6-v2", normalize_embeddings=normalize, ann_parameters=ann)
    )
    rooms.add(index_name, [{"_id": "1", "text": "One is. Two are. Three were. Four."}])
    raw = load_by_name("hf/all-MiniLM-L6-v2").encode_text(["One is. Two are.", "Three were. Four."])
    assert abs(np.linalg.norm(raw[0]) - 1) > 0.1, "the model gives vectors of other lengths than 1"
    wanted = normalized(raw) if normalize else raw
    np.testing.assert_allclose(vectors(rooms, index_name, "1"), wanted, rtol=ROUNDING, atol=0)


def test_the_prefix_of_chunks_is_embedded_and_not_stored(rooms: Rooms, index_name: str) -> None:
    settings = replace(SETTINGS, text_preprocessing=TextPreprocessing(override_text_chunk_prefix="index: "))
    rooms.create(index_name, settings)
    rooms.add(index_name, [{"_id": "1", "text": "A text."}])
    rooms.add(index_name, [{"_id": "2", "text": "A text."}], prefix="request: ")
    for document_id, prefix in (("1", "index: "), ("2", "request: ")):
        wanted = RIGHT.encode_text([prefix + "A text."])
        np.testing.assert_allclose(vectors(rooms, index_name, document_id), wanted, atol=1e-6)
        assert rooms.reader.get(index_name, document_id)["text"] == "A text."


def test_a_text_of_half_a_surrogate_pair_fails_alone(rooms: Rooms, index: str) -> None:
    items = rooms.add(index, [{"_id": "1", "text": "\ud83d"}, {"_id": "2", "text": "good"}])
    assert statuses(items) == [400, 201]


def test_blank_texts_have_one_chunk(rooms: Rooms, index: str) -> None:
    rooms.add(index, [{"_id": "1", "text": ""}, {"_id": "2", "text": " \n "}])
    for document_id in "12":
        np.testing.assert_allclose(vectors(rooms, index, document_id), RIGHT.encode_text([" "]), atol=1e-6)


def test_documents_without_an_id_get_one_each(rooms: Rooms, index: str) -> None:
    items = rooms.add(index, [{"text": "Same."}, {"text": "Same."}])
    ids = [item["_id"] for item in items]
    assert [len(document_id) for document_id in ids] == [36, 36]
    assert rooms.reader.get(index, ids[1]) == {"_id": ids[1], "text": "Same."}
    assert rooms.cluster.count(index, []) == (2, 0)
    assert rooms.calls["read_documents"] == 0, "what got its id just now is not looked up"


def test_new_fields_come_on_the_fly(rooms: Rooms, index: str) -> None:
    rooms.add(index, [{"_id": "1", "text": "A."}])
    rooms.add(index, [{"_id": "2", "title": "B.", "my field": "C.", "n": 1}], ["title", "my field"])
    state = rooms.states.get(index)
    assert state.embedded_fields == ("my field", "text", "title")
    assert state.field_types["n"] == "long"
    np.testing.assert_allclose(vectors(rooms, index, "2", "my%20field"), RIGHT.encode_text(["C."]), atol=1e-6)


def test_no_tensor_fields_store_without_embedding(rooms: Rooms, index: str) -> None:
    rooms.add(index, [{"_id": "1", "text": "A."}], [])
    assert ROOT not in rooms.stored(index, "1")
    assert rooms.embedded_texts == 0


# What fails alone


def test_bad_documents_fail_alone_and_items_keep_the_order(rooms: Rooms, index: str) -> None:
    rooms.add(index, [{"_id": "0", "text": "first", "n": 1}])
    documents: list[object] = [
        {"_id": "1", "text": "good"},
        {"_id": 5, "text": "bad id"},
        {"_id": "3", "text": None},
        {"_id": "4", "text": ["a list"]},
        {"_id": "5", "a.b": "bad name"},
        "no document",
        {"_id": "7", "n": "no number", "text": "type conflict"},
        {},
        {"_id": "9", "text": "x" * 100_000},
        {"_id": "10", "text": "good too"},
    ]
    items = rooms.add(index, documents)
    told = [(item["_id"], item["status"], item.get("code")) for item in items]
    assert told == [
        ("1", 201, None),
        ("", 400, "invalid_document_id"),
        ("3", 400, "invalid_argument"),
        ("4", 400, "invalid_argument"),
        ("5", 400, "invalid_field_name"),
        ("", 400, "invalid_argument"),
        ("7", 400, None),
        ("", 400, "invalid_argument"),
        ("", 400, "doc_too_large"),
        ("10", 201, None),
    ]
    assert items[6]["error"]["type"] == "mapper_parsing_exception"
    assert "no number" in orjson.dumps(items[6]["error"]).decode()
    assert rooms.cluster.count(index, []) == (3, 0)


def test_a_document_of_too_many_chunks_fails_alone_and_is_not_embedded(rooms: Rooms, index_name: str) -> None:
    settings = replace(SETTINGS, text_preprocessing=TextPreprocessing(split_length=1, split_method="character"))
    rooms.create(index_name, settings)
    items = rooms.add(
        index_name, [{"_id": "1", "text": "x" * (MAX_CHUNKS + 1)}, {"_id": "2", "text": "x" * MAX_CHUNKS}]
    )
    assert statuses(items) == [400, 201]
    assert "field 'text'" in items[0]["error"]
    assert rooms.cluster.count(index_name, [nested_path("text")]) == (1, MAX_CHUNKS)


def test_only_bad_documents_write_nothing(rooms: Rooms, index: str) -> None:
    assert statuses(rooms.add(index, [{}, {"_id": ""}])) == [400, 400]
    assert rooms.calls["bulk"] == 0


# What is embedded


def test_unchanged_documents_are_not_embedded_again(rooms: Rooms, index: str) -> None:
    documents = [{"_id": f"{n}", "text": f"Text {n}. More of it. And more."} for n in range(30)]
    rooms.add(index, documents)
    before = rooms.embedded_texts
    wanted = [vectors(rooms, index, f"{n}") for n in range(30)]
    items = rooms.add(index, [document | {"n": 1} for document in documents])
    assert {(item["result"], item["status"]) for item in items} == {("updated", 200)}
    assert rooms.embedded_texts == before
    for n in range(30):
        np.testing.assert_array_equal(vectors(rooms, index, f"{n}"), wanted[n])
    assert rooms.reader.get(index, "7") == documents[7] | {"n": 1}
    assert rooms.metrics.registry.get_sample_value("sidecar_unchanged_fields_total") == 30


def test_kept_embeddings_are_the_same_bits_after_many_rounds(rooms: Rooms, index_name: str) -> None:
    rooms.create(index_name, replace(SETTINGS, model="hf/all-MiniLM-L6-v2", normalize_embeddings=False))
    document = {"_id": "1", "text": "One is. Two are. Three were."}
    rooms.add(index_name, [document])
    first = vectors(rooms, index_name, "1")
    for number in range(3):
        rooms.add(index_name, [document | {"n": number}])
    np.testing.assert_array_equal(vectors(rooms, index_name, "1"), first)
    assert rooms.embedded_texts == 2


def test_long_documents_that_are_sent_again_find_themselves(rooms: Rooms, index_name: str) -> None:
    """k-NN gives the vectors of another document for one of 150 chunks: they must not be written back."""
    rooms.create(index_name, replace(SETTINGS, text_preprocessing=TextPreprocessing(split_length=1)))
    texts = [" ".join(f"Sentence {n} of {name}." for n in range(200)) for name in ("first", "second", "third")]
    documents = [{"_id": f"{number}", "text": text} for number, text in enumerate(texts)]
    for number in range(2):
        rooms.add(index_name, [document | {"n": number} for document in documents])
        for wanted, name in enumerate(("first", "second", "third")):
            hit, *_ = rooms.search(index_name, f"Sentence 150 of {name}.")
            assert (hit["_id"], hit["_score"]) == (f"{wanted}", pytest.approx(1, abs=1e-5))


def test_only_the_changed_field_is_embedded(rooms: Rooms, index: str) -> None:
    rooms.add(index, [{"_id": "1", "text": "Same.", "title": "Old."}], ["text", "title"])
    before = rooms.embedded_texts
    rooms.add(index, [{"_id": "1", "text": "Same.", "title": "New."}], ["text", "title"])
    assert rooms.embedded_texts == before + 1
    np.testing.assert_allclose(vectors(rooms, index, "1", "title"), RIGHT.encode_text(["New."]), atol=1e-6)


@pytest.mark.parametrize("later", [{"text": "New text."}, {"n": 1}, {"text": 5}])
def test_a_changed_document_keeps_no_stale_vector(rooms: Rooms, index: str, later: dict[str, Any]) -> None:
    rooms.add(index, [{"_id": "1", "text": "Old text."}])
    rooms.add(index, [{"_id": "1", **later}], ["text"])
    stored = rooms.stored(index, "1")
    assert {key: value for key, value in stored.items() if key != ROOT} == later
    if isinstance(later.get("text"), str):
        np.testing.assert_allclose(vectors(rooms, index, "1"), RIGHT.encode_text(["New text."]), atol=1e-6)
    else:
        assert ROOT not in stored


def test_a_field_that_is_no_tensor_field_any_more_loses_its_vectors(rooms: Rooms, index: str) -> None:
    rooms.add(index, [{"_id": "1", "text": "Same.", "title": "T."}], ["text", "title"])
    rooms.add(index, [{"_id": "1", "text": "Same.", "title": "T."}], ["title"])
    assert set(rooms.stored(index, "1")[ROOT]) == {"title"}


def test_another_prefix_is_another_content(rooms: Rooms, index: str) -> None:
    rooms.add(index, [{"_id": "1", "text": "Same."}])
    rooms.add(index, [{"_id": "1", "text": "Same."}], prefix="p: ")
    np.testing.assert_allclose(vectors(rooms, index, "1"), RIGHT.encode_text(["p: Same."]), atol=1e-6)


def test_of_one_id_twice_in_a_batch_the_last_wins_with_its_own_vectors(rooms: Rooms, index: str) -> None:
    for _ in range(2):
        items = rooms.add(
            index, [{"_id": "1", "text": "First."}, {"_id": "2", "text": "B."}, {"_id": "1", "text": "Last."}]
        )
        assert rooms.reader.get(index, "1")["text"] == "Last."
        np.testing.assert_allclose(vectors(rooms, index, "1"), RIGHT.encode_text(["Last."]), atol=1e-6)
    assert [item["result"] for item in items] == ["updated"] * 3
    assert rooms.cluster.count(index, [nested_path("text")]) == (2, 2)


def test_of_one_id_in_windows_apart_the_last_wins_with_its_own_vectors(rooms: Rooms, index: str) -> None:
    others = [{"_id": f"other {n}", "text": f"Other {n}."} for n in range(2 * MAX_TEXTS)]
    for first, last in (("A.", "B."), ("C.", "B."), ("B.", "A.")):
        rooms.add(index, [{"_id": "1", "text": first}, *others, {"_id": "1", "text": last}])
        assert rooms.reader.get(index, "1")["text"] == last
        np.testing.assert_allclose(vectors(rooms, index, "1"), RIGHT.encode_text([last]), atol=1e-6)


# Large batches


def test_a_batch_of_many_windows_is_stored_whole_and_in_order(rooms: Rooms, index: str) -> None:
    documents = [{"_id": f"{n}", "text": f"Document {n}. It is number {n}. The end."} for n in range(1000)]
    items = rooms.add(index, documents)
    assert [item["_id"] for item in items] == [document["_id"] for document in documents]
    assert {item["status"] for item in items} == {201}
    assert rooms.cluster.count(index, [nested_path("text")]) == (1000, 2000)
    for n in (0, 499, 999):
        texts = [f"Document {n}. It is number {n}.", "The end."]
        np.testing.assert_allclose(vectors(rooms, index, f"{n}"), RIGHT.encode_text(texts), atol=1e-6)


def test_texts_in_memory_are_bounded_whatever_the_batch(faulty: Rooms, loader: FaultyLoader, index_name: str) -> None:
    taken = []

    class Documents(list[object]):
        """Notes how far the writer has read."""

        def __iter__(self) -> Any:
            for number in range(len(self)):
                taken.append(number)
                yield self[number]

    documents = Documents({"_id": f"{n}", "text": f"Document {n}."} for n in range(5000))
    loader.may_run.clear()
    adding = threading.Thread(target=faulty.add, args=(index_name, documents))
    adding.start()
    loader.wait_until_begun()
    most = 0
    for _ in range(20):
        loader.may_run.set()
        loader.wait_until_begun()
        loader.may_run.clear()
        most = max(most, int(faulty.metrics.registry.get_sample_value("sidecar_queue_texts") or 0))
    assert most <= 8 * MAX_TEXTS
    assert len(taken) < 5000, "the rest is read as the model comes along"
    loader.may_run.set()
    adding.join(timeout=120)
    assert faulty.cluster.count(index_name, []) == (5000, 0)


def test_a_document_on_which_the_model_fails_fails_alone(faulty: Rooms, loader: FaultyLoader, index_name: str) -> None:
    documents = [{"_id": f"{n}", "text": f"Document {n}."} for n in range(1000)]
    for number in (3, 500, 501):
        documents[number]["text"] = f"Once {POISON} {number}."
    items = faulty.add(index_name, documents)
    assert [item["_id"] for item in items if "error" in item] == ["3", "500", "501"]
    assert (items[3]["code"], items[3]["status"]) == ("model_failed", 500)
    assert "RuntimeError: the model choked" in items[3]["error"]
    faulty.cluster.refresh(index_name)
    assert faulty.cluster.count(index_name, [nested_path("text")]) == (997, 997)


# Errors of the whole request


def test_a_model_that_fails_midway_leaves_what_the_same_batch_completes(
    faulty: Rooms, loader: FaultyLoader, index_name: str
) -> None:
    documents = [{"_id": f"{n}", "text": f"Document {n}."} for n in range(3000)]
    for document in documents[2000:]:
        document["text"] += f" Once {POISON}."
    with pytest.raises(ModelFailed, match="choked"):
        faulty.add(index_name, documents)
    faulty.cluster.refresh(index_name)
    written, _ = faulty.cluster.count(index_name, [])
    assert 0 < written < 3000
    assert faulty.metrics.registry.get_sample_value("sidecar_queue_texts") == 0, "nothing of it is left in the queue"
    before = faulty.embedded_texts
    loader.heal()
    assert {item["status"] for item in faulty.add(index_name, documents)} == {200, 201}
    assert faulty.cluster.count(index_name, [nested_path("text")]) == (3000, 3000)
    assert faulty.embedded_texts - before == 3000 - written, "only what was not written is embedded"


def test_a_full_queue_refuses_the_next_batch_before_anything_is_done(
    faulty: Rooms, loader: FaultyLoader, index_name: str
) -> None:
    loader.may_run.clear()
    documents = [{"_id": f"{n}", "text": f"Document {n}."} for n in range(200)]
    adding = threading.Thread(target=faulty.add, args=(index_name, documents))
    adding.start()
    loader.wait_until_begun()
    with pytest.raises(TooManyRequests, match="texts wait to be embedded; the limit is 64"):
        faulty.add(index_name, [{"_id": "late", "text": "Late."}])
    loader.may_run.set()
    adding.join(timeout=60)
    assert faulty.reader.get_many(index_name, ["late", "199"])[0] is None
    assert statuses(faulty.add(index_name, [{"_id": "late", "text": "Late."}])) == [201]


def test_a_patient_request_waits_where_the_queue_is_full(faulty: Rooms, loader: FaultyLoader, index_name: str) -> None:
    loader.may_run.clear()
    documents = [{"_id": f"{n}", "text": f"Document {n}."} for n in range(200)]
    late = AddDocuments([{"_id": "late", "text": "Late."}], ("text",), None, is_patient=True)
    items: list[dict[str, Any]] = []
    adding = threading.Thread(target=faulty.add, args=(index_name, documents))
    waiting = threading.Thread(target=lambda: items.extend(faulty.send(index_name, late)))
    adding.start()
    loader.wait_until_begun()
    waiting.start()
    waiting.join(timeout=0.3)
    assert waiting.is_alive()
    loader.may_run.set()
    waiting.join(timeout=60)
    adding.join(timeout=60)
    assert statuses(items) == [201]


def test_a_patient_request_is_not_left_waiting_when_the_engine_closes(
    faulty: Rooms, loader: FaultyLoader, index_name: str
) -> None:
    loader.may_run.clear()
    documents = [{"_id": f"{n}", "text": f"Document {n}."} for n in range(200)]
    adding = threading.Thread(target=faulty.add, args=(index_name, documents))
    adding.start()
    loader.wait_until_begun()
    waiting = threading.Thread(target=faulty.engine.wait_for_room)
    closing = threading.Thread(target=faulty.engine.close)
    waiting.start()
    closing.start()
    waiting.join(timeout=60)
    assert not waiting.is_alive()
    loader.may_run.set()
    closing.join(timeout=60)
    adding.join(timeout=60)


def test_text_for_an_index_without_a_model_is_refused_whole(rooms: Rooms, index_name: str) -> None:
    properties = {"dimensions": 4}
    settings = IndexSettings(
        model="no_model", model_properties=properties, search_model="no_model", search_model_properties=properties
    )
    rooms.create(index_name, settings)
    with pytest.raises(BadRequest, match=r"no model.*empty tensorFields"):
        rooms.add(index_name, [{"_id": "1", "text": "A."}])
    assert statuses(rooms.add(index_name, [{"_id": "1", "text": "A."}], [])) == [201]


def test_a_model_that_can_not_be_had_writes_nothing(rooms: Rooms, index_name: str, tmp_path: Any) -> None:
    properties = {"localpath": str(tmp_path / "none"), "dimensions": 4}
    settings = IndexSettings(
        model="mine", model_properties=properties, search_model="mine", search_model_properties=properties
    )
    rooms.create(index_name, settings)
    for _ in range(2):
        with pytest.raises(ModelLoadError, match=f"folder {tmp_path}/none is not there"):
            rooms.add(index_name, [{"_id": "1", "text": "A."}])
    assert rooms.calls["bulk"] == 0


def test_unknown_and_foreign_indexes_are_refused(rooms: Rooms, index_name: str) -> None:
    with pytest.raises(IndexNotFound, match=index_name):
        rooms.add(index_name, [{"_id": "1", "text": "A."}])
    rooms.cluster.create_index(index_name, {})
    with pytest.raises(NotASidecarIndex):
        rooms.add(index_name, [{"_id": "1", "text": "A."}])


def test_too_many_fields_are_refused_by_name(rooms: Rooms, index_name: str) -> None:
    body = build_index_body(SETTINGS, 32)
    body["settings"]["index.mapping.nested_fields.limit"] = 2
    rooms.cluster.create_index(index_name, body)
    with pytest.raises(TooManyFields, match="'c'"):
        rooms.add(index_name, [{"_id": "1", "a": "A.", "b": "B.", "c": "C."}], ["a", "b", "c"])


def test_an_index_deleted_by_another_sidecar_is_not_made_again(rooms: Rooms, index: str, transport: Transport) -> None:
    rooms.add(index, [{"_id": "1", "text": "A."}])
    with Rooms(transport, lambda spec: RandomLoader(spec.dimensions)) as other:
        other.cluster.delete_index(index)
    with pytest.raises(IndexNotFound):
        rooms.add(index, [{"_id": "2", "text": "B."}])
    assert index not in rooms.cluster.list_indexes()


# Deleting, and several writers


def test_deleting_tells_of_each_id(rooms: Rooms, index: str) -> None:
    rooms.add(index, [{"_id": "1", "text": "A."}])
    results = rooms.writer.delete(index, ["1", "nope", "1"], refresh=True)
    assert [(result.document_id, result.result) for result in results] == [
        ("1", "deleted"),
        ("nope", "not_found"),
        ("1", "not_found"),
    ]
    assert rooms.cluster.count(index, [nested_path("text")]) == (0, 0)


def test_two_sidecars_write_to_one_index_and_keep_each_others_fields(
    rooms: Rooms, index: str, transport: Transport
) -> None:
    with Rooms(transport, lambda spec: RandomLoader(spec.dimensions)) as other:

        def write(sidecar: Rooms, name: str) -> None:
            documents = [{"_id": f"{name} {n}", f"{name}{n % 3}": f"Text {n}."} for n in range(150)]
            sidecar.add(index, documents, [f"{name}{n}" for n in range(3)])

        threads = [threading.Thread(target=write, args=pair) for pair in ((rooms, "a"), (other, "b"))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=60)
        state = other.states.get(index, is_fresh=True)
    assert state.embedded_fields == ("a0", "a1", "a2", "b0", "b1", "b2")
    paths = [nested_path(field) for field in state.embedded_fields]
    assert rooms.cluster.count(index, paths) == (300, 300)


def test_the_real_model_embeds_for_its_own_index(rooms: Rooms, index_name: str, minilm: Any) -> None:
    rooms.create(index_name, replace(SETTINGS, model=MINILM, search_model=MINILM))
    rooms.add(index_name, [{"_id": "1", "text": "A cat sat on the mat."}])
    np.testing.assert_allclose(
        vectors(rooms, index_name, "1"), normalized(minilm.encode_text(["A cat sat on the mat."])), atol=1e-6
    )
