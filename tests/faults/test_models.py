"""A model that throws, gives no numbers, or hangs: its own requests fail with its name, and all others are served."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.fix_server import SMALL, Sidecar

pytestmark = pytest.mark.faults

PLUGIN = """
import threading
import numpy as np
from sidecar.embedding.loaders.random import RandomLoader

class Moody(RandomLoader):
    def run_text(self, batch):
        texts = [one.payload.decode() for one in batch]
        vectors = super().run_text(batch)
        for row, text in enumerate(texts):
            if "throw" in text:
                raise MemoryError("no room for the batch")
            if "not a number" in text:
                vectors[row, 3] = np.nan
            if "endless" in text:
                vectors[row, 3] = np.inf
            if "hang" in text:
                threading.Event().wait()
        return vectors

def load(spec, context):
    return Moody(spec.dimensions)
"""
MOODY = {"name": "moody", "type": "moody", "dimensions": 32}
TIMEOUT_SECONDS = 2.0
PATIENCE_SECONDS = 5.0


@pytest.fixture(scope="module")
def served(node: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sidecar]:
    packages: Path = tmp_path_factory.mktemp("packages")
    (packages / "moody_loader.py").write_text(PLUGIN, "utf-8")
    facts = packages / "moody-1.0.dist-info"
    facts.mkdir()
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: moody\nVersion: 1.0\n", "utf-8")
    (facts / "entry_points.txt").write_text("[sidecar.loaders]\nmoody = moody_loader:load\n", "utf-8")
    environment = {
        "OPENSEARCH_URL": node,
        "PYTHONPATH": str(packages),
        "SIDECAR_EMBEDDING_TIMEOUT": str(TIMEOUT_SECONDS),
    }
    with Sidecar(environment) as running:
        yield running
        running.kill()


@pytest.fixture
def moody(served: Sidecar, index_name: str) -> str:
    settings = {"index_defaults": {"model": "moody", "model_properties": MOODY}, "number_of_shards": 1}
    answer = served.post(f"/indexes/{index_name}", settings)
    assert answer.status_code == 200, answer.text
    served.add(index_name, [{"_id": "good", "title": "a good one"}])
    return index_name


@pytest.mark.parametrize("mood", ["throw", "not a number", "endless"])
def test_a_document_that_the_model_fails_fails_alone(served: Sidecar, moody: str, mood: str) -> None:
    documents = [{"_id": str(number), "title": f"number {number}"} for number in range(20)]
    documents[7]["title"] = f"please {mood}"
    answer = served.post(
        f"/indexes/{moody}/documents?refresh=true", {"documents": documents, "tensorFields": ["title"]}
    )
    told = answer.json()
    assert told["errors"] is True, told
    failed = [item for item in told["items"] if "error" in item]
    assert [item["_id"] for item in failed] == ["7"], told
    assert served.get(f"/indexes/{moody}/stats").json()["numberOfDocuments"] == 20


@pytest.mark.parametrize("mood", ["throw", "not a number", "endless"])
def test_a_query_that_the_model_fails_is_told(served: Sidecar, moody: str, mood: str) -> None:
    answer = served.post(f"/indexes/{moody}/search", {"q": f"please {mood}"})
    assert answer.status_code >= 400, answer.text
    assert "moody" in answer.json()["message"] or "model" in answer.json()["message"]
    assert served.post(f"/indexes/{moody}/search", {"q": "a good one"}).json()["hits"][0]["_id"] == "good"
    assert all(
        math.isfinite(hit["_score"]) for hit in served.post(f"/indexes/{moody}/search", {"q": "x"}).json()["hits"]
    )


def test_a_model_that_hangs_holds_up_no_other(served: Sidecar, moody: str, index_name: str) -> None:
    other = f"{index_name}-other"
    assert served.post(f"/indexes/{other}", SMALL).status_code == 200

    def add(index: str, title: str) -> Any:
        body = {"documents": [{"_id": "1", "title": title}], "tensorFields": ["title"]}
        return served.session.post(f"{served.url}/indexes/{index}/documents?refresh=true", json=body, timeout=120)

    with ThreadPoolExecutor(8) as pool:
        hanging = [pool.submit(add, moody, f"hang {number}") for number in range(4)]
        time.sleep(1.0)
        began = time.monotonic()
        assert add(other, "another model").status_code == 200
        assert served.post(f"/indexes/{other}/search", {"q": "another model"}).json()["hits"][0]["_id"] == "1"
        assert time.monotonic() - began < PATIENCE_SECONDS
        assert "moody" in str(served.get("/ready").json())
        for one in hanging:
            assert one.result().status_code in {500, 503, 504}
    assert served.delete(f"/indexes/{other}").status_code == 200
