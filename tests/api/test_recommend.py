"""Documents like others, against their vectors mixed and compared one by one in numpy."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from sidecar.embedding.loader import Embeddings
from sidecar.embedding.loaders.random import RandomLoader
from sidecar.opensearch.client import Cluster
from sidecar.opensearch.index_settings import TextPreprocessing
from sidecar.opensearch.mapping_builder import build_index_body
from tests.fix_server import MakeClient, Sidecar
from tests.rooms import SETTINGS

DIMENSIONS = {"title": 32, "body": 32, "note": 128}
FIELDS = tuple(DIMENSIONS)
SCORE_TOLERANCE = 1e-4
"""Lucene computes similarities in float32, in another order of sums."""

TIE = 1e-6
"""Scores no further apart are equal: the mean of two chunks is as near to one of them as to the other."""

Scored = tuple[float, dict[str, str]]
"""A chunk's score, and the chunk as a highlight."""
Texts = Mapping[str, Mapping[str, Sequence[str]]]
"""Document id -> field -> sentences, each a chunk."""


def texts_of(count: int, fields: Sequence[str]) -> Texts:
    """Every document lacks a field but those whose number 4 divides."""
    return {
        f"d{number}": {
            field: [f"Sentence {number} {field} {part}." for part in range(1 + (number + place) % 4)]
            for place, field in enumerate(fields)
            if number % 4 != 1 + place
        }
        for number in range(count)
    }


TEXTS = texts_of(40, FIELDS)
IDS = list(TEXTS)


def vectors_of(field: str, sentences: Sequence[str]) -> Embeddings:
    """What the field's model makes of them."""
    return RandomLoader(DIMENSIONS[field]).encode_text(list(sentences))


def of_bytes(vectors: Embeddings) -> Embeddings:
    """What an index of bytes keeps."""
    return np.rint(vectors / np.abs(vectors).max(axis=-1, keepdims=True) * 127)


def query_vector(weights: Mapping[str, float], fields: Sequence[str]) -> Embeddings | None:
    """The weighted mean of the documents' means over these fields' means; None where no document has any of them."""
    terms = [
        weight * np.mean([vectors_of(field, TEXTS[one][field]).mean(axis=0) for field in fields if field in TEXTS[one]],
                         axis=0)
        for one, weight in weights.items()
        if set(fields) & set(TEXTS[one])
    ]  # fmt: skip
    return np.asarray(np.sum(terms, axis=0)) if terms else None


def scored(queries: Mapping[str, Embeddings], excluded: Sequence[str] = ()) -> dict[str, list[Scored]]:
    """The chunks of every document that has one of the fields, each with its score, best first."""
    found = {}
    for document_id, by_field in TEXTS.items():
        chunks = [
            (float(1 + vector @ query / np.linalg.norm(query)) / 2, {field: text})
            for field, query in queries.items()
            for text, vector in zip(by_field.get(field, []), vectors_of(field, by_field.get(field, [])), strict=True)
        ]
        if chunks and document_id not in excluded:
            found[document_id] = sorted(chunks, key=lambda chunk: -chunk[0])
    return found


@pytest.fixture(scope="module")
def filled(sidecar: Sidecar) -> Iterator[str]:
    """An index of the texts above, in which ``note`` has a model of its own."""
    name = f"test-{uuid.uuid4().hex[:12]}"
    defaults = {
        "model": "random/small",
        "field_models": {"note": {"model": "random/medium"}},
        "text_preprocessing": {"split_length": 1},
    }
    answered = sidecar.post(f"/indexes/{name}", {"index_defaults": defaults, "number_of_shards": 2})
    assert answered.status_code == 200, answered.text
    fill(sidecar, name, FIELDS)
    yield name
    sidecar.delete(f"/indexes/{name}")


def fill(sidecar: Sidecar, index: str, fields: Sequence[str]) -> None:
    documents = [
        {"_id": one, "number": number, "parity": "odd" if number % 2 else "even"}
        | {field: " ".join(parts) for field, parts in texts.items() if field in fields}
        for number, (one, texts) in enumerate(TEXTS.items())
    ]
    assert sidecar.add(index, documents, tensor_fields=tuple(fields))["errors"] is False


def recommend(sidecar: Sidecar, index: str, documents: Any, **others: Any) -> dict[str, Any]:
    answered = sidecar.post(f"/indexes/{index}/recommend", {"documents": documents, **others})
    assert answered.status_code == 200, answered.text
    found: dict[str, Any] = answered.json()
    return found


