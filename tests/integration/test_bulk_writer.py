"""Writing in bulk to a real node: order, bounded memory, and the node's own refusals."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import orjson
import pytest

from sidecar.errors import DiskFull, IndexNotFound, OpenSearchError, OpenSearchUnreachable
from sidecar.opensearch.address import ClusterAddress
from sidecar.opensearch.bulk_actions import BulkAction, FieldEmbedding, encode_source
from sidecar.opensearch.bulk_writer import BulkLimits, BulkWriter
from sidecar.opensearch.client import Cluster
from sidecar.opensearch.connections import TransportOptions
from sidecar.opensearch.embedded_paths import nested_path
from sidecar.opensearch.index_settings import IndexSettings
from sidecar.opensearch.index_states import IndexStates
from sidecar.opensearch.mapping_builder import build_index_body
from sidecar.opensearch.transport import Request, Transport
from tests.fault_server import HANG_UP, FaultServer, answer

SMALL_BODIES = BulkLimits(max_bytes=1 << 20, max_actions=10)


@pytest.fixture
def index(cluster: Cluster, index_name: str) -> str:
    """An index with a number field `n` and room for embeddings of `text`, of 4 dimensions."""
    cluster.create_index(index_name, build_index_body(IndexSettings(number_of_shards=2), 4))
    cluster.put_mapping(index_name, {"properties": {"n": {"type": "long"}}})
    IndexStates(cluster).ensure_embedded_fields(index_name, ["text"])
    return index_name


@pytest.fixture
def writer(cluster: Cluster) -> BulkWriter:
    return BulkWriter(cluster, limits=SMALL_BODIES)


@pytest.fixture
def block(transport: Transport, index: str) -> Callable[[str, bool | None], None]:
    """Sets (True) or lifts (None) one of the index's blocks."""

    def put(name: str, value: bool | None) -> None:
        body = orjson.dumps({f"index.blocks.{name}": value})
        assert transport.send(Request("PUT", f"/{index}/_settings", body)).status == 200

    return put


def action(document_id: str, number: Any) -> BulkAction:
    return BulkAction(document_id, orjson.dumps({"n": number}))


def numbers(count: int) -> list[BulkAction]:
    return [action(str(number), number) for number in range(count)]


def embedded(number: int) -> BulkAction:
    """A document with two chunks."""
    vectors = np.full((2, 4), number + 1, dtype=np.float32)
    text = FieldEmbedding(vectors, [(0, 3), (4, 7)], "h")
    return BulkAction(str(number), encode_source(orjson.dumps({"text": "one two", "n": number}), {"text": text}))


@pytest.mark.parametrize("count", [0, 1, 9, 10, 11, 205])
def test_write_stores_every_document_and_reports_in_order(
    writer: BulkWriter, cluster: Cluster, index: str, count: int
) -> None:
    results = writer.write(index, (embedded(number) for number in range(count)), refresh=True)
    assert [(result.document_id, result.result, result.status) for result in results] == [
        (str(number), "created", 201) for number in range(count)
    ]
    assert cluster.count(index, [nested_path("text")]) == (count, 2 * count)


def test_write_replaces_a_document_whole(writer: BulkWriter, cluster: Cluster, index: str) -> None:
    writer.write(index, [embedded(1)])
    (result,) = writer.write(index, [BulkAction("1", b'{"other":1}')])
    assert (result.result, result.status) == ("updated", 200)
    assert cluster.read_document(index, "1") == {"other": 1}


def test_write_lets_the_last_of_equal_ids_win_within_and_across_bodies(
    writer: BulkWriter, cluster: Cluster, index: str
) -> None:
    results = writer.write(index, [action("x", number) for number in range(25)])
    assert [result.result for result in results] == ["created"] + ["updated"] * 24
    assert cluster.read_document(index, "x") == {"n": 24}


def test_write_deletes(writer: BulkWriter, cluster: Cluster, index: str) -> None:
    writer.write(index, numbers(2))
    results = writer.write(index, [BulkAction("1"), BulkAction("none")])
    assert [(result.result, result.status, result.error) for result in results] == [
        ("deleted", 200, None),
        ("not_found", 404, None),
    ]
    assert results[0].shards == {"total": 1, "successful": 1, "failed": 0}
    assert [cluster.read_document(index, str(number)) for number in range(2)] == [{"n": 0}, None]


