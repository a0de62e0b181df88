"""The sidecar is killed at fifty random moments while documents come in through all its doors."""

from __future__ import annotations

import json
import random
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sidecar.embedding.loaders.random import RandomLoader
from tests.faults.doors import ApiDoor, IngestDoor, NativeDoor, changes, outcome
from tests.faults.machines import free_ports
from tests.fix_opensearch import request
from tests.fix_server import SMALL, Sidecar

pytestmark = pytest.mark.faults

KILLS = 50
LONGEST_LIFE_SECONDS = 1.5
LAST_SECONDS = 240.0
DIMENSIONS = 32
"""Of random/small."""
NATIVE = {
    "settings": {"number_of_shards": 1, "number_of_replicas": 0},
    "mappings": {
        "_meta": {"sidecar": {"fields": {"vector": {"source": "title", "model": "random/small"}}}},
        "properties": {"title": {"type": "text"}},
    },
}


@pytest.mark.parametrize("seed", [1])
def test_what_was_accepted_is_there_with_its_vectors_after_fifty_kills(
    node: str, index_name: str, tmp_path: Path, seed: int
) -> None:
    moments, ports, native_index = random.Random(seed), free_ports(), f"{index_name}-native"
    environment = {"OPENSEARCH_URL": node}
    sidecar = Sidecar(environment, ports)
    try:
        assert sidecar.post(f"/indexes/{index_name}", SMALL).status_code == 200
        assert sidecar.session.put(f"{sidecar.native_url}/{native_index}", json=NATIVE).status_code == 200
        doors = [
            ApiDoor(sidecar.url, index_name, changes("api-", 20_000, seed)),
            NativeDoor(sidecar.native_url, native_index, changes("native-", 20_000, seed + 1)),
        ]
        ingest = IngestDoor(node, index_name, tmp_path, changes("ingest-", 20_000, seed + 2))
        for door in doors:
            door.start()
        kills_under_writes = 0
        for _ in range(KILLS):
            time.sleep(moments.uniform(0.0, LONGEST_LIFE_SECONDS))
            kills_under_writes += any(door.is_alive() for door in doors)
            sidecar.kill()
            ingest.kill()
            sidecar = Sidecar(environment, ports)
        for door in doors:
            door.finish(LAST_SECONDS)
        ingest.finish()
        assert kills_under_writes >= KILLS // 2, "the writers were through too early to have been killed"
        assert sum(door.sent_again for door in doors) > 0
    finally:
        sidecar.kill()
    api, loaded = outcome(doors[0].batches), outcome(ingest.batches)
    assert differences(texts_with_chunks(node, index_name), api | loaded) == {}
    assert differences(texts_with_vectors(node, native_index), outcome(doors[1].batches)) == {}
    request(node, "DELETE", f"/{native_index}")


def differences(found: dict[str, str], wanted: dict[str, str]) -> dict[str, tuple[str | None, str | None]]:
    """The documents that are not as they should be: what is found, and what is wanted."""
    return {
        name: (found.get(name), wanted.get(name))
        for name in found.keys() | wanted.keys()
        if found.get(name) != wanted.get(name)
    }


def texts_with_chunks(node: str, index: str) -> dict[str, str]:
    """Each document's text. Every document must have the chunks of this very text, with this model's vectors."""
    found, vectors = {}, []
    for document_id, source in everything(node, index):
        found[document_id] = source["title"]
        chunks = source["__embeddings"]["title"]
        assert (chunks[0]["start"], chunks[-1]["end"]) == (0, len(source["title"]))
        vectors += [(source["title"][chunk["start"] : chunk["end"]], chunk["vector"]) for chunk in chunks]
    assert_embedded(vectors)
    return found


def texts_with_vectors(node: str, index: str) -> dict[str, str]:
    """As `texts_with_chunks`, for documents with one vector."""
    found = dict(everything(node, index))
    assert_embedded([(source["title"], source["vector"]) for source in found.values()])
    return {name: source["title"] for name, source in found.items()}


def assert_embedded(vectors: list[tuple[str, Any]]) -> None:
    wanted = RandomLoader(DIMENSIONS).encode_text([text for text, _ in vectors])
    cosines = np.sum(wanted * np.asarray([vector for _, vector in vectors], dtype=np.float32), axis=1)
    assert cosines.min() > 0.999


def everything(node: str, index: str) -> list[tuple[str, dict[str, Any]]]:
    """All documents of an index, by pages."""
    request(node, "POST", f"/{index}/_refresh")
    found: list[tuple[str, dict[str, Any]]] = []
    after: list[Any] | None = None
    while True:
        body = {"size": 2000, "sort": [{"_seq_no": "asc"}], "track_total_hits": False}
        if after is not None:
            body["search_after"] = after
        status, text = request(node, "POST", f"/{index}/_search", json.dumps(body))
        assert status == 200, text
        hits = json.loads(text)["hits"]["hits"]
        if not hits:
            return found
        found += [(hit["_id"], hit["_source"]) for hit in hits]
        after = hits[-1]["sort"]