def refusal(sidecar: Sidecar, index: str, documents: Any, **others: Any) -> tuple[int, str, str]:
    answered = sidecar.post(f"/indexes/{index}/recommend", {"documents": documents, **others})
    return answered.status_code, answered.json()["code"], answered.json()["message"]


def ids(answer: Mapping[str, Any]) -> list[str]:
    return [hit["_id"] for hit in answer["hits"]]


def test_answer_has_the_shape_of_a_search_s(sidecar: Sidecar, filled: str) -> None:
    answer = recommend(sidecar, filled, ["d0"], limit=3, offset=1)
    assert list(answer) == ["hits", "query", "limit", "offset", "processingTimeMs"]
    assert [answer["query"], answer["limit"], answer["offset"]] == [None, 3, 1]
    assert isinstance(answer["processingTimeMs"], int)
    for hit in answer["hits"]:
        assert {"_id", "_score", "_highlights", "number"} <= set(hit)
        assert not any(key.startswith("__") for key in hit)
    assert len(answer["hits"]) == 3


weights = st.dictionaries(st.sampled_from(IDS), st.floats(-2, 3).map(lambda value: round(value, 2)), min_size=1,
                          max_size=5)  # fmt: skip
some_fields = st.none() | st.lists(st.sampled_from(FIELDS), min_size=1, unique=True)


@settings(max_examples=60, deadline=None)
@given(weights, some_fields, some_fields, st.booleans(), st.booleans())
@example({"d8": 1.0}, ["body"], ["body"], False, False)
@example({"d22": 1.0, "d26": 1.0}, ["note"], ["note"], False, False)
def test_hits_are_those_of_mixing_and_comparing_all_vectors(
    sidecar: Sidecar,
    filled: str,
    weights: dict[str, float],
    fields: list[str] | None,
    searched: list[str] | None,
    excludes: bool,
    exact: bool,
) -> None:
    chosen = fields or list(FIELDS)
    assume(all(set(chosen) & set(TEXTS[one]) for one in weights))
    by_model = {
        field: query_vector(weights, [other for other in chosen if DIMENSIONS[other] == DIMENSIONS[field]])
        for field in searched or FIELDS
    }
    queries = {field: vector for field, vector in by_model.items() if vector is not None}
    # Where terms nearly cancel out, float32 decides the direction.
    assume(all(np.linalg.norm(vector) > 1e-3 for vector in queries.values()))
    answer = recommend(
        sidecar,
        filled,
        weights,
        tensorFields=fields,
        searchableAttributes=searched,
        excludeInputDocuments=excludes,
        exact=exact,
        limit=100,
    )
    wanted = scored(queries, list(weights) if excludes else ())
    assert sorted(ids(answer)) == sorted(wanted)
    best = [wanted[one][0][0] for one in ids(answer)]
    assert all(score >= following - TIE for score, following in pairwise(best))
    for hit, score in zip(answer["hits"], best, strict=True):
        assert hit["_highlights"] in [highlight for own, highlight in wanted[hit["_id"]] if own >= score - TIE]
    np.testing.assert_allclose([hit["_score"] for hit in answer["hits"]], best, atol=SCORE_TOLERANCE)


def test_a_list_weighs_all_documents_alike(sidecar: Sidecar, filled: str) -> None:
    listed = recommend(sidecar, filled, ["d0", "d4", "d0"], limit=20)
    assert listed["hits"] == recommend(sidecar, filled, {"d0": 2, "d4": 2}, limit=20)["hits"]
    assert ids(listed) != ids(recommend(sidecar, filled, {"d0": 2, "d4": 1}, limit=20))


def test_pages_are_pieces_of_the_whole(sidecar: Sidecar, filled: str) -> None:
    whole = ids(recommend(sidecar, filled, ["d0", "d7"], limit=100))
    assert sorted(whole) == sorted(set(IDS) - {"d0", "d7"})
    pages = [ids(recommend(sidecar, filled, ["d0", "d7"], limit=7, offset=offset)) for offset in range(0, 49, 7)]
    assert [document_id for page in pages for document_id in page] == whole