@pytest.mark.parametrize("count", [3, 30])
def test_a_value_that_does_not_fit_the_mapping_fails_alone(
    writer: BulkWriter, cluster: Cluster, index: str, count: int
) -> None:
    actions = [action(str(number), "word" if number == 1 else number) for number in range(count)]
    results = writer.write(index, actions, refresh=True)
    assert [result.status for result in results] == [400 if number == 1 else 201 for number in range(count)]
    assert results[1].error is not None
    assert results[1].error["type"] == "mapper_parsing_exception"
    assert "field [n] of type [long]" in results[1].error["reason"]
    assert cluster.count(index, []) == (count - 1, 0)


@pytest.mark.parametrize("count", [1, 25])
def test_a_full_disk_refuses_at_once_and_lets_writes_through_when_there_is_room_again(
    writer: BulkWriter, cluster: Cluster, index: str, block: Callable[[str, bool | None], None], count: int
) -> None:
    block("read_only_allow_delete", True)
    with pytest.raises(DiskFull, match=f"{index}.*flood-stage"):
        writer.write(index, numbers(count))
    block("read_only_allow_delete", None)
    assert {result.status for result in writer.write(index, numbers(count))} == {201}


def test_a_disk_that_fills_up_in_the_middle_is_told_on_the_items(
    cluster: Cluster, index: str, block: Callable[[str, bool | None], None]
) -> None:
    with BulkWriter(cluster, limits=BulkLimits(max_actions=1)).open(index) as stream:
        stream.submit(action("0", 0))
        wait_until(lambda: cluster.read_document(index, "0") is not None)
        block("read_only_allow_delete", True)
        stream.submit(action("1", 1))
        results = stream.finish()
    block("read_only_allow_delete", None)
    assert [(result.status, result.is_disk_full) for result in results] == [(201, False), (429, True)]


def test_a_read_only_index_is_told_on_the_items(
    writer: BulkWriter, index: str, block: Callable[[str, bool | None], None]
) -> None:
    block("read_only", True)
    results = writer.write(index, numbers(12))
    block("read_only", None)
    assert {result.status for result in results} == {403}
    assert all("read-only" in (result.error or {})["reason"] for result in results)


def test_a_missing_index_is_an_error_of_the_whole_stream(
    transport: Transport, writer: BulkWriter, cluster: Cluster, index: str
) -> None:
    put_cluster_setting(transport, "action.auto_create_index", False)
    try:
        cluster.delete_index(index)
        with pytest.raises(IndexNotFound, match=index):
            writer.write(index, numbers(12))
    finally:
        put_cluster_setting(transport, "action.auto_create_index", None)


def test_a_name_that_could_be_a_pattern_is_a_missing_index(writer: BulkWriter) -> None:
    with pytest.raises(IndexNotFound):
        writer.write("a*", numbers(1))


def test_finish_returns_when_searches_see_everything(writer: BulkWriter, cluster: Cluster, index: str) -> None:
    for count in (1, 35):
        writer.write(index, numbers(count), refresh=True)
        assert cluster.count(index, []) == (count, 0)


def test_a_stream_sends_while_its_caller_goes_on(cluster: Cluster, index: str) -> None:
    with BulkWriter(cluster, limits=SMALL_BODIES).open(index) as stream:
        for number in range(10):
            stream.submit(action(str(number), number))
        wait_until(lambda: cluster.read_document(index, "9") is not None)
        stream.submit(action("10", 10))
        assert len(stream.finish()) == 11


def test_a_stream_drops_what_is_unsent_when_its_caller_fails(cluster: Cluster, index: str) -> None:
    threads = threading.active_count()
    with (
        pytest.raises(RuntimeError, match="the model died"),
        BulkWriter(cluster, limits=SMALL_BODIES).open(index) as stream,
    ):
        for number in range(15):
            stream.submit(action(str(number), number))
        raise RuntimeError("the model died")
    assert cluster.read_document(index, "9") == {"n": 9}
    assert cluster.read_document(index, "14") is None
    assert threading.active_count() == threads


def test_a_stream_that_fits_into_one_body_starts_no_thread(cluster: Cluster, index: str) -> None:
    threads = threading.active_count()
    with BulkWriter(cluster).open(index) as stream:
        stream.submit(action("1", 1))
        assert threading.active_count() == threads
        stream.finish()


