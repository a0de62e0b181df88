"""Published clients of OpenSearch on the native face, as they come from the package index."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.fix_client import python_with
from tests.fix_server import Sidecar

_SCRIPTS = Path(__file__).parent / "clients"
OPENSEARCH_PY = ("opensearch-py[async]==3.2.0",)
VECTOR_STORES = (
    "langchain-community==0.4.2",
    "llama-index-vector-stores-opensearch==1.3.0",
    "opensearch-py[async]==3.2.0",
)
DECLARED = {
    "settings": {"number_of_shards": 1},
    "mappings": {
        "_meta": {"sidecar": {"fields": {"body_vector": {"source": "body", "model": "random/small"}}}},
        "properties": {"body": {"type": "text"}},
    },
}


def run(packages: tuple[str, ...], script: str, *arguments: str) -> dict[str, Any]:
    """What the script printed."""
    command = [str(python_with(packages)), "-W", "ignore", str(_SCRIPTS / script), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_opensearch_py_writes_and_finds_embedded_documents(sidecar: Sidecar, index_name: str) -> None:
    made = sidecar.session.put(f"{sidecar.native_url}/{index_name}", json=DECLARED)
    assert made.status_code == 200, made.text
    found = run(OPENSEARCH_PY, "opensearch_py_script.py", sidecar.native_url, index_name)
    assert found["done"] == {"bulk": 20, "streaming_bulk": 20, "parallel_bulk": 20}
    assert found["refused"] == [400]
    assert found["scanned"] == 60
    assert found["found_by_dsl"][0] == "2"
    assert len(found["found_by_dsl"]) == 3
    assert found["first"] == "7"
    assert found["asynchronous"] == {"done": 20, "errors": [], "scanned": 80, "first": "61"}
    assert (found["without_vector"], found["counted"]) == (0, 80)
    assert found["info"] == "3.5.0"


def test_langchains_vector_store_works(sidecar: Sidecar, index_name: str) -> None:
    found = run(VECTOR_STORES, "langchain_script.py", sidecar.native_url, sidecar.url, index_name)
    assert found["first"] == "cowboys and horses"
    assert found["score"] == pytest.approx(1, abs=1e-4)
    assert found["filtered"] == ["a quiet garden"]
    assert found["by_script"] == "roses in bloom"


def test_llama_indexs_vector_store_works(sidecar: Sidecar, index_name: str) -> None:
    found = run(VECTOR_STORES, "llama_index_script.py", sidecar.native_url, index_name)
    assert found["added"] == ["node-0", "node-1", "node-2"]
    assert found["near"] == ["node-0", "node-1"]
    assert found["filtered"] == ["node-1", "node-2"]
    assert found["left"] == ["node-0", "node-2"]
