"""Searches whose hits another model orders anew."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.fix_clip import DATA
from tests.fix_models import quiet
from tests.fix_server import SMALL, MakeClient

Q = "what is fast?"
FIELDS = ["title", "body"]
DOCUMENTS: list[dict[str, Any]] = [
    {"_id": "a", "title": "A red car.  It is fast. It has four wheels.", "body": "Cars need roads."},
    {"_id": "b", "title": "A boat.", "body": "It swims. It is slow. It has sails.", "size": 15},
    {"_id": "c", "body": "Trees are green.", "size": 30},
    {"_id": "d", "parts": {"name": "A train.", "kind": "machine"}},
]
CHUNKS: dict[str, list[tuple[str, str]]] = {
    "a": [("title", "A red car.  It is fast."), ("title", "It has four wheels."), ("body", "Cars need roads.")],
    "b": [("title", "A boat."), ("body", "It swims. It is slow."), ("body", "It has sails.")],
    "c": [("body", "Trees are green.")],
}
"""Two sentences each, as the documents have them."""
COMBINATION = {"parts": {"type": "multimodal_combination", "weights": {"name": 1, "kind": 1}}}


@pytest.fixture(scope="module")
def scorer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cross-encoder of random weights."""
    from tests.random_models import random_cross_encoder

    with quiet():
        return random_cross_encoder(tmp_path_factory.mktemp("scorer") / "model")


@pytest.fixture(scope="module")
def wanted(scorer: Path) -> list[tuple[str, float, dict[str, str]]]:
    """Id, score and highlight of the documents that have the fields, best first, by the library."""
    from sentence_transformers import CrossEncoder
    from torch.nn import Sigmoid

    with quiet():
        model = CrossEncoder(str(scorer), device="cpu", max_length=64)
        hits = []
        for document_id, chunks in CHUNKS.items():
            pairs = [(Q, " ".join(text.split())) for _, text in chunks]
            scores = [float(score) for score in model.predict(pairs, activation_fn=Sigmoid())]
            field, text = chunks[scores.index(max(scores))]
            hits.append((document_id, max(scores), {field: text}))
    return sorted(hits, key=lambda hit: -hit[1])


@pytest.fixture
def client(make_client: MakeClient, node: str, own_hub_cache: Path, tmp_path: Path) -> FlaskClient:
    """A sidecar that runs plain names in torch and may read the tests' pictures."""
    roots = (DATA, tmp_path)
    return make_client(opensearch_url=node, backend="torch", home=tmp_path / "home", media_roots=roots)


@pytest.fixture
def index(client: FlaskClient, index_name: str) -> str:
    """An index of the documents above."""
    made = client.post(f"/indexes/{index_name}", json=SMALL)
    assert made.status_code == 200, made.text
    add(client, index_name, DOCUMENTS, [*FIELDS, "parts"], mappings=COMBINATION)
    return index_name


def add(client: FlaskClient, index: str, documents: Sequence[Any], fields: Sequence[str], **options: Any) -> None:
    body = {"documents": list(documents), "tensorFields": list(fields), **options}
    answered = client.post(f"/indexes/{index}/documents?refresh=true", json=body)
    assert answered.json is not None
    assert not answered.json["errors"], answered.text


def search(client: FlaskClient, index: str, **body: Any) -> list[dict[str, Any]]:
    answered = client.post(f"/indexes/{index}/search", json={"q": Q, "searchableAttributes": FIELDS} | body)
    assert answered.status_code == 200, answered.text
    assert answered.json is not None
    hits: list[dict[str, Any]] = answered.json["hits"]
    return hits


def refusal(client: FlaskClient, index: str, **body: Any) -> tuple[int, str, str]:
    answered = client.post(f"/indexes/{index}/search", json={"q": Q, "searchableAttributes": FIELDS} | body)
    assert answered.json is not None
    return answered.status_code, answered.json["code"], answered.json["message"]


def ids(hits: Sequence[dict[str, Any]]) -> list[str]:
    return [hit["_id"] for hit in hits]


def check_ranked(hits: Sequence[dict[str, Any]], wanted: Sequence[tuple[str, float, dict[str, str]]]) -> None:
    assert ids(hits) == [document_id for document_id, _, _ in wanted]
    # Float32 sums in another order.
    assert [hit["_score"] for hit in hits] == pytest.approx([score for _, score, _ in wanted], abs=1e-4)
    assert [hit["_highlights"] for hit in hits] == [highlights for _, _, highlights in wanted]


