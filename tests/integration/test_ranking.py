"""Scores and order of tensor searches on a real node: spaces, ties, pages, and documents of several fields."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from sidecar.embedding.loader import Embeddings
from sidecar.indexing.requests import AddDocuments, CustomVector
from sidecar.opensearch.index_settings import AnnParameters, IndexSettings, TextPreprocessing
from sidecar.searching.request import ContextVector, SearchMethod, SearchRequest
from tests.brute_force import SCORE_TOLERANCE, brute_force, chunked, documents_of, found_ids, ids, similarity
from tests.fix_opensearch import request
from tests.rooms import SETTINGS, Hit, Rooms

SPACES = ["cosinesimil", "l2", "innerproduct"]
SPLIT = replace(SETTINGS, text_preprocessing=TextPreprocessing(split_length=1))
ALL = SearchRequest(q="", limit=1000)


def of_lengths(dimensions: int) -> IndexSettings:
    """Settings of an index whose vectors keep their lengths."""
    properties = {"dimensions": dimensions}
    return IndexSettings(
        model="no_model",
        model_properties=properties,
        search_model="no_model",
        search_model_properties=properties,
        normalize_embeddings=False,
    )


def add_vectors(rooms: Rooms, index: str, vectors: dict[str, Embeddings]) -> None:
    """A document for each vector, in the field ``own``."""
    documents = [
        {"_id": document_id, "own": {"content": document_id, "vector": vector.tolist()}}
        for document_id, vector in vectors.items()
    ]
    items = rooms.send(index, AddDocuments(documents, ("own",), None, mappings={"own": CustomVector()}))
    assert {item["status"] for item in items} == {201}


def near(vector: Embeddings, **others: Any) -> SearchRequest:
    return SearchRequest(q=None, context=(ContextVector(vector, 1.0),), **others)


def pages(rooms: Rooms, index: str, asked: SearchRequest, *, size: int, most: int) -> list[list[Hit]]:
    """The hits of page after page, up to ``most`` documents."""
    offsets = range(0, most, size)
    return [rooms.searcher.search(index, replace(asked, limit=size, offset=offset)).hits for offset in offsets]


@pytest.mark.parametrize("shards", [1, 3])
@pytest.mark.parametrize("space_type", SPACES)
def test_vectors_of_any_length_score_as_their_space_says(
    rooms: Rooms, index_name: str, space_type: str, shards: int
) -> None:
    ann = AnnParameters(space_type=space_type)
    rooms.create(index_name, replace(of_lengths(8), ann_parameters=ann, number_of_shards=shards))
    drawn = np.random.default_rng(5)
    matrix = (drawn.standard_normal((90, 8)) * drawn.uniform(0.1, 4, (90, 1))).astype(np.float32)
    add_vectors(rooms, index_name, {f"v{number}": vector for number, vector in enumerate(matrix)})
    for query_vector in drawn.standard_normal((4, 8)).astype(np.float32):
        scores = similarity(matrix, query_vector, space_type)
        wanted = [f"v{number}" for number in np.argsort(-scores)]
        hits = rooms.searcher.search(index_name, near(query_vector, limit=100)).hits
        assert ids(hits) == wanted
        np.testing.assert_allclose([hit["_score"] for hit in hits], -np.sort(-scores), rtol=1e-5)
        assert ids(rooms.searcher.search(index_name, near(query_vector, limit=7)).hits) == wanted[:7]


@pytest.mark.parametrize("space_type", SPACES)
def test_pages_over_several_shards_and_fields_are_pieces_of_the_whole(
    rooms: Rooms, index_name: str, space_type: str
) -> None:
    ann = AnnParameters(space_type=space_type)
    rooms.create(index_name, replace(SPLIT, ann_parameters=ann, number_of_shards=3))
    texts = chunked(150, ("title", "body", "note"))
    rooms.add(index_name, documents_of(texts), ["title", "body", "note"])
    wanted = brute_force(texts, "first query", ("title", "body", "note"), space_type)
    asked = replace(ALL, q="first query")
    found = [hit for page in pages(rooms, index_name, asked, size=9, most=160) for hit in page]
    assert ids(found) == found_ids(wanted)
    assert [hit["_highlights"] for hit in found] == [highlight for _, _, highlight in wanted]
    scores = [score for _, score, _ in wanted]
    np.testing.assert_allclose([hit["_score"] for hit in found], scores, atol=SCORE_TOLERANCE)


def test_a_document_is_found_once_by_its_best_field(rooms: Rooms, index_name: str) -> None:
    rooms.create(index_name, replace(SPLIT, number_of_shards=3))
    fields = tuple(f"field{number}" for number in range(16))
    documents = [
        {"_id": f"d{number}", **{field: f"{field} of {number}." for field in fields}, "text": "The same for all."}
        for number in range(20)
    ]
    rooms.add(index_name, documents, [*fields, "text"])
    before = rooms.calls["search"]
    for number, field in enumerate(fields):
        hits = rooms.search(index_name, f"{field} of {number}.", replace(ALL, limit=20))
        assert sorted(ids(hits)) == sorted(f"d{number}" for number in range(20))
        assert (hits[0]["_id"], hits[0]["_highlights"]) == (f"d{number}", {field: f"{field} of {number}."})
        assert hits[0]["_score"] == pytest.approx(1, abs=1e-5)
    assert rooms.calls["search"] == before + len(fields), "one request each, over 17 fields"
    assert rooms.calls["search_many"] == 0


TIED = [{"_id": f"d{number:02}", "text": "The same sentence.", "number": number} for number in range(45)]


def forced_into_one_segment(rooms: Rooms, index: str, node: str) -> None:
    status, _ = request(node, "POST", f"/{index}/_forcemerge?max_num_segments=1")
    assert status == 200
    rooms.cluster.refresh(index)


def add_tied(rooms: Rooms, index: str) -> None:
    rooms.create(index, replace(SPLIT, number_of_shards=3))
    for start in range(0, len(TIED), 5):
        rooms.add(index, TIED[start : start + 5])


def paged(rooms: Rooms, index: str, asked: SearchRequest) -> list[str]:
    return [document_id for page in pages(rooms, index, asked, size=4, most=48) for document_id in ids(page)]


@pytest.mark.parametrize("method", [SearchMethod.LEXICAL, SearchMethod.TENSOR])
def test_ties_come_in_one_order_over_shards_merges_and_pages(
    rooms: Rooms, index_name: str, node: str, method: SearchMethod
) -> None:
    add_tied(rooms, index_name)
    asked = replace(ALL, q="same sentence", method=method)
    first = ids(rooms.searcher.search(index_name, asked).hits)
    assert sorted(first) == [document["_id"] for document in TIED]
    for _ in range(3):
        assert ids(rooms.searcher.search(index_name, asked).hits) == first
    assert paged(rooms, index_name, asked) == first
    forced_into_one_segment(rooms, index_name, node)
    assert ids(rooms.searcher.search(index_name, asked).hits) == first


def test_pages_of_ties_found_by_both_halves_are_pieces_of_one_order(rooms: Rooms, index_name: str, node: str) -> None:
    add_tied(rooms, index_name)
    asked = replace(ALL, q="same sentence", method=SearchMethod.HYBRID)
    first = paged(rooms, index_name, asked)
    assert sorted(first) == [document["_id"] for document in TIED]
    assert paged(rooms, index_name, asked) == first
    forced_into_one_segment(rooms, index_name, node)
    assert paged(rooms, index_name, asked) == first


@pytest.mark.parametrize("space_type", SPACES)
def test_equal_vectors_come_in_the_order_in_which_they_were_written(
    rooms: Rooms, index_name: str, space_type: str
) -> None:
    ann = AnnParameters(space_type=space_type)
    rooms.create(index_name, replace(of_lengths(4), ann_parameters=ann, number_of_shards=1))
    same = np.array([0.5, 0.5, 0.5, 0.5], dtype=np.float32)
    names = [f"v{number}" for number in (7, 3, 9, 1, 4, 8, 2)]
    add_vectors(rooms, index_name, dict.fromkeys(names, same))
    hits = rooms.searcher.search(index_name, near(np.array([1, 0, 0, 0], dtype=np.float32))).hits
    assert len({hit["_score"] for hit in hits}) == 1
    assert ids(hits) == names


def test_equal_numbers_of_a_sort_come_in_one_order_too(rooms: Rooms, index_name: str) -> None:
    rooms.create(index_name, SPLIT)
    rooms.add(index_name, [document | {"number": 1} for document in TIED])
    options = replace(ALL.options, sort=("number",))
    asked = replace(ALL, q="same", method=SearchMethod.LEXICAL, options=options)
    paged = [document_id for page in pages(rooms, index_name, asked, size=4, most=48) for document_id in ids(page)]
    assert paged == [document["_id"] for document in TIED]
