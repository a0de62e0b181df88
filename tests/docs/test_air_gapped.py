"""The page on machines without a network: its lines start a server there, with OpenSearch and a model."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.blocks import ROOT, blocks_of
from tests.fix_opensearch import TEST_JAVA_OPTIONS

MODEL = "sentence-transformers/all-MiniLM-L6-v1"
"""One whose weights are nowhere on this machine: only its converted form is carried over."""
CAN_TAKE_THE_NETWORK_AWAY = (
    os.geteuid() == 0 and subprocess.run(["unshare", "-n", "true"], capture_output=True, check=False).returncode == 0
)
NO_PROXY = dict.fromkeys(("http_proxy", "https_proxy"), "http://127.0.0.1:9") | {"no_proxy": "127.0.0.1,localhost"}
SEARCH = """
server=$!
trap 'kill $server; wait $server' EXIT
url=http://127.0.0.1:$SIDECAR_PORT
post() { curl -s --fail-with-body "$url/indexes/$1" -H 'Content-Type: application/json' -d "$2"; }
curl -sf --retry 120 --retry-delay 1 --retry-connrefused $url/ready
post alone '{"index_defaults": {"model": "'$MODEL'"}}'
post 'alone/documents?refresh=true' '{
  "tensorFields": ["title"], "documents": [{"_id": "a", "title": "Close your account"}, {"_id": "b", "title": "Rain"}]}'
post alone/search '{"q": "how do I leave", "limit": 1}'
"""


def start() -> str:
    """The page's lines that start the server."""
    (found,) = (block.text for block in blocks_of("docs/air-gapped.md") if "sidecar serve" in block.text)
    return found


def carry_over(home: Path, converted: Path) -> Path:
    """A folder with the page's ``bundle``: the unpacked OpenSearch, and the converted form as that of `MODEL`."""
    (home / "models").mkdir()
    (home / "models" / f"{MODEL.replace('/', '--')}-sbert").symlink_to(converted)
    work = home / "work"
    (work / "bundle").mkdir(parents=True)
    (work / "bundle" / "home").symlink_to(home)
    (work / "sidecar").write_text(f'#!/bin/sh\nexec {sys.executable} -m sidecar "$@"\n')
    (work / "sidecar").chmod(0o755)
    return work


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def environment_of(work: Path) -> dict[str, str]:
    """That of someone who works there."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SIDECAR_", "OPENSEARCH_"))}
    own = {"PATH": f"{work}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT), "MODEL": MODEL}
    ports = {"SIDECAR_PORT": str(free_port()), "SIDECAR_NATIVE_PORT": "0", "SIDECAR_NODE_PORT": "0"}
    small = {"SIDECAR_NODE_HEAP": "512m", "OPENSEARCH_JAVA_OPTS": TEST_JAVA_OPTIONS}
    return kept | own | ports | small


@pytest.mark.parametrize("by", ["namespace" if CAN_TAKE_THE_NETWORK_AWAY else "proxy"])
def test_lines_of_the_page_serve_without_a_network(by: str, home: Path, models_folder: Path, minilm: object) -> None:
    work = carry_over(home, models_folder / "sentence-transformers--all-MiniLM-L6-v2-sbert")
    command = ["bash", "-euo", "pipefail", "-c", start().replace("sidecar serve", "sidecar serve &") + SEARCH]
    environment = environment_of(work)
    if by == "namespace":
        command = ["unshare", "-n", "bash", "-c", 'ip link set lo up && exec "$@"', "-", *command]
    else:
        environment |= NO_PROXY
    done = subprocess.run(command, cwd=work, env=environment, capture_output=True, text=True, check=False, timeout=240)
    assert done.returncode == 0, done.stdout + done.stderr
    assert '"_id":"a"' in done.stdout.rpartition('"hits"')[2]
