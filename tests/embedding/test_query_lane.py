from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import pytest

from sidecar.embedding.loader import MAX_BATCH_TOKENS, Embeddings, Prepared, RunBatch
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


# Several at once


def ask_several(lane: QueryLane, loader: FaultyLoader, texts: Sequence[str]) -> list[Embeddings]:
    return lane.embed(loader.run_text, loader.prepare_text(texts))


def test_several_queries_of_one_thread_are_run_together_and_answered_in_order(loader: FaultyLoader) -> None:
    texts = ["the longest of them all", "b", "two words", "d"]
    vectors = ask_several(QueryLane(2), loader, texts)
    assert loader.batches == [["b", "d", "two words", "the longest of them all"]], "of like length side by side"
    np.testing.assert_array_equal(vectors, loader.encode_text(texts))


def test_no_queries_run_nothing(loader: FaultyLoader) -> None:
    assert ask_several(QueryLane(1), loader, []) == []
    assert loader.batches == []


def test_more_queries_than_a_batch_has_room_for_are_run_in_several(loader: FaultyLoader) -> None:
    long = " ".join(["word"] * (MAX_BATCH_TOKENS // 4))
    texts = [f"{long} {number}" for number in range(10)]
    vectors = ask_several(QueryLane(2), loader, texts)
    assert [len(batch) for batch in loader.batches] == [3, 3, 3, 1]
    np.testing.assert_array_equal(vectors, loader.encode_text(texts))


def test_of_several_queries_the_first_that_fails_is_told_and_other_threads_are_answered(loader: FaultyLoader) -> None:
    lane = QueryLane(1)
    loader.may_run.clear()
    with ThreadPoolExecutor(3) as pool:
        first = pool.submit(ask_several, lane, loader, ["held"])
        loader.wait_until_begun()
        failing = pool.submit(ask_several, lane, loader, ["fine", f"{POISON} 1", f"{POISON} 2"])
        wait_until_queued(lane, 3)
        other = pool.submit(ask_several, lane, loader, ["other"])
        wait_until_queued(lane, 4)
        loader.may_run.set()
    assert len(first.result()) == len(other.result()) == 1
    with pytest.raises(RuntimeError, match="choked"):
        failing.result()


def test_many_threads_with_several_queries_each_get_their_own(loader: FaultyLoader) -> None:
    lane = QueryLane(2)
    works = [[f"thread {thread} query {number}" for number in range(thread % 7)] for thread in range(60)]
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda texts: ask_several(lane, loader, texts), works))
    for texts, vectors in zip(works, answers, strict=True):
        np.testing.assert_array_equal(np.reshape(vectors, (len(texts), loader.dimensions)), loader.encode_text(texts))


def test_many_queries_of_one_thread_are_shared_out_among_the_free_runs(loader: FaultyLoader) -> None:
    both = threading.Barrier(2, timeout=30)
    sizes = []

    def run(batch: Sequence[Prepared]) -> Embeddings:
        sizes.append(len(batch))
        both.wait()
        return loader.run_text(batch)

    texts = [f"query {number}" for number in range(32)]
    vectors = QueryLane(2).embed(run, loader.prepare_text(texts))
    assert sizes == [16, 16]
    np.testing.assert_array_equal(vectors, loader.encode_text(texts))
