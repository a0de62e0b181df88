"""The examples of the client's own description on the package index, as they are printed."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fix_client import VERSIONS, client_of
from tests.fix_server import Sidecar
from tests.hub_cache import put_into_cache
from tests.random_models import minilm_folder

PRINTED_URL = "http://localhost:8882"
DEFAULT_WEIGHTS = "flax-sentence-embeddings/all_datasets_v4_MiniLM-L6"
INDEXES = ("my-first-index", "my-weighted-query-index")
NEEDS_THE_INTERNET = re.compile("multimodal")
"""Of the examples: those of one index of images and one of captioned images, whose model and images are fetched."""
# The examples search at once what they have added; no server of this API lets them see it before the next refresh.
_RUN = """
import functools, json, sys
from marqo.index import Index
Index.add_documents = functools.partialmethod(Index.add_documents, auto_refresh=True)
names, results = {}, []
for block in json.load(sys.stdin):
    exec(block, names)
    results.append(names.get("results" if "results =" in block else "result"))
json.dump(results, sys.__stderr__)
"""


def blocks(python: Path) -> list[str]:
    """All Python examples of the description, in order."""
    (metadata,) = python.parent.parent.glob("lib/*/site-packages/marqo-*.dist-info/METADATA")
    return re.findall(r"^```python\n(.*?)^```", metadata.read_text("utf-8"), re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def server(node: str, models_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sidecar]:
    """A server without the examples' indexes; all-MiniLM-L6-v2 stands in for the default model's weights."""
    home = tmp_path_factory.mktemp("home")
    models_folder.mkdir(parents=True, exist_ok=True)
    (home / "models").symlink_to(models_folder)
    files = {path.name: path.read_bytes() for path in minilm_folder().iterdir() if path.is_file()}
    put_into_cache(home / "hub", DEFAULT_WEIGHTS, files)
    hub = {"HF_HUB_CACHE": str(home / "hub"), "HF_HUB_OFFLINE": "1"}
    with Sidecar({"OPENSEARCH_URL": node, "SIDECAR_HOME": str(home), **hub}) as running:
        yield running


@pytest.fixture(scope="module", params=VERSIONS)
def results(request: pytest.FixtureRequest, server: Sidecar) -> Iterator[list[tuple[str, Any]]]:
    """Each example that needs no internet, with what it leaves in `results` or `result`."""
    python = client_of(request.param)
    run = [block for block in blocks(python) if not NEEDS_THE_INTERNET.search(block)]
    told = json.dumps([block.replace(PRINTED_URL, server.url) for block in run])
    command = [str(python), "-W", "ignore", "-c", _RUN]
    try:
        done = subprocess.run(command, input=told, capture_output=True, text=True, check=False, timeout=240)
        assert done.returncode == 0, done.stderr
        yield list(zip(run, json.loads(done.stderr.splitlines()[-1]), strict=True))
    finally:
        for index in INDEXES:
            server.delete(f"/indexes/{index}")


def result_of(results: list[tuple[str, Any]], part: str) -> Any:
    (found,) = [result for block, result in results if part in block]
    return found


def test_first_search_finds_the_printed_document(results: list[tuple[str, Any]]) -> None:
    found = result_of(results, 'create_index("my-first-index")')
    assert found["hits"][0]["_id"] == "article_591"
    assert found["hits"][0]["_highlights"].keys() <= {"Title", "Description"}
    assert len(found["hits"]) == 2


def test_other_operations_answer_as_described(results: list[tuple[str, Any]]) -> None:
    assert result_of(results, "get_document(")["Title"] == "Extravehicular Mobility Unit (EMU)"
    assert result_of(results, "get_stats()")["numberOfDocuments"] == 2
    assert result_of(results, "SearchMethods.LEXICAL")["hits"][0]["Title"] == "The Travels of Marco Polo"
    adventure = result_of(results, "'adventure'")["hits"]
    assert adventure[0]["Title"] == "The Travels of Marco Polo"
    assert adventure[0]["_highlights"] == {"Title": "The Travels of Marco Polo"}
    assert result_of(results, "delete_documents(")["details"] == {"receivedDocumentIds": 2, "deletedDocuments": 1}
    assert result_of(results, ".delete()") == {"acknowledged": True}


def test_weighted_queries_turn_the_order_round(results: list[tuple[str, Any]]) -> None:
    # The example keeps the last query's answer: communication, but not of this century.
    last = [hit["Title"] for hit in result_of(results, "my-weighted-query-index")["hits"]]
    assert last[0] == "Telephone"
    assert last[-1] != "Telephone"


def test_examples_that_are_left_out_are_those_of_images() -> None:
    left = [block for block in blocks(client_of(VERSIONS[-1])) if NEEDS_THE_INTERNET.search(block)]
    assert len(left) == 6
    assert all("ViT-L/14" in block or 'index("my-multimodal-index")' in block for block in left)