@pytest.mark.usefixtures("converts_in_process")
@pytest.mark.parametrize("prefix", ["", "onnx/"])
@pytest.mark.parametrize("method", ["TENSOR", "LEXICAL", "HYBRID"])
def test_hits_have_the_order_scores_and_highlights_of_the_cross_encoder(
    prefix: str, method: str, client: FlaskClient, index: str, scorer: Path, wanted: Any
) -> None:
    filtered = "_id:(a OR b OR c)"
    q = Q if method == "TENSOR" else Q + " car boat trees"
    hits = search(client, index, reRanker=f"{prefix}{scorer}", searchMethod=method, q=q, filter=filtered)
    if method == "TENSOR":
        check_ranked(hits, wanted)
    else:
        assert sorted(ids(hits)) == ["a", "b", "c"]
        scores = [hit["_score"] for hit in hits]
        assert scores == sorted(scores, reverse=True)
        assert all(next(iter(hit["_highlights"].items())) in CHUNKS[hit["_id"]] for hit in hits)


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ({"attributesToRetrieve": ["size"]}, {"size"}),
        ({"attributesToRetrieve": []}, set()),
        ({"source": {"includes": ["s*"]}}, {"size"}),
        ({"source": {"excludes": ["title", "bod*"]}}, {"size"}),
    ],
)
def test_fields_that_are_not_shown_are_read_all_the_same(
    asked: dict[str, Any], shown: set[str], client: FlaskClient, index: str, scorer: Path, wanted: Any
) -> None:
    hits = search(client, index, reRanker=str(scorer), **asked)
    check_ranked(hits, wanted)
    assert set().union(*hits) - {"_id", "_score", "_highlights"} == shown


def test_highlights_can_be_left_out(client: FlaskClient, index: str, scorer: Path, wanted: Any) -> None:
    hits = search(client, index, reRanker=str(scorer), showHighlights=False)
    assert ids(hits) == [document_id for document_id, _, _ in wanted]
    assert not any("_highlights" in hit for hit in hits)


def test_hits_without_a_text_in_the_fields_come_last(
    client: FlaskClient, index: str, scorer: Path, wanted: Any
) -> None:
    hits = search(client, index, reRanker=str(scorer), searchableAttributes=[*FIELDS, "parts"])
    check_ranked(hits, [*wanted, ("d", 0.0, {})])


def test_hits_stay_as_they_are_where_none_has_a_text_in_the_fields(client: FlaskClient, index: str) -> None:
    asked = {"searchableAttributes": ["parts"]}
    assert search(client, index, reRanker="none/such", **asked) == search(client, index, **asked) != []
    assert search(client, index, reRanker="none/such", searchableAttributes=[]) == []


def test_equal_scores_keep_the_order_of_the_search(client: FlaskClient, index_name: str) -> None:
    client.post(f"/indexes/{index_name}", json=SMALL)
    same = [{"_id": str(number), "title": "The same."} for number in range(8)]
    add(client, index_name, same, ["title"])
    plain = search(client, index_name)
    ranked = search(client, index_name, reRanker="_testing")
    assert ids(ranked) == ids(plain)
    assert {hit["_score"] for hit in ranked} != {hit["_score"] for hit in plain}


def test_only_the_hits_of_the_page_are_ranked(client: FlaskClient, index: str) -> None:
    for offset in (0, 1, 2):
        page = {"limit": 2, "offset": offset}
        plain, ranked = search(client, index, **page), search(client, index, reRanker="_testing", **page)
        assert sorted(ids(ranked)) == sorted(ids(plain))
    assert len(plain) == 1


@pytest.mark.parametrize("name", ["none/such", "onnx/none/such", "no name of a model", ""])
def test_model_that_can_not_be_had_is_a_bad_request(name: str, client: FlaskClient, index: str) -> None:
    status, code, message = refusal(client, index, reRanker=name)
    assert (status, code) == (400, "bad_request")
    assert message.startswith("reranking failure due to ")
    assert repr(name.removeprefix("onnx/")) in message