def test_a_stream_holds_its_caller_back_while_the_cluster_is_slow() -> None:
    """Three bodies at most are in memory: one on its way, one waiting, one filling."""
    with FaultServer() as server:
        slow = SlowTransport(ClusterAddress(server.url), TransportOptions())
        stream = BulkWriter(Cluster(slow), retry_deadline_seconds=0, limits=BulkLimits(max_actions=1)).open("a")
        submitted = threading.Semaphore(0)

        def submit() -> None:
            for number in range(4):
                stream.submit(action(str(number), number))
                submitted.release()

        caller = threading.Thread(target=submit)
        caller.start()
        slow.begun.wait(timeout=30)
        assert [submitted.acquire(timeout=30) for _ in range(2)] == [True, True]
        assert not submitted.acquire(timeout=0.2), "the third body waits for the second to leave"
        slow.may_go_on.set()
        caller.join(timeout=30)
        with pytest.raises(OpenSearchUnreachable):
            stream.finish()


def test_a_body_that_is_refused_as_a_whole_ends_the_stream() -> None:
    bad = answer(b'{"error":{"type":"illegal_argument_exception","reason":"no"},"status":400}', "400 Bad Request")
    with FaultServer([bad] * 2) as server:
        cluster = Cluster(Transport(ClusterAddress(server.url), TransportOptions()))
        with BulkWriter(cluster, limits=BulkLimits(max_actions=1)).open("a") as stream:
            stream.submit(action("1", 1))
            with pytest.raises(OpenSearchError, match="illegal_argument"):
                stream.finish()
        with pytest.raises(OpenSearchError, match="illegal_argument"):
            BulkWriter(cluster).write("a", numbers(1))


def test_a_cluster_that_is_away_all_the_time_is_an_error() -> None:
    with FaultServer() as server:
        url = server.url
    cluster = Cluster(Transport(ClusterAddress(url), TransportOptions()))
    for count in (1, 30):
        with pytest.raises(OpenSearchUnreachable, match="Nothing listens"):
            BulkWriter(cluster, retry_deadline_seconds=0.1, limits=SMALL_BODIES).write("a", numbers(count))


def test_a_cluster_that_goes_away_in_the_middle_is_told_on_the_items() -> None:
    stored = [{"index": {"_id": str(number), "status": 201, "result": "created"}} for number in range(10)]
    with FaultServer([answer(orjson.dumps({"items": stored})), HANG_UP]) as server:
        cluster = Cluster(Transport(ClusterAddress(server.url), TransportOptions()))
        with BulkWriter(cluster, retry_deadline_seconds=0, limits=SMALL_BODIES).open("a") as stream:
            for each in numbers(25):
                stream.submit(each)
            results = stream.finish()
            assert stream.is_lost
    assert [result.status for result in results] == [201] * 10 + [503] * 15


def test_a_cluster_that_goes_away_and_comes_back_loses_nothing(node: str, cluster: Cluster, index: str) -> None:
    address = ClusterAddress(node)
    with FaultServer() as away:

        def come_back() -> None:
            wait_until(lambda: len(away.requests) > 0)
            address.announce(node)

        writer = BulkWriter(Cluster(Transport(address, TransportOptions())), limits=SMALL_BODIES)
        with writer.open(index, refresh=True) as stream:
            for each in numbers(15):
                stream.submit(each)
            address.announce(away.url)
            threading.Thread(target=come_back).start()
            for each in numbers(40)[15:]:
                stream.submit(each)
            results = stream.finish()
            assert away.requests
    assert {result.status for result in results} == {201}
    assert cluster.count(index, []) == (40, 0)


class SlowTransport(Transport):
    """Sends nothing before it may."""

    def __init__(self, address: ClusterAddress, options: TransportOptions) -> None:
        super().__init__(address, options)
        self.begun = threading.Event()
        self.may_go_on = threading.Event()

    def send(self, request: Request, *, timeout_seconds: float | None = None) -> Any:
        self.begun.set()
        self.may_go_on.wait(timeout=30)
        return super().send(request, timeout_seconds=timeout_seconds)


def put_cluster_setting(transport: Transport, name: str, value: Any) -> None:
    body = orjson.dumps({"transient": {name: value}})
    assert transport.send(Request("PUT", "/_cluster/settings", body)).status == 200


def wait_until(is_true: Callable[[], bool]) -> None:
    """Ask again until it is true, for at most 30 s."""
    pause = threading.Event()
    for _ in range(3000):
        if is_true():
            return
        pause.wait(0.01)
    raise AssertionError("it never came true")
