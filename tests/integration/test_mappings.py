"""Fields that are objects, on a real node: combinations, vectors of the client's own, and fields with other models."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import orjson
import pytest

from sidecar.embedding.byte_vectors import as_bytes
from sidecar.embedding.loader import Embeddings, Prepared
from sidecar.embedding.loaders.random import RandomLoader
from sidecar.embedding.normalizing import normalized
from sidecar.errors import BadRequest, ModelLoadError
from sidecar.indexing.requests import AddDocuments, CustomVector, MultimodalCombination
from sidecar.opensearch.embedded_paths import ROOT, nested_path
from sidecar.opensearch.index_settings import AnnParameters, FieldModel, IndexSettings
from sidecar.opensearch.transport import Transport
from sidecar.searching.request import SearchMethod
from tests.rooms import SETTINGS, Rooms

RIGHT = RandomLoader(32)
MAPPINGS = {
    "combo": MultimodalCombination({"title": 0.5, "caption": 2.0, "spare": 1.0}),
    "own": CustomVector(),
}
NO_MODEL = IndexSettings(
    model="no_model", model_properties={"dimensions": 4}, search_model="no_model",
    search_model_properties={"dimensions": 4}, number_of_shards=1,
)  # fmt: skip


class AxisLoader(RandomLoader):
    """The text `e3` has the third unit vector; any other has none at all."""

    def prepare_text(self, texts: Sequence[str]) -> list[Prepared]:
        return [Prepared(text, 1) for text in texts]

    def run_text(self, batch: Sequence[Prepared]) -> Embeddings:
        vectors = np.zeros((len(batch), self.dimensions), dtype=np.float32)
        for row, prepared in enumerate(batch):
            if prepared.payload.startswith("e"):
                vectors[row, int(prepared.payload[1:]) - 1] = 1
        return vectors


@pytest.fixture
def index(rooms: Rooms, index_name: str) -> str:
    """An empty index of the model random/small."""
    return rooms.create(index_name)


@pytest.fixture
def axes(transport: Transport, index_name: str) -> Iterator[Rooms]:
    """Rooms whose texts have unit vectors, with an index."""
    with Rooms(transport, lambda spec: AxisLoader(spec.dimensions)) as made:
        made.create(index_name)
        yield made


def send(rooms: Rooms, index: str, documents: Sequence[object], **others: Any) -> list[dict[str, Any]]:
    """Add documents whose mapped fields, and `text`, are tensor fields."""
    request = AddDocuments(documents, ("text", *MAPPINGS), None, mappings=MAPPINGS)
    return rooms.send(index, replace(request, **others))


def chunks(rooms: Rooms, index: str, document_id: str, field: str) -> list[dict[str, Any]]:
    """The stored chunks of a field."""
    found: list[dict[str, Any]] = rooms.stored(index, document_id)[ROOT][field]
    return found


def unit(dimensions: int = 32, axis: int = 0) -> list[float]:
    return [1.0 if number == axis else 0.0 for number in range(dimensions)]


# Combinations


def test_a_combination_is_the_weighted_mean_of_its_unit_vectors(axes: Rooms, index_name: str) -> None:
    document = {"_id": "1", "combo": {"title": "e1", "caption": "e2"}}
    assert [item["status"] for item in send(axes, index_name, [document])] == [201]
    (chunk,) = chunks(axes, index_name, "1", "combo")
    np.testing.assert_allclose(chunk["vector"][:3], [1 / math.sqrt(17), 4 / math.sqrt(17), 0], atol=1e-6)
    assert axes.reader.get(index_name, "1") == document
    assert axes.cluster.count(index_name, [nested_path("combo")]) == (1, 1)


def test_a_combination_is_not_normalised_where_the_index_does_not(axes: Rooms, index_name: str) -> None:
    axes.cluster.delete_index(index_name)
    axes.create(index_name, replace(SETTINGS, normalize_embeddings=False))
    send(axes, index_name, [{"_id": "1", "combo": {"title": "e1", "caption": "e2"}}])
    (chunk,) = chunks(axes, index_name, "1", "combo")
    np.testing.assert_allclose(chunk["vector"][:3], [0.25, 1, 0], atol=1e-6)


def test_sub_fields_are_not_chunked_and_get_the_prefix_of_chunks(rooms: Rooms, index: str) -> None:
    texts = {"title": "One. Two. Three. Four.", "caption": "C."}
    send(rooms, index, [{"_id": "1", "combo": texts}], text_chunk_prefix="p: ")
    vectors = RIGHT.encode_text(["p: One. Two. Three. Four.", "p: C."])
    wanted = normalized(0.5 * vectors[0] + 2 * vectors[1])
    np.testing.assert_allclose(chunks(rooms, index, "1", "combo")[0]["vector"], wanted, atol=1e-6)


def test_sub_fields_are_found_by_words_and_by_filter(rooms: Rooms, index: str) -> None:
    send(rooms, index, [{"_id": "1", "combo": {"title": "dark red"}}, {"_id": "2", "combo": {"title": "blue"}}])
    assert rooms.find(index, "red", method=SearchMethod.LEXICAL) == ["1"]
    assert rooms.states.get(index).field_types["combo.title"] == "text"


def test_a_string_in_a_mapped_field_is_a_text(rooms: Rooms, index: str) -> None:
    send(rooms, index, [{"_id": "1", "own": "A text."}])
    (chunk,) = chunks(rooms, index, "1", "own")
    np.testing.assert_allclose(chunk["vector"], RIGHT.encode_text(["A text."])[0], atol=1e-6)


def test_bad_objects_fail_alone(rooms: Rooms, index: str) -> None:
    bad: list[tuple[dict[str, Any], str]] = [
        ({"combo": {}}, "'combo'.* empty"),
        ({"combo": {"title": 5}}, "'title' must be a string"),
        ({"combo": {"other": "x"}}, "'other' has no weight"),
        ({"unmapped": {"title": "x"}}, "'unmapped'.*'mappings'"),
        ({"own": {"vector": [1.0]}}, "1 numbers.* 32 dimensions"),
        ({"own": {"content": "x"}}, "'vector' must be a list of 32 numbers"),
        ({"own": {"vector": unit(), "extra": 1}}, "'extra'"),
        ({"own": {"vector": unit(), "content": 5}}, "'content' must be a string"),
        ({"own": {"vector": [*unit()[:31], "x"]}}, "numbers only"),
        ({"own": {"vector": [*unit()[:31], 1e39]}}, "float32"),
        ({"own": {"vector": [0.0] * 32}}, "no direction"),
    ]
    documents = [{"_id": f"{number}", **fields} for number, (fields, _) in enumerate(bad)]
    items = send(rooms, index, [*documents, {"_id": "good", "text": "Good."}])
    for item, (_, message) in zip(items, bad, strict=False):
        assert (item["status"], item["code"]) == (400, "invalid_argument")
        assert re.search(message, item["error"]), item["error"]
    assert items[-1]["status"] == 201


def test_an_object_outside_the_tensor_fields_fails_alone(rooms: Rooms, index: str) -> None:
    documents = [{"_id": "1", "combo": {"title": "x"}}, {"_id": "2", "own": {"vector": unit()}}]
    items = send(rooms, index, documents, tensor_fields=("text",))
    assert [item["code"] for item in items] == ["invalid_argument"] * 2


def test_weights_that_cancel_out_fail_alone(axes: Rooms, index_name: str) -> None:
    mappings = {"combo": MultimodalCombination({"title": 1.0, "caption": -1.0})}
    documents = [{"_id": "1", "combo": {"title": "e1", "caption": "e1"}}, {"_id": "2", "combo": {"title": "e1"}}]
    items = send(axes, index_name, documents, mappings=mappings)
    assert [item["status"] for item in items] == [400, 201]
    assert "cancel" in items[0]["error"]


def test_an_unchanged_combination_is_not_embedded_again(rooms: Rooms, index: str) -> None:
    document = {"_id": "1", "combo": {"title": "A.", "caption": "B."}}
    send(rooms, index, [document])
    before = chunks(rooms, index, "1", "combo")
    send(rooms, index, [document | {"n": 1}])
    assert rooms.embedded_texts == 2
    assert chunks(rooms, index, "1", "combo") == before
    send(rooms, index, [document], mappings={"combo": MultimodalCombination({"title": 1.0, "caption": 3.0})})
    assert rooms.embedded_texts == 4, "other weights are another content"


# Vectors of the client's own


def test_a_custom_vector_is_stored_as_it_is_with_its_content(rooms: Rooms, index: str) -> None:
    numbers = [0.1, -3.0, *[1e-3] * 30]
    for content, sent in (("A text.", {"content": "A text.", "vector": numbers}), ("", {"vector": numbers})):
        for _ in range(2):
            (item,) = send(rooms, index, [{"_id": "1", "own": sent}])
            assert item["status"] in (200, 201)
        assert rooms.reader.get(index, "1") == {"_id": "1", "own": content}
        (chunk,) = chunks(rooms, index, "1", "own")
        assert chunk == {"vector": numbers, "start": 0, "end": len(content)}
    assert rooms.embedded_texts == 0
    declared = rooms.states.get(index, is_fresh=True).meta["sidecar"]["fields"]
    assert declared["__embeddings.own.vector"]["kind"] == "custom_vector"


def test_an_index_without_a_model_takes_vectors_and_refuses_text(rooms: Rooms, index_name: str) -> None:
    rooms.create(index_name, NO_MODEL)
    documents = [{"_id": "1", "own": {"content": "c", "vector": [1, 2, 3, 4]}, "n": 1}]
    assert [item["status"] for item in send(rooms, index_name, documents)] == [201]
    assert chunks(rooms, index_name, "1", "own")[0]["vector"] == [1, 2, 3, 4]
    for content in ({"text": "A."}, {"combo": {"title": "A."}}, {"own": "A."}):
        with pytest.raises(BadRequest, match="no model"):
            send(rooms, index_name, [*documents, {"_id": "2", **content}])


def test_an_all_zero_vector_is_fine_where_the_space_measures_distance(rooms: Rooms, index_name: str) -> None:
    rooms.create(index_name, replace(NO_MODEL, ann_parameters=AnnParameters(space_type="l2")))
    assert send(rooms, index_name, [{"_id": "1", "own": {"vector": [0, 0, 0, 0]}}])[0]["status"] == 201


# Models of fields


def test_each_field_has_its_own_model_prefix_and_dimensions(rooms: Rooms, index_name: str) -> None:
    field_models = {
        "title": FieldModel("random/medium"),
        "body": FieldModel("mine", {"dimensions": 16, "type": "random", "name": "mine", "text_chunk_prefix": "m: "}),
    }
    rooms.create(index_name, replace(SETTINGS, field_models=field_models))
    document = {"_id": "1", "text": "Same.", "title": "Same.", "body": "Same."}
    rooms.add(index_name, [document], ("text", "title", "body"))
    for field, dimensions, text in (("text", 32, "Same."), ("title", 128, "Same."), ("body", 16, "m: Same.")):
        (chunk,) = chunks(rooms, index_name, "1", field)
        np.testing.assert_allclose(chunk["vector"], RandomLoader(dimensions).encode_text([text])[0], atol=1e-6)
    assert rooms.embedded_texts == 3
    rooms.add(index_name, [document], ("text", "title", "body"))
    assert rooms.embedded_texts == 3, "all three are kept"


def test_a_custom_vector_has_the_dimensions_of_its_field(rooms: Rooms, index_name: str) -> None:
    own = FieldModel("no_model", {"dimensions": 3})
    rooms.create(index_name, replace(SETTINGS, field_models={"own": own}))
    documents = [{"_id": f"{length}", "own": {"vector": unit(length)}, "text": "A."} for length in (3, 32)]
    assert [item["status"] for item in send(rooms, index_name, documents)] == [201, 400]
    with pytest.raises(BadRequest, match="field 'own' has no model"):
        send(rooms, index_name, [{"_id": "x", "own": "A text.", "text": "A."}])


def test_a_model_that_can_not_be_had_stops_a_request_before_other_fields_are_written(
    rooms: Rooms, index_name: str, tmp_path: Any
) -> None:
    missing = FieldModel("mine", {"localpath": str(tmp_path / "none"), "dimensions": 4})
    rooms.create(index_name, replace(SETTINGS, field_models={"title": missing}))
    documents = [{"_id": f"{n}", "text": f"Text {n}."} for n in range(600)]
    with pytest.raises(ModelLoadError, match="is not there"):
        rooms.add(index_name, [*documents, {"_id": "last", "title": "A."}], ("text", "title"))
    assert rooms.calls["bulk"] == 0
    assert rooms.add(index_name, documents[:1], ("text", "title"))[0]["status"] == 201


# Bytes


def test_vectors_of_bytes_are_stored_as_whole_numbers(rooms: Rooms, index_name: str) -> None:
    rooms.create(index_name, replace(SETTINGS, ann_parameters=AnnParameters(data_type="byte")))
    document = {
        "_id": "1",
        "text": "One. Two. Three.",
        "combo": {"title": "A."},
        "own": {"vector": [-128, 127, *[0] * 30]},
    }
    for number in range(2):
        assert send(rooms, index_name, [document | {"n": number}])[0]["status"] in (200, 201)
        stored = chunks(rooms, index_name, "1", "text")
        wanted = as_bytes(normalized(RIGHT.encode_text(["One. Two.", "Three."])))
        assert [chunk["vector"] for chunk in stored] == wanted.astype(int).tolist()
        assert b"." not in orjson.dumps([chunk["vector"] for chunk in stored])
        assert chunks(rooms, index_name, "1", "own")[0]["vector"] == [-128, 127, *[0] * 30]
    assert rooms.embedded_texts == 3, "kept from the first time"


def test_a_custom_vector_of_fractions_is_brought_to_bytes(rooms: Rooms, index_name: str) -> None:
    rooms.create(index_name, replace(NO_MODEL, ann_parameters=AnnParameters(data_type="byte")))
    send(rooms, index_name, [{"_id": "1", "own": {"vector": [0.5, -1.0, 0, 0]}}])
    assert chunks(rooms, index_name, "1", "own")[0]["vector"] == [64, -127, 0, 0]


def test_the_windows_of_a_large_batch_keep_objects_and_texts_apart(rooms: Rooms, index: str) -> None:
    kinds: list[Callable[[int], dict[str, Any]]] = [
        lambda n: {"text": f"Text {n}."},
        lambda n: {"combo": {"title": f"Title {n}."}},
        lambda n: {"own": {"vector": unit(32, n % 32)}},
    ]
    documents = [{"_id": f"{n}", **kinds[n % 3](n)} for n in range(900)]
    items = send(rooms, index, documents)
    assert {item["status"] for item in items} == {201}
    for n in (0, 1, 2, 897, 898, 899):
        field = ("text", "combo", "own")[n % 3]
        wanted = unit(32, n % 32) if n % 3 == 2 else RIGHT.encode_text([("Text", "Title")[n % 3] + f" {n}."])[0]
        np.testing.assert_allclose(chunks(rooms, index, f"{n}", field)[0]["vector"], wanted, atol=1e-6)