@pytest.mark.parametrize("condition", ["parity:odd", {"term": {"parity.keyword": "odd"}}])
def test_a_filter_goes_with_leaving_out_the_documents_themselves(sidecar: Sidecar, filled: str, condition: Any) -> None:
    found = ids(recommend(sidecar, filled, ["d1", "d2"], filter=condition, limit=100))
    assert sorted(found) == sorted(f"d{number}" for number in range(3, 40, 2))
    whole = ids(recommend(sidecar, filled, ["d1", "d2"], limit=100))
    assert found == [document_id for document_id in whole if document_id in found]


def test_keys_of_a_search_do_what_they_do_there(sidecar: Sidecar, filled: str) -> None:
    answer = recommend(
        sidecar,
        filled,
        ["d0"],
        limit=3,
        attributesToRetrieve=["number"],
        showHighlights=False,
        facets=["parity"],
        aggregations={"highest": {"max": {"field": "number"}}},
        scoreModifiers={"add_to_score": [{"field_name": "number", "weight": 1}]},
        exact=True,
    )
    assert [set(hit) for hit in answer["hits"]] == [{"_id", "_score", "number"}] * 3
    assert ids(answer) == ["d39", "d38", "d37"]
    assert answer["aggregations"] == {"highest": {"value": 39.0}}
    assert {value["value"]: value["count"] for value in answer["facets"]["parity"]["values"]} == {"even": 19, "odd": 20}
    only = recommend(sidecar, filled, ["d0"], source={"includes": ["number"]}, limit=1, routing="x", efSearch=200)
    assert {key for hit in only["hits"] for key in hit} <= {"_id", "_score", "_highlights", "number"}
    scores = [hit["_score"] for hit in recommend(sidecar, filled, ["d0"], limit=100)["hits"]]
    best = recommend(sidecar, filled, ["d0"], limit=100, minScore=(scores[4] + scores[5]) / 2, exact=True)
    assert [hit["_score"] for hit in best["hits"]] == pytest.approx(scores[:5], abs=1e-6)


def test_weights_that_cancel_out_find_nothing(sidecar: Sidecar, filled: str) -> None:
    for weights in ({"d0": 0}, {"d0": 0, "d1": 0.0}):
        assert recommend(sidecar, filled, weights)["hits"] == []
    counted = recommend(sidecar, filled, {"d0": 0}, facets=["parity"])
    assert (counted["hits"], counted["facets"]) == ([], {"parity": {"values": [], "others": 0}})


def test_unknown_documents_are_told_by_their_ids(sidecar: Sidecar, filled: str) -> None:
    status, code, message = refusal(sidecar, filled, ["d0", "nobody", "d1", "nothing"])
    assert (status, code) == (404, "document_not_found")
    assert "'nobody', 'nothing'" in message
    _, _, message = refusal(sidecar, filled, [f"x{number}" for number in range(30)])
    assert "'x9' and 20 more" in message


def test_documents_without_vectors_are_told_by_their_ids(sidecar: Sidecar, filled: str) -> None:
    status, code, message = refusal(sidecar, filled, ["d0", "d1", "d2"], tensorFields=["title"])
    assert (status, code) == (400, "invalid_argument")
    assert "'d1' in 'title'" in message
    sidecar.add(filled, [{"_id": "bare", "number": 1}], tensor_fields=())
    try:
        assert "'bare'" in refusal(sidecar, filled, ["d0", "bare"])[2]
    finally:
        sidecar.post(f"/indexes/{filled}/documents/delete-batch?refresh=true", ["bare"])


