"""An index whose own name becomes an alias of another, with another model, in the middle of work on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import orjson
import pytest

from sidecar.embedding.engine import EmbeddingEngine
from sidecar.embedding.loaders.random import RandomLoader
from sidecar.errors import OpenSearchError
from sidecar.indexing.requests import AddDocuments
from sidecar.opensearch.embedded_paths import ROOT
from sidecar.opensearch.index_settings import TextPreprocessing
from sidecar.opensearch.index_state import IndexState
from sidecar.opensearch.transport import Request
from tests.rooms import SETTINGS, Rooms

COUNT = 2400
SWITCHED_AT = 2200
"""Documents: the first of them are written by then, for no more than seven windows of 256 texts are on their way."""


class Documents(list[Any]):
    """Documents that do something when most of them were taken."""

    def __init__(self, before_last: Callable[[], None]) -> None:
        super().__init__({"_id": str(number), "text": f"Text {number}."} for number in range(COUNT))
        self._before_last = before_last

    def __iter__(self) -> Iterator[Any]:
        for number, document in enumerate(super().__iter__()):
            if number == SWITCHED_AT:
                self._before_last()
            yield document


@pytest.fixture
def name(rooms: Rooms, index_name: str) -> Iterator[str]:
    """An index; that of the name with ``-new`` has another prefix, so that equal texts have other vectors."""
    rooms.create(index_name)
    prefixed = TextPreprocessing(override_text_chunk_prefix="new: ", override_text_query_prefix="new: ")
    new = rooms.create(f"{index_name}-new", replace(SETTINGS, text_preprocessing=prefixed))
    yield index_name
    rooms.cluster.delete_index(new)


def switch(rooms: Rooms, name: str) -> None:
    """Let the name be an alias of the new index, and time pass since."""
    actions = [{"remove_index": {"index": name}}, {"add": {"index": f"{name}-new", "alias": name}}]
    rooms.cluster.ask("switch", Request("POST", "/_aliases", orjson.dumps({"actions": actions})))
    rooms.clock.now += 2


def test_documents_of_one_request_are_embedded_for_the_index_that_they_come_into(rooms: Rooms, name: str) -> None:
    documents = Documents(lambda: switch(rooms, name))
    items = rooms.writer.add(name, AddDocuments(documents, ("text",), None, refresh=True))
    assert [item["_id"] for item in items] == [str(number) for number in range(COUNT)]
    assert {item["status"] for item in items} == {201}
    # The first of them went with the index that is gone; a migration would have copied them before.
    assert COUNT - SWITCHED_AT < rooms.cluster.count(name, [])[0] < COUNT
    last = COUNT - 1
    (chunk,) = rooms.stored(f"{name}-new", str(last))[ROOT]["text"]
    expected = RandomLoader(32).encode_text([f"new: Text {last}."])[0]
    np.testing.assert_allclose(np.array(chunk["vector"]), expected, atol=1e-6)


def test_a_search_is_made_for_the_index_that_it_is_sent_to(
    rooms: Rooms, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for index in (name, f"{name}-new"):
        rooms.add(index, [{"_id": index, "text": "A text."}])
    embed = EmbeddingEngine.embed_queries
    calls: list[int] = []

    def slow(self: EmbeddingEngine, *arguments: Any, **named: Any) -> Any:
        vectors = embed(self, *arguments, **named)
        if not calls:
            switch(rooms, name)
        calls.append(1)
        return vectors

    monkeypatch.setattr(EmbeddingEngine, "embed_queries", slow)
    (hit,) = rooms.search(name, "A text.")
    assert (hit["_id"], hit["_score"]) == (f"{name}-new", pytest.approx(1.0))
    assert len(calls) == 2


SHARDS_GONE = OpenSearchError(
    "all shards failed", upstream_status=503, upstream_type="search_phase_execution_exception"
)


NO_CONTEXT = OpenSearchError(
    "No search context found", upstream_status=404, upstream_type="search_context_missing_exception"
)


@pytest.fixture(params=[SHARDS_GONE, NO_CONTEXT], ids=["before the first phase", "before the second phase"])
def lost(request: pytest.FixtureRequest) -> OpenSearchError:
    """What a search fails with whose index is deleted meanwhile."""
    error: OpenSearchError = request.param
    return error


def test_work_whose_shards_are_gone_is_done_again_on_what_the_name_leads_to(
    rooms: Rooms, name: str, lost: OpenSearchError
) -> None:
    seen = []

    def work(states: list[IndexState]) -> str:
        seen.append(states[0].index)
        if len(seen) == 1:
            switch(rooms, name)
            raise lost
        return "done"

    assert rooms.states.use([name], work) == "done"
    assert seen == [name, f"{name}-new"]


def test_work_whose_shards_are_gone_fails_where_the_name_stays(rooms: Rooms, name: str, lost: OpenSearchError) -> None:
    seen = []

    def work(states: list[IndexState]) -> None:
        seen.append(states[0].index)
        raise lost

    with pytest.raises(OpenSearchError, match=lost.message):
        rooms.states.use([name], work)
    assert seen == [name]


def test_work_on_an_alias_whose_old_index_is_deleted_is_done_again(
    rooms: Rooms, name: str, lost: OpenSearchError
) -> None:
    alias = f"{name}-alias"
    rooms.cluster.ask("alias", Request("PUT", f"/{name}/_alias/{alias}"))
    seen = []

    def work(states: list[IndexState]) -> str:
        seen.append(states[0].index)
        if len(seen) == 1:
            actions = [{"remove_index": {"index": name}}, {"add": {"index": f"{name}-new", "alias": alias}}]
            rooms.cluster.ask("switch", Request("POST", "/_aliases", orjson.dumps({"actions": actions})))
            raise lost
        return "done"

    assert rooms.states.use([alias], work) == "done"
    assert seen == [name, f"{name}-new"]


def test_work_on_an_alias_that_fails_again_fails(rooms: Rooms, name: str, lost: OpenSearchError) -> None:
    alias = f"{name}-alias"
    rooms.cluster.ask("alias", Request("PUT", f"/{name}/_alias/{alias}"))
    seen = []

    def work(states: list[IndexState]) -> None:
        seen.append(states[0].index)
        raise lost

    with pytest.raises(OpenSearchError, match=lost.message):
        rooms.states.use([alias], work)
    assert seen == [name, name]
