"""The network between the sidecar and the cluster is cut: no packet comes through, and none is refused."""

from __future__ import annotations

import os
import subprocess
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.fault_proxy import FaultProxy
from tests.faults.contents import differences, texts_with_chunks
from tests.faults.doors import ApiDoor, changes, outcome
from tests.faults.machines import free_ports
from tests.fix_server import SMALL, Sidecar

pytestmark = pytest.mark.faults

CUT_SECONDS = 8.0
TIMEOUT_SECONDS = 2
LAST_SECONDS = 240.0
CUTS = 3


def ip(*words: str) -> None:
    done = subprocess.run(["ip", *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"ip {' '.join(words)}: {done.stderr}"


class Machine:
    """A network of its own, with one cable for clients, and another to the cluster."""

    def __init__(self) -> None:
        self.name = f"sc{uuid.uuid4().hex[:6]}"
        ip("netns", "add", self.name)
        self._plug("c", "10.213.7")
        self._plug("n", "10.213.8")
        ip("-n", self.name, "link", "set", "lo", "up")
        self.address, self.clusters_address = "10.213.7.2", "10.213.8.1"

    def cut(self) -> None:
        """Cut the cable to the cluster; connections hear nothing of it."""
        ip("link", "set", f"{self.name}n", "down")

    def mend(self) -> None:
        ip("link", "set", f"{self.name}n", "up")

    def remove(self) -> None:
        ip("netns", "del", self.name)

    def _plug(self, letter: str, network: str) -> None:
        ours, theirs = f"{self.name}{letter}", f"{self.name}{letter}2"
        ip("link", "add", ours, "type", "veth", "peer", "name", theirs, "netns", self.name)
        ip("addr", "add", f"{network}.1/30", "dev", ours)
        ip("-n", self.name, "addr", "add", f"{network}.2/30", "dev", theirs)
        ip("link", "set", ours, "up")
        ip("-n", self.name, "link", "set", theirs, "up")


@pytest.fixture
def machine() -> Iterator[Machine]:
    if os.geteuid() != 0:
        pytest.skip("only root may make networks")
    made = Machine()
    yield made
    made.remove()


def test_a_network_that_is_silent_is_told_in_time_and_gone_on_with(
    node: str, machine: Machine, index_name: str, tmp_path: Path
) -> None:
    with FaultProxy(node, machine.clusters_address) as cluster:
        environment = {
            "OPENSEARCH_URL": cluster.url,
            "SIDECAR_HOST": machine.address,
            "SIDECAR_OPENSEARCH_TIMEOUT": str(TIMEOUT_SECONDS),
        }
        with Sidecar(environment, free_ports(), within=("ip", "netns", "exec", machine.name)) as sidecar:
            assert urlsplit(sidecar.url).hostname == machine.address
            assert sidecar.post(f"/indexes/{index_name}", SMALL).status_code == 200
            door = ApiDoor(sidecar.url, index_name, changes("n", 4000, 5))
            door.start()
            for _ in range(CUTS):
                wanted = door.done + 5
                while door.done < wanted:
                    assert door.is_alive(), "the writer was through too early"
                    time.sleep(0.01)
                machine.cut()
                began = time.monotonic()
                answer = sidecar.post(f"/indexes/{index_name}/search", {"q": "text"})
                taken = time.monotonic() - began
                assert answer.status_code in {500, 503, 504}, answer.text
                assert taken < 5 * TIMEOUT_SECONDS
                time.sleep(max(0.0, CUT_SECONDS - taken))
                machine.mend()
            door.finish(LAST_SECONDS)
    assert differences(texts_with_chunks(node, index_name), outcome(door.batches)) == {}
