"""64 clients on one server for ten minutes: who is accepted is served in time, who is not is told when to come back."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import requests

from sidecar.embedding.weights import package_folder
from tests.faults.load import Client, halves, work_for
from tests.fix_opensearch import request
from tests.fix_server import Sidecar

pytestmark = pytest.mark.faults

CLIENTS = 64
SECONDS = 600.0
WRITERS = 32
DOCUMENTS = 50
"""Of one request."""
SENTENCE = "The quick brown fox jumps over the lazy dog, and number {} of {} of client {} is told of it. "
MOST_GROWTH_BYTES = 100 * 1024 * 1024
SLOWEST_SEARCH_SECONDS = 10.0


def write(index: str, url: str, accepted: list[str]) -> Callable[[Client], requests.Response]:
    def work(client: Client) -> requests.Response:
        documents = [
            {
                "_id": f"{client.number}-{client.sent}-{place}",
                "title": SENTENCE.format(place, client.sent, client.number) * 3,
            }
            for place in range(DOCUMENTS)
        ]
        body = {"documents": documents, "tensorFields": ["title"]}
        answer = client.session.post(f"{url}/indexes/{index}/documents", json=body, timeout=120)
        if answer.status_code == 200:
            assert not answer.json()["errors"], answer.text
            accepted.extend(document["_id"] for document in documents)
        return answer

    return work


def search(index: str, url: str, times: list[float]) -> Callable[[Client], requests.Response]:
    def work(client: Client) -> requests.Response:
        body: dict[str, Any] = {"q": f"fox {client.number} {client.sent}"}
        answer = client.session.post(f"{url}/indexes/{index}/search", json=body, timeout=120)
        if answer.status_code == 200:
            times.append(answer.elapsed.total_seconds())
        return answer

    return work


def test_sixty_four_clients_for_ten_minutes(node: str, index_name: str) -> None:
    assert package_folder("sentence-transformers/all-MiniLM-L6-v2") is not None
    with Sidecar({"OPENSEARCH_URL": node, "SIDECAR_EMBEDDING_QUEUE": "200"}) as sidecar:
        settings = {"index_defaults": {"model": "sentence-transformers/all-MiniLM-L6-v2"}, "number_of_shards": 1}
        assert sidecar.post(f"/indexes/{index_name}", settings).status_code == 200
        sidecar.add(index_name, [{"_id": "first", "title": "the first"}])
        times: list[float] = []
        accepted: list[str] = []
        writers = [write(index_name, sidecar.url, accepted)] * WRITERS
        searchers = [search(index_name, sidecar.url, times)] * (CLIENTS - WRITERS)
        told = work_for(SECONDS, [*writers, *searchers], sidecar.process.pid)
        assert not told.faults, told.faults[:5]
        assert told.statuses[200] > 0
        assert told.statuses[429] > 0, "the load was none"
        first, last = (statistics.median(one.memory_bytes for one in part) for part in halves(told.held))
        print(
            f"answers: {dict(told.statuses)}; searches: median {np.median(times):.2f} s, 99 of 100 within "
            f"{np.percentile(times, 99):.2f} s; memory: {first / 2**20:.0f} MB, then {last / 2**20:.0f} MB"
        )
        assert np.percentile(times, 99) < SLOWEST_SEARCH_SECONDS
        assert last - first < MOST_GROWTH_BYTES
        request(node, "POST", f"/{index_name}/_refresh")
        count = sidecar.get(f"/indexes/{index_name}/stats").json()["numberOfDocuments"]
        assert count == len(accepted) + 1
