"""Pipelines put through the native port, and read back."""

from __future__ import annotations

import gzip
import json
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import requests

from tests.fix_server import Sidecar

MODEL = "random/small"
EMBEDDING = {"text_embedding": {"model_id": MODEL, "field_map": {"title": "title_vector"}}}
CHUNKING = {"text_chunking": {"algorithm": {"delimiter": {}}, "field_map": {"body": "body_chunks"}}}
SET = {"set": {"field": "stage", "value": 1.5}}
ENRICHER = {"neural_query_enricher": {"default_model_id": MODEL}}
NORMALIZATION = {"normalization-processor": {"normalization": {"technique": "l2"}}}
FILTER = {"filter_query": {"query": {"match_all": {}}}}
PLAIN = {"description": "mine", "processors": [SET], "version": 7}


@dataclass
class Pipelines:
    """Pipelines of one test, through the sidecar and at the cluster itself; all their names begin with ``start``."""

    sidecar: str
    node: str
    start: str
    kind: str
    session: requests.Session

    def name(self, suffix: str = "") -> str:
        return self.start + suffix

    def put(self, body: Any, suffix: str = "", **options: Any) -> requests.Response:
        return self.session.put(f"{self.sidecar}/{self.kind}/pipeline/{self.name(suffix)}", json=body, **options)

    def get(self, target: str, **options: Any) -> requests.Response:
        return self.session.get(f"{self.sidecar}/{self.kind}/pipeline{target}", **options)

    def get_direct(self, target: str, **options: Any) -> requests.Response:
        return self.session.get(f"{self.node}/{self.kind}/pipeline{target}", **options)

    def stored(self, suffix: str = "") -> Any:
        """As the cluster has it."""
        return self.get_direct(f"/{self.name(suffix)}").json()[self.name(suffix)]

    def read(self, suffix: str = "") -> Any:
        """As the sidecar gives it."""
        return self.get(f"/{self.name(suffix)}").json()[self.name(suffix)]


def _pipelines(sidecar: Sidecar, node: str, kind: str) -> Iterator[Pipelines]:
    start = f"test-{uuid.uuid4().hex[:12]}"
    with requests.Session() as session:
        yield Pipelines(sidecar.native_url, node, start, kind, session)
        session.delete(f"{node}/_ingest/pipeline/{start}*")
        for name in session.get(f"{node}/_search/pipeline").json():
            if name.startswith(start):
                session.delete(f"{node}/_search/pipeline/{name}")


@pytest.fixture
def ingest(sidecar: Sidecar, node: str) -> Iterator[Pipelines]:
    yield from _pipelines(sidecar, node, "_ingest")


@pytest.fixture
def search(sidecar: Sidecar, node: str) -> Iterator[Pipelines]:
    yield from _pipelines(sidecar, node, "_search")


@pytest.mark.parametrize("description", [{}, {"description": ""}, {"description": "mine\n\u2028é\\"}])
def test_an_ingest_pipeline_is_read_back_as_it_was_put(ingest: Pipelines, description: dict[str, str]) -> None:
    body = {**description, "processors": [CHUNKING, EMBEDDING, SET], "version": 3}
    answer = ingest.put(body)
    assert (answer.status_code, answer.json()) == (200, {"acknowledged": True})
    assert ingest.read() == body
    stored = ingest.stored()
    assert stored["processors"] == [SET]
    assert stored["description"].rpartition("#sidecar ")[0].rstrip("\n") == description.get("description", "")


def test_a_pipeline_of_our_processors_alone_is_legal(ingest: Pipelines, search: Pipelines) -> None:
    body: dict[str, Any] = {"processors": [EMBEDDING]}
    assert ingest.put(body).status_code == 200
    assert ingest.read() == body
    body = {"request_processors": [ENRICHER], "phase_results_processors": [NORMALIZATION]}
    assert search.put(body).status_code == 200
    assert search.read() == body


def test_a_search_pipeline_is_read_back_as_it_was_put(search: Pipelines) -> None:
    body = {
        "request_processors": [FILTER, ENRICHER],
        "phase_results_processors": [{"score-ranker-processor": {"combination": {"technique": "rrf"}}}],
        "response_processors": [{"truncate_hits": {"target_size": 3}}],
    }
    assert search.put(body).status_code == 200
    assert search.read() == body
    assert search.stored()["request_processors"] == [FILTER]


