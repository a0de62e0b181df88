"""What is in an index: its details, and the map of its embeddings, against the vectors that its models make."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from typing import Any

import numpy as np
import pytest

from sidecar.api.schemas.embedding_map import MAX_POINTS
from sidecar.embedding.loaders.random import RandomLoader
from sidecar.opensearch.client import Cluster
from sidecar.opensearch.mapping_builder import build_index_body
from tests.fix_opensearch import request
from tests.fix_server import Sidecar
from tests.rooms import SETTINGS

BY_SENTENCE = {"text_preprocessing": {"split_length": 1}}
SENTENCES = {f"d{number}": [f"Sentence {number} {part}." for part in range(1 + number % 3)] for number in range(30)}
DOCUMENTS = [
    {"_id": one, "title": " ".join(parts), "number": number, "tags": ["a", "b"], "parity": ("even", "odd")[number % 2]}
    | ({"note": f"Note {number}."} if number < 5 else {})
    for number, (one, parts) in enumerate(SENTENCES.items())
]
CHUNKS = sum(map(len, SENTENCES.values()))


@pytest.fixture(scope="module")
def filled(sidecar: Sidecar) -> Iterator[str]:
    """An index of the documents above, in which ``note`` has a model of its own."""
    defaults = {"model": "random/small", "field_models": {"note": {"model": "random/medium"}}, **BY_SENTENCE}
    with make_index(sidecar, defaults) as name:
        assert sidecar.add(name, DOCUMENTS, tensor_fields=("title", "note"))["errors"] is False
        yield name


@contextmanager
def make_index(sidecar: Sidecar, defaults: dict[str, Any]) -> Iterator[str]:
    """An index of these settings, which is deleted afterwards."""
    name = f"test-{uuid.uuid4().hex[:12]}"
    answered = sidecar.post(f"/indexes/{name}", {"index_defaults": defaults, "number_of_shards": 2})
    assert answered.status_code == 200, answered.text
    yield name
    sidecar.delete(f"/indexes/{name}")


def details(sidecar: Sidecar, index: str) -> dict[str, Any]:
    answered = sidecar.get(f"/indexes/{index}/details")
    assert answered.status_code == 200, answered.text
    found: dict[str, Any] = answered.json()
    return found


def draw(sidecar: Sidecar, index: str, **parameters: Any) -> dict[str, Any]:
    answered = sidecar.get(f"/indexes/{index}/map", params=parameters)
    assert answered.status_code == 200, answered.text
    found: dict[str, Any] = answered.json()
    return found


def refusal(sidecar: Sidecar, index: str, **parameters: Any) -> tuple[int, str, str]:
    answered = sidecar.get(f"/indexes/{index}/map", params=parameters)
    return answered.status_code, answered.json()["code"], answered.json()["message"]


# Details


def test_details_tell_of_each_embedded_field(sidecar: Sidecar, filled: str) -> None:
    found = details(sidecar, filled)
    assert (found["index"], found["numberOfDocuments"], found["numberOfVectors"]) == (filled, 30, CHUNKS + 5)
    note, title = found["embeddedFields"]
    assert note == {
        "field": "note",
        "model": "random/medium",
        "kind": "text",
        "dimensions": 128,
        "numberOfDocuments": 5,
        "numberOfVectors": 5,
    }
    assert (title["model"], title["dimensions"]) == ("random/small", 32)
    assert (title["numberOfDocuments"], title["numberOfVectors"]) == (30, CHUNKS)


def test_details_count_what_stats_counts(sidecar: Sidecar, filled: str) -> None:
    found = details(sidecar, filled)
    stats = sidecar.get(f"/indexes/{filled}/stats").json()
    assert stats == {key: found[key] for key in stats}


def test_details_have_storage_aliases_and_the_time_of_creation(sidecar: Sidecar, node: str, filled: str) -> None:
    for alias in ("second", "first"):
        assert sidecar.request("PUT", f"/indexes/{filled}/aliases/{filled}-{alias}").status_code == 200
    found = details(sidecar, f"{filled}-first")
    assert (found["index"], found["aliases"]) == (filled, [f"{filled}-first", f"{filled}-second"])
    told = request(node, "GET", f"/_cat/indices/{filled}?bytes=b&h=store.size,pri.store.size")[1].split()
    assert [str(found["storage"][key]) for key in ("totalBytes", "primaryBytes")] == told
    age = datetime.now(timezone.utc) - datetime.fromisoformat(found["createdAt"].replace("Z", "+00:00"))
    assert timedelta(0) <= age < timedelta(minutes=30)


def test_details_of_an_empty_index(sidecar: Sidecar, index: str) -> None:
    found = details(sidecar, index)
    assert (found["numberOfDocuments"], found["numberOfVectors"], found["embeddedFields"]) == (0, 0, [])
    assert found["aliases"] == []


@pytest.mark.parametrize("path", ["details", "map"])
def test_an_index_that_is_not_there_is_told(sidecar: Sidecar, path: str) -> None:
    answered = sidecar.get(f"/indexes/nowhere/{path}")
    assert (answered.status_code, answered.json()["code"]) == (404, "index_not_found")


# Maps


def test_points_are_the_two_directions_in_which_the_chunks_differ_most(sidecar: Sidecar, filled: str) -> None:
    answer = draw(sidecar, filled, field="title")
    points = answer["points"]
    assert sorted((point["_id"], point["text"]) for point in points) == sorted(
        (one, part) for one, parts in SENTENCES.items() for part in parts
    )
    vectors = RandomLoader(32).encode_text([point["text"] for point in points]).astype(np.float64)
    left, values, _ = np.linalg.svd(vectors - vectors.mean(axis=0), full_matrices=False)
    drawn = np.array([[point["x"], point["y"]] for point in points])
    np.testing.assert_allclose(np.abs(drawn), np.abs(left[:, :2] * values[:2]), atol=1e-3)
    np.testing.assert_allclose(answer["explainedVariance"], (values**2 / (values**2).sum())[:2], atol=1e-4)


def test_a_point_tells_its_place_in_the_field(sidecar: Sidecar, filled: str) -> None:
    texts = {document["_id"]: document["title"] for document in DOCUMENTS}
    for point in draw(sidecar, filled, field="title")["points"]:
        assert str(texts[point["_id"]])[point["start"] : point["end"]] == point["text"]


def test_answer_tells_what_is_shown_of_what(sidecar: Sidecar, filled: str) -> None:
    answer = draw(sidecar, filled, field="note")
    told = {
        key: value for key, value in answer.items() if key not in ("points", "explainedVariance", "processingTimeMs")
    }
    assert told == {
        "index": filled,
        "field": "note",
        "model": "random/medium",
        "dimensions": 128,
        "numberOfDocuments": 5,
        "sampledDocuments": 5,
        "unreadableDocuments": 0,
    }
    assert len(answer["points"]) == 5


def test_same_seed_gives_the_same_map_and_another_seed_another(sidecar: Sidecar, filled: str) -> None:
    first, again, other = (draw(sidecar, filled, field="title", size=10, seed=seed)["points"] for seed in (1, 1, 2))
    assert first == again
    assert len(first) == len(other) == 10
    assert {point["_id"] for point in first} != {point["_id"] for point in other}


def test_a_sample_has_at_most_a_tenth_of_one_document(sidecar: Sidecar, filled: str) -> None:
    answer = draw(sidecar, filled, field="title", size=12)
    of_documents = Counter(point["_id"] for point in answer["points"])
    assert len(answer["points"]) == 12
    assert answer["sampledDocuments"] == len(of_documents) < answer["numberOfDocuments"] == 30
    assert max(of_documents.values()) == 2


def test_a_long_documents_chunks_are_taken_evenly(sidecar: Sidecar) -> None:
    with make_index(sidecar, {"model": "random/small", **BY_SENTENCE}) as name:
        long = " ".join(f"Part {number}." for number in range(40))
        sidecar.add(name, [{"_id": "long", "title": long}])
        texts = [point["text"] for point in draw(sidecar, name, size=100)["points"]]
        assert texts == [f"Part {number}." for number in range(0, 40, 4)]


def test_attribute_comes_with_each_point(sidecar: Sidecar, filled: str) -> None:
    wanted = {document["_id"]: document for document in DOCUMENTS}
    for attribute in ("number", "parity", "tags", "note"):
        for point in draw(sidecar, filled, field="title", attribute=attribute)["points"]:
            assert point.get("attribute") == wanted[point["_id"]].get(attribute)
    assert {
        point["attribute"] for point in draw(sidecar, filled, field="title", attribute="parity.keyword")["points"]
    } == {
        "odd",
        "even",
    }
    assert "attribute" not in draw(sidecar, filled, field="title")["points"][0]


def test_long_texts_are_cut(sidecar: Sidecar, index: str) -> None:
    sidecar.add(index, [{"_id": "1", "title": "x" * 1000, "other": "y" * 1000}])
    (point,) = draw(sidecar, index, attribute="other")["points"]
    assert (point["text"], point["attribute"]) == ("x" * 300 + "…", "y" * 300 + "…")
    assert (point["x"], point["y"], point["end"]) == (0, 0, 1000)


def test_an_only_embedded_field_needs_no_name(sidecar: Sidecar, index: str) -> None:
    sidecar.add(index, [{"_id": "1", "title": "One."}, {"_id": "2", "title": "Two."}])
    answer = draw(sidecar, index)
    assert answer["field"] == "title"
    assert answer["explainedVariance"] == pytest.approx([1, 0], abs=1e-4)
    assert {round(point["y"], 4) for point in answer["points"]} == {0}


def test_a_field_whose_documents_are_gone_has_an_empty_map(sidecar: Sidecar, index: str) -> None:
    sidecar.add(index, [{"_id": "1", "title": "One."}])
    sidecar.post(f"/indexes/{index}/documents/delete-batch?refresh=true", ["1"])
    answer = draw(sidecar, index)
    assert (answer["points"], answer["explainedVariance"], answer["numberOfDocuments"]) == ([], [0, 0], 0)


def test_documents_of_a_routing_are_on_the_map(sidecar: Sidecar, index: str) -> None:
    body = {"documents": [{"_id": "1", "title": "One."}], "tensorFields": ["title"]}
    sidecar.post(f"/indexes/{index}/documents?refresh=true&routing=here", body)
    (point,) = draw(sidecar, index)["points"]
    assert (point["_id"], point["_routing"]) == ("1", "here")


def test_vectors_of_bytes_are_compared_by_their_directions(sidecar: Sidecar) -> None:
    defaults = {"model": "random/small", "ann_parameters": {"data_type": "byte"}, **BY_SENTENCE}
    with make_index(sidecar, defaults) as name:
        sidecar.add(name, DOCUMENTS)
        points = draw(sidecar, name)["points"]
        vectors = RandomLoader(32).encode_text([point["text"] for point in points]).astype(np.float64)
        left, values, _ = np.linalg.svd(vectors - vectors.mean(axis=0), full_matrices=False)
        drawn = np.array([[point["x"], point["y"]] for point in points])
        # A byte keeps a number to one part in 254 of the largest.
        np.testing.assert_allclose(np.abs(drawn[:, 0]), np.abs(left[:, 0] * values[0]), atol=0.03)


def test_documents_whose_vectors_the_cluster_would_mix_up_are_left_out(
    sidecar: Sidecar, cluster: Cluster, index_name: str
) -> None:
    body = build_index_body(SETTINGS, 32)  # of no version: the cluster's own default, derived vectors
    cluster.create_index(index_name, body)
    long = " ".join(f"Part {number}." for number in range(320))
    sidecar.add(index_name, [{"_id": "long", "title": long}, {"_id": "short", "title": "One."}])
    answer = draw(sidecar, index_name)
    assert [point["_id"] for point in answer["points"]] == ["short"]
    assert (answer["numberOfDocuments"], answer["unreadableDocuments"]) == (2, 1)


@pytest.mark.parametrize(
    ("parameters", "told"),
    [
        ({"size": MAX_POINTS + 1}, f"size is '5001'; it must be a whole number from 1 to {MAX_POINTS}"),
        ({"size": "0"}, "size is '0'"),
        ({"size": "ten"}, "size is 'ten'"),
        ({"seed": "-1"}, "seed is '-1'; it must be a whole number from 0 to 2147483647"),
        ({}, "field: say which one to show. In index '{index}' is embedded: 'note', 'title'."),
        ({"field": "tags"}, "field: 'tags' is not embedded in index '{index}'; embedded is: 'note', 'title'."),
        ({"field": "title", "attribute": "colour"}, "have no field 'colour'. GET /indexes/{index}/fields has those"),
    ],
)
def test_a_map_that_cannot_be_drawn_is_refused(
    sidecar: Sidecar, filled: str, parameters: dict[str, Any], told: str
) -> None:
    status, code, message = refusal(sidecar, filled, **parameters)
    assert (status, code) == (400, "invalid_argument")
    assert told.replace("{index}", filled) in message


def test_an_index_without_embeddings_has_no_map(sidecar: Sidecar, index: str) -> None:
    assert refusal(sidecar, index)[2] == f"field: say which one to show. In index '{index}' is embedded: nothing."
