"""Hybrid search on a real node, against the two single searches merged here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from sidecar.embedding.loader import Embeddings, Prepared
from sidecar.embedding.loaders.random import RandomLoader
from sidecar.opensearch.index_settings import TextPreprocessing
from sidecar.opensearch.transport import Transport
from sidecar.searching.request import (
    HybridParameters,
    Ranking,
    Retrieval,
    ScoreModifiers,
    SearchMethod,
    SearchOptions,
    SearchRequest,
)
from sidecar.searching.search_plan import SearchResult
from tests.brute_force import ids
from tests.rooms import SETTINGS, Hit, Rooms

SPLIT = replace(SETTINGS, text_preprocessing=TextPreprocessing(split_length=1), number_of_shards=3)
WORDS = ["red", "green", "blue", "boat", "car", "tree", "fast", "slow", "old", "new"]
Q = "red boat fast"
RRF = HybridParameters()
LINEAR = HybridParameters(ranking=Ranking.NORMALIZE_LINEAR)
TENSOR_BY_WORDS = HybridParameters(Retrieval.TENSOR, Ranking.LEXICAL)
WORDS_BY_TENSOR = HybridParameters(Retrieval.LEXICAL, Ranking.TENSOR)
PAIRS = [
    RRF,
    LINEAR,
    TENSOR_BY_WORDS,
    WORDS_BY_TENSOR,
    HybridParameters(Retrieval.TENSOR, Ranking.TENSOR),
    HybridParameters(Retrieval.LEXICAL, Ranking.LEXICAL),
]


def documents(count: int) -> list[dict[str, Any]]:
    """Some have words of the query, some have none, some have no vectors."""
    drawn = np.random.default_rng(11)
    made: list[dict[str, Any]] = []
    for number in range(count):
        words = " ".join(drawn.choice(WORDS, 1 + number % 6))
        document: dict[str, Any] = {"_id": f"d{number}", "number": number, "kind": WORDS[number % 3]}
        # `note` is not embedded, and found by words alone.
        document["note" if number % 7 == 0 else "title"] = f"{words} {number}."
        made.append(document)
    return made


@pytest.fixture
def index(rooms: Rooms, index_name: str) -> str:
    """Less documents than a window has room for."""
    rooms.create(index_name, SPLIT)
    rooms.add(index_name, documents(30), ["title"])
    return index_name


@pytest.fixture
def big_index(rooms: Rooms, index_name: str) -> str:
    """More documents than several windows have room for."""
    rooms.create(index_name, SPLIT)
    rooms.add(index_name, documents(320), ["title"])
    return index_name


def search(rooms: Rooms, index: str, hybrid: HybridParameters = RRF, **others: Any) -> SearchResult:
    asked = SearchRequest(q=others.pop("q", Q), method=SearchMethod.HYBRID, hybrid=hybrid, **others)
    return rooms.searcher.search(index, asked)


def single(rooms: Rooms, index: str, method: SearchMethod, **others: Any) -> dict[str, float]:
    """Scores by id, best first, of one half alone."""
    asked = SearchRequest(q=others.pop("q", Q), method=method, limit=1000, **others)
    return {hit["_id"]: hit["_score"] for hit in rooms.searcher.search(index, asked).hits}


def halves(rooms: Rooms, index: str, **others: Any) -> tuple[dict[str, float], dict[str, float]]:
    return tuple(single(rooms, index, method, **others) for method in (SearchMethod.TENSOR, SearchMethod.LEXICAL))  # type: ignore[return-value]


def reciprocal(tensor: Mapping[str, float], lexical: Mapping[str, float], alpha: float, k: int) -> dict[str, float]:
    scores = dict.fromkeys([*tensor, *lexical], 0.0)
    for share, half in ((alpha, tensor), (1 - alpha, lexical)):
        for rank, document_id in enumerate(half, 1):
            scores[document_id] += share / (k + rank)
    return scores


def linear(tensor: Mapping[str, float], lexical: Mapping[str, float], alpha: float) -> dict[str, float]:
    scores = dict.fromkeys([*tensor, *lexical], 0.0)
    for share, half in ((alpha, tensor), (1 - alpha, lexical)):
        low, high = min(half.values()), max(half.values())
        for document_id, score in half.items():
            scores[document_id] += share * max(0.001, (score - low) / (high - low))
    return scores


def assert_merged(hits: list[Hit], wanted: Mapping[str, float]) -> None:
    """These hits, in the order of these scores; equal ones in any order."""
    assert sorted(ids(hits)) == sorted(wanted)
    assert [hit["_score"] for hit in hits] == pytest.approx([wanted[hit["_id"]] for hit in hits], rel=1e-5, abs=1e-9)
    assert [hit["_score"] for hit in hits] == sorted((hit["_score"] for hit in hits), reverse=True)


@pytest.mark.parametrize(("alpha", "k"), [(0.5, 60), (0.2, 1), (0.9, 0), (0, 60), (1, 60)])
def test_reciprocal_ranks_of_both_searches_are_merged_in_one_round_trip(
    rooms: Rooms, index: str, alpha: float, k: int
) -> None:
    tensor, lexical = halves(rooms, index)
    before = rooms.calls.counts.total()
    hits = search(rooms, index, replace(RRF, alpha=alpha, rrf_k=k), limit=32).hits
    assert rooms.calls.counts.total() == before + 1
    assert rooms.calls["search_many"] == 1
    assert_merged(hits, reciprocal(tensor, lexical, alpha, k))
    if alpha in (0, 1):
        first = list(tensor if alpha else lexical)
        assert ids(hits)[: len(first)] == first


@pytest.mark.parametrize("alpha", [0.5, 0.1, 0.8, 0, 1])
def test_scores_brought_to_one_scale_are_merged(rooms: Rooms, index: str, alpha: float) -> None:
    tensor, lexical = halves(rooms, index)
    hits = search(rooms, index, replace(LINEAR, alpha=alpha), limit=32).hits
    assert_merged(hits, linear(tensor, lexical, alpha))


@pytest.mark.parametrize("hybrid", [RRF, LINEAR])
def test_hits_tell_what_each_half_scored(rooms: Rooms, index: str, hybrid: HybridParameters) -> None:
    tensor, lexical = halves(rooms, index)
    hits = search(rooms, index, hybrid, limit=32).hits
    assert {hit["_id"]: hit["_tensor_score"] for hit in hits if "_tensor_score" in hit} == pytest.approx(tensor)
    assert {hit["_id"]: hit["_lexical_score"] for hit in hits if "_lexical_score" in hit} == pytest.approx(lexical)
    for hit in hits:
        assert hit["_highlights"] == ({"title": hit["title"]} if hit["_id"] in tensor else [])


def test_words_find_what_has_no_vectors_and_vectors_what_has_no_words(rooms: Rooms, index: str) -> None:
    tensor, lexical = halves(rooms, index)
    found = ids(search(rooms, index, limit=32).hits)
    assert set(tensor) - set(lexical)
    assert set(lexical) - set(tensor)
    assert set(found) == {*tensor, *lexical}


def test_neighbours_are_ordered_by_their_words(rooms: Rooms, index: str) -> None:
    tensor, lexical = halves(rooms, index)
    hits = search(rooms, index, TENSOR_BY_WORDS, limit=32).hits
    assert_merged(hits, {document_id: lexical.get(document_id, 0.0) for document_id in tensor})
    without = [document_id for document_id in tensor if document_id not in lexical]
    assert ids(hits)[-len(without) :] == without, "those without words by their vectors"
    assert {hit["_id"]: hit["_tensor_score"] for hit in hits} == pytest.approx(tensor)


def test_the_nearest_of_many_are_ordered_by_their_words_window_by_window(rooms: Rooms, big_index: str) -> None:
    tensor, lexical = halves(rooms, big_index)
    order: list[str] = []
    for window in (20, 40, 80):
        order += sorted(list(tensor)[len(order) : window], key=lambda found: -lexical.get(found, 0.0))
    pages = [search(rooms, big_index, TENSOR_BY_WORDS, limit=20, offset=offset).hits for offset in range(0, 80, 20)]
    assert [document_id for page in pages for document_id in ids(page)] == order


def test_what_has_the_words_is_ordered_by_its_vectors(rooms: Rooms, index: str) -> None:
    tensor, lexical = halves(rooms, index)
    hits = search(rooms, index, WORDS_BY_TENSOR, limit=32).hits
    assert_merged(hits, {document_id: tensor.get(document_id, 0.0) for document_id in lexical})
    assert any(document_id not in tensor for document_id in lexical)


@pytest.mark.parametrize("method", [SearchMethod.TENSOR, SearchMethod.LEXICAL])
def test_one_half_alone_is_that_search(rooms: Rooms, index: str, method: SearchMethod) -> None:
    hybrid = HybridParameters(Retrieval(method.value.lower()), Ranking(method.value.lower()))
    hits = search(rooms, index, hybrid, limit=32).hits
    assert hits == rooms.searcher.search(index, SearchRequest(q=Q, method=method, limit=32)).hits


@pytest.mark.parametrize("hybrid", PAIRS)
@pytest.mark.parametrize("size", [10, 47])
def test_pages_have_no_repeats_and_no_holes(rooms: Rooms, big_index: str, hybrid: HybridParameters, size: int) -> None:
    whole = ids(search(rooms, big_index, hybrid, limit=1000).hits)
    pages = [search(rooms, big_index, hybrid, limit=size, offset=offset).hits for offset in range(0, 330, size)]
    paged = [hit for page in pages for hit in page]
    assert sorted(ids(paged)) == sorted(whole)
    # Where two orders become one, each page makes it of no more than it needs.
    if hybrid not in (RRF, LINEAR, TENSOR_BY_WORDS):
        assert ids(paged) == whole
    assert len(whole) == len(set(whole))
    assert len(whole) >= 100
    scores = [hit["_score"] for hit in paged]
    assert scores == sorted(scores, reverse=True)


@pytest.mark.parametrize("hybrid", PAIRS)
@pytest.mark.parametrize("condition", ["kind:green AND number:[5 TO 25]", {"range": {"number": {"gte": 20}}}])
def test_a_filter_narrows_both_halves(rooms: Rooms, index: str, hybrid: HybridParameters, condition: Any) -> None:
    tensor, lexical = halves(rooms, index, filter=condition)
    hits = search(rooms, index, hybrid, filter=condition, limit=32).hits
    retrieved = {Retrieval.TENSOR: tensor, Retrieval.LEXICAL: lexical, Retrieval.DISJUNCTION: {**tensor, **lexical}}
    assert sorted(ids(hits)) == sorted(retrieved[hybrid.retrieval])
    assert hits
    if hybrid is RRF:
        assert_merged(hits, reciprocal(tensor, lexical, 0.5, 60))


@pytest.mark.parametrize("hybrid", PAIRS)
def test_a_query_that_no_word_matches_leaves_the_neighbours(rooms: Rooms, index: str, hybrid: HybridParameters) -> None:
    hits = search(rooms, index, hybrid, q="nowhere", limit=32).hits
    nearest = [] if hybrid.retrieval is Retrieval.LEXICAL else list(halves(rooms, index, q="nowhere")[0])
    assert ids(hits) == nearest
    assert not any(hit.get("_lexical_score") for hit in hits)


class NoVectors(RandomLoader):
    """Queries that begin with `red` have no direction."""

    def run_text(self, batch: list[Prepared]) -> Embeddings:  # type: ignore[override]
        vectors = super().run_text(batch)
        for row, prepared in enumerate(batch):
            if prepared.payload == Q.encode():
                vectors[row] = 0
        return vectors


@pytest.mark.parametrize("hybrid", PAIRS)
def test_a_query_vector_without_direction_leaves_the_words(
    transport: Transport, index_name: str, hybrid: HybridParameters
) -> None:
    with Rooms(transport, lambda spec: NoVectors(spec.dimensions)) as rooms:
        rooms.create(index_name, SPLIT)
        rooms.add(index_name, documents(20), ["title"])
        lexical = single(rooms, index_name, SearchMethod.LEXICAL)
        result = search(rooms, index_name, hybrid, limit=32, options=SearchOptions(facets={"kind": 3}))
    if hybrid.retrieval is Retrieval.TENSOR:
        assert result.hits == []
        assert result.others["facets"] == {"kind": {"values": [], "others": 0}}
    else:
        assert sorted(ids(result.hits)) == sorted(lexical)
        counts = {value["value"]: value["count"] for value in result.others["facets"]["kind"]["values"]}
        assert sum(counts.values()) == len(lexical)


def test_an_index_without_vectors_is_searched_by_words(rooms: Rooms, index_name: str) -> None:
    rooms.create(index_name, SPLIT)
    for hybrid in PAIRS:
        assert search(rooms, index_name, hybrid).hits == []
    rooms.add(index_name, documents(20), [])
    lexical = single(rooms, index_name, SearchMethod.LEXICAL)
    for hybrid in PAIRS:
        found = ids(search(rooms, index_name, hybrid, limit=32).hits)
        assert sorted(found) == ([] if hybrid.retrieval is Retrieval.TENSOR else sorted(lexical))


@pytest.mark.parametrize("hybrid", PAIRS)
def test_aggregations_and_facets_count_what_either_half_finds(
    rooms: Rooms, index: str, hybrid: HybridParameters
) -> None:
    tensor, lexical = halves(rooms, index)
    retrieved = {Retrieval.TENSOR: tensor, Retrieval.LEXICAL: lexical, Retrieval.DISJUNCTION: {**tensor, **lexical}}
    numbers = [int(document_id[1:]) for document_id in retrieved[hybrid.retrieval]]
    options = SearchOptions(aggregations={"most": {"max": {"field": "number"}}}, facets={"kind": 5, "number": 1})
    before = rooms.calls.counts.total()
    result = search(rooms, index, hybrid, options=options, limit=3)
    assert rooms.calls.counts.total() == before + 1
    assert len(result.hits) == 3
    assert result.others["aggregations"] == {"most": {"value": max(numbers)}}
    kinds = [WORDS[number % 3] for number in numbers]
    counted = {value["value"]: value["count"] for value in result.others["facets"]["kind"]["values"]}
    assert counted == {kind: kinds.count(kind) for kind in set(kinds)}
    assert result.others["facets"]["number"]["count"] == len(numbers)
    assert result.others["facets"]["number"]["sum"] == sum(numbers)


def test_attributes_and_modifiers_may_be_those_of_one_half(rooms: Rooms, index: str) -> None:
    modifiers = ScoreModifiers(multiply=(("number", 1.0),))
    tensor = single(rooms, index, SearchMethod.TENSOR, modifiers=modifiers)
    lexical = single(rooms, index, SearchMethod.LEXICAL, searchable_attributes=("note",))
    hybrid = HybridParameters(lexical_attributes=("note",), tensor_modifiers=modifiers)
    assert_merged(search(rooms, index, hybrid, limit=32).hits, reciprocal(tensor, lexical, 0.5, 60))
    nothing = HybridParameters(tensor_attributes=(), lexical_attributes=("title",))
    words = single(rooms, index, SearchMethod.LEXICAL, searchable_attributes=("title",))
    assert ids(search(rooms, index, nothing, limit=32).hits) == list(words)


def test_modifiers_of_the_search_are_those_of_both_halves(rooms: Rooms, index: str) -> None:
    modifiers = ScoreModifiers(add=(("number", 0.5),))
    tensor, lexical = halves(rooms, index, modifiers=modifiers)
    hits = search(rooms, index, LINEAR, modifiers=modifiers, limit=32).hits
    assert_merged(hits, linear(tensor, lexical, 0.5))
    assert {hit["_id"]: hit["_tensor_score"] for hit in hits if "_tensor_score" in hit} == pytest.approx(tensor)


def test_highlights_of_words_stand_beside_those_of_meaning(rooms: Rooms, index: str) -> None:
    tensor, lexical = halves(rooms, index)
    for hybrid in (RRF, TENSOR_BY_WORDS):
        for hit in search(rooms, index, hybrid, limit=32, options=SearchOptions(lexical_highlights={})).hits:
            if hit["_id"] in tensor:
                assert hit["_highlights"] == {"title": hit["title"]}
            else:
                assert hit["_highlights"] == []
            if hit["_id"] in lexical:
                (pieces, *_) = hit["_lexical_highlights"].values()
                assert "<em>" in pieces[0]


def test_several_hybrid_searches_are_one_request(rooms: Rooms, index: str) -> None:
    asked = [
        (index, SearchRequest(q=q, method=SearchMethod.HYBRID, hybrid=hybrid, limit=5))
        for q in (Q, "blue car")
        for hybrid in PAIRS
    ]
    wanted = [rooms.searcher.search(index, request).hits for _, request in asked]
    before = rooms.calls.counts.total()
    assert [result.hits for result in rooms.searcher.search_many(asked)] == wanted
    assert rooms.calls.counts.total() == before + 1
