"""What a server does at its start about loads that died, where the cluster is not as it should be."""

from __future__ import annotations

import errno
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import orjson
import pytest

from sidecar import startup
from sidecar.config import Settings
from sidecar.embedding.loaders.random import RandomLoader
from sidecar.embedding.model_cache import ModelCache
from sidecar.given_settings import load_settings
from sidecar.opensearch.address import ClusterAddress
from sidecar.opensearch.client import Cluster
from sidecar.opensearch.connections import TransportOptions
from sidecar.opensearch.node import Progress, RunningNode
from sidecar.opensearch.node.progress import Report
from sidecar.opensearch.transport import Transport
from sidecar.startup import Startup
from tests.fault_server import HANG_UP, FaultServer, answer

NO_JOBS = answer(orjson.dumps({"error": {"type": "index_not_found_exception", "reason": "none"}}), "404 Not Found")
FORBIDDEN = answer(orjson.dumps({"error": {"type": "security_exception", "reason": "no rights"}}), "403 Forbidden")


@contextmanager
def restoring(address: ClusterAddress) -> Iterator[threading.Thread]:
    """The thread that restores, for as long as the sidecar runs."""
    cluster = Cluster(Transport(address, TransportOptions()))
    models = ModelCache(lambda spec: RandomLoader(spec.dimensions), 1.0)
    begun = Startup(load_settings(), address=address, cluster=cluster, models=models, preload=[])
    begun.restore_loads()
    (thread,) = (one for one in threading.enumerate() if one.name == "restore-loads")
    try:
        yield thread
    finally:
        begun.close()
        thread.join(10)
        assert not thread.is_alive()


def test_a_cluster_that_is_away_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(startup, "RETRY_SECONDS", 0.01)
    with FaultServer([HANG_UP, HANG_UP, NO_JOBS]) as server, restoring(ClusterAddress(server.url)) as thread:
        thread.join(10)
        assert not thread.is_alive()
        assert [request.first_line.split()[1] for request in server.requests[-1:]] == ["/sidecar-jobs/_refresh"]


def test_a_user_without_rights_is_told_once_and_nothing_is_restored(caplog: pytest.LogCaptureFixture) -> None:
    with (
        FaultServer([FORBIDDEN]) as server,
        caplog.at_level(logging.WARNING),
        restoring(ClusterAddress(server.url)) as thread,
    ):
        thread.join(10)
        assert not thread.is_alive()
    assert "can't be looked up" in caplog.text
    assert "no rights" in caplog.text


def test_a_node_that_is_still_starting_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(startup, "WATCH_SECONDS", 0.01)
    address = ClusterAddress()
    with FaultServer([NO_JOBS]) as server, restoring(address) as thread:
        address.announce(server.url)
        thread.join(10)
        assert not thread.is_alive()
        assert len(server.requests) == 1


def test_how_far_the_embedded_node_is_stands_in_the_log_once_a_step_and_a_full_disk_is_no_end(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    tries: list[int] = []
    done = threading.Event()

    def start(settings: Settings, *, on_progress: Report) -> RunningNode:
        tries.append(1)
        for fraction in (0.1, 0.2):
            on_progress(Progress("downloading opensearch (200 MB)", fraction))
        if len(tries) == 3:
            done.set()
        raise OSError(errno.ENOSPC, "No space left on device", "/srv/node/state.new")

    monkeypatch.setattr(startup, "RETRY_SECONDS", 0.01)
    monkeypatch.setattr(startup, "ensure_running", start)
    address = ClusterAddress()
    cluster = Cluster(Transport(address, TransportOptions()))
    models = ModelCache(lambda spec: RandomLoader(spec.dimensions), 1.0)
    begun = Startup(load_settings(opensearch_url=""), address=address, cluster=cluster, models=models, preload=[])
    with caplog.at_level(logging.INFO):
        begun.begin()
        assert done.wait(10)
        begun.close()
    assert caplog.text.count("embedded OpenSearch: downloading opensearch (200 MB)") == 1
    assert "no embedded OpenSearch: /srv/node/state.new: No space left on device." in caplog.text