@pytest.mark.parametrize(
    ("body", "status", "code", "told"),
    [
        ({"documents": []}, 400, "invalid_argument", "'documents' is empty"),
        ({"documents": {}}, 400, "invalid_argument", "'documents' is empty"),
        ({"documents": [""]}, 400, "invalid_document_id", "can't be empty"),
        ({"documents": {"d0": "1"}}, 400, "invalid_argument", "documents['d0']: the weight must be a number"),
        ({"documents": {"d0": None}}, 400, "invalid_argument", "documents['d0']"),
        ({"documents": {"d0": True}}, 400, "invalid_argument", "documents['d0']"),
        ({"documents": [f"x{n}" for n in range(201)]}, 400, "illegal_requested_doc_count", "201 documents"),
        ({"documents": ["d0"], "tensorFields": []}, 400, "invalid_argument", "'tensorFields' is empty"),
        ({"documents": ["d0"], "tensorFields": ["titel"]}, 400, "invalid_argument", "embedded is: 'body', 'note'"),
        ({"documents": ["d0"], "limit": 0}, 400, "illegal_requested_doc_count", "limit is 0"),
        ({"documents": ["d0"], "filter": "(("}, 400, "invalid_argument", "filter"),
        ({"documents": ["d0"], "efSearch": 9, "exact": True}, 400, "invalid_argument", "'efSearch'"),
        ({"documents": ["d0"], "attributesToRetrieve": ["a.b"]}, 400, "invalid_field_name", "a.b"),
    ],
)
def test_bad_values_are_refused_by_name(
    sidecar: Sidecar, filled: str, body: dict[str, Any], status: int, code: str, told: str
) -> None:
    answered = sidecar.post(f"/indexes/{filled}/recommend", body)
    assert (answered.status_code, answered.json()["code"]) == (status, code), answered.text
    assert told in answered.json()["message"]


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({}, (["body", "documents"], "value_error.missing")),
        ({"documents": "d0"}, (["body", "documents"], "type_error.list")),
        ({"documents": ["d0"], "q": "x"}, (["body", "q"], "value_error.extra")),
        ({"documents": ["d0"], "pointInTime": "x"}, (["body", "pointInTime"], "value_error.extra")),
        ({"documents": ["d0"], "excludeInputDocuments": None}, (["body", "excludeInputDocuments"],
                                                                "type_error.none.not_allowed")),
        ({"documents": ["d0"], "limit": "x"}, (["body", "limit"], "type_error.integer")),
    ],
)  # fmt: skip
def test_wrong_shapes_are_422(
    sidecar: Sidecar, filled: str, body: dict[str, Any], problem: tuple[list[str], str]
) -> None:
    answered = sidecar.post(f"/indexes/{filled}/recommend", body)
    assert answered.status_code == 422
    assert [(found["loc"], found["type"]) for found in answered.json()["detail"]] == [problem]


def test_unknown_index_is_told(sidecar: Sidecar) -> None:
    assert refusal(sidecar, "zzz", ["d0"])[:2] == (404, "index_not_found")


def test_documents_are_read_at_once_and_no_model_runs(make_client: MakeClient, node: str, filled: str) -> None:
    client = make_client(opensearch_url=node, preload_models=[])

    def calls() -> dict[str, float]:
        found = re.findall(
            r'^sidecar_opensearch_seconds_count\{operation="(\w+)"\} (\S+)$', client.get("/metrics").text, re.MULTILINE
        )
        return {operation: float(count) for operation, count in found}

    assert client.get(f"/indexes/{filled}/documents/d0").status_code == 200
    before = calls()
    answered = client.post(f"/indexes/{filled}/recommend", json={"documents": IDS[::4], "limit": 5})
    assert answered.status_code == 200, answered.text
    after = calls()
    for operation in ("read_documents", "search"):
        assert after[operation] == before.get(operation, 0) + 1
    assert client.get("/models").json == {"models": []}


def test_documents_are_read_as_they_are_now(sidecar: Sidecar, index: str) -> None:
    sidecar.add(index, [{"_id": "a", "title": "Old."}, {"_id": "b", "title": "New."}])
    body = {"documents": [{"_id": "a", "title": "New."}], "tensorFields": ["title"]}
    assert sidecar.post(f"/indexes/{index}/documents", body).json()["errors"] is False
    (hit,) = recommend(sidecar, index, ["a"])["hits"]
    assert (hit["_id"], hit["_score"]) == ("b", pytest.approx(1, abs=1e-5))


def test_vectors_of_bytes_are_mixed_by_their_directions(sidecar: Sidecar, index_name: str) -> None:
    settings: dict[str, Any] = {
        "model": "random/small",
        "ann_parameters": {"data_type": "byte"},
        "text_preprocessing": {"split_length": 1},
    }
    assert sidecar.post(f"/indexes/{index_name}", {"index_defaults": settings}).status_code == 200
    fill(sidecar, index_name, ("title",))
    stored = {one: of_bytes(vectors_of("title", texts["title"])) for one, texts in TEXTS.items() if "title" in texts}
    means = [np.mean(stored[one] / np.linalg.norm(stored[one], axis=1, keepdims=True), axis=0) for one in ("d0", "d4")]
    query = of_bytes(means[0] - 0.5 * means[1])
    wanted = {
        one: float((1 + (vectors @ query / np.linalg.norm(vectors, axis=1) / np.linalg.norm(query)).max()) / 2)
        for one, vectors in stored.items()
        if one not in ("d0", "d4")
    }
    answer = recommend(sidecar, index_name, {"d0": 1, "d4": -0.5}, limit=100)
    assert {hit["_id"]: hit["_score"] for hit in answer["hits"]} == pytest.approx(wanted, abs=SCORE_TOLERANCE)
    assert ids(answer) == sorted(wanted, key=lambda one: -wanted[one])


