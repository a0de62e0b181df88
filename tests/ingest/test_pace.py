"""How a load finds its pace, against a cluster of arithmetic: no time passes but the clock's own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.ingest.pace import MIN_BATCH_DOCUMENTS, SLOW_SECONDS, Pace, PaceBounds, paced_writer
from sidecar.opensearch.address import ClusterAddress
from sidecar.opensearch.bulk_actions import BulkAction
from sidecar.opensearch.client import Cluster
from sidecar.opensearch.connections import TransportOptions
from sidecar.opensearch.transport import Transport
from tests.fault_server import FaultServer, answer


class Clock:
    """A clock that stands still until it is moved."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


@dataclass
class ModelCluster:
    """A cluster that writes ``documents_a_second`` for each stream, up to ``streams`` of them, and refuses more than
    ``most`` streams."""

    streams: int
    documents_a_second: float = 1000.0
    most: int = 1000

    def serve(self, pace: Pace, clock: Clock, *, rounds: int) -> list[int]:
        """Let the load run; returns how many streams it had in each round."""
        seen = []
        for _ in range(rounds):
            streams = pace.streams
            seen.append(streams)
            rate = self.documents_a_second * min(streams, self.streams)
            for _ in range(3):
                documents = pace.batch_documents
                if streams > self.most:
                    pace.refused(documents)
                clock.now += documents * streams / rate
                for _ in range(streams):
                    pace.answered(documents, 0.1)
        return seen


def pace_of(streams: int, batch_documents: int = 500) -> tuple[Pace, Clock]:
    clock = Clock()
    return Pace(PaceBounds(batch_documents, streams), clock=clock), clock


def test_a_load_begins_with_whole_batches_and_half_the_streams() -> None:
    pace, _ = pace_of(4)
    assert (pace.batch_documents, pace.streams) == (500, 2)


@pytest.mark.parametrize("knee", [1, 2, 3, 6])
def test_streams_grow_for_as_long_as_each_brings_more_documents_a_second(knee: int) -> None:
    pace, clock = pace_of(8)
    seen = ModelCluster(knee).serve(pace, clock, rounds=60)
    assert max(seen[10:]) <= max(knee, 4) + 1
    if knee >= 4:
        assert min(seen[10:]) >= knee


def test_a_load_takes_all_streams_that_it_may_where_each_is_worth_it() -> None:
    pace, clock = pace_of(6)
    assert ModelCluster(100).serve(pace, clock, rounds=12)[-1] == 6


def test_a_refusal_halves_batches_and_streams() -> None:
    pace, clock = pace_of(16)
    ModelCluster(100).serve(pace, clock, rounds=20)
    assert (pace.batch_documents, pace.streams) == (500, 16)
    pace.refused(500)
    assert (pace.batch_documents, pace.streams) == (250, 8)


def test_refusals_of_one_moment_halve_once() -> None:
    pace, _ = pace_of(8)
    for _ in range(10):
        pace.refused(100)
    assert (pace.batch_documents, pace.streams) == (250, 2)


def test_a_slow_answer_halves_too() -> None:
    pace, _ = pace_of(8)
    pace.answered(500, SLOW_SECONDS * 1.1)
    assert (pace.batch_documents, pace.streams) == (250, 2)


def test_a_load_comes_back_when_the_cluster_refuses_no_more() -> None:
    pace, clock = pace_of(8)
    cluster = ModelCluster(100, most=0)
    cluster.serve(pace, clock, rounds=20)
    assert (pace.batch_documents, pace.streams) == (MIN_BATCH_DOCUMENTS, 1)
    cluster.most = 100
    cluster.serve(pace, clock, rounds=40)
    assert (pace.batch_documents, pace.streams) == (500, 8)


def test_a_load_stays_near_what_the_cluster_takes() -> None:
    pace, clock = pace_of(32)
    seen = ModelCluster(100, most=8).serve(pace, clock, rounds=300)
    assert max(seen[30:]) <= 9
    assert sum(seen[30:]) / len(seen[30:]) > 5


Step = Callable[[Pace, Clock], None]
_STEPS = st.one_of(
    st.builds(lambda documents: lambda pace, clock: pace.refused(documents), st.integers(1, 1000)),
    st.builds(
        lambda documents, seconds: lambda pace, clock: pace.answered(documents, seconds),
        st.integers(0, 1000),
        st.floats(0, 60),
    ),
    st.builds(lambda seconds: lambda pace, clock: setattr(clock, "now", clock.now + seconds), st.floats(0, 1000)),
)


@given(st.integers(1, 2000), st.integers(1, 64), st.lists(_STEPS, max_size=200))
def test_no_bound_is_ever_passed(batch_documents: int, streams: int, steps: list[Step]) -> None:
    pace, clock = pace_of(streams, batch_documents)
    for step in steps:
        step(pace, clock)
        assert min(MIN_BATCH_DOCUMENTS, batch_documents) <= pace.batch_documents <= batch_documents
        assert 1 <= pace.streams <= streams


def test_no_more_batches_are_on_their_way_than_there_are_streams() -> None:
    pace, _ = pace_of(4)
    inside, begun = threading.Semaphore(0), []
    end = threading.Event()

    def send() -> None:
        with pace.turn():
            begun.append(1)
            inside.release()
            end.wait(10)

    threads = [threading.Thread(target=send) for _ in range(5)]
    for thread in threads:
        thread.start()
    for _ in range(2):
        assert inside.acquire(timeout=10)
    assert not inside.acquire(timeout=0.05)
    assert len(begun) == 2
    end.set()
    for thread in threads:
        thread.join(10)
    assert len(begun) == 5


def test_a_turn_ends_where_its_batch_fails() -> None:
    pace, _ = pace_of(1)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError), pace.turn():
            raise ZeroDivisionError


def test_a_paced_writer_sends_a_batch_as_one_body_and_tells_of_refusals() -> None:
    busy = b'{"index":{"_id":"%d","status":429,"error":{"type":"rejected_execution_exception","reason":"busy"}}}'
    done = b'{"index":{"_id":"%d","status":201,"result":"created"}}'
    replies = [
        answer(b'{"items":[%s]}' % b",".join([busy % 0, *(done % number for number in range(1, 300))])),
        answer(b'{"items":[%s]}' % (done % 0)),
    ]
    pace, repeated = pace_of(4)[0], []  # type: ignore[var-annotated]
    with FaultServer(replies) as server:
        cluster = Cluster(Transport(ClusterAddress(server.url), TransportOptions()))
        writer = paced_writer(cluster, pace, retry_deadline_seconds=10, on_repeat=repeated.append)
        results = writer.write("books", [BulkAction(str(number), b"{}") for number in range(300)])
        assert len(server.requests) == 2
    assert all(result.error is None for result in results)
    assert repeated == [1]
    assert (pace.batch_documents, pace.streams) == (250, 1)
