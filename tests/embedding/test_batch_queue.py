from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.embedding.batch_queue import LEAST_TOKENS, SHORT_TOKENS, BatchQueue, Waiting
from sidecar.embedding.loader import MAX_BATCH_TEXTS, MAX_BATCH_TOKENS, Prepared

jobs = st.lists(st.lists(st.integers(1, 700), min_size=1, max_size=40), min_size=1, max_size=12)


def prepared(tokens: list[int]) -> list[Prepared]:
    return [Prepared(None, count) for count in tokens]


def take_all(queue: BatchQueue, threads: int = 1) -> list[list[Waiting]]:
    batches = []
    while batch := queue.take(threads):
        batches.append(batch)
    return batches


@given(jobs, st.integers(1, 8))
def test_each_text_is_taken_exactly_once(all_tokens: list[list[int]], threads: int) -> None:
    queue = BatchQueue()
    added = [queue.add(prepared(tokens), 4) for tokens in all_tokens]
    assert len(queue) == sum(map(len, all_tokens))
    taken = [waiting for batch in take_all(queue, threads) for waiting in batch]
    assert len(queue) == 0
    rows = sorted((added.index(waiting.job), waiting.row) for waiting in taken)
    assert rows == [(job, row) for job, tokens in enumerate(all_tokens) for row in range(len(tokens))]


@given(jobs)
def test_batches_are_within_the_limits_and_sorted_by_length(all_tokens: list[list[int]]) -> None:
    queue = BatchQueue()
    for tokens in all_tokens:
        queue.add(prepared(tokens), 4)
    for batch in take_all(queue):
        lengths = [waiting.prepared.tokens for waiting in batch]
        assert lengths == sorted(lengths)
        assert len(batch) <= MAX_BATCH_TEXTS
        assert len(batch) == 1 or len(batch) * lengths[-1] <= MAX_BATCH_TOKENS


@given(jobs, st.integers(1, 8))
def test_each_batch_has_the_longest_text_of_the_oldest_job(all_tokens: list[list[int]], threads: int) -> None:
    queue = BatchQueue()
    added = [queue.add(prepared(tokens), 4) for tokens in all_tokens]
    left = {id(job): sorted(tokens) for job, tokens in zip(added, all_tokens, strict=True)}
    for batch in take_all(queue, threads):
        oldest = next(job for job in added if left[id(job)])
        assert any(w.job is oldest and w.prepared.tokens == left[id(oldest)][-1] for w in batch)
        for waiting in batch:
            left[id(waiting.job)].remove(waiting.prepared.tokens)


@given(jobs, st.data())
def test_of_a_dropped_job_nothing_is_taken_any_more(all_tokens: list[list[int]], data: st.DataObject) -> None:
    queue = BatchQueue()
    added = [queue.add(prepared(tokens), 4) for tokens in all_tokens]
    before = [waiting for _ in range(data.draw(st.integers(0, 3))) for waiting in queue.take()]
    dropped = data.draw(st.sampled_from(added))
    queue.drop(dropped)
    after = [waiting for batch in take_all(queue) for waiting in batch]
    assert all(waiting.job is not dropped for waiting in after)
    others = sum(len(tokens) for job, tokens in zip(added, all_tokens, strict=True) if job is not dropped)
    assert sum(waiting.job is not dropped for waiting in [*before, *after]) == others


@pytest.mark.parametrize(
    ("tokens", "threads", "sizes"),
    [
        ([50] * 32, 1, [10, 10, 10, 2]),
        ([50] * 32, 2, [10, 10, 6, 3, 3]),
        ([10] * 16, 2, [13, 3]),
        ([500] * 3, 2, [1, 1, 1]),
        ([100], 4, [1]),
    ],
)
def test_what_waits_is_shared_out_among_the_threads(tokens: list[int], threads: int, sizes: list[int]) -> None:
    queue = BatchQueue()
    queue.add(prepared(tokens), 4)
    assert [len(batch) for batch in take_all(queue, threads)] == sizes


@given(jobs, st.integers(1, 8))
def test_no_thread_takes_more_than_its_share_of_what_is_worth_sharing(
    all_tokens: list[list[int]], threads: int
) -> None:
    queue = BatchQueue()
    for tokens in all_tokens:
        queue.add(prepared(tokens), 4)
    waiting = len(queue)
    for batch in take_all(queue, threads):
        share = math.ceil(waiting / threads)
        # One text fewer would be less than is worth a run.
        assert len(batch) <= share or (len(batch) - 1) * batch[-1].prepared.tokens < LEAST_TOKENS
        waiting -= len(batch)


def test_short_texts_of_several_jobs_share_a_batch() -> None:
    queue = BatchQueue()
    first, second = queue.add(prepared([8, 8]), 4), queue.add(prepared([7, 300]), 4)
    assert {id(waiting.job) for waiting in queue.take()} == {id(first), id(second)}
    assert [waiting.prepared.tokens for waiting in queue.take()] == [300]
    assert queue.take() == []


def test_a_job_has_room_for_its_vectors() -> None:
    job = BatchQueue().add(prepared([3, 4, 5]), 7)
    assert (job.vectors.shape, job.vectors.dtype, job.left) == ((3, 7), np.dtype(np.float32), 3)


@given(jobs)
def test_a_batch_holds_little_padding_beyond_the_oldest_jobs_text(all_tokens: list[list[int]]) -> None:
    queue = BatchQueue()
    for tokens in all_tokens:
        queue.add(prepared(tokens), 4)
    first = queue.take()
    assert first[-1].prepared.tokens <= max(SHORT_TOKENS, max(all_tokens[0]) * 5 // 4)