def test_several_pipelines_are_read_back_together(ingest: Pipelines) -> None:
    bodies = {ingest.name("-a"): {"processors": [EMBEDDING]}, ingest.name("-b"): PLAIN}
    for name, body in bodies.items():
        assert ingest.put(body, name.removeprefix(ingest.start)).status_code == 200
    assert ingest.get(f"/{ingest.start}*").json() == bodies
    assert ingest.get(f"/{','.join(bodies)}").json() == bodies
    assert bodies.items() <= ingest.get("").json().items()
    assert ingest.get(f"/{ingest.start}-nothing").status_code == 404


def test_parameters_of_the_answer_hold_for_what_is_put_back(ingest: Pipelines) -> None:
    ingest.put({"processors": [EMBEDDING, SET]}, "-a")
    ingest.put(PLAIN, "-b")
    target = f"/{ingest.start}*"
    model = {"processors": [{"text_embedding": {"model_id": MODEL}}]}
    assert ingest.get(f"{target}?filter_path=*.processors.text_embedding.model_id").json() == {ingest.name("-a"): model}
    assert ingest.get(f"{target}?filter_path=-*.processors").json() == {
        ingest.name("-b"): {"description": "mine", "version": 7}
    }
    pretty = ingest.get(f"{target}?pretty")
    assert pretty.headers["content-length"] == str(len(pretty.content))
    assert pretty.text == json_as_opensearch_writes_it(pretty.json())


def json_as_opensearch_writes_it(value: Any) -> str:
    return json.dumps(value, indent=2, separators=(",", " : ")) + "\n"


def test_pipelines_of_others_are_answered_byte_for_byte(ingest: Pipelines) -> None:
    body = b'{ "processors": [ {"set":{"field":"x","value":1e3}} ], "description": "#sidecar is no word of mine" }'
    headers = {"content-type": "application/json"}
    ingest.session.put(f"{ingest.sidecar}/_ingest/pipeline/{ingest.start}", data=body, headers=headers)
    for target in ("", "?pretty", "?filter_path=*.processors", "?format=yaml"):
        found, expected = (get(f"/{ingest.start}{target}") for get in (ingest.get, ingest.get_direct))
        assert found.content == expected.content
        assert found.headers["content-type"] == expected.headers["content-type"]
    for headers in ({"accept-encoding": "gzip"}, {"accept-encoding": "identity"}):
        found, expected = (
            get(f"/{ingest.start}", headers=headers, stream=True) for get in (ingest.get, ingest.get_direct)
        )
        assert found.raw.read() == expected.raw.read()
        assert found.headers.get("content-encoding") == expected.headers.get("content-encoding")


def test_a_compressed_answer_is_put_back_too(ingest: Pipelines) -> None:
    body = {"processors": [EMBEDDING]}
    data, headers = gzip.compress(json.dumps(body).encode()), {"content-type": "application/json"}
    answer = ingest.session.put(
        f"{ingest.sidecar}/_ingest/pipeline/{ingest.start}", data=data, headers={**headers, "content-encoding": "gzip"}
    )
    assert answer.status_code == 200
    assert ingest.get(f"/{ingest.start}", headers={"accept-encoding": "gzip"}).json() == {ingest.start: body}


@pytest.mark.parametrize(
    "processors",
    [
        [{"text_embedding": {"model_id": "aVeif4oB5Vm0Tdw8zYO2", "field_map": {"a": "b"}}}],
        [CHUNKING],
        [{"nonsense": {}}],
        5,
    ],
)
def test_what_the_sidecar_has_no_part_in_is_the_clusters_to_refuse(ingest: Pipelines, processors: Any) -> None:
    found = ingest.put({"processors": processors})
    expected = ingest.session.put(f"{ingest.node}/_ingest/pipeline/{ingest.start}", json={"processors": processors})
    assert found.status_code == 400
    assert found.content == expected.content


