"""Equal texts are embedded once: real engines, with loaders that count what they run on."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.embedding.engine import EmbeddingEngine, EngineLimits
from sidecar.embedding.loader import Embeddings, Prepared
from sidecar.embedding.loaders.random import RandomLoader
from sidecar.embedding.model_cache import ModelCache
from sidecar.embedding.model_table import ModelTable
from sidecar.errors import ModelFailed
from sidecar.indexing.addition import WriterParts
from sidecar.indexing.requests import AddDocuments
from sidecar.indexing.writer import DocumentWriter
from sidecar.ingest.remembered import RememberingEngine
from sidecar.metrics import Metrics
from sidecar.opensearch.bulk_writer import BulkWriter
from tests.rooms import Rooms

SPEC = ModelTable().resolve("random/small")
LIMITS = EngineLimits(threads=2, queue_texts=4096, query_vectors=1)


class CountingLoader(RandomLoader):
    """Counts each text that it runs on; holds runs up while ``gate`` is closed, and fails on texts in ``bad``."""

    def __init__(self, dimensions: int) -> None:
        super().__init__(dimensions)
        self.runs: Counter[str] = Counter()
        self.bad: set[str] = set()
        self.gate = threading.Event()
        self.gate.set()
        self.begun = threading.Event()
        self._lock = threading.Lock()

    def run_text(self, batch: Sequence[Prepared]) -> Embeddings:
        texts = [prepared.payload.decode() for prepared in batch]
        self.begun.set()
        assert self.gate.wait(30)
        with self._lock:
            self.runs.update(texts)
        if self.bad.intersection(texts):
            raise RuntimeError("bad text")
        return super().run_text(batch)


class Engines:
    """An engine, the one that remembers before it, and the loaders by the model's dimensions."""

    def __init__(self, folder: Path, capacity: int) -> None:
        self.loaders: dict[int, CountingLoader] = {}
        models = ModelCache(lambda spec: self.loaders.setdefault(spec.dimensions, CountingLoader(spec.dimensions)), 4.0)
        self.plain = EmbeddingEngine(models, LIMITS, Metrics())
        models.get(SPEC)
        self.loader = self.loaders[SPEC.dimensions]
        self.remembering = RememberingEngine(self.plain, folder, capacity=capacity)

    def embed(self, *texts: str) -> Embeddings:
        return self.remembering.submit(SPEC, list(texts)).result(30)


@contextmanager
def opened(folder: Path, capacity: int = 1000) -> Iterator[Engines]:
    engines = Engines(folder, capacity)
    try:
        with engines.remembering:
            yield engines
    finally:
        engines.plain.close()


@pytest.fixture
def engines(tmp_path: Path) -> Iterator[Engines]:
    with opened(tmp_path / "vectors") as made:
        yield made


def test_equal_texts_are_embedded_once_and_have_the_vectors_of_a_plain_run(engines: Engines) -> None:
    first = engines.embed("a", "b", "a")
    second = engines.embed("c", "b", "a", "b")
    assert engines.loader.runs == {"a": 1, "b": 1, "c": 1}
    assert engines.remembering.reused == 4
    expected = {text: engines.plain.submit(SPEC, [text]).result(30)[0] for text in "abc"}
    assert np.array_equal(first, [expected[text] for text in "aba"])
    assert np.array_equal(second, [expected[text] for text in "cbab"])
    assert second.dtype == np.float32


@given(texts=st.lists(st.lists(st.text(max_size=3), max_size=8), max_size=8), capacity=st.integers(1, 6))
def test_every_text_gets_its_own_vector_however_few_are_remembered(
    tmp_path_factory: pytest.TempPathFactory, texts: list[list[str]], capacity: int
) -> None:
    expected = RandomLoader(SPEC.dimensions)
    with opened(tmp_path_factory.mktemp("vectors"), capacity) as engines:
        futures = [engines.remembering.submit(SPEC, group) for group in texts]
        for group, future in zip(texts, futures, strict=True):
            assert np.array_equal(future.result(30), expected.encode_text(group))


def test_models_are_remembered_apart(engines: Engines) -> None:
    other = ModelTable().resolve("random/medium")
    assert engines.remembering.submit(other, ["a"]).result(30).shape == (1, other.dimensions)
    assert engines.embed("a").shape == (1, SPEC.dimensions)
    assert engines.remembering.submit(other, ["a"]).result(30).shape == (1, other.dimensions)
    assert engines.loaders[other.dimensions].runs == engines.loader.runs == {"a": 1}


def test_one_model_under_two_names_is_one(engines: Engines) -> None:
    engines.embed("a")
    engines.remembering.submit(replace(SPEC, name="other"), ["a"]).result(30)
    assert engines.loader.runs == {"a": 1}


def test_a_text_on_its_way_is_waited_for(engines: Engines) -> None:
    engines.loader.gate.clear()
    first = engines.remembering.submit(SPEC, ["a", "b"])
    second = engines.remembering.submit(SPEC, ["b", "c"])
    assert not second.done()
    engines.loader.gate.set()
    assert np.array_equal(second.result(30)[0], first.result(30)[1])
    assert engines.loader.runs == {"a": 1, "b": 1, "c": 1}


