"""Score modifiers, boosts and least scores on a real node, computed again here."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from sidecar.opensearch.index_settings import AnnParameters, TextPreprocessing
from sidecar.searching.request import Boost, ScoreModifiers, SearchMethod, SearchOptions, SearchRequest
from sidecar.searching.score_modifiers import LARGEST_SCORE
from tests.brute_force import RIGHT, brute_force, chunked, documents_of, found_ids, ids, similarity
from tests.rooms import SETTINGS, Rooms

SPLIT = replace(SETTINGS, text_preprocessing=TextPreprocessing(split_length=1))
ALL = SearchRequest(q="", limit=1000)
EXACT = "The very text."


def multiply(*fields: tuple[str, float]) -> ScoreModifiers:
    return ScoreModifiers(multiply=fields)


def add(*fields: tuple[str, float]) -> ScoreModifiers:
    return ScoreModifiers(add=fields)


@pytest.fixture
def index(rooms: Rooms, index_name: str) -> str:
    """One document that scores 1 for its own text, with values of every kind."""
    rooms.create(index_name)
    values = {"size": 30, "price": 0.5, "loss": -3, "ok": True, "word": "12", "words": ["1", "2"], "huge": 1e38}
    rooms.add(index_name, [{"_id": "a", "text": EXACT, **values}, {"_id": "other", "text": "Another.", "rare": 7}])
    return index_name


def score(rooms: Rooms, index: str, modifiers: ScoreModifiers) -> float:
    (hit,) = rooms.search(index, EXACT, replace(ALL, modifiers=modifiers, filter="_id:a"))
    found: float = hit["_score"]
    return found


@pytest.mark.parametrize(
    ("modifiers", "wanted"),
    [
        (multiply(("size", 2)), 60.0),
        (add(("size", 0.5)), 16.0),
        (multiply(("size", 1)), 30.0),
        (multiply(("size", 2), ("price", 3)), 90.0),
        (ScoreModifiers(multiply=(("size", 2), ("price", 1)), add=(("loss", 2), ("size", 0.1))), 27.0),
        (multiply(("loss", 1)), 0.0),
        (add(("loss", 1)), 0.0),
        (multiply(("loss", -1)), 3.0),
        (multiply(("size", 0)), 0.0),
        (multiply(("missing", 5)), 1.0),
        (multiply(("rare", 5)), 1.0),
        (multiply(("ok", 5)), 1.0),
        (multiply(("word", 5)), 1.0),
        (multiply(("words", 5)), 1.0),
        (multiply(("text", 5)), 1.0),
        (ScoreModifiers(multiply=(("missing", 5), ("size", 1)), add=(("ok", 1), ("price", 2))), 31.0),
    ],
)
def test_a_score_of_1_becomes_what_the_contract_says(
    rooms: Rooms, index: str, modifiers: ScoreModifiers, wanted: float
) -> None:
    assert score(rooms, index, modifiers) == pytest.approx(wanted, rel=1e-5)


@pytest.mark.parametrize(
    ("modifiers", "wanted"),
    [
        (multiply(("huge", 1e300)), LARGEST_SCORE),
        (multiply(("huge", 1e300), ("huge", 1e300), ("huge", 1e300)), LARGEST_SCORE),
        (multiply(("huge", -1e300)), 0.0),
        # Infinity less infinity, and infinity times zero, which are no numbers.
        (ScoreModifiers(multiply=(("huge", 1e300),) * 2, add=(("huge", -1e300),) * 2), 0.0),
        (multiply(("huge", 1e300), ("huge", 1e300), ("size", 0)), 0.0),
    ],
)
def test_scores_beyond_all_numbers_are_the_largest_or_none(
    rooms: Rooms, index: str, modifiers: ScoreModifiers, wanted: float
) -> None:
    for boost in ({}, {"text": Boost(1.0)}):
        asked = replace(ALL, modifiers=modifiers, filter="_id:a", boost=boost)
        (hit,) = rooms.search(index, EXACT, asked)
        assert math.isfinite(hit["_score"])
        assert hit["_score"] == pytest.approx(wanted, rel=1e-6)


def modified(values: dict[str, Any], score: float, modifiers: ScoreModifiers) -> float:
    for field, weight in modifiers.multiply:
        score *= values[field] * weight if field in values else 1
    return max(0.0, score + sum(values[field] * weight for field, weight in modifiers.add if field in values))


@pytest.mark.parametrize("shards", [1, 3])
@pytest.mark.parametrize("method", [SearchMethod.TENSOR, SearchMethod.HYBRID])
def test_modified_scores_order_all_hits_over_shards_and_pages(
    rooms: Rooms, index_name: str, shards: int, method: SearchMethod
) -> None:
    rooms.create(index_name, replace(SPLIT, number_of_shards=shards))
    texts = chunked(60, ("text",))
    drawn = np.random.default_rng(3)
    values: dict[str, dict[str, Any]] = {
        document_id: {"size": int(drawn.integers(-3, 30))} | ({"price": float(drawn.uniform(0, 5))} if some else {})
        for document_id, some in zip(texts, drawn.integers(0, 2, len(texts)), strict=True)
    }
    rooms.add(index_name, [document | values[document["_id"]] for document in documents_of(texts)])
    modifiers = ScoreModifiers(multiply=(("size", 0.5),), add=(("price", 2.0), ("size", 0.25)))
    wanted = {
        document_id: modified(values[document_id], own, modifiers)
        for document_id, own, _ in brute_force(texts, "q", ("text",))
    }
    asked = replace(ALL, method=method, modifiers=modifiers)
    if method is SearchMethod.HYBRID:
        asked = replace(asked, q="q", hybrid=replace(asked.hybrid, alpha=1.0))
    hits = rooms.search(index_name, "q", asked)
    key = "_score" if method is SearchMethod.TENSOR else "_tensor_score"
    assert {hit["_id"]: hit[key] for hit in hits} == pytest.approx(wanted, rel=1e-4, abs=1e-5)
    assert [hit[key] for hit in hits] == sorted((hit[key] for hit in hits), reverse=True)
    assert 0.0 in wanted.values()
    narrowed = rooms.search(index_name, "q", replace(asked, filter="number:[10 TO 30]"))
    assert ids(narrowed) == [document_id for document_id in ids(hits) if 10 <= int(document_id[1:]) <= 30]
    if method is SearchMethod.TENSOR:
        paged = [rooms.search(index_name, "q", replace(asked, limit=8, offset=start)) for start in range(32, 60, 8)]
        assert [hit["_id"] for page in paged for hit in page] == ids(hits)[32:]


@pytest.mark.parametrize("space_type", ["l2", "innerproduct"])
def test_modifiers_work_in_every_space(rooms: Rooms, index_name: str, space_type: str) -> None:
    rooms.create(index_name, replace(SPLIT, ann_parameters=AnnParameters(space_type=space_type)))
    texts = chunked(20, ("text",))
    rooms.add(index_name, documents_of(texts))
    hits = rooms.search(index_name, "q", replace(ALL, modifiers=multiply(("number", 1))))
    wanted = {name: own * int(name[1:]) for name, own, _ in brute_force(texts, "q", ("text",), space_type)}
    assert {hit["_id"]: hit["_score"] for hit in hits} == pytest.approx(wanted, rel=1e-4)


def test_modifiers_can_change_what_words_score(rooms: Rooms, index: str) -> None:
    """As of a hybrid search's half; a search by words alone is not handed them: see tests/api."""
    plain = replace(ALL, method=SearchMethod.LEXICAL)
    with_modifiers = replace(plain, modifiers=multiply(("size", 2)))
    (before,), (after,) = (rooms.search(index, "very", asked) for asked in (plain, with_modifiers))
    assert after["_score"] == pytest.approx(before["_score"] * 60)


