"""Batches on the run's own node: documents on which a model fails, and faults that are no document's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sidecar.embedding.loader import Embeddings, Prepared
from sidecar.embedding.loaders.random import RandomLoader
from sidecar.errors import DiskFull, IndexNotFound, InvalidArgument, ModelFailed
from sidecar.given_settings import load_settings
from sidecar.ingest.loading.batch_loader import BatchLoader
from sidecar.ingest.loading.parts import LoadParts
from sidecar.ingest.loading.plan import Existing, LoadPlan
from sidecar.ingest.loading.target_index import IndexWish, ensure_index
from sidecar.ingest.shaping.shape import DocumentShape
from sidecar.ingest.sources.options import SourceOptions
from sidecar.ingest.sources.source import Record
from sidecar.opensearch.index_settings import IndexSettings
from sidecar.opensearch.transport import Transport
from tests.fix_opensearch import request
from tests.rooms import Rooms


class Poisonable(RandomLoader):
    """A model that fails on a batch with the word poison in it."""

    def run_text(self, batch: Sequence[Prepared]) -> Embeddings:
        if any(b"poison" in prepared.payload for prepared in batch):
            raise RuntimeError("index out of range in self")
        return super().run_text(batch)


@pytest.fixture
def rooms(transport: Transport) -> Iterator[Rooms]:
    with Rooms(transport, lambda spec: Poisonable(32)) as opened:
        yield opened


@pytest.fixture
def parts(rooms: Rooms, tmp_path: Path) -> LoadParts:
    settings = load_settings(home=tmp_path, opensearch_retry_deadline=0.2)
    return LoadParts(
        settings, rooms.cluster, rooms.states, rooms.engine, rooms.media, rooms.table, rooms.metrics, rooms.switches
    )


@pytest.fixture
def plan(rooms: Rooms, index_name: str) -> LoadPlan:
    rooms.create(index_name)
    return LoadPlan(SourceOptions("rows.jsonl"), index_name, DocumentShape(tensor_fields=("text",)))


def records(texts: Sequence[Any]) -> list[Record]:
    return [Record("a", row, {"_id": f"d{row}", "text": text}, 10) for row, text in enumerate(texts)]


def test_only_the_documents_on_which_the_model_fails_fail(rooms: Rooms, parts: LoadParts, plan: LoadPlan) -> None:
    texts = [f"text {number}" for number in range(300)]
    texts[17], texts[222] = "poison of one kind", "more poison"
    with BatchLoader(parts, plan) as loader:
        outcome = loader.load(records(texts))
    assert (outcome.written, outcome.kept) == (298, 0)
    assert [(letter.row, letter.document_id, letter.code) for letter in outcome.failed] == [
        (17, "d17", "model_failed"),
        (222, "d222", "model_failed"),
    ]
    assert "RuntimeError: index out of range in self" in outcome.failed[0].reason
    assert outcome.failed[0].document == {"_id": "d17", "text": "poison of one kind"}
    rooms.cluster.refresh(plan.index)
    assert rooms.cluster.count(plan.index, ["__embeddings.text"]) == (298, 298)


def test_a_model_that_fails_on_every_document_is_no_documents_fault(parts: LoadParts, plan: LoadPlan) -> None:
    with BatchLoader(parts, plan) as loader, pytest.raises(ModelFailed, match="out of range"):
        loader.load(records([f"poison {number}" for number in range(100)]))


def test_documents_that_are_there_are_kept_where_only_new_ones_are_wanted(
    rooms: Rooms, parts: LoadParts, plan: LoadPlan
) -> None:
    with BatchLoader(parts, plan) as loader:
        loader.load(records(["one", "two"]))
    with BatchLoader(parts, replace(plan, existing=Existing.ONLY_NEW)) as loader:
        outcome = loader.load(records(["other", "other", "three", "poison"]))
    assert (outcome.written, outcome.kept, len(outcome.failed)) == (1, 2, 1)
    assert [rooms.stored(plan.index, f"d{number}")["text"] for number in range(3)] == ["one", "two", "three"]


def test_a_full_disk_and_an_index_that_is_gone_are_raised(
    node: str, rooms: Rooms, parts: LoadParts, plan: LoadPlan
) -> None:
    def block(value: str) -> None:
        body = f'{{"index.blocks.read_only_allow_delete": {value}}}'
        assert request(node, "PUT", f"/{plan.index}/_settings", body)[0] == 200

    with BatchLoader(parts, plan) as loader:
        # Fields are declared by the first batch.
        loader.load(records(["one"]))
        block("true")
        with pytest.raises(DiskFull):
            loader.load(records(["two", "three"]))
        block("null")
        assert loader.load(records(["two", "three"])).written == 2
        rooms.cluster.delete_index(plan.index)
        with pytest.raises(IndexNotFound):
            loader.load(records(["four"]))


def test_records_that_never_become_documents_fail_beside_the_others(parts: LoadParts, plan: LoadPlan) -> None:
    broken = Record("a", 1, None, 10, error="row 1 is no JSON", raw="{")
    with BatchLoader(parts, plan) as loader:
        outcome = loader.load([*records(["one"]), broken])
    assert (outcome.written, [(letter.row, letter.raw, letter.reason) for letter in outcome.failed]) == (
        1,
        [(1, "{", "row 1 is no JSON")],
    )


@pytest.mark.parametrize(
    ("shape", "told"),
    [
        (DocumentShape(image_fields=("picture",)), "does not embed images"),
        (DocumentShape(precomputed={"vec": None}), "have 3 numbers; in index"),
    ],
)
def test_an_index_that_can_not_take_the_documents_is_told_before_any_is_sent(
    parts: LoadParts, plan: LoadPlan, shape: DocumentShape, told: str
) -> None:
    sample = [Record("a", 0, {"_id": "x", "vec": [1.0, 2.0, 3.0]}, 10)]
    with pytest.raises(InvalidArgument, match=told):
        ensure_index(parts, replace(plan, shape=shape), IndexWish(), sample)


def test_text_for_an_index_without_a_model_is_told_before_any_is_sent(
    rooms: Rooms, parts: LoadParts, plan: LoadPlan, index_name: str
) -> None:
    rooms.cluster.delete_index(index_name)
    properties = {"dimensions": 3}
    settings = IndexSettings(
        model="no_model",
        model_properties=properties,
        search_model="no_model",
        search_model_properties=properties,
        number_of_shards=1,
    )
    rooms.create(index_name, settings)
    with pytest.raises(InvalidArgument, match="has no model that embeds field 'text'"):
        ensure_index(parts, plan, IndexWish(), [])