def test_many_threads_have_each_text_embedded_once(engines: Engines) -> None:
    groups = [[str((start + step) % 60) for step in range(20)] for start in range(0, 600, 7)]
    expected = RandomLoader(SPEC.dimensions)
    with ThreadPoolExecutor(8) as pool:
        vectors = list(pool.map(lambda group: engines.embed(*group), groups))
    for group, found in zip(groups, vectors, strict=True):
        assert np.array_equal(found, expected.encode_text(group))
    assert engines.loader.runs == Counter(map(str, range(60)))


def test_the_oldest_texts_are_forgotten_first(tmp_path: Path) -> None:
    with opened(tmp_path, capacity=3) as engines:
        for text in "abcd":
            engines.embed(text)
        engines.embed("b", "c", "d")
        assert engines.loader.runs == Counter("abcd")
        engines.embed("a")
        assert engines.loader.runs == Counter("aabcd")


def test_a_text_that_the_model_fails_on_is_not_remembered(engines: Engines) -> None:
    engines.loader.bad = {"bad"}
    with pytest.raises(ModelFailed, match="bad text"):
        engines.embed("bad")
    engines.loader.bad = set()
    assert engines.embed("bad").shape == (1, SPEC.dimensions)
    assert engines.loader.runs["bad"] == 2


def test_nobody_fails_for_the_texts_of_another(engines: Engines) -> None:
    engines.loader.bad = {"bad"}
    engines.loader.gate.clear()
    failing = engines.remembering.submit(SPEC, ["bad", "good"])
    assert engines.loader.begun.wait(30)
    other = engines.remembering.submit(SPEC, ["good", "fine"])
    engines.loader.gate.set()
    with pytest.raises(ModelFailed, match="bad text"):
        failing.result(30)
    assert np.array_equal(other.result(30), RandomLoader(SPEC.dimensions).encode_text(["good", "fine"]))


def test_whoever_waits_for_a_text_that_always_fails_fails_too(engines: Engines) -> None:
    engines.loader.bad = {"bad"}
    engines.loader.gate.clear()
    futures = [engines.remembering.submit(SPEC, ["bad", str(number)]) for number in range(3)]
    engines.loader.gate.set()
    for future in futures:
        with pytest.raises(ModelFailed, match="bad text"):
            future.result(30)


def test_work_that_is_given_up_is_dropped_but_for_what_others_wait_for(engines: Engines) -> None:
    engines.loader.gate.clear()
    held = []
    # Two threads run models: both are held up, so that what comes behind has not begun.
    for text in ("first", "second"):
        held.append(engines.remembering.submit(SPEC, [text]))
        assert engines.loader.begun.wait(30)
        engines.loader.begun.clear()
    given_up = engines.remembering.submit(SPEC, ["a", "b"])
    other = engines.remembering.submit(SPEC, ["b", "c"])
    assert given_up.cancel()
    engines.loader.gate.set()
    assert other.result(30).shape == (2, SPEC.dimensions)
    for future in held:
        future.result(30)
    with pytest.raises(CancelledError):
        given_up.result(30)
    assert "a" not in engines.loader.runs
    assert engines.loader.runs["b"] == 1


def test_a_disk_without_room_only_ends_the_remembering(
    engines: Engines, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "vectors").write_text("a file where the folder should be")
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            engines.embed("a")
    assert engines.loader.runs == {"a": 2}
    assert caplog.text.count("are not kept any more") == 1


def test_no_file_is_left_and_none_is_seen(engines: Engines, tmp_path: Path) -> None:
    engines.embed("a")
    open_files = psutil.Process().num_fds()
    assert list((tmp_path / "vectors").iterdir()) == []
    engines.remembering.close()
    assert psutil.Process().num_fds() == open_files - 1
    engines.embed("a")
    assert engines.loader.runs == {"a": 2}


def test_no_texts_are_no_work(engines: Engines) -> None:
    assert engines.embed().shape == (0, SPEC.dimensions)


def test_documents_are_written_with_what_was_remembered(rooms: Rooms, index_name: str, tmp_path: Path) -> None:
    rooms.create(index_name)
    with RememberingEngine(rooms.engine, tmp_path) as remembering:
        bulk = BulkWriter(rooms.cluster)
        parts = WriterParts(
            rooms.cluster,
            rooms.states,
            bulk,
            remembering,
            rooms.media,
            rooms.table,
            rooms.metrics,
            rooms.switches,
        )
        writer = DocumentWriter(parts, max_document_bytes=100_000)
        for start in range(0, 40, 10):
            documents = [{"_id": str(start + n), "text": f"text {n % 5}"} for n in range(10)]
            items = writer.add(index_name, AddDocuments(documents, ("text",), None, refresh=True))
            assert [item["status"] for item in items] == [201] * 10
        assert remembering.reused == 15  # of 20, for a window takes equal texts together itself
    assert rooms.embedded_texts == 5
    assert set(rooms.find(index_name, "text 3", limit=8)) == {str(n) for n in range(3, 40, 5)}
