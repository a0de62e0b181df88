"""Answers that are not the cluster's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from sidecar.errors import OpenSearchError
from sidecar.opensearch.address import ClusterAddress
from sidecar.opensearch.client import Cluster, SearchLine
from sidecar.opensearch.connections import TransportOptions
from sidecar.opensearch.decoding import decode_object
from sidecar.opensearch.transport import Transport
from tests.fault_server import FaultServer, answer

LINES = [SearchLine("a", {}), SearchLine("b", {})]
FOUND = b'{"took": 1, "hits": {"hits": []}}'


@contextmanager
def answering(body: bytes) -> Iterator[Cluster]:
    """A cluster whose next answer is this."""
    with FaultServer([answer(body)]) as server:
        transport = Transport(ClusterAddress(server.url), TransportOptions())
        yield Cluster(transport)
        transport.close()


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"a": ', b"\xff\xfe", b'{"a":' * 5000])
def test_what_is_no_json_is_told(body: bytes) -> None:
    with pytest.raises(OpenSearchError, match="is not JSON"):
        decode_object(body)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (r"\ud800", "\ufffd"),
        (r"a\uD83D b", "a\ufffd b"),
        (r"\uDE00\uD83D", "\ufffd\ufffd"),
        (r"\ud83d\ude00\ud800", "\U0001f600\ufffd"),
        (r"\\ud800 \ud800", "\\ud800 \ufffd"),
        (r"\\\ud800\"", '\\\ufffd"'),
    ],
)
def test_half_a_pair_of_surrogates_spoils_no_answer(text: str, expected: str) -> None:
    assert decode_object(f'{{"title":"{text}"}}'.encode()) == {"title": expected}


@pytest.mark.parametrize("body", [b"[]", b"null", b"1", b'"a"'])
def test_what_is_no_object_is_told(body: bytes) -> None:
    with pytest.raises(OpenSearchError, match="does not answer as OpenSearch does"):
        decode_object(body)


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b'{"took": 1, "hits": null}',
        b'{"took": 1, "hits": {"hits": {}}}',
        b'{"took": 1, "hits": {"hits": [5]}}',
        b'{"took": 1, "hits": {"hits": [{"_score": 1}]}}',
        b'{"took": "long", "hits": {"hits": []}}',
    ],
)
def test_a_search_that_is_answered_otherwise_is_told(body: bytes) -> None:
    with answering(body) as cluster, pytest.raises(OpenSearchError, match="The answer to a search"):
        cluster.search("index", {})


@pytest.mark.parametrize(
    "body",
    [b"{}", b'{"responses": null}', b'{"responses": [%b]}' % FOUND, b'{"responses": [%b, {}]}' % FOUND],
)
def test_several_searches_that_are_answered_otherwise_are_told(body: bytes) -> None:
    with answering(body) as cluster, pytest.raises(OpenSearchError, match="The answer to several searches"):
        cluster.search_many(LINES)


def test_several_searches_are_answered_in_order() -> None:
    with answering(b'{"responses": [%b, %b]}' % (FOUND, FOUND.replace(b"1", b"2"))) as cluster:
        found = cluster.search_many(LINES)
    assert [one["took"] for one in found if isinstance(one, dict)] == [1, 2]


@pytest.mark.parametrize("items", ["null", "{}", "[7]", "[{}, 1]"])
def test_a_bulk_that_is_answered_otherwise_is_told(items: str) -> None:
    body = f'{{"items": {items}}}'.encode()
    with answering(body) as cluster, pytest.raises(OpenSearchError, match="The answer to a bulk"):
        cluster.bulk("index", b"")


@pytest.mark.parametrize("docs", ["null", "[]", "[1]", '[{"error": "no"}]'])
def test_documents_that_are_answered_otherwise_are_told(docs: str) -> None:
    body = f'{{"docs": {docs}}}'.encode()
    with answering(body) as cluster, pytest.raises(OpenSearchError, match="The answer to a read of documents"):
        cluster.read_documents("index", ["1"])


def test_other_answers_are_told() -> None:
    asked: list[tuple[str, Any]] = [
        ("refresh", lambda cluster: cluster.refresh("index")),
        ("a deletion by query", lambda cluster: cluster.begin_delete_by_query("index", {}, refresh=False)),
    ]
    for name, ask in asked:
        with answering(b"{}") as cluster, pytest.raises(OpenSearchError, match=f"The answer to {name}"):
            ask(cluster)
