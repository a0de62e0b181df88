"""Repeats, against a server that refuses on demand; tests/integration/test_bulk_writer.py has a real node."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from sidecar.errors import OpenSearchError, OpenSearchUnreachable
from sidecar.opensearch.address import ClusterAddress
from sidecar.opensearch.bulk_actions import BulkAction, ItemResult
from sidecar.opensearch.bulk_sender import BulkSender, BulkWatch
from sidecar.opensearch.client import Cluster
from sidecar.opensearch.connections import TransportOptions
from sidecar.opensearch.transport import Transport
from tests.fault_server import HANG_UP, FaultServer, answer

BUSY = {"type": "rejected_execution_exception", "reason": "rejected execution of primary operation"}
MISFIT = {"type": "mapper_parsing_exception", "reason": "failed to parse field [n]"}


def items(*outcomes: tuple[str, int]) -> bytes:
    """A bulk answer with one item for each (id, status)."""
    errors = {429: BUSY, 503: BUSY, 400: MISFIT}
    parts: list[dict[str, Any]] = []
    for document_id, status in outcomes:
        outcome = {"_id": document_id, "status": status}
        rest = {"error": errors[status]} if status in errors else {"result": "created" if status == 201 else "updated"}
        parts.append({"index": {**outcome, **rest}})
    return answer(orjson.dumps({"took": 1, "errors": False, "items": parts}))


def actions(*document_ids: str) -> list[BulkAction]:
    return [BulkAction(document_id, b'{"n":%d}' % number) for number, document_id in enumerate(document_ids)]


def sender_to(url: str, retry_deadline_seconds: float = 60) -> BulkSender:
    cluster = Cluster(Transport(ClusterAddress(url), TransportOptions()))
    return BulkSender(cluster, "a", retry_deadline_seconds=retry_deadline_seconds)


def sent(server: FaultServer) -> list[list[tuple[str, Any]]]:
    """(id, document) of each action of each request that the server has got."""
    requests = []
    for request in server.requests:
        lines = [orjson.loads(line) for line in request.body.splitlines()]
        requests.append([(lines[i]["index"]["_id"], lines[i + 1]["n"]) for i in range(0, len(lines), 2)])
    return requests


def outcomes(results: list[ItemResult]) -> list[tuple[str, int]]:
    return [(result.document_id, result.status) for result in results]


def test_send_repeats_only_the_items_that_were_refused_for_now() -> None:
    replies = [
        items(("1", 201), ("2", 429), ("3", 400), ("4", 503)),
        items(("2", 429), ("4", 201)),
        items(("2", 201)),
    ]
    with FaultServer(replies) as server:
        results = sender_to(server.url).send(actions("1", "2", "3", "4"))
        assert sent(server) == [[("1", 0), ("2", 1), ("3", 2), ("4", 3)], [("2", 1), ("4", 3)], [("2", 1)]]
    assert outcomes(results) == [("1", 201), ("2", 201), ("3", 400), ("4", 201)]
    assert results[2].error == MISFIT


def test_send_tells_how_many_actions_it_repeats() -> None:
    repeated: list[int] = []
    replies = [items(("1", 201), ("2", 429), ("3", 503)), items(("2", 429), ("3", 201)), items(("2", 201))]
    with FaultServer(replies) as server:
        cluster = Cluster(Transport(ClusterAddress(server.url), TransportOptions()))
        sender = BulkSender(cluster, "a", retry_deadline_seconds=60, watch=BulkWatch(on_repeat=repeated.append))
        sender.send(actions("1", "2", "3"))
    assert repeated == [2, 1]


def test_send_repeats_all_when_the_whole_request_is_refused_for_now() -> None:
    busy = answer(orjson.dumps({"error": BUSY, "status": 429}), "429 Too Many Requests")
    starting = answer(b'{"error":{"type":"cluster_block_exception","reason":"state not recovered"}}', "503 X")
    with FaultServer([busy, starting, items(("1", 201))]) as server:
        assert outcomes(sender_to(server.url).send(actions("1"))) == [("1", 201)]
        assert len(server.requests) == 3


def test_send_repeats_all_when_no_answer_comes() -> None:
    with FaultServer([HANG_UP, HANG_UP, items(("1", 200), ("2", 201))]) as server:
        results = sender_to(server.url).send(actions("1", "2"))
    # The first attempt had stored document 1 already; its answer was lost.
    assert [(result.document_id, result.result) for result in results] == [("1", "updated"), ("2", "created")]


def test_send_repeats_a_later_action_on_a_document_whose_earlier_action_is_repeated() -> None:
    with FaultServer([items(("1", 429), ("2", 201), ("1", 201)), items(("1", 201), ("1", 200))]) as server:
        results = sender_to(server.url).send(actions("1", "2", "1"))
        assert sent(server)[1] == [("1", 0), ("1", 2)]
    assert outcomes(results) == [("1", 201), ("2", 201), ("1", 200)]


def test_send_does_not_repeat_an_earlier_action_when_only_the_later_one_was_refused() -> None:
    with FaultServer([items(("1", 201), ("1", 429)), items(("1", 200))]) as server:
        sender_to(server.url).send(actions("1", "1"))
        assert sent(server)[1] == [("1", 1)]


def test_behind_an_action_that_met_a_write_block_nothing_is_sent() -> None:
    reason = "index [a] blocked by: [FORBIDDEN/8/index write (api)];"
    blocked = {"_id": "2", "status": 403, "error": {"type": "cluster_block_exception", "reason": reason}}
    mixed = {"items": [{"index": {"_id": "1", "status": 201, "result": "created"}}, {"index": blocked}]}
    with FaultServer([answer(orjson.dumps(mixed))]) as server:
        sender = sender_to(server.url)
        assert outcomes(sender.send(actions("1", "2"))) == [("1", 201), ("2", 403)]
        later = sender.send(actions("1", "3"))
        assert len(server.requests) == 1
    assert outcomes(later) == [("1", 403), ("3", 403)]
    assert all(result.is_turned_away for result in later)


def test_actions_for_an_index_that_is_another_by_now_are_not_sent() -> None:
    answers = iter([True, False])
    with FaultServer([items(("1", 201))]) as server:
        cluster = Cluster(Transport(ClusterAddress(server.url), TransportOptions()))
        sender = BulkSender(cluster, "a", retry_deadline_seconds=60, is_current=lambda: next(answers))
        assert outcomes(sender.send(actions("1"))) == [("1", 201)]
        (result,) = sender.send(actions("2"))
        assert sender.send(actions("3"))[0].is_turned_away
        assert len(server.requests) == 1
    assert (result.document_id, result.is_turned_away, result.is_retryable) == ("2", True, False)


def test_send_reports_items_as_refused_when_the_deadline_is_over() -> None:
    with FaultServer([items(("1", 201), ("2", 429))] * 2) as server:
        results = sender_to(server.url, retry_deadline_seconds=0).send(actions("1", "2"))
        assert len(server.requests) == 1
    assert outcomes(results) == [("1", 201), ("2", 429)]
    assert results[1].error == BUSY


def test_send_reports_items_with_the_reason_when_the_cluster_stays_away() -> None:
    with FaultServer() as server:
        url = server.url
    sender = sender_to(url, retry_deadline_seconds=0.3)
    (result,) = sender.send(actions("1"))
    assert (result.status, result.error and result.error["type"]) == (503, "backend_communication_error")
    assert result.error is not None
    assert "Nothing listens at" in result.error["reason"]
    assert isinstance(sender.lost, OpenSearchUnreachable)


def test_send_asks_no_more_once_the_cluster_has_stayed_away_for_the_deadline() -> None:
    with FaultServer() as server:
        sender = sender_to(server.url, retry_deadline_seconds=0)
        sender.send(actions("1"))
        assert outcomes(sender.send(actions("2", "3"))) == [("2", 503), ("3", 503)]
        assert len(server.requests) == 1


def test_send_tries_a_busy_cluster_once_for_each_body_after_the_deadline() -> None:
    busy, fine = items(("1", 429)), items(("1", 201))
    with FaultServer([busy, busy, fine]) as server:
        sender = sender_to(server.url, retry_deadline_seconds=0)
        statuses = [sender.send(actions("1"))[0].status for _ in range(3)]
    assert statuses == [429, 429, 201]
    assert sender.lost is None


def test_send_raises_when_the_request_is_refused_as_a_whole() -> None:
    bad = answer(b'{"error":{"type":"illegal_argument_exception","reason":"no"},"status":400}', "400 Bad Request")
    with FaultServer([bad]) as server, pytest.raises(OpenSearchError, match="illegal_argument_exception"):
        sender_to(server.url).send(actions("1"))


CONFLICT = {"type": "version_conflict_engine_exception", "reason": "document already exists"}


def test_send_takes_a_document_that_was_to_be_created_and_is_there_as_kept() -> None:
    there = {"create": {"_id": "1", "status": 409, "error": CONFLICT}}
    new = {"create": {"_id": "2", "status": 201, "result": "created"}}
    reply = answer(orjson.dumps({"items": [there, new]}))
    creating = [BulkAction(document_id, b"{}", is_create=True) for document_id in ("1", "2")]
    with FaultServer([reply]) as server:
        results = sender_to(server.url).send(creating)
        assert [list(orjson.loads(line)) for line in server.requests[0].body.splitlines()[::2]] == [["create"]] * 2
    assert [(result.result, result.status, result.error) for result in results] == [
        ("kept", 200, None),
        ("created", 201, None),
    ]


def test_send_takes_a_document_that_its_own_lost_request_has_created_as_kept() -> None:
    there = answer(orjson.dumps({"items": [{"create": {"_id": "1", "status": 409, "error": CONFLICT}}]}))
    with FaultServer([HANG_UP, there]) as server:
        (result,) = sender_to(server.url).send([BulkAction("1", b"{}", is_create=True)])
    assert (result.result, result.error) == ("kept", None)


def test_send_tells_how_bodies_fare() -> None:
    answered: list[tuple[int, bool]] = []
    replies = [HANG_UP, items(("1", 201), ("2", 429), ("3", 400)), items(("2", 201))]
    with FaultServer(replies) as server:
        cluster = Cluster(Transport(ClusterAddress(server.url), TransportOptions()))
        watched = BulkSender(
            cluster,
            "a",
            retry_deadline_seconds=60,
            watch=BulkWatch(on_body=lambda done, seconds: answered.append((done, seconds > 0))),
        )
        watched.send(actions("1", "2", "3"))
    assert answered == [(2, True), (1, True)]
