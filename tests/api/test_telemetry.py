"""What `telemetry=true` adds to answers."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fix_server import MakeClient, Sidecar

MSEARCH = {"search.opensearch._msearch", "search.opensearch._msearch.internal"}
BULK = {
    "bulk_search.vector_inference_full_pipeline",
    "bulk_search.vector.processing_before_opensearch",
    "bulk_search.vector.postprocess",
    "bulk_search.rerank",
    "POST /indexes/bulk/search",
    *MSEARCH,
}


@pytest.fixture
def filled(sidecar: Sidecar, index: str) -> str:
    sidecar.add(index, [{"_id": "a", "title": "A red car."}, {"_id": "b", "title": "A boat."}])
    return index


def times(sidecar: Sidecar, path: str, body: dict[str, Any], *, given: str = "true") -> dict[str, Any]:
    answered = sidecar.post(f"{path}?telemetry={given}", body)
    assert answered.status_code == 200, answered.text
    told = answered.json()["telemetry"]
    assert set(told) <= {"timesMs", "counter"}
    found: dict[str, Any] = told["timesMs"]
    for taken in found.values():
        assert all(isinstance(ms, (int, float)) and ms >= 0 for ms in (taken if isinstance(taken, list) else [taken]))
    return found


@pytest.mark.parametrize("given", ["true", "True", "TRUE", "1"])
def test_a_search_tells_its_stages(sidecar: Sidecar, filled: str, given: str) -> None:
    path = f"/indexes/{filled}/search"
    assert set(times(sidecar, path, {"q": "x"}, given=given)) == {
        "search.vector_inference_full_pipeline",
        "search.vector.processing_before_opensearch",
        "search.vector.postprocess",
        f"POST {path}",
        *MSEARCH,
    }


def test_a_search_by_words_tells_its_stages(sidecar: Sidecar, filled: str) -> None:
    path = f"/indexes/{filled}/search"
    assert set(times(sidecar, path, {"q": "red", "searchMethod": "LEXICAL"})) == {
        "search.lexical.processing_before_opensearch",
        "search.opensearch._search",
        "search.opensearch._search.internal",
        "search.lexical.postprocess",
        f"POST {path}",
    }


def test_several_searches_tell_their_stages(sidecar: Sidecar, filled: str) -> None:
    queries = [{"index": filled, "q": "x"}, {"index": filled, "q": "red", "searchMethod": "LEXICAL"}]
    assert set(times(sidecar, "/indexes/bulk/search", {"queries": queries})) == BULK
    assert set(times(sidecar, "/indexes/bulk/search", {"queries": queries[:1]})) == BULK


def test_a_hybrid_search_tells_the_stages_of_meaning(sidecar: Sidecar, filled: str) -> None:
    found = times(sidecar, f"/indexes/{filled}/search", {"q": "red", "searchMethod": "HYBRID"})
    assert {"search.vector_inference_full_pipeline", "search.vector.postprocess", *MSEARCH} <= set(found)


def test_a_stage_that_comes_twice_has_a_list_of_times(sidecar: Sidecar, filled: str) -> None:
    # A page that a filter leaves short is asked for once more.
    found = times(sidecar, f"/indexes/{filled}/search", {"q": "x", "filter": "_id:a"})
    assert len(found["search.opensearch._msearch"]) == 2
    assert isinstance(found["search.vector_inference_full_pipeline"], float)


def test_the_parts_are_no_longer_than_the_whole(sidecar: Sidecar, filled: str) -> None:
    path = f"/indexes/{filled}/search"
    found = times(sidecar, path, {"q": "another"})
    whole = found.pop(f"POST {path}")
    assert sum(ms for name, ms in found.items() if not name.endswith(".internal")) <= whole


@pytest.mark.parametrize("query", ["", "?telemetry=false", "?telemetry=False", "?telemetry=0", "?telemetry="])
def test_nothing_is_told_where_it_is_not_asked_for(sidecar: Sidecar, filled: str, query: str) -> None:
    assert "telemetry" not in sidecar.post(f"/indexes/{filled}/search{query}", {"q": "x"}).json()
    assert "telemetry" not in sidecar.get(f"/indexes/{filled}/documents/a{query}").json()


def test_adding_documents_tells_its_whole_time(sidecar: Sidecar, index: str) -> None:
    path = f"/indexes/{index}/documents"
    body = {"documents": [{"title": "x"}], "tensorFields": ["title"]}
    assert f"POST {path}" in times(sidecar, path, body)


@pytest.mark.parametrize("path", ["/indexes/{}/documents/a", "/models"])
def test_reads_without_stages_tell_an_empty_object(sidecar: Sidecar, filled: str, path: str) -> None:
    assert sidecar.get(f"{path.format(filled)}?telemetry=True").json()["telemetry"] == {}


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/indexes/zzz/search", {"q": "x"}, 404),
        ("POST", "/indexes/zzz/search", {}, 400),
        ("POST", "/indexes/zzz/search", {"foo": 1}, 422),
        ("POST", "/indexes/bulk/search", {"queries": [{"index": "zzz", "q": "x"}]}, 404),
        ("GET", "/indexes/zzz/documents/a", None, 404),
        ("GET", "/nope", None, 404),
        ("PUT", "/indexes/zzz", None, 405),
    ],
)
def test_errors_tell_it_too(sidecar: Sidecar, method: str, path: str, body: Any, status: int) -> None:
    answered = sidecar.request(method, f"{path}?telemetry=true", body)
    assert answered.status_code == status
    assert isinstance(answered.json()["telemetry"], dict)
    assert "telemetry" not in sidecar.request(method, path, body).json()


def test_errors_of_the_cluster_tell_it_too(make_client: MakeClient) -> None:
    answered = make_client(opensearch_url="http://127.0.0.1:9").post("/indexes/a/search?telemetry=1", json={"q": "x"})
    assert answered.status_code == 500
    assert "POST /indexes/a/search" in answered.json["telemetry"]["timesMs"]


def test_one_requests_times_are_not_told_of_the_next(sidecar: Sidecar, filled: str) -> None:
    path = f"/indexes/{filled}/search"
    first = times(sidecar, path, {"q": "x"})
    times(sidecar, path, {"q": "red", "searchMethod": "LEXICAL"})
    assert set(times(sidecar, path, {"q": "x"})) == set(first)
