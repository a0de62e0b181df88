"""Whole evaluations on a real node, of real servers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from sidecar.errors import BadRequest, InvalidArgument
from sidecar.evaluation import searches
from sidecar.evaluation.choices import Grid
from sidecar.evaluation.data.collection import Collection
from sidecar.evaluation.data.stored import read_stored
from sidecar.evaluation.measures import measure
from sidecar.evaluation.results import Evaluation
from sidecar.evaluation.run import EF_SEARCHES, RunOptions
from sidecar.evaluation.sidecar_http import SidecarHttp
from sidecar.opensearch.client import Cluster
from sidecar.opensearch.index_states import IndexStates
from sidecar.opensearch.stored_chunks import stored_chunks
from sidecar.opensearch.transport import Transport
from tests.evaluation.collections import read_collection, write_beir
from tests.evaluation.running import SMALL, Evaluations, Told, outcome
from tests.fix_server import Sidecar

DOCUMENTS = 250
GRID = Grid([SMALL], chunkings=["none", "sentence/1"], methods=["TENSOR", "LEXICAL", "HYBRID"])
WHOLE = Grid([SMALL])


@pytest.fixture(scope="module", autouse=True)
def few_searches() -> Iterator[None]:
    """Latencies are not what is looked at here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(searches, "WARM_UP_SEARCHES", 3)
        patch.setattr(searches, "TIMED_SEARCHES", 20)
        yield


@dataclass
class Done:
    """An evaluation whose indexes are still there."""

    evaluations: Evaluations
    collection: Collection
    evaluation: Evaluation
    told: Told
    output: Path


@pytest.fixture(scope="module")
def done(transport: Transport, node: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Done]:
    folder = tmp_path_factory.mktemp("evaluated")
    collection = read_collection(write_beir(folder / "notes", DOCUMENTS))
    evaluations, told = Evaluations(Cluster(transport), node, folder / "home"), Told()
    before = set(evaluations.indexes())
    options = RunOptions(keeps_indexes=True)
    evaluation = evaluations.run(collection, GRID, folder / "first", told=told, options=options)
    yield Done(evaluations, collection, evaluation, told, folder / "first")
    for index in set(evaluations.indexes()) - before:
        evaluations.cluster.delete_index(index)


def _indexes(told: Told) -> list[str]:
    return [note.split()[1].rstrip(":") for note in told.notes if note.startswith("Index ")]


def test_choices_come_back_in_their_order_with_all_that_was_measured(done: Done) -> None:
    names = [one.choice.name for one in done.evaluation.outcomes]
    assert names == [
        "lexical",
        "small whole tensor",
        "small whole hybrid 0.5",
        "small sentence/1/0 tensor",
        "small sentence/1/0 hybrid 0.5",
    ]
    for one in done.evaluation.outcomes:
        assert set(one.per_query) == {"nDCG@10", "R@10", "R@100", "RR"}
        assert all(list(values) == list(done.collection.judgements.queries) for values in one.per_query.values())
        assert one.latency.searches == 21
        assert 0 < one.latency.p50_ms <= one.latency.p90_ms <= one.latency.p99_ms
        assert one.indexing.storage_bytes > 10_000
        assert one.indexing.memory_bytes > 20_000_000
        assert one.indexing.documents == DOCUMENTS
        rate = one.indexing.documents_per_second
        assert rate is not None
        assert rate >= DOCUMENTS / one.indexing.seconds
    assert done.evaluation.machine.opensearch == ".".join(map(str, done.evaluations.cluster.facts().version))


def test_without_chunking_a_document_is_one_vector(done: Done) -> None:
    assert outcome(done.evaluation, "small whole tensor").indexing.chunks == DOCUMENTS
    assert outcome(done.evaluation, "small sentence/1/0 tensor").indexing.chunks > DOCUMENTS
    assert outcome(done.evaluation, "lexical").indexing.chunks == 0
    index = _indexes(done.told)[1]
    for document in done.collection.documents[:5]:
        stored = done.evaluations.cluster.read_document(index, document.document_id)
        (chunk,) = stored_chunks(stored or {}, "text")
        assert (chunk["start"], chunk["end"]) == (0, len(document.content))


def test_words_find_what_has_them(done: Done) -> None:
    # Each topic's documents have its word, and no others do.
    assert outcome(done.evaluation, "lexical").mean("RR") == 1.0
    assert outcome(done.evaluation, "lexical").mean("R@100") == 1.0
    assert outcome(done.evaluation, "small whole tensor").mean("nDCG@10") < 0.9


def test_measures_are_those_of_the_hits_that_clients_get(done: Done, sidecar: Sidecar) -> None:
    index = _indexes(done.told)[1]
    judgements = done.collection.judgements

    def found(text: str, limit: int) -> list[str]:
        answer = sidecar.post(f"/indexes/{index}/search", {"q": text, "limit": limit})
        return [hit["_id"] for hit in answer.json()["hits"]]

    pages, deep = ({one: found(text, limit) for one, text in judgements.queries.items()} for limit in (10, 100))
    own = outcome(done.evaluation, "small whole tensor").per_query
    for name, values in measure(judgements.grades, pages, deep).items():
        assert own[name] == pytest.approx(values)