@pytest.mark.parametrize(
    ("processors", "reason"),
    [
        ([{"text_embedding": {**EMBEDDING["text_embedding"], "if": "true"}}], "[text_embedding] can't have [if]"),
        ([SET, EMBEDDING], "[text_embedding] can't stand behind [set]"),
        ([{"text_embedding": {"model_id": MODEL}}], "[field_map] required property is missing"),
    ],
)
def test_what_the_sidecar_cannot_do_is_refused_and_not_stored(
    ingest: Pipelines, processors: list[Any], reason: str
) -> None:
    answer = ingest.put({"processors": processors})
    assert answer.status_code == 400
    assert answer.json()["error"]["reason"].startswith(reason)
    assert ingest.get_direct(f"/{ingest.start}").status_code == 404


def test_bad_weights_of_a_search_pipeline_are_refused(search: Pipelines) -> None:
    combination = {"parameters": {"weights": [0.2, 0.2]}}
    answer = search.put({"phase_results_processors": [{"normalization-processor": {"combination": combination}}]})
    assert answer.status_code == 400
    assert answer.json()["error"]["type"] == "illegal_argument_exception"
    assert answer.json()["error"]["reason"].startswith("sum of weights for combination must be equal to 1.0")


def test_processors_of_others_still_run(ingest: Pipelines, search: Pipelines, index_name: str) -> None:
    ingest.put({"processors": [EMBEDDING, SET]})
    search.put({"request_processors": [ENRICHER], "response_processors": [{"truncate_hits": {"target_size": 1}}]})
    native = f"{ingest.sidecar}/{index_name}"
    for number in range(3):
        document = f"{native}/_doc/{number}?refresh=true&pipeline={ingest.start}"
        assert ingest.session.put(document, json={"other": 1}).status_code == 201
    found = ingest.session.get(f"{native}/_search?search_pipeline={search.start}").json()["hits"]["hits"]
    assert [hit["_source"]["stage"] for hit in found] == [1.5]


def test_simulated_documents_are_embedded_and_then_the_clusters(ingest: Pipelines) -> None:
    pipeline = {"processors": [EMBEDDING, SET]}
    ingest.put(pipeline)
    documents = [{"_source": {"title": "a"}}, {"_source": {"other": 1}}]
    base = f"{ingest.sidecar}/_ingest/pipeline"
    simulated = [
        ingest.session.post(f"{base}/{ingest.start}/_simulate", json={"docs": documents}),
        ingest.session.get(f"{base}/_simulate", json={"pipeline": pipeline, "docs": documents}),
    ]
    for answer in simulated:
        first, second = (one["doc"]["_source"] for one in answer.json()["docs"])
        assert (len(first.pop("title_vector")), first) == (32, {"title": "a", "stage": 1.5})
        assert second == {"other": 1, "stage": 1.5}


@pytest.mark.parametrize("body", [{"docs": [{"_source": {"title": "a"}}]}, {"docs": 5}, [], {"docs": [{"_id": "1"}]}])
def test_other_simulations_are_the_clusters(ingest: Pipelines, body: Any) -> None:
    ingest.put(PLAIN)
    inline = {"pipeline": PLAIN, **body} if isinstance(body, dict) else body
    for target, sent in {f"{ingest.start}/_simulate": body, "_simulate": inline}.items():
        path = f"/_ingest/pipeline/{target}"
        found, expected = (ingest.session.post(base + path, json=sent) for base in (ingest.sidecar, ingest.node))
        assert found.status_code == expected.status_code
        assert without_time(found.text) == without_time(expected.text)


def without_time(text: str) -> str:
    return re.sub(r'"timestamp":"[^"]*"', "", text)


def test_a_changed_pipeline_holds_for_the_next_document(ingest: Pipelines, index_name: str) -> None:
    settings = {"number_of_shards": 1, "default_pipeline": ingest.start}
    assert ingest.put({"processors": [EMBEDDING]}).status_code == 200
    assert ingest.session.put(f"{ingest.sidecar}/{index_name}", json={"settings": settings}).status_code == 200
    for number, target in enumerate(["title_vector", "other"]):
        changed = {"text_embedding": {"model_id": MODEL, "field_map": {"title": target}}}
        assert ingest.put({"processors": [CHUNKING, changed]}).status_code == 200
        document = f"{ingest.sidecar}/{index_name}/_doc/{number}"
        assert ingest.session.put(document, json={"title": "a", "body": "b\n\nc"}).status_code == 201
        source = ingest.session.get(document).json()["_source"]
        assert set(source) == {"title", "body", "body_chunks", target}
        assert source["body_chunks"] == ["b\n\n", "c"]
