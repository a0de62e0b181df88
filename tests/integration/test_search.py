"""The read path on a real node, against vectors compared one by one in numpy."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sidecar.embedding.loaders.random import RandomLoader
from sidecar.errors import BadRequest, IndexNotFound, InvalidArgument
from sidecar.opensearch.index_settings import AnnParameters, IndexSettings, TextPreprocessing
from sidecar.opensearch.transport import Transport
from sidecar.searching.request import SearchMethod, SearchRequest
from tests.brute_force import SCORE_TOLERANCE, Texts, brute_force, chunked, documents_of, ids
from tests.embedding.faulty_loader import FaultyLoader
from tests.fix_models import MINILM
from tests.rooms import SETTINGS, Rooms

ALL = SearchRequest(q="", limit=1000)
QUERIES = ["first query", "another one", "third", "x"]
ONE_SENTENCE = TextPreprocessing(split_length=1)
SPLIT = replace(SETTINGS, text_preprocessing=ONE_SENTENCE)


@pytest.mark.parametrize(
    ("fields", "space_type", "shards"),
    [
        (("text",), "cosinesimil", 1),
        (("text", "title", "my field"), "cosinesimil", 3),
        (("text", "title"), "l2", 2),
    ],
)
def test_hits_are_those_of_comparing_all_vectors_with_one_request(
    rooms: Rooms, index_name: str, fields: tuple[str, ...], space_type: str, shards: int
) -> None:
    ann = AnnParameters(space_type=space_type)
    rooms.create(index_name, replace(SPLIT, ann_parameters=ann, number_of_shards=shards))
    texts = chunked(60, fields)
    rooms.add(index_name, documents_of(texts), fields)
    for q in QUERIES:
        wanted = brute_force(texts, q, fields, space_type)
        before = rooms.calls["search"]
        hits = rooms.search(index_name, q, ALL)
        assert rooms.calls["search"] == before + 1
        assert ids(hits) == [document_id for document_id, _, _ in wanted]
        np.testing.assert_allclose(
            [hit["_score"] for hit in hits], [score for _, score, _ in wanted], atol=SCORE_TOLERANCE
        )
        assert [hit["_highlights"] for hit in hits] == [highlight for _, _, highlight in wanted]
        assert ids(rooms.search(index_name, q, SearchRequest(q="", limit=5))) == ids(hits)[:5]


@pytest.fixture
def index(rooms: Rooms, index_name: str) -> str:
    """An index of documents with some of the fields title and body, and a number each."""
    rooms.create(index_name, SPLIT)
    rooms.add(index_name, documents_of(chunked(40, ("title", "body"))), ["title", "body"])
    return index_name


TEXTS = chunked(40, ("title", "body"))


def test_an_equal_text_scores_one(rooms: Rooms, index: str) -> None:
    (hit,) = rooms.search(index, "Sentence 7 body 2.", SearchRequest(q="", limit=1))
    assert hit["_id"] == "d7"
    assert hit["_score"] == pytest.approx(1, abs=1e-5)
    assert hit["_highlights"] == {"body": "Sentence 7 body 2."}
    assert hit["title"] == " ".join(TEXTS["d7"]["title"])
    assert set(hit) == {"_id", "_score", "_highlights", "title", "body", "number"}


@pytest.mark.parametrize("attributes", [("body",), ("title", "body"), ("title", "unknown")])
def test_searchable_attributes_choose_the_fields(rooms: Rooms, index: str, attributes: tuple[str, ...]) -> None:
    hits = rooms.search(index, "q", replace(ALL, searchable_attributes=attributes))
    assert ids(hits) == [document_id for document_id, _, _ in brute_force(TEXTS, "q", attributes)]


@pytest.mark.parametrize("attributes", [(), ("unknown",), ("number",)])
@pytest.mark.parametrize("method", list(SearchMethod))
def test_searchable_attributes_without_text_find_nothing(
    rooms: Rooms, index: str, attributes: tuple[str, ...], method: SearchMethod
) -> None:
    assert rooms.search(index, "Sentence", replace(ALL, searchable_attributes=attributes, method=method)) == []


@pytest.mark.parametrize("method", list(SearchMethod))
@pytest.mark.parametrize(
    ("attributes", "shown"), [((), set()), (("number",), {"number"}), (("number", "unknown"), {"number"})]
)
def test_attributes_to_retrieve_choose_what_is_shown(
    rooms: Rooms, index: str, method: SearchMethod, attributes: tuple[str, ...], shown: set[str]
) -> None:
    request = SearchRequest(q="", method=method, attributes_to_retrieve=attributes, limit=3)
    hits = rooms.search(index, "Sentence 7 body 2.", request)
    assert len(hits) == 3
    for hit in hits:
        halves = {"_tensor_score", "_lexical_score"} if method is SearchMethod.HYBRID else set()
        assert set(hit) - halves == {"_id", "_score", "_highlights"} | shown
    if method is not SearchMethod.LEXICAL:
        assert hits[0]["_highlights"] == {"body": "Sentence 7 body 2."}


def test_highlights_can_be_left_out(rooms: Rooms, index: str) -> None:
    hits = rooms.search(index, "q", replace(ALL, show_highlights=False))
    assert all("_highlights" not in hit for hit in hits)
    assert ids(hits) == ids(rooms.search(index, "q", ALL))


def test_pages_are_pieces_of_the_whole(rooms: Rooms, index: str) -> None:
    whole = ids(rooms.search(index, "q", ALL))
    pages = [rooms.search(index, "q", SearchRequest(q="", limit=7, offset=offset)) for offset in range(0, 49, 7)]
    assert [document_id for page in pages for document_id in ids(page)] == whole
    assert len(whole) == len(set(whole))


def test_a_field_that_another_sidecar_adds_is_searched_within_a_second(
    rooms: Rooms, index: str, transport: Transport
) -> None:
    with Rooms(transport, lambda spec: RandomLoader(spec.dimensions)) as other:
        assert other.find(index, "New.", limit=1)
        rooms.add(index, [{"_id": "new", "fresh": "New."}], ["fresh"])
        assert rooms.find(index, "New.", limit=1) == ["new"]
        other.clock.now += 1.1
        assert other.find(index, "New.", limit=1) == ["new"]
        assert other.find(index, "New", method=SearchMethod.LEXICAL) == ["new"]


def test_an_index_without_embeddings_has_no_hits(rooms: Rooms, index_name: str) -> None:
    rooms.create(index_name)
    assert rooms.search(index_name, "q") == []
    rooms.add(index_name, [{"_id": "1", "text": "A."}], [])
    assert rooms.search(index_name, "q") == []
    assert rooms.find(index_name, "a", method=SearchMethod.LEXICAL) == ["1"]


def test_unknown_indexes_are_told(rooms: Rooms, index_name: str) -> None:
    for method in SearchMethod:
        with pytest.raises(IndexNotFound):
            rooms.find(index_name, "q", method=method)


def test_text_can_not_be_searched_for_by_meaning_without_a_model(rooms: Rooms, index_name: str) -> None:
    properties = {"dimensions": 4}
    settings = IndexSettings(
        model="no_model", model_properties=properties, search_model="no_model", search_model_properties=properties
    )
    rooms.create(index_name, settings)
    with pytest.raises(BadRequest, match="no model"):
        rooms.search(index_name, "q")


# Highlights and offsets


@pytest.mark.parametrize(
    "text",
    [
        "Été à Zürich. 🎉 Party 👩‍👩‍👧‍👦 time! 東京 is far. The end.",
        "First line.\r\nSecond 🎉 line.\r\n\r\nThird\tline here.\n",
        "  spaces   before. And \U0001f9d1\U0001f3fd after.   ",
    ],
)
@pytest.mark.parametrize("method", ["sentence", "word", "character", "passage"])
def test_highlights_are_pieces_of_the_text_as_it_was_written(
    rooms: Rooms, index_name: str, text: str, method: str
) -> None:
    split = TextPreprocessing(split_length=2, split_overlap=1, split_method=method)
    rooms.create(index_name, replace(SETTINGS, text_preprocessing=split))
    rooms.add(index_name, [{"_id": "1", "text": text}])
    chunks = rooms.stored(index_name, "1")["__embeddings"]["text"]
    for chunk in chunks:
        piece = text[chunk["start"] : chunk["end"]]
        joined = piece if method == "character" else " ".join(piece.split())
        (hit,) = rooms.search(index_name, joined)
        if hit["_score"] > 0.999:
            assert hit["_highlights"] == {"text": piece}
    assert rooms.search(index_name, "anything")[0]["_highlights"]["text"] in text


def test_the_highlight_is_of_the_chunk_that_the_document_scores_by(rooms: Rooms, index_name: str) -> None:
    rooms.create(index_name, SPLIT)
    rooms.add(index_name, [{"_id": "1", "a": "One. Two. Three.", "b": "Four. Five."}], ["a", "b"])
    for field, sentence in (("a", "One."), ("a", "Three."), ("b", "Four."), ("b", "Five.")):
        (hit,) = rooms.search(index_name, sentence)
        assert hit["_highlights"] == {field: sentence}
        assert hit["_score"] == pytest.approx(1, abs=1e-5)


def test_a_sentence_that_stands_in_many_documents_spoils_no_search(rooms: Rooms, index_name: str) -> None:
    """Bit-equal vectors make Lucene lose most of the others; see `sidecar.indexing.distinct`."""
    rooms.create(index_name, SPLIT)
    texts: Texts = {f"d{n}": {"text": [f"Unique {n}.", "See the licence."]} for n in range(600)}
    rooms.add(index_name, documents_of(texts))
    queries = [f"Unique {n}." for n in range(0, 600, 60)]
    assert [rooms.find(index_name, q, limit=1) for q in queries] == [[f"d{n}"] for n in range(0, 600, 60)]
    found = wanted = 0
    for q in QUERIES:
        best = {document_id for document_id, _, _ in brute_force(texts, q, ("text",))[:10]}
        found += len(best & set(rooms.find(index_name, q)))
        wanted += len(best)
    assert found / wanted >= 0.9


# Filters


@pytest.mark.parametrize("space_type", ["cosinesimil", "l2"])
def test_a_filter_gives_full_pages_on_adversarial_data_and_the_same_scores(
    rooms: Rooms, index_name: str, space_type: str
) -> None:
    """The nearest chunks are all of documents that the filter leaves out, or of the same few documents."""
    rooms.create(index_name, replace(SPLIT, ann_parameters=AnnParameters(space_type=space_type)))
    near = "Near the query."
    many = [{"_id": f"many{n}", "text": " ".join([near] * 300), "kind": "many"} for n in range(6)]
    far = [{"_id": f"far{n}", "text": f"Far {n}.", "kind": "few" if n % 10 == 0 else "rest"} for n in range(400)]
    rooms.add(index_name, [*many, *far])
    hits = rooms.search(index_name, near, SearchRequest(q="", filter="kind:few", limit=40))
    texts = {document["_id"]: {"text": [document["text"]]} for document in far if document["kind"] == "few"}
    wanted = brute_force(texts, near, ("text",), space_type)
    assert ids(hits) == [document_id for document_id, _, _ in wanted]
    np.testing.assert_allclose([hit["_score"] for hit in hits], [score for _, score, _ in wanted], atol=SCORE_TOLERANCE)
    assert [hit["_highlights"] for hit in hits] == [highlight for _, _, highlight in wanted]
    short = rooms.search(index_name, near, SearchRequest(q="", filter="kind:few", limit=100))
    assert ids(short) == ids(hits), "asking for more than there are"
    np.testing.assert_allclose([hit["_score"] for hit in short], [hit["_score"] for hit in hits], atol=SCORE_TOLERANCE)
    unfiltered = ids(rooms.search(index_name, near, SearchRequest(q="", limit=50)))
    assert len(unfiltered) == 50
    if space_type == "cosinesimil":
        # In l2, distances of nearly equal vectors are all the same float32, so that Lucene still loses some.
        assert set(unfiltered[:6]) == {f"many{n}" for n in range(6)}


def test_filters_over_several_fields_give_all_that_match(rooms: Rooms, index: str) -> None:
    for condition, wanted in (("number:[10 TO 29]", range(10, 30)), ("number:3 OR number:39", (3, 39))):
        kept = {f"d{number}": TEXTS[f"d{number}"] for number in wanted}
        hits = rooms.search(index, "q", replace(ALL, filter=condition))
        assert ids(hits) == [document_id for document_id, _, _ in brute_force(kept, "q", ("title", "body"))]


def test_filtered_pages_are_pieces_of_the_whole(rooms: Rooms, index: str) -> None:
    request = SearchRequest(q="", limit=6, filter="number:[10 TO 29]")
    whole = ids(rooms.search(index, "q", replace(request, limit=1000)))
    pages = [ids(rooms.search(index, "q", replace(request, offset=offset))) for offset in range(0, 30, 6)]
    assert [document_id for page in pages for document_id in page] == whole
    assert len(whole) == 20


def test_a_full_page_needs_one_request_with_a_filter_too(rooms: Rooms, index: str) -> None:
    before = rooms.calls["search"]
    assert len(rooms.search(index, "q", SearchRequest(q="", limit=5, filter="number:[0 TO 30]"))) == 5
    assert rooms.calls["search"] == before + 1


@pytest.mark.parametrize("method", list(SearchMethod))
@pytest.mark.parametrize("condition", ["((", "number:[1 TO"])
def test_a_bad_filter_is_the_clients_error(rooms: Rooms, index: str, method: SearchMethod, condition: str) -> None:
    with pytest.raises(InvalidArgument, match="filter"):
        rooms.search(index, "q", SearchRequest(q="", method=method, filter=condition))


def test_a_filter_that_the_cluster_refuses_is_the_clients_error(rooms: Rooms, index: str) -> None:
    with pytest.raises(InvalidArgument, match="filter"):
        rooms.search(index, "q", SearchRequest(q="", filter="title:/[/"))


# Queries


def test_a_repeated_query_is_not_embedded_again(rooms: Rooms, index: str) -> None:
    first = rooms.search(index, "q", ALL)
    assert rooms.search(index, "q", ALL) == first
    assert rooms.query_runs == 1


def test_prefixes_of_the_table_are_put_before_chunks_and_queries(transport: Transport, index_name: str) -> None:
    loader = FaultyLoader(384)
    with Rooms(transport, lambda spec: loader) as rooms:
        rooms.create(index_name, IndexSettings(model="hf/e5-small-v2", search_model="hf/e5-small-v2"))
        rooms.add(index_name, [{"_id": "1", "text": "A text."}])
        (hit,) = rooms.search(index_name, "a query")
        rooms.search(index_name, "a query", SearchRequest(q="", text_query_prefix="asked: "))
        rooms.search(index_name, "a query", SearchRequest(q="", text_query_prefix=""))
    assert loader.batches == [["passage: A text."], ["query: a query"], ["asked: a query"], ["a query"]]
    assert hit["_highlights"] == {"text": "A text."}, "the prefix is not shown"


def test_the_indexs_own_query_prefix_takes_the_place_of_the_models(transport: Transport, index_name: str) -> None:
    loader = FaultyLoader(384)
    split = TextPreprocessing(override_text_query_prefix="index: ")
    with Rooms(transport, lambda spec: loader) as rooms:
        model = "hf/e5-small-v2"
        rooms.create(index_name, IndexSettings(model=model, search_model=model, text_preprocessing=split))
        rooms.search(index_name, "a query")
    assert loader.batches == [["index: a query"]]


def test_queries_are_embedded_by_the_search_model(transport: Transport, index_name: str) -> None:
    loaders = {"random/small": FaultyLoader(32), "other": FaultyLoader(32)}
    settings = replace(
        SETTINGS, search_model="other", search_model_properties={"type": "random", "dimensions": 32, "tokens": 9}
    )
    with Rooms(transport, lambda spec: loaders[spec.name]) as rooms:
        rooms.create(index_name, settings)
        rooms.add(index_name, [{"_id": "1", "text": "A text."}])
        rooms.search(index_name, "a query")
    assert {name: loader.batches for name, loader in loaders.items()} == {
        "random/small": [["A text."]],
        "other": [["a query"]],
    }


def test_lexical_search_finds_words_and_runs_no_model(rooms: Rooms, index: str) -> None:
    request = SearchRequest(q="", method=SearchMethod.LEXICAL, limit=100, filter="number:7")
    (hit,) = rooms.search(index, "sentence", request)
    assert hit["_id"] == "d7"
    assert hit["_highlights"] == []
    assert hit["_score"] > 0
    assert rooms.search(index, "nowhere", request) == []
    assert rooms.query_runs == 0


@pytest.mark.usefixtures("minilm")
def test_the_real_model_finds_by_meaning(rooms: Rooms, index_name: str) -> None:
    rooms.create(index_name, replace(SETTINGS, model=MINILM, search_model=MINILM))
    texts = {
        "cat": "A kitten sleeps on the sofa. It dreams of mice.",
        "money": "The central bank raised interest rates. Markets fell.",
        "code": "Use a list comprehension to filter a sequence in Python.",
    }
    rooms.add(index_name, [{"_id": key, "text": text} for key, text in texts.items()])
    for q, wanted in (("animals at home", "cat"), ("inflation policy", "money"), ("programming loops", "code")):
        assert rooms.find(index_name, q)[0] == wanted
    (hit, *_) = rooms.search(index_name, "animals at home")
    assert hit["_highlights"] == {"text": texts["cat"]}
