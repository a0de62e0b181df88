"""An index of the `/indexes` face is written to through the native port, and is one index for both."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fix_server import Sidecar
from tests.native.writes.written import Port

TEXT = "A cat sits here. A dog runs there. Nobody knows why."


@pytest.fixture
def shared_index(sidecar: Sidecar, index: str) -> str:
    """An index whose field `title` is declared, by a document of the other face."""
    sidecar.add(index, [{"_id": "first", "title": TEXT}])
    return index


def chunks(port: Port, index: str, document_id: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = port.source(index, document_id)["__embeddings"]["title"]
    return found


def test_the_same_document_is_stored_the_same_by_both_faces(
    sidecar: Sidecar, native: Port, direct: Port, shared_index: str
) -> None:
    before = chunks(direct, shared_index, "first")
    assert len(before) == 2
    native.done("PUT", f"/{shared_index}/_doc/first", {"title": TEXT})
    assert chunks(direct, shared_index, "first") == before
    native.bulk(f"/{shared_index}/_bulk", {"index": {"_id": "first"}}, {"title": TEXT})
    assert chunks(direct, shared_index, "first") == before


def test_the_other_face_finds_and_keeps_what_was_written_here(
    sidecar: Sidecar, native: Port, direct: Port, shared_index: str
) -> None:
    native.bulk(f"/{shared_index}/_bulk?refresh=true", {"index": {"_id": "second"}}, {"title": "The moon is up."})
    found = sidecar.post(f"/indexes/{shared_index}/search", {"q": "The moon is up.", "limit": 1}).json()["hits"]
    assert [(hit["_id"], hit["_highlights"]) for hit in found] == [("second", {"title": "The moon is up."})]
    before = chunks(direct, shared_index, "second")
    sidecar.add(shared_index, [{"_id": "second", "title": "The moon is up.", "n": 1}])
    assert chunks(direct, shared_index, "second") == before


def test_updates_replace_the_chunks_of_what_they_change(
    sidecar: Sidecar, native: Port, direct: Port, shared_index: str
) -> None:
    path = f"/{shared_index}/_update/first"
    assert native.done("POST", path, {"doc": {"title": TEXT}})["result"] == "noop"
    native.done("POST", path, {"doc": {"title": "Short now."}})
    assert [(chunk["start"], chunk["end"]) for chunk in chunks(direct, shared_index, "first")] == [(0, 10)]
    native.done("POST", path, {"doc": {"title": None}})
    assert chunks(direct, shared_index, "first") == []
    assert sidecar.get(f"/indexes/{shared_index}/documents/first?expose_facets=true").json()["_tensor_facets"] == []


def test_fields_that_are_not_declared_stay_plain(native: Port, direct: Port, shared_index: str) -> None:
    native.done("PUT", f"/{shared_index}/_doc/1", {"other": "a text", "n": 2})
    assert direct.source(shared_index, "1") == {"other": "a text", "n": 2}


def test_what_that_face_refuses_to_embed_is_refused_here(native: Port, shared_index: str) -> None:
    answer = native.bulk(f"/{shared_index}/_bulk", {"index": {"_id": "1"}}, {"title": ["a", "b"]})
    assert answer["items"][0]["index"]["status"] == 400


def test_a_document_with_half_a_surrogate_pair_spoils_no_search_of_the_other_face(
    sidecar: Sidecar, native: Port, shared_index: str
) -> None:
    native.done("PUT", f"/{shared_index}/_doc/half?refresh=true", r'{"title":"\ud800 half a cat"}')
    answer = sidecar.post(f"/indexes/{shared_index}/search", {"q": "half", "searchMethod": "LEXICAL"})
    assert answer.status_code == 200, answer.text
    assert [hit["title"] for hit in answer.json()["hits"]] == ["\ufffd half a cat"]
    assert sidecar.get(f"/indexes/{shared_index}/documents/half").json()["title"] == "\ufffd half a cat"