# Boosts


TEXTS = chunked(24, ("title", "body"))


@pytest.fixture
def fields(rooms: Rooms, index_name: str) -> str:
    """Documents with one or two fields of up to four sentences."""
    rooms.create(index_name, replace(SPLIT, number_of_shards=3))
    rooms.add(index_name, documents_of(TEXTS), ["title", "body"])
    return index_name


def boosted(boost: dict[str, Boost], change: Callable[[str, float], float]) -> dict[str, tuple[float, dict[str, str]]]:
    """Score and highlight of each document by all of its chunks."""
    query_vector = RIGHT.encode_text(["q"])[0]
    wanted = {}
    for document_id, by_field in TEXTS.items():
        chunks = []
        for field, parts in by_field.items():
            own = boost.get(field, Boost(1.0))
            scores = similarity(RIGHT.encode_text(parts), query_vector, "cosinesimil")
            # At most three chunks of a field are retrieved, the nearest.
            for place in np.argsort(-scores)[:3]:
                boosted_score = change(document_id, float(scores[place])) * own.weight + own.bias
                chunks.append((boosted_score, {field: parts[place]}))
        if chunks:
            wanted[document_id] = max(chunks, key=lambda chunk: chunk[0])
    return wanted


@pytest.mark.parametrize(
    "boost",
    [
        {"title": Boost(0.5)},
        {"title": Boost(2.0, 0.25), "body": Boost(0.1)},
        {"body": Boost(1.0, -5.0)},
        {"title": Boost(-1.0), "body": Boost(-2.0, 0.5)},
        {"title": Boost(0.0)},
        {"unknown": Boost(9.0)},
    ],
)
@pytest.mark.parametrize("modifiers", [None, multiply(("number", 0.1))])
def test_score_highlight_and_order_follow_the_best_boosted_chunk(
    rooms: Rooms, fields: str, boost: dict[str, Boost], modifiers: ScoreModifiers | None
) -> None:
    def change(document_id: str, own: float) -> float:
        return own if modifiers is None else own * int(document_id[1:]) * 0.1

    wanted = boosted(boost, change)
    hits = rooms.search(fields, "q", replace(ALL, boost=boost, modifiers=modifiers))
    assert {hit["_id"]: hit["_score"] for hit in hits} == pytest.approx(
        {document_id: own for document_id, (own, _) in wanted.items()}, abs=1e-4
    )
    assert [hit["_score"] for hit in hits] == sorted((hit["_score"] for hit in hits), reverse=True)
    for hit in hits:
        if modifiers is None and boost.get("title") != Boost(0.0):
            assert hit["_highlights"] == wanted[hit["_id"]][1]
        assert len(hit["_highlights"]) == 1