def test_model_that_is_no_cross_encoder_is_a_bad_request(client: FlaskClient, index: str, tmp_path: Path) -> None:
    from tests.random_models import random_bert

    with quiet():
        folder = random_bert(tmp_path / "encoder")
    status, code, message = refusal(client, index, reRanker=str(folder))
    assert (status, code) == (400, "bad_request")
    assert message.startswith(f"reranking failure due to the model files in {folder} can't be loaded: it is no")


def test_model_that_gives_no_numbers_is_a_bad_request(
    client: FlaskClient, index: str, scorer: Path, tmp_path: Path
) -> None:
    from safetensors.torch import load_file, save_file

    shutil.copytree(scorer, tmp_path / "model")
    weights = load_file(tmp_path / "model" / "model.safetensors")
    weights["classifier.weight"][:] = float("nan")
    save_file(weights, tmp_path / "model" / "model.safetensors", {"format": "pt"})
    status, code, message = refusal(client, index, reRanker=str(tmp_path / "model"))
    assert (status, code) == (400, "bad_request")
    assert "reranking failure due to ValueError: the model gives scores that are no numbers" in message


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"searchableAttributes": None}, "needs 'searchableAttributes'"),
        ({"q": {"a": 1, "b": 2}}, "needs a string as 'q'"),
        ({"q": None, "context": {"tensor": [{"vector": [1.0] * 32, "weight": 1}]}}, "needs a string as 'q'"),
        ({"searchMethod": "LEXICAL", "lexicalHighlights": True}, "'lexicalHighlights' does not go with 'reRanker'"),
    ],
)
def test_requests_that_can_not_be_ranked_are_invalid(
    body: dict[str, Any], told: str, client: FlaskClient, index: str
) -> None:
    status, code, message = refusal(client, index, reRanker="_testing", **body)
    assert (status, code) == (400, "invalid_argument")
    assert told in message


def test_searches_in_bulk_are_ranked_each_by_its_own(
    client: FlaskClient, index: str, scorer: Path, wanted: Any
) -> None:
    common = {"index": index, "q": Q, "searchableAttributes": FIELDS}
    queries = [common, common | {"reRanker": str(scorer)}, common | {"reRanker": "_testing"}]
    answered = client.post("/indexes/bulk/search", json={"queries": queries})
    assert answered.json is not None
    plain, ranked, random = (result["hits"] for result in answered.json["result"])
    assert plain == search(client, index)
    check_ranked(ranked, wanted)
    assert random == search(client, index, reRanker="_testing")
    refused = client.post("/indexes/bulk/search", json={"queries": [common, common | {"reRanker": "none/such"}]})
    assert refused.json is not None
    assert (refused.status_code, refused.json["code"]) == (400, "bad_request")


def test_time_of_ranking_is_told(client: FlaskClient, index: str) -> None:
    def times(path: str, body: Any) -> set[str]:
        answered = client.post(f"{path}?telemetry=true", json=body)
        assert answered.json is not None
        return set(answered.json["telemetry"]["timesMs"])

    query = {"q": Q, "searchableAttributes": FIELDS}
    assert "search.rerank" not in times(f"/indexes/{index}/search", query)
    assert "search.rerank" in times(f"/indexes/{index}/search", query | {"reRanker": "_testing"})
    assert "bulk_search.rerank" in times("/indexes/bulk/search", {"queries": [query | {"index": index}]})


def test_model_is_listed_after_its_use_and_can_be_ejected(client: FlaskClient, index: str, scorer: Path) -> None:
    search(client, index, reRanker=str(scorer))
    own = {"model_name": str(scorer), "model_device": "cpu"}
    listed = client.get("/models").json
    assert listed is not None
    assert own in listed["models"]
    assert client.delete("/models", query_string=own).status_code == 200
    listed = client.get("/models").json
    assert listed is not None
    assert own not in listed["models"]
    search(client, index, reRanker=str(scorer))


def test_device_that_is_not_there_is_told_before_ranking(client: FlaskClient, index: str) -> None:
    answered = client.post(
        f"/indexes/{index}/search?device=cuda7", json={"q": Q, "searchableAttributes": FIELDS, "reRanker": "_testing"}
    )
    assert answered.json is not None
    assert answered.json["code"] == "hardware_compatability_error"
