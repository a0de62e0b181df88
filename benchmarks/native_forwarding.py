"""What forwarding costs: requests of which nothing is embedded, to the sidecar and straight to the cluster."""

from __future__ import annotations

import json
import statistics
import time
from http.client import HTTPConnection
from urllib.parse import urlsplit

from benchmarks import endless
from benchmarks.figures import Figure, median_ms
from benchmarks.server import Client, Server
from benchmarks.turns import Work, in_turns
from sidecar.cli.demo_corpus import read_documents

INDEX = "bench-forwarding"
_SEARCH_BYTES = 1024
_SEARCHES = 500
_BULK_BYTES = 10 * 1024 * 1024
_BULKS = 12
_MEGABYTE = 1024 * 1024


def measure(server: Server, cluster_url: str) -> list[Figure]:
    """Searches and bulks in turns with direct ones; a long answer through a sidecar of its own."""
    direct, passed = Client(cluster_url), Client(server.native_url)
    settings = {"settings": {"number_of_shards": 1, "number_of_replicas": 0, "refresh_interval": "-1"}}
    direct.call("PUT", f"/{INDEX}", settings)
    try:
        return [*_bulk(server, direct, passed), _search(direct, passed), *_stream()]
    finally:
        direct.call("DELETE", f"/{INDEX}")


def _search(direct: Client, passed: Client) -> Figure:
    direct.call("POST", f"/{INDEX}/_refresh")
    body = json.dumps({"query": {"match": {"body": "wild west"}}, "size": 3}).encode()
    body += b" " * (_SEARCH_BYTES - len(body))

    def search(client: Client) -> Work:
        return lambda: _send(client, f"/{INDEX}/_search", body)

    works = [search(direct), search(passed)]
    in_turns(works, 100)
    alone, through = (median_ms(each) for each in in_turns(works, _SEARCHES))
    return Figure(
        "a search of 1 KB through the sidecar, above the direct one",
        through - alone,
        1.5,
        at_most=True,
        unit=" ms",
        detail=f"{through:.2f} against {alone:.2f} ms; {_SEARCHES} each",
    )


def _bulk(server: Server, direct: Client, passed: Client) -> list[Figure]:
    body = _lines()

    def bulk(client: Client) -> Work:
        return lambda: _send(client, f"/{INDEX}/_bulk", body)

    works = [bulk(direct), bulk(passed)]
    in_turns(works, 3)
    with server.peak() as memory:
        alone, through = (statistics.median(each) for each in in_turns(works, _BULKS))
    growth = (memory[1] - memory[0]) / _MEGABYTE
    return [
        Figure(
            "a _bulk of 10 MB without embedded fields, in direct speed",
            alone / through,
            0.9,
            detail=f"{through * 1000:.0f} against {alone * 1000:.0f} ms; {_BULKS} each",
        ),
        Figure("memory while these bulks pass, above that before", growth, 50, at_most=True, unit=" MB"),
    ]


def _stream() -> list[Figure]:
    """A long answer, direct and through a sidecar whose memory is watched."""
    with endless.running() as url, Server(url) as server:
        alone = _read(url)
        _read(server.native_url)
        with server.peak() as memory:
            through = _read(server.native_url)
    rates = f"{endless.MEGABYTES / through:.0f} against {endless.MEGABYTES / alone:.0f} MB/s directly"
    growth = (memory[1] - memory[0]) / _MEGABYTE
    name = f"memory while an answer of {endless.MEGABYTES} MB passes, above that before"
    return [Figure(name, growth, 50, at_most=True, unit=" MB", detail=rates)]


def _lines() -> bytes:
    documents = read_documents()
    lines: list[bytes] = []
    size = 0
    while size < _BULK_BYTES:
        document = documents[len(lines) % len(documents)]
        text = json.dumps({"title": document["title"], "body": document["body"]})
        lines.append(f'{{"index":{{}}}}\n{text}\n'.encode())
        size += len(lines[-1])
    return b"".join(lines)


def _send(client: Client, target: str, body: bytes) -> None:
    answer = client.read("POST", target, body)
    assert b'"errors":true' not in answer[:200]


def _read(url: str) -> float:
    """Seconds to read the long answer."""
    connection = HTTPConnection(urlsplit(url).netloc, timeout=600)
    started = time.perf_counter()
    connection.request("GET", "/long")
    answer = connection.getresponse()
    size = 0
    while piece := answer.read1(_MEGABYTE):
        size += len(piece)
    assert size == endless.MEGABYTES * _MEGABYTE
    return time.perf_counter() - started
