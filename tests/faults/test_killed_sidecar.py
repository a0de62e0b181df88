"""The sidecar is killed at fifty random moments while documents come in through all its doors."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest

from tests.faults.contents import NATIVE, differences, texts_with_chunks, texts_with_vectors
from tests.faults.doors import ApiDoor, IngestDoor, NativeDoor, changes, outcome
from tests.faults.machines import free_ports
from tests.fix_opensearch import request
from tests.fix_server import SMALL, Sidecar

pytestmark = pytest.mark.faults

KILLS = 50
LONGEST_LIFE_SECONDS = 1.5
LAST_SECONDS = 240.0


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
