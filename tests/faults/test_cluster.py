"""A cluster that is killed, stands still, is slow, full or read-only, or answers what no cluster answers."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.contents import NATIVE, differences, texts_with_chunks, texts_with_vectors
from tests.faults.doors import ApiDoor, NativeDoor, changes, outcome
from tests.faults.machines import OwnNode
from tests.fix_opensearch import request
from tests.fix_server import SMALL, Sidecar

pytestmark = pytest.mark.faults

DOCUMENTS = 4000
LAST_SECONDS = 240.0
HALT_SECONDS = 4.0
TIMEOUT_SECONDS = 2


@pytest.fixture
def own_node(home: Path) -> Iterator[OwnNode]:
    node = OwnNode(home)
    yield node
    node.release()


@pytest.fixture
def served(own_node: OwnNode) -> Iterator[Sidecar]:
    with Sidecar({"OPENSEARCH_URL": own_node.url, "SIDECAR_OPENSEARCH_TIMEOUT": str(TIMEOUT_SECONDS)}) as sidecar:
        assert sidecar.post("/indexes/api", SMALL).status_code == 200
        assert sidecar.session.put(f"{sidecar.native_url}/native", json=NATIVE).status_code == 200
        yield sidecar


def both_doors(served: Sidecar) -> tuple[ApiDoor, NativeDoor]:
    """Two clients that write until the cluster has all."""
    doors = (
        ApiDoor(served.url, "api", changes("a", DOCUMENTS, 1)),
        NativeDoor(served.native_url, "native", changes("n", DOCUMENTS, 2)),
    )
    for door in doors:
        door.start()
    return doors


def wait_for_writes(doors: tuple[ApiDoor, NativeDoor], more: int) -> None:
    """Return when each door has had so many more batches accepted."""
    wanted = [door.done + more for door in doors]
    while any(door.done < count for door, count in zip(doors, wanted, strict=True)):
        assert all(door.is_alive() for door in doors), "the writers were through too early"
        time.sleep(0.01)


def assert_all_is_there(node: OwnNode, doors: tuple[ApiDoor, NativeDoor]) -> None:
    for door in doors:
        door.finish(LAST_SECONDS)
    assert differences(texts_with_chunks(node.url, "api"), outcome(doors[0].batches)) == {}
    assert differences(texts_with_vectors(node.url, "native"), outcome(doors[1].batches)) == {}


def test_a_cluster_that_is_killed_and_comes_back_loses_nothing(own_node: OwnNode, served: Sidecar) -> None:
    doors = both_doors(served)
    for _ in range(2):
        wait_for_writes(doors, 5)
        own_node.kill()
        away = served.post("/indexes/api/search", {"q": "text"})
        assert away.status_code in {500, 503, 504}, away.text
        assert away.json()["code"], away.text
        assert served.get("/ready").status_code == 503
        own_node.start_again()
    assert_all_is_there(own_node, doors)
    assert served.get("/ready").status_code == 200


def test_a_cluster_that_stands_still_is_told_in_time_and_gone_on_with(own_node: OwnNode, served: Sidecar) -> None:
    doors = both_doors(served)
    for _ in range(2):
        wait_for_writes(doors, 5)
        with own_node.halted():
            began = time.monotonic()
            answer = served.post("/indexes/api/search", {"q": "text"})
            taken = time.monotonic() - began
            assert answer.status_code in {500, 503, 504}, answer.text
            assert taken < 5 * TIMEOUT_SECONDS
            time.sleep(max(0.0, HALT_SECONDS - taken))
    assert_all_is_there(own_node, doors)


def test_a_full_disk_is_told_and_gone_on_with_when_there_is_room(own_node: OwnNode, served: Sidecar) -> None:
    doors = both_doors(served)
    wait_for_writes(doors, 5)
    for index in ("api", "native"):
        set_block(own_node, index, "read_only_allow_delete", True)
    answer = served.post(
        "/indexes/api/documents", {"documents": [{"_id": "x", "title": "x"}], "tensorFields": ["title"]}
    )
    assert (answer.status_code, answer.json()["code"]) == (400, "disk_watermark_breach_error")
    assert "Free disk space" in answer.json()["message"]
    assert served.post("/indexes/api/search", {"q": "text"}).status_code == 200
    for index in ("api", "native"):
        set_block(own_node, index, "read_only_allow_delete", None)
    assert_all_is_there(own_node, doors)


def set_block(node: OwnNode, index: str, block: str, value: bool | None) -> None:
    assert request(node.url, "PUT", f"/{index}/_settings", json.dumps({f"index.blocks.{block}": value}))[0] == 200