def test_client_s_own_vectors_are_recommended_without_a_model(sidecar: Sidecar, index_name: str) -> None:
    """In a space of lengths, and not normalised: the mean as it is."""
    defaults: dict[str, Any] = {"model": "no_model", "model_properties": {"dimensions": 2}}
    defaults |= {"normalize_embeddings": False, "ann_parameters": {"space_type": "l2"}}
    assert sidecar.post(f"/indexes/{index_name}", {"index_defaults": defaults}).status_code == 200
    places = {"a": [0, 0], "b": [4, 0], "c": [2, 0], "d": [2, 3], "e": [9, 9]}
    documents = [{"_id": one, "own": {"content": one, "vector": place}} for one, place in places.items()]
    body = {"documents": documents, "tensorFields": ["own"], "mappings": {"own": {"type": "custom_vector"}}}
    assert sidecar.post(f"/indexes/{index_name}/documents?refresh=true", body).json()["errors"] is False
    answer = recommend(sidecar, index_name, {"a": 1, "b": 1})
    assert [(hit["_id"], hit["_score"]) for hit in answer["hits"]] == [
        ("c", pytest.approx(1)),
        ("d", pytest.approx(1 / 10)),
        ("e", pytest.approx(1 / 131)),
    ]


def test_long_documents_whose_vectors_are_derived_are_refused(
    sidecar: Sidecar, cluster: Cluster, index_name: str
) -> None:
    """Where the cluster puts vectors together anew, those of a document of 150 chunks are another's."""
    one_sentence = replace(SETTINGS, text_preprocessing=TextPreprocessing(split_length=1))
    cluster.create_index(index_name, build_index_body(one_sentence, 32))
    texts = {f"d{count}": [f"Part {count} {part}." for part in range(count)] for count in (1, 149, 150)}
    half = [*texts["d149"][:75], *texts["d150"][:75]]
    documents: list[dict[str, Any]] = [{"_id": one, "title": " ".join(parts)} for one, parts in texts.items()]
    documents.append({"_id": "two fields", "title": " ".join(half[:75]), "body": " ".join(half[75:])})
    assert sidecar.add(index_name, documents, tensor_fields=("title", "body"))["errors"] is False
    status, code, message = refusal(sidecar, index_name, ["d1", "d150", "two fields"], tensorFields=["title"])
    assert (status, code) == (400, "invalid_argument")
    assert "'d150', 'two fields'" in message
    assert "149 chunks" in message
    hits = recommend(sidecar, index_name, ["d149"], excludeInputDocuments=False, limit=1, exact=True)["hits"]
    mean = RandomLoader(32).encode_text(texts["d149"]).mean(axis=0)
    best = max(
        float(1 + vector @ mean / np.linalg.norm(mean)) / 2
        for vector in RandomLoader(32).encode_text([text for parts in texts.values() for text in parts])
    )
    assert hits[0]["_score"] == pytest.approx(best, abs=1e-5)


def test_long_documents_whose_vectors_are_stored_are_recommended(sidecar: Sidecar, index: str) -> None:
    long = " ".join(f"Part {part}." for part in range(400))
    sidecar.add(index, [{"_id": "long", "title": long}, {"_id": "other", "title": "Part 0. Part 1."}])
    assert ids(recommend(sidecar, index, ["long"])) == ["other"]


def test_two_hundred_fields_are_recommended_from(sidecar: Sidecar, index: str) -> None:
    """Their names take more room than a URL has."""
    fields = [f"a field with a rather long name {number}" for number in range(200)]
    documents = [{"_id": one, **{field: f"{one} {field}" for field in fields}} for one in ("a", "b")]
    assert sidecar.add(index, documents, tensor_fields=tuple(fields))["errors"] is False
    answer = recommend(sidecar, index, ["a"], searchableAttributes=fields[:1], tensorFields=fields)
    assert ids(answer) == ["b"]
