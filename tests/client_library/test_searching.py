"""Searches and recommendations by the client, against a real server and node."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from sidecar.client import (
    AddOptions,
    HybridParameters,
    InvalidRequest,
    NotFound,
    Recommend,
    Search,
    Unauthorized,
    image_text,
)
from tests.client_library.conftest import DOCUMENTS
from tests.client_library.driven import Clients
from tests.served_app import served

PICTURES = sorted((Path(__file__).parent.parent / "data" / "emoji").glob("*.png"))[:3]


def ids(hits: Any) -> list[str]:
    return [hit.id for hit in hits]


@pytest.fixture
def index(client: Any, letters: str) -> Any:
    return client.index(letters)


def test_a_text_alone_is_a_search_by_meaning(index: Any) -> None:
    found = index.search("Letter number 7.")
    assert found[0].id == "d7"
    assert found[0].score == pytest.approx(1.0, abs=1e-5)
    assert found[0].fields == {"title": "Letter number 7.", "topic": "billing", "minutes": 7}
    assert found[0].highlights == {"title": "Letter number 7."}
    assert (len(found), found.limit, found.offset, found.query) == (10, 10, 0, "Letter number 7.")
    assert found.took_ms >= 0
    assert found.request_id


def test_a_mixture_is_one_query(index: Any) -> None:
    found = index.search({"Letter number 7.": 1.0, "Letter number 8.": 0.5})
    assert ids(found)[:2] == ["d7", "d8"]


def test_hybrid_search_tells_both_scores(index: Any) -> None:
    question = Search("7", search_method="HYBRID", hybrid_parameters=HybridParameters(alpha=0.0), limit=3)
    best = index.search(question)[0]
    assert best.id == "d7"
    assert best.lexical_score > 0
    nearer = Search("Letter number 9.", search_method="HYBRID", hybrid_parameters=HybridParameters(alpha=1.0, rrf_k=1))
    best = index.search(nearer)[0]
    assert (best.id, best.score) == ("d9", pytest.approx(0.5))
    assert best.tensor_score == pytest.approx(1.0, abs=1e-5)


def test_halves_have_their_own_fields(index: Any) -> None:
    halves = HybridParameters(alpha=0.0, searchable_attributes_lexical=["topic"])
    found = index.search(Search("billing", search_method="HYBRID", hybrid_parameters=halves, limit=30))
    with_words = [hit for hit in found if hit.lexical_score is not None]
    assert {hit.fields["topic"] for hit in with_words} == {"billing"}
    assert len(with_words) == 15


@pytest.mark.parametrize(
    "narrowed",
    [
        "topic:billing AND minutes:<5",
        {"bool": {"must": [{"range": {"minutes": {"lt": 5}}}], "filter": [{"term": {"topic.keyword": "billing"}}]}},
    ],
)
def test_filters_are_texts_or_queries(index: Any, narrowed: Any) -> None:
    assert sorted(ids(index.search(Search("x", filter=narrowed)))) == ["d1", "d3"]


def test_options_reach_the_server(index: Any) -> None:
    exact = index.search(Search("x", exact=True, limit=30, attributes_to_retrieve=["minutes"], show_highlights=False))
    assert len(exact) == 30
    assert set(exact[0].fields) == {"minutes"}
    assert exact[0].highlights == {}
    assert len(index.search(Search("x", ef_search=30, limit=5, offset=2))) == 5
    nearest = exact[2].score
    assert len(index.search(Search("x", exact=True, limit=30, min_score=nearest))) == 3
    shown = index.search(Search("x", source={"includes": ["t*"], "excludes": ["topic"]}))
    assert set(shown[0].fields) == {"title"}


def test_order_facets_and_aggregations_are_told(index: Any) -> None:
    question = Search(
        "letter",
        search_method="LEXICAL",
        limit=2,
        sort=[{"minutes": "desc"}],
        facets=["topic"],
        aggregations={"longest": {"max": {"field": "minutes"}}},
    )
    found = index.search(question)
    assert [(hit.id, hit.sort) for hit in found] == [("d29", (29,)), ("d28", (28,))]
    assert {value["value"]: value["count"] for value in found.facets["topic"]["values"]} == dict.fromkeys(
        ("account", "billing"), 15
    )
    assert found.aggregations["longest"]["value"] == 29
    plain = index.search(Search("letter", search_method="LEXICAL"))
    assert (plain.facets, plain.aggregations, plain[0].highlights) == (None, None, {})


def test_words_are_highlighted_and_scores_explained(index: Any) -> None:
    question = Search(
        "7", search_method="LEXICAL", lexical_highlights={"pre_tags": ["<"], "post_tags": [">"]}, explain=True
    )
    best = index.search(question)[0]
    assert best.highlights == {"title": ["Letter number <7>."]}
    assert best.explanation["value"] == pytest.approx(best.score)
    both = index.search(Search("7", search_method="HYBRID", lexical_highlights=True))
    assert next(hit for hit in both if hit.id == "d7").lexical_highlights == {"title": ["Letter number <em>7</em>."]}


def test_scores_are_changed(index: Any) -> None:
    by_minutes = {"add_to_score": [{"field_name": "minutes", "weight": 10.0}]}
    assert ids(index.search(Search("x", score_modifiers=by_minutes, limit=2))) == ["d29", "d28"]
    boosted = index.search(Search("x", searchable_attributes=["title"], boost={"title": [1.0, 5.0]}, limit=1))
    assert boosted[0].score > 5


def test_recommendations_leave_out_what_they_are_like(index: Any) -> None:
    assert "d3" not in ids(index.recommend(["d3"]))
    kept = index.recommend(Recommend({"d3": 1.0, "d4": -0.1}, exclude_input_documents=False, limit=1))
    assert ids(kept) == ["d3"]
    narrowed = index.recommend(Recommend(["d3"], filter="topic:account", tensor_fields=["title"], limit=30))
    assert len(narrowed) == 15


@pytest.mark.parametrize(
    ("question", "wanted"),
    [
        (Search("letter", search_method="LEXICAL"), DOCUMENTS),
        (Search("letter", search_method="LEXICAL", filter="topic:billing", sort=["minutes"]), DOCUMENTS[1::2]),
        ("anything", DOCUMENTS),
        (Search("no such words", search_method="LEXICAL", filter="topic:none"), []),
    ],
)
def test_all_hits_come_once_each(index: Any, question: Any, wanted: list[dict[str, Any]]) -> None:
    found = ids(index.search_all(question, page_hits=7))
    assert len(found) == len(set(found))
    assert set(found) == {document["_id"] for document in wanted}
    if isinstance(question, Search) and question.sort:
        assert found == [document["_id"] for document in wanted]


def test_all_hits_are_of_one_moment(client: Any, index_name: str) -> None:
    index = client.index(index_name)
    index.create({"index_defaults": {"model": "random/small"}, "number_of_shards": 1})
    index.add(DOCUMENTS[:6], AddOptions(["title"], refresh=True))
    hits = index.search_all(Search("letter", search_method="LEXICAL"), page_hits=2)
    first = next(hits)
    index.delete_by_query("*:*", refresh=True)
    assert {first.id, *ids(hits)} == {document["_id"] for document in DOCUMENTS[:6]}


def test_all_hits_begin_with_the_first(index: Any) -> None:
    with pytest.raises(ValueError, match="offset is 3"):
        index.search_all(Search("x", offset=3))


def test_a_search_that_pages_do_not_go_with_is_refused_by_the_server(index: Any) -> None:
    with pytest.raises(InvalidRequest, match="'pointInTime' does not go with") as refused:
        list(index.search_all(Search("x", search_method="HYBRID")))
    assert (refused.value.status, refused.value.code, refused.value.type) == (
        400,
        "invalid_argument",
        "invalid_request",
    )


def test_a_missing_index_is_told_with_the_request_s_id(client: Any) -> None:
    with pytest.raises(NotFound, match="no-such-index") as refused:
        client.index("no-such-index").search("x")
    assert refused.value.code == "index_not_found"
    assert refused.value.request_id in str(refused.value)
    assert len(refused.value.request_id) == 32


def test_a_wrong_shape_is_told_with_its_place(index: Any) -> None:
    with pytest.raises(InvalidRequest, match=r"body\.limit") as refused:
        index.search(Search("x", limit="many"))  # type: ignore[arg-type]
    assert (refused.value.status, refused.value.code) == (422, "unprocessable")


def test_the_key_opens_the_door(connect: Clients, node: str, letters: str) -> None:
    with served(opensearch_url=node, api_keys=["secret"]) as url:
        assert connect(url, api_key="secret").index(letters).search("x")
        with pytest.raises(Unauthorized):
            connect(url, api_key="other").index(letters).search("x")
        with pytest.raises(Unauthorized):
            connect(url).index(letters).search("x")


def test_pictures_of_this_machine_are_queries(client: Any, index_name: str) -> None:
    index = client.index(index_name)
    index.create(
        {
            "index_defaults": {"model": "random/small", "treat_urls_and_pointers_as_images": True},
            "number_of_shards": 1,
        }
    )
    documents = [{"_id": path.stem, "picture": image_text(path)} for path in PICTURES]
    index.add(documents, AddOptions(["picture"], refresh=True))
    wanted = PICTURES[1]
    with Image.open(wanted) as opened:
        queries = [wanted, wanted.read_bytes(), opened, {image_text(wanted): 1.0}]
        for query in queries:
            best = index.search(Search(query, limit=1))[0]
            assert (best.id, best.score) == (wanted.stem, pytest.approx(1.0, abs=1e-5))
