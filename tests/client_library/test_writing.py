"""Documents, aliases and indexes by the client, against a real server and node."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator, Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest

from sidecar.client import AddOptions, AsyncSidecarClient, InvalidRequest, NotFound, Progress, Search, UpdateOptions
from tests.fix_server import SMALL, Sidecar


@pytest.fixture
def index(client: Any, index_name: str) -> Any:
    """An empty index."""
    made = client.index(index_name)
    made.create(SMALL)
    return made


def documents(count: int) -> Iterator[dict[str, Any]]:
    return ({"_id": f"d{number}", "title": f"Text {number}.", "pages": number} for number in range(count))


def test_a_stream_tells_of_each_batch_when_it_is_acknowledged(index: Any) -> None:
    taken = 0

    def counted() -> Iterator[dict[str, Any]]:
        nonlocal taken
        for document in documents(25):
            taken += 1
            yield document

    told = []
    for progress in index.stream(counted(), AddOptions(["title"], batch_documents=10, refresh=True)):
        told.append((taken, progress))
    assert told == [
        (10, Progress(10, 10, 0)),
        (20, Progress(20, 20, 0)),
        (25, Progress(25, 25, 0)),
    ]
    assert len(index.search("Text 3.")) == 10


def test_bad_documents_fail_alone_and_are_told_by_their_positions(index: Any) -> None:
    given: list[Any] = [
        {"_id": "good", "title": "A."},
        {"_id": "when", "title": dt.datetime(2026, 1, 1)},
        {"_id": "dotted", "a.b": "x"},
        "no object",
        {"_id": "gap", "pages": float("nan")},
        {"_id": "fine", "title": "B."},
        {"_id": "null", "title": None},
    ]
    whole = index.add(given, AddOptions(["title"], batch_documents=4))
    assert (whole.received, whole.succeeded, whole.failed) == (7, 2, 5)
    assert [(item.position, item.id, item.status, item.code) for item in whole.failures] == [
        (1, "when", 400, "invalid_argument"),
        (2, "dotted", 400, "invalid_field_name"),
        (3, "", 400, "invalid_argument"),
        (4, "gap", 400, "invalid_argument"),
        (6, "null", 400, "invalid_argument"),
    ]
    assert "datetime is not JSON serializable" in whole.failures[0].error
    assert [found is not None for found in index.get(["good", "fine", "when"])] == [True, True, False]


def test_options_of_a_stream_reach_the_server(index: Any) -> None:
    combination = {"both": {"type": "multimodal_combination", "weights": {"a,b": 1}}}
    options = AddOptions(["a,b", "both"], mappings=combination, text_chunk_prefix="see: ", routing="r", refresh=True)
    index.add([{"_id": "1", "a,b": "First.", "both": {"a,b": "Second."}}], options)
    assert index.search("see: First.")[0].score == pytest.approx(1.0, abs=1e-5)
    assert index.search(Search("see: Second.", routing="r"))[0].score == pytest.approx(1.0, abs=1e-5)
    index.add([{"_id": "2", "title": "T.", "note": "N."}], AddOptions(non_tensor_fields=["note"], refresh=True))
    assert index.search("T.")[0].highlights == {"title": "T."}


def test_one_field_may_have_a_comma_in_its_name(index: Any) -> None:
    index.add([{"_id": "1", "a,b": "First."}], AddOptions(["a,b"], refresh=True))
    assert index.search("First.")[0].highlights == {"a,b": "First."}


def test_no_fields_embed_nothing(index: Any) -> None:
    assert index.add(documents(2), AddOptions([], refresh=True)).succeeded == 2
    assert len(index.search("Text 1.")) == 0


def test_one_text_is_no_list_of_fields(index: Any) -> None:
    with pytest.raises(TypeError, match=r"\['title'\]"):
        index.add(documents(1), "title")


def test_nothing_is_a_stream_too(index: Any) -> None:
    assert index.add([], ["title"]) == Progress()


def test_documents_without_an_id_get_one_each(index: Any) -> None:
    assert index.add([{"title": "A."}, {"title": "A."}], AddOptions(["title"], refresh=True)).succeeded == 2
    assert len({hit.id for hit in index.search("A.")}) == 2


@pytest.mark.asyncio
async def test_an_asynchronous_source_is_read_as_it_comes(sidecar: Sidecar, index_name: str) -> None:
    async def source() -> AsyncIterator[dict[str, Any]]:
        for document in documents(5):
            yield document

    async with AsyncSidecarClient(sidecar.url) as client:
        index = client.index(index_name)
        await index.create(SMALL)
        told = [progress async for progress in index.stream(source(), AddOptions(["title"], batch_documents=2))]
    assert [progress.received for progress in told] == [2, 4, 5]


def test_a_table_is_a_document_a_row(index: Any) -> None:
    frame = pd.DataFrame(
        {
            "number": [1, 2, 3],
            "title": ["One.", None, "Three."],
            "price": [1.5, np.nan, np.inf],
            "day": pd.to_datetime(["2026-01-31", None, "2026-02-01"]),
            "stock": pd.array([7, None, 9], dtype="Int64"),
            "new": [True, False, True],
            "words": [["a", "b"], np.array(["c"]), ()],
        }
    )
    whole = index.add_dataframe(frame, AddOptions(["title"], refresh=True), id_column="number")
    assert (whole.received, whole.succeeded, whole.failed) == (3, 2, 1)
    assert (whole.failures[0].id, whole.failures[0].position) == ("3", 2)
    assert "column 'price'" in whole.failures[0].error
    assert index.get(["1", "2"]) == [
        {
            "_id": "1",
            "title": "One.",
            "price": 1.5,
            "day": "2026-01-31T00:00:00",
            "stock": 7,
            "new": True,
            "words": ["a", "b"],
        },
        {"_id": "2", "new": False, "words": ["c"]},
    ]
    back = index.search("One.").to_dataframe()
    assert list(back["_id"]) == ["1"]
    assert back["stock"][0] == 7


def test_an_update_changes_some_fields(index: Any) -> None:
    index.add(documents(2), ["title"])
    changed = index.update(
        [{"_id": "d0", "pages": 100}, {"_id": "d1", "pages": 1}, {"_id": "gone", "pages": 1}],
        UpdateOptions(refresh=True),
    )
    assert [(item.id, item.result) for item in changed.items] == [("d0", "updated"), ("d1", "noop"), ("gone", None)]
    assert [(item.position, item.status, item.code) for item in changed.failures] == [(2, 404, "document_not_found")]
    assert index.get(["d0"]) == [{"_id": "d0", "title": "Text 0.", "pages": 100}]
    index.update([{"_id": "d0", "note": "New."}], UpdateOptions(tensor_fields=["note"], refresh=True))
    assert index.search("New.")[0].highlights == {"note": "New."}


def test_a_filter_deletes(index: Any) -> None:
    index.add(documents(5), AddOptions([], refresh=True))
    deleted = index.delete_by_query({"range": {"pages": {"gte": 3}}}, refresh=True)
    assert (deleted.deleted, deleted.total, deleted.version_conflicts, deleted.failures) == (2, 2, 0, ())
    with pytest.raises(InvalidRequest, match="which documents to delete"):
        index.delete_by_query("")
    gone = index.delete(["d0", "gone"], refresh=True)
    assert [(item.id, item.result) for item in gone.items] == [("d0", "deleted"), ("gone", "not_found")]
    assert [found and found["_id"] for found in index.get(["d0", "d1"])] == [None, "d1"]


def test_an_alias_moves(index: Any, client: Any, sidecar: Sidecar) -> None:
    alias, other = f"{index.name}-alias", f"{index.name}-other"
    client.index(other).create(SMALL)
    try:
        first = client.index(other).put_alias(alias)
        assert (first.alias, first.index, first.moved_from) == (alias, other, None)
        assert index.put_alias(alias).moved_from == other
        assert index.aliases() == [alias]
        index.add(documents(1), AddOptions(["title"], refresh=True))
        assert client.index(alias).search("Text 0.")[0].id == "d0"
        index.delete_alias(alias)
        assert index.aliases() == []
        with pytest.raises(NotFound) as refused:
            index.delete_alias(alias)
        assert refused.value.code == "alias_not_found"
    finally:
        client.index(other).drop()


def test_names_are_quoted(client: Any) -> None:
    with pytest.raises(NotFound, match="a b%c"):
        client.index("a b%c").aliases()