def test_hnsw_is_compared_with_exact_search(done: Done) -> None:
    assert outcome(done.evaluation, "lexical").ann_recall == {}
    for name in ("small whole tensor", "small whole hybrid 0.5"):
        recall = outcome(done.evaluation, name).ann_recall
        assert tuple(recall) == EF_SEARCHES
        assert recall[512] >= 0.99
        assert all(0 < value <= 1 for value in recall.values())


def test_a_second_evaluation_embeds_nothing_and_finds_the_same(
    done: Done, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster, told = done.evaluations.cluster, Told()
    first = _indexes(done.told)[2]
    sources = {one.document_id: cluster.read_document(first, one.document_id) for one in done.collection.documents}

    def refuse(http: SidecarHttp, index: str, documents: object, fields: object) -> None:
        raise AssertionError("a document was sent to be embedded")

    monkeypatch.setattr(SidecarHttp, "add", refuse)
    # Another graph needs another index, whose vectors are the same.
    grid = Grid([SMALL], chunkings=["sentence/1"], ms=[8], methods=["TENSOR", "HYBRID"])
    options = RunOptions(keeps_indexes=True)
    again = done.evaluations.run(done.collection, grid, tmp_path / "again", told=told, options=options)
    (second,) = _indexes(told)
    assert second != first
    for document_id, source in sources.items():
        assert cluster.read_document(second, document_id) == source
    for one in again.outcomes:
        before = outcome(done.evaluation, one.choice.name.replace("small", "small sentence/1/0"))
        assert one.indexing.documents_per_second is None
        assert one.indexing.chunks == before.indexing.chunks
        assert one.mean("nDCG@10") == pytest.approx(before.mean("nDCG@10"), abs=0.02)  # HNSW's own


def test_a_finished_evaluation_is_told_again_without_a_search(done: Done) -> None:
    told = Told()
    again = done.evaluations.run(done.collection, GRID, done.output, told=told)
    assert again == done.evaluation
    assert told.stages == []


def test_a_folder_has_one_evaluation(done: Done, tmp_path: Path) -> None:
    other = read_collection(write_beir(tmp_path / "other", 20))
    with pytest.raises(InvalidArgument, match="has the evaluation of other data, notes with 250"):
        done.evaluations.run(other, WHOLE, done.output)


def test_what_is_stopped_goes_on_and_leaves_nothing(
    done: Done, tmp_path: Path, transport: Transport, node: str
) -> None:
    """The home folder is another, so that nothing is cached."""
    evaluations = Evaluations(Cluster(transport), node, tmp_path / "home")
    there = set(evaluations.indexes())
    with pytest.raises(KeyboardInterrupt):
        evaluations.run(done.collection, WHOLE, tmp_path / "out", told=Told(interrupt_at="Indexing"))
    (left,) = set(evaluations.indexes()) - there
    told = Told()
    evaluation = evaluations.run(done.collection, WHOLE, tmp_path / "out", told=told)
    assert _indexes(told) == [left]
    assert set(evaluations.indexes()) == there
    (one,) = evaluation.outcomes
    assert one.indexing.chunks == one.indexing.documents == DOCUMENTS
    assert one.per_query == outcome(done.evaluation, "small whole tensor").per_query


def test_the_next_evaluation_deletes_what_another_left_and_names_a_document_that_is_refused(
    done: Done, tmp_path: Path, transport: Transport, node: str
) -> None:
    evaluations = Evaluations(Cluster(transport), node, tmp_path / "home")
    there, lexical = set(evaluations.indexes()), Grid(methods=["LEXICAL"])
    with pytest.raises(KeyboardInterrupt):
        evaluations.run(done.collection, lexical, tmp_path / "one", told=Told(interrupt_at="Searching"))
    (left,) = set(evaluations.indexes()) - there
    folder, told = write_beir(tmp_path / "other", 20), Told()
    for file in (folder / "corpus.jsonl", folder / "qrels" / "test.tsv"):
        file.write_text(file.read_text().replace("d3", "d3" * 300))
    with pytest.raises(BadRequest, match=r"The document 'd3d3.*' can't be added: .*512"):
        evaluations.run(read_collection(folder), lexical, tmp_path / "two", told=told)
    assert any(left in note and "is deleted" in note for note in told.notes)
    (left,) = set(evaluations.indexes()) - there
    evaluations.cluster.delete_index(left)


def test_the_documents_of_an_index_are_read_as_they_are(done: Done) -> None:
    cluster = done.evaluations.cluster
    found = read_stored(cluster, IndexStates(cluster), _indexes(done.told)[1], None)
    assert sorted((one.document_id, one.digest) for one in done.collection.documents) == [
        (one.document_id, one.digest) for one in found
    ]
    with pytest.raises(InvalidArgument, match="has no embedded field yet: name the fields with --fields"):
        read_stored(cluster, IndexStates(cluster), _indexes(done.told)[0], None)
