"""Indexes that store vectors in bytes, or by an encoder of the engine, on a real node."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import orjson
import pytest

from sidecar.embedding.loaders.random import RandomLoader
from sidecar.opensearch.index_settings import AnnParameters, TextPreprocessing
from sidecar.searching.request import SearchRequest
from tests.fix_server import SMALL, Sidecar
from tests.rooms import SETTINGS, Rooms

COUNT = 1000
MODEL = RandomLoader(384)
ONE_SENTENCE = TextPreprocessing(split_length=1)
TEXTS = [f"Text {number}." for number in range(COUNT)]
SCORE_TOLERANCE = 0.01
"""Of the engine's 7 bits a number; scores of byte vectors are closer."""
QUERIES = [f"query {number}" for number in range(20)]


def fill(rooms: Rooms, index: str, ann: AnnParameters) -> None:
    settings = replace(SETTINGS, model="random", search_model="random", ann_parameters=ann)
    rooms.create(index, replace(settings, text_preprocessing=ONE_SENTENCE))
    rooms.add(index, [{"_id": str(number), "text": text, "n": number} for number, text in enumerate(TEXTS)])


@pytest.mark.parametrize(
    ("ann", "floor"),
    [
        (AnnParameters(data_type="byte"), 0.95),
        (AnnParameters(encoder={"name": "sq"}), 0.9),
        (AnnParameters(space_type="l2", encoder={"name": "sq", "parameters": {"confidence_interval": 1.0}}), 0.9),
    ],
)
def test_smaller_vectors_find_what_floats_find(rooms: Rooms, index_name: str, ann: AnnParameters, floor: float) -> None:
    """Against all vectors compared in numpy: random ones, which lie as far apart as 384 dimensions let them."""
    fill(rooms, index_name, ann)
    vectors = MODEL.encode_text(TEXTS)
    found = 0
    for q, query_vector in zip(QUERIES, MODEL.encode_text(QUERIES), strict=True):
        cosines = vectors @ query_vector
        hits = rooms.search(index_name, q, SearchRequest(q="", limit=10))
        found += len({int(hit["_id"]) for hit in hits} & set(np.argsort(-cosines)[:10].tolist()))
        of_hits = cosines[[hit["n"] for hit in hits]]
        wanted = (1 + of_hits) / 2 if ann.space_type == "cosinesimil" else 1 / (3 - 2 * of_hits)
        np.testing.assert_allclose([hit["_score"] for hit in hits], wanted, atol=SCORE_TOLERANCE)
    assert found / (10 * len(QUERIES)) >= floor


def test_bytes_are_stored_as_whole_numbers_and_filters_score_alike(rooms: Rooms, index_name: str) -> None:
    fill(rooms, index_name, AnnParameters(data_type="byte"))
    (chunk,) = rooms.stored(index_name, "7")["__embeddings"]["text"]
    assert max(map(abs, chunk["vector"])) == 127
    assert all(isinstance(number, int) for number in chunk["vector"])
    everything = {hit["_id"]: hit["_score"] for hit in rooms.search(index_name, "q", SearchRequest(q="", limit=COUNT))}
    # More than there are, so that the exact query gives the hits.
    some = rooms.search(index_name, "q", SearchRequest(q="", limit=50, filter="n:[100 TO 129]"))
    assert {hit["n"] for hit in some} == set(range(100, 130))
    for hit in some:
        assert hit["_score"] == pytest.approx(everything[hit["_id"]], abs=1e-5)
    (same,) = rooms.search(index_name, TEXTS[100], SearchRequest(q="", limit=1, filter="n:100"))
    assert same["_score"] == pytest.approx(1, abs=1e-4)


def test_an_index_of_smaller_vectors_is_made_filled_and_searched_at_the_api(
    sidecar: Sidecar, node: str, index_name: str
) -> None:
    for number, ann in enumerate(({"data_type": "byte"}, {"parameters": {"encoder": {"name": "sq"}}})):
        name = f"{index_name}-{number}"
        settings: dict[str, Any] = orjson.loads(orjson.dumps(SMALL))
        settings["index_defaults"]["ann_parameters"] = ann
        assert sidecar.post(f"/indexes/{name}", settings).status_code == 200
        try:
            shown = sidecar.get(f"/indexes/{name}/settings").json()["index_defaults"]["ann_parameters"]
            assert shown.get("data_type") == ann.get("data_type")
            assert shown["parameters"].get("encoder") == ann.get("parameters", {}).get("encoder")
            sidecar.add(name, [{"_id": "1", "title": "One."}, {"_id": "2", "title": "Two."}])
            for q in ("Two.", {"Two.": 2, "x": 0.1}):
                hits = sidecar.post(f"/indexes/{name}/search", {"q": q}).json()["hits"]
                assert [hit["_id"] for hit in hits] == ["2", "1"]
                assert hits[0]["_score"] > 0.98
        finally:
            sidecar.delete(f"/indexes/{name}")


def test_bytes_in_a_space_that_needs_lengths_are_refused_at_the_api(sidecar: Sidecar, index_name: str) -> None:
    settings = {"index_defaults": {"ann_parameters": {"data_type": "byte", "space_type": "l2"}}}
    answered = sidecar.post(f"/indexes/{index_name}", settings)
    assert (answered.status_code, answered.json()["code"]) == (400, "invalid_argument")
    assert "on which 'l2' depends" in answered.json()["message"]