def test_a_boost_halves_scores_and_ranks_only_what_is_retrieved(rooms: Rooms, fields: str) -> None:
    asked = replace(ALL, limit=5, searchable_attributes=("title",))
    plain = rooms.search(fields, "q", asked)
    halved = rooms.search(fields, "q", replace(asked, boost={"title": Boost(0.5)}))
    assert ids(halved) == ids(plain)
    assert [hit["_score"] for hit in halved] == pytest.approx([hit["_score"] / 2 for hit in plain])
    turned = rooms.search(fields, "q", replace(asked, boost={"title": Boost(-1.0)}))
    assert sorted(ids(turned)) == sorted(ids(plain))


def test_boosted_hits_show_what_is_asked_for(rooms: Rooms, fields: str) -> None:
    asked = replace(ALL, boost={"title": Boost(2.0)}, modifiers=multiply(("number", 1.0)), limit=3)
    for hit in rooms.search(fields, "q", replace(asked, attributes_to_retrieve=("body",))):
        assert set(hit) <= {"body", "_id", "_score", "_highlights"}
        assert hit["_highlights"]
    for hit in rooms.search(fields, "q", replace(asked, attributes_to_retrieve=(), show_highlights=False)):
        assert set(hit) == {"_id", "_score"}


@pytest.mark.parametrize("condition", ["number:[5 TO 12]", "number:7"])
def test_boosts_go_with_filters(rooms: Rooms, fields: str, condition: str) -> None:
    boost = {"title": Boost(3.0, 1.0)}
    wanted = boosted(boost, lambda _, own: own)
    hits = rooms.search(fields, "q", replace(ALL, boost=boost, filter=condition))
    kept = range(5, 13) if "TO" in condition else [7]
    assert {hit["_id"]: hit["_score"] for hit in hits} == pytest.approx(
        {name: own for name, (own, _) in wanted.items() if int(name[1:]) in kept}, abs=1e-4
    )


# Least scores


@pytest.fixture(scope="module")
def many() -> dict[str, dict[str, list[str]]]:
    return chunked(200, ("title", "body"))


@pytest.mark.parametrize("space_type", ["cosinesimil", "l2", "innerproduct"])
def test_all_above_the_least_score_are_found(
    rooms: Rooms, index_name: str, space_type: str, many: dict[str, dict[str, list[str]]]
) -> None:
    ann = AnnParameters(space_type=space_type)
    rooms.create(index_name, replace(SPLIT, ann_parameters=ann, number_of_shards=3))
    rooms.add(index_name, documents_of(many), ["title", "body"])
    for condition in (None, "number:[50 TO 150]"):
        kept = {name: texts for name, texts in many.items() if condition is None or 50 <= int(name[1:]) <= 150}
        wanted = brute_force(kept, "q", ("title", "body"), space_type)
        for count in (3, 45, 80):
            least = (wanted[count - 1][1] + wanted[count][1]) / 2
            for is_exact in (False, True):
                options = SearchOptions(min_score=least, is_exact=is_exact)
                asked = replace(ALL, filter=condition, options=options)
                before = rooms.calls.counts.total()
                assert ids(rooms.search(index_name, "q", asked)) == found_ids(wanted)[:count]
                if condition is None:
                    assert rooms.calls.counts.total() <= before + 2, "one search, and the index's state"
                page = rooms.search(index_name, "q", replace(asked, limit=10, offset=count - 2))
                assert ids(page) == found_ids(wanted)[count - 2 : count]
    nothing = replace(ALL, options=SearchOptions(min_score=1e9))
    assert rooms.search(index_name, "q", nothing) == []


def test_the_least_score_is_of_changed_scores(rooms: Rooms, fields: str) -> None:
    modifiers, boost = multiply(("number", 1.0)), {"title": Boost(2.0, 1.0), "body": Boost(1.0)}
    for changes in ({"modifiers": modifiers}, {"boost": boost}, {"modifiers": modifiers, "boost": boost}):
        asked = replace(ALL, **changes)  # type: ignore[arg-type]
        every = rooms.search(fields, "q", asked)
        least = every[7]["_score"] - 1e-5
        assert rooms.search(fields, "q", replace(asked, options=SearchOptions(min_score=least))) == every[:8]


def test_the_least_score_holds_for_words_and_for_what_is_counted(rooms: Rooms, fields: str) -> None:
    words = replace(ALL, q="body 3", method=SearchMethod.LEXICAL)
    for asked in (words, replace(ALL, q="q")):
        every = rooms.searcher.search(fields, asked).hits
        least = every[4]["_score"]
        kept = [hit["_id"] for hit in every if hit["_score"] >= least]
        options = SearchOptions(min_score=least, facets={"number": 1})
        result = rooms.searcher.search(fields, replace(asked, options=options, limit=2))
        assert ids(result.hits) == kept[:2]
        assert result.others["facets"]["number"]["count"] == len(kept)
