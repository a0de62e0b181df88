"""Half an hour of everything at once: memory, file handles and threads stay as they are."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from typing import Any

import pytest
import requests

from tests.faults.contents import NATIVE
from tests.faults.load import Client, halves, work_for
from tests.fix_opensearch import request
from tests.fix_server import SMALL, Sidecar

pytestmark = pytest.mark.faults

SECONDS = 1800.0
ROUNDS = 200
"""A client writes the documents of so many requests over and over, so that the index does not grow."""
MOST_GROWTH_BYTES = 50 * 1024 * 1024
MORE_HANDLES = 10


def by_turns(*works: Callable[[Client], requests.Response]) -> Callable[[Client], requests.Response]:
    return lambda client: works[client.sent % len(works)](client)


def api(url: str, index: str) -> Callable[[Client], requests.Response]:
    """A client of the `/indexes` API that writes, changes, searches in all ways, reads and deletes."""
    path = f"{url}/indexes/{index}"

    def asked(method: str, route: str, body: Callable[[str], Any]) -> Callable[[Client], requests.Response]:
        def work(client: Client) -> requests.Response:
            name = f"{client.number}-{client.sent % ROUNDS}"
            return client.session.request(method, path + route, json=body(name), timeout=120)

        return work

    def documents(name: str) -> dict[str, Any]:
        docs = [{"_id": f"{name}-{place}", "title": f"{name} {place}. Two chunks."} for place in range(20)]
        return {"documents": docs, "tensorFields": ["title"]}

    return by_turns(
        asked("POST", "/documents", documents),
        asked("POST", "/search", lambda name: {"q": name}),
        asked("POST", "/search", lambda name: {"q": name, "searchMethod": "LEXICAL"}),
        asked("POST", "/search", lambda name: {"q": name, "searchMethod": "HYBRID"}),
        asked("POST", "/search", lambda name: {"q": name, "filter": f"title:({name})"}),
        asked("GET", "/documents", lambda name: [f"{name}-{place}" for place in range(20)]),
        asked("POST", "/documents/delete-batch", lambda name: [f"{name}-0"]),
        asked("GET", "/stats", lambda name: None),
    )


def native(url: str, index: str) -> Callable[[Client], requests.Response]:
    """A client of the OpenSearch port that writes and searches."""

    def bulk(client: Client) -> requests.Response:
        name = f"{client.number}-{client.sent % ROUNDS}"
        lines = "".join(f'{{"index":{{"_id":"{name}-{n}"}}}}\n{{"title":"{name} {n}"}}\n' for n in range(20))
        headers = {"Content-Type": "application/x-ndjson"}
        return client.session.post(f"{url}/{index}/_bulk", data=lines, headers=headers, timeout=120)

    def neural(client: Client) -> requests.Response:
        query = {"neural": {"vector": {"query_text": f"text {client.sent}", "k": 5}}}
        return client.session.post(f"{url}/{index}/_search", json={"query": query}, timeout=120)

    def passed(client: Client) -> requests.Response:
        return client.session.get(f"{url}/_cluster/health", timeout=120)

    return by_turns(bulk, neural, passed)


def test_half_an_hour_of_mixed_load_leaves_all_flat(node: str, index_name: str) -> None:
    native_index = f"{index_name}-native"
    with Sidecar({"OPENSEARCH_URL": node}) as sidecar:
        assert sidecar.post(f"/indexes/{index_name}", SMALL).status_code == 200
        assert sidecar.session.put(f"{sidecar.native_url}/{native_index}", json=NATIVE).status_code == 200
        works = [api(sidecar.url, index_name)] * 4 + [native(sidecar.native_url, native_index)] * 2
        told = work_for(SECONDS, works, sidecar.process.pid, samples=120)
        assert not told.faults, told.faults[:5]
        earlier, later = halves(told.held)
        for part, allowed in (("memory_bytes", MOST_GROWTH_BYTES), ("files", MORE_HANDLES), ("threads", MORE_HANDLES)):
            first, last = (statistics.median(getattr(one, part) for one in half) for half in (earlier, later))
            print(f"{part}: {first:,.0f}, then {last:,.0f}")
            assert last - first <= allowed, part
        assert told.statuses[429] == 0
    request(node, "DELETE", f"/{native_index}")
