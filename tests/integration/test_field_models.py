"""Fields with models of their own, on a real node."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from sidecar.embedding.loaders.random import RandomLoader
from sidecar.embedding.model_spec import ModelSpec
from sidecar.errors import BadRequest, InvalidArgument
from sidecar.opensearch.index_settings import FieldModel
from sidecar.opensearch.transport import Transport
from sidecar.searching.request import ContextVector, SearchRequest
from tests.embedding.faulty_loader import FaultyLoader
from tests.fix_server import SMALL, Sidecar
from tests.rooms import SETTINGS, Rooms

NO_MODEL = FieldModel("no_model", {"dimensions": 3})
SPLIT = replace(SETTINGS, field_models={"title": FieldModel("random/medium"), "note": FieldModel("random/medium")})
"""`random/small` for all other fields: 32 dimensions, and 128 for these two."""
DOCUMENTS = [{"_id": "1", "title": "First.", "body": "One."}, {"_id": "2", "title": "Second.", "body": "Two."}]


@pytest.fixture
def index(rooms: Rooms, index_name: str) -> str:
    rooms.create(index_name, SPLIT)
    rooms.add(index_name, DOCUMENTS, ["title", "body"])
    return index_name


def test_each_field_is_embedded_and_searched_with_its_own_model(rooms: Rooms, index: str) -> None:
    stored = rooms.stored(index, "1")["__embeddings"]
    np.testing.assert_allclose(stored["title"][0]["vector"], RandomLoader(128).encode_text(["First."])[0], atol=1e-6)
    np.testing.assert_allclose(stored["body"][0]["vector"], RandomLoader(32).encode_text(["One."])[0], atol=1e-6)
    for q, wanted in (("First.", ("1", "title")), ("Two.", ("2", "body"))):
        hit = rooms.search(index, q)[0]
        assert (hit["_id"], *hit["_highlights"]) == wanted
        assert hit["_score"] == pytest.approx(1, abs=1e-5)


def test_a_query_is_embedded_once_for_each_model(transport: Transport, index_name: str) -> None:
    loaders = {"random/small": FaultyLoader(32), "random/medium": FaultyLoader(128)}
    with Rooms(transport, lambda spec: loaders[spec.name]) as rooms:
        rooms.create(index_name, SPLIT)
        rooms.add(index_name, [{"_id": "1", "title": "a", "note": "b", "body": "c", "other": "d"}],
                  ["title", "note", "body", "other"])  # fmt: skip
        for loader in loaders.values():
            loader.batches.clear()
        assert len(rooms.search(index_name, "asked")) == 1
        assert [loader.batches for loader in loaders.values()] == [[["asked"]], [["asked"]]]
        rooms.search(index_name, "title only", SearchRequest(q="", searchable_attributes=("title",)))
    assert loaders["random/small"].batches == [["asked"]]
    assert loaders["random/medium"].batches == [["asked"], ["title only"]]


def test_weighted_terms_are_embedded_for_each_model(rooms: Rooms, index: str) -> None:
    hits = rooms.searcher.search(index, SearchRequest(q={"Second.": 1, "Two.": 0})).hits
    assert (hits[0]["_id"], hits[0]["_score"]) == ("2", pytest.approx(1, abs=1e-5))


def test_vectors_of_the_client_must_fit_all_searched_fields(rooms: Rooms, index: str) -> None:
    context = [ContextVector(RandomLoader(128).encode_text(["Second."])[0], 1.0)]
    request = SearchRequest(q=None, context=context)
    with pytest.raises(InvalidArgument, match="has 128 numbers, the vectors of model 'random/small' have 32"):
        rooms.searcher.search(index, request)
    hits = rooms.searcher.search(index, replace(request, searchable_attributes=("title",))).hits
    assert [hit["_id"] for hit in hits] == ["2", "1"]


def test_fields_whose_model_can_not_embed_the_query_are_left_out(rooms: Rooms, index_name: str) -> None:
    rooms.create(index_name, replace(SETTINGS, field_models={"own": NO_MODEL}))
    rooms.add(index_name, [{"_id": "1", "text": "A."}])
    rooms.states.ensure_embedded_fields(index_name, ["own"], kinds={"own": "custom_vector"})
    rooms.clock.now += 2
    assert rooms.find(index_name, "A.") == ["1"]
    with pytest.raises(BadRequest, match="no model"):
        rooms.search(index_name, "A.", SearchRequest(q="", searchable_attributes=("own",)))


def test_an_empty_index_with_field_models_loads_no_model(transport: Transport, index_name: str) -> None:
    def refuse(spec: ModelSpec) -> Any:
        raise AssertionError(spec.name)

    with Rooms(transport, refuse) as rooms:
        rooms.create(index_name, SPLIT)
        assert rooms.search(index_name, "q") == []


# At the API


def settings(**index_defaults: Any) -> dict[str, Any]:
    return {**SMALL, "index_defaults": {**SMALL["index_defaults"], **index_defaults}}  # type: ignore[dict-item]


def test_field_models_are_shown_and_used(sidecar: Sidecar, index_name: str) -> None:
    models = {"title": {"model": "mine", "model_properties": {"type": "random", "dimensions": 7}}}
    answered = sidecar.post(f"/indexes/{index_name}", settings(field_models=models))
    assert answered.status_code == 200, answered.text
    shown = sidecar.get(f"/indexes/{index_name}/settings").json()
    assert shown["index_defaults"]["field_models"] == models
    sidecar.add(index_name, DOCUMENTS, tensor_fields=("title", "body"))
    (hit,) = sidecar.post(f"/indexes/{index_name}/search", {"q": "Second.", "limit": 1}).json()["hits"]
    assert (hit["_id"], hit["_highlights"]) == ("2", {"title": "Second."})


@pytest.mark.parametrize(
    ("models", "told"),
    [
        ({"title": {"model": "random/smal"}}, "field_models.title: there is no model named 'random/smal'"),
        ({"a b": {"model": "x", "model_properties": {"name": "y"}}}, "field_models.a b: .*'dimensions' is missing"),
        ({"a": {"model": "x", "model_properties": {"dimensions": 3, "tpe": "hf"}}}, "field_models.a: .* 'tpe'"),
        (
            {"a": {"model": "x", "model_properties": {"name": "hf/e5-base", "type": "hf", "dimensions": 5}}},
            "field_models.a: .*768",
        ),
    ],
)
def test_a_bad_field_model_is_refused_by_its_field(
    sidecar: Sidecar, index_name: str, models: dict[str, Any], told: str
) -> None:
    answered = sidecar.post(f"/indexes/{index_name}", settings(field_models=models))
    assert (answered.status_code, answered.json()["code"]) == (400, "invalid_argument")
    assert all(part in answered.json()["message"] for part in told.split(".*")), answered.text
    assert sidecar.get(f"/indexes/{index_name}/settings").status_code == 404


def test_wrong_dimensions_are_told_at_creation_where_the_right_ones_are_known(
    sidecar: Sidecar, index_name: str
) -> None:
    described = {"name": "sentence-transformers/all-MiniLM-L6-v2", "dimensions": 12}
    answered = sidecar.post(
        f"/indexes/{index_name}", {"index_defaults": {"model": "mine", "model_properties": described}}
    )
    assert (answered.status_code, answered.json()["code"]) == (400, "invalid_argument")
    assert "index_defaults.model: " in answered.json()["message"]
    assert "384" in answered.json()["message"]
