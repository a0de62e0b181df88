from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import pytest

from sidecar.embedding.loader import Embeddings, Prepared, RunBatch
from sidecar.embedding.query_lane import QueryLane
from sidecar.errors import EndpointUnavailable
from tests.embedding.faulty_loader import POISON, FaultyLoader


class WatchedLane(QueryLane):
    """Keeps what batches its threads took, empty ones too."""

    def __init__(self, runs: int) -> None:
        super().__init__(runs)
        self.sizes: list[int] = []

    def _run_batch(self, run: RunBatch, batch: list) -> None:  # type: ignore[type-arg]
        self.sizes.append(len(batch))
        super()._run_batch(run, batch)


def asks(lane: QueryLane, loader: FaultyLoader) -> Callable[[str], Embeddings]:
    return lambda text: lane.embed(loader.run_text, loader.prepare_text([text]))[0]


def wait_until_queued(lane: QueryLane, count: int) -> None:
    """Return when so many queries wait for a run."""
    pause = threading.Event()
    while len(lane._waiting) < count:
        assert not pause.wait(0.001)


@pytest.fixture
def loader() -> FaultyLoader:
    return FaultyLoader()


def hold_then_ask(lane: QueryLane, loader: FaultyLoader, texts: Sequence[str]) -> list[Future[Embeddings]]:
    """Ask the first text, and the others while its run is held; then let all run."""
    ask = asks(lane, loader)
    loader.may_run.clear()
    with ThreadPoolExecutor(len(texts)) as pool:
        futures = [pool.submit(ask, texts[0])]
        loader.wait_until_begun()
        futures += [pool.submit(ask, text) for text in texts[1:]]
        wait_until_queued(lane, len(texts) - 1)
        loader.may_run.set()
    return futures


def test_a_query_alone_runs_alone(loader: FaultyLoader) -> None:
    vector = asks(QueryLane(2), loader)("a")
    np.testing.assert_array_equal(vector, loader.encode_text(["a"])[0])
    assert vector.flags.owndata, "a view would keep its whole batch in memory"


def test_queries_that_wait_are_run_together(loader: FaultyLoader) -> None:
    texts = ["first", "b", "c", "d", "e"]
    futures = hold_then_ask(QueryLane(1), loader, texts)
    assert [sorted(batch) for batch in loader.batches] == [["first"], ["b", "c", "d", "e"]]
    for text, future in zip(texts, futures, strict=True):
        np.testing.assert_array_equal(future.result(), loader.encode_text([text])[0])


def test_a_batch_of_queries_is_within_the_tokens_of_a_batch(loader: FaultyLoader) -> None:
    hold_then_ask(QueryLane(1), loader, ["first", "word " * 300, "other " * 300])
    assert [len(batch) for batch in loader.batches] == [1, 1, 1]


def test_a_query_that_fails_leaves_the_others_of_its_batch_alone(loader: FaultyLoader) -> None:
    futures = hold_then_ask(QueryLane(1), loader, ["first", "good", POISON, "better"])
    for future in (futures[0], futures[1], futures[3]):
        assert future.result().shape == (8,)
    with pytest.raises(RuntimeError, match="choked"):
        futures[2].result()


def test_endpoint_that_is_away_is_asked_once_for_all_queries_of_a_batch(loader: FaultyLoader) -> None:
    loader.error = EndpointUnavailable("away")
    futures = hold_then_ask(QueryLane(1), loader, ["first", "good", POISON, "better"])
    for future in futures[1:]:
        with pytest.raises(EndpointUnavailable, match="away"):
            future.result()
    assert [len(batch) for batch in loader.batches] == [1, 3]


def test_a_lane_lives_on_after_a_failure(loader: FaultyLoader) -> None:
    ask = asks(QueryLane(1), loader)
    with pytest.raises(RuntimeError, match="choked"):
        ask(POISON)
    assert ask("good").shape == (8,)


def test_a_thread_whose_query_another_runs_waits_without_running_empty_batches(loader: FaultyLoader) -> None:
    lane = WatchedLane(2)
    ask = asks(lane, loader)
    loader.may_run.clear()
    with ThreadPoolExecutor(6) as pool:
        held = [pool.submit(ask, text) for text in ("a", "b")]
        loader.wait_until_begun(2)
        others = [pool.submit(ask, text) for text in ("c", "d", "e", "f")]
        wait_until_queued(lane, 4)
        loader.may_run.set()
        for future in [*held, *others]:
            future.result(timeout=30)
    assert 0 not in lane.sizes
    assert sum(lane.sizes) == 6


def test_no_more_runs_go_on_than_the_lane_has(loader: FaultyLoader) -> None:
    running = threading.Semaphore(2)

    def run(batch: Sequence[Prepared]) -> Embeddings:
        assert running.acquire(blocking=False), "a third run"
        try:
            return loader.run_text(batch)
        finally:
            running.release()

    lane = QueryLane(2)
    with ThreadPoolExecutor(16) as pool:
        vectors = list(pool.map(lambda n: lane.embed(run, loader.prepare_text([f"q{n}"]))[0], range(300)))
    np.testing.assert_array_equal(vectors, loader.encode_text([f"q{n}" for n in range(300)]))
