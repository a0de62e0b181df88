"""A load whose cluster is killed in the middle, and started again."""

from __future__ import annotations

import os
import signal
import socket
from pathlib import Path

import pytest

from sidecar.given_settings import load_settings
from sidecar.opensearch.node import ensure_running
from tests.fix_opensearch import TEST_JAVA_OPTIONS
from tests.ingest.loading.command import MODEL, Ingest, books, by_id, count, stored, write_lines

pytestmark = pytest.mark.slow


def test_a_load_goes_on_when_its_cluster_was_killed_and_started_again(home: Path, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        unused_port = probe.getsockname()[1]
    settings = load_settings(home=home, node_port=unused_port, node_heap="512m", node_java_options=TEST_JAVA_OPTIONS)
    rows = write_lines(tmp_path / "rows.jsonl", books(6000))
    with ensure_running(settings) as node:
        ingest = Ingest(node.url, tmp_path / "home", rows, "--index", "books", "--tensor-fields", "title")
        running = ingest.start(*MODEL, "--batch", "50", "--streams", "2")
        while not count(node.url, "books"):
            assert running.process.poll() is None, running.end()
        os.kill(node.pid, signal.SIGKILL)
        assert running.runs_on_for(3.0)
        with ensure_running(settings) as again:
            status, said = running.end()
            assert status == 0, said
            assert stored(again.url, "books") == by_id(books(6000))
