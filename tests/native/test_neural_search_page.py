"""The page on the neural-search plugin's forms: its examples, in its order."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fix_opensearch import request
from tests.fix_server import Sidecar

PAGE = Path(__file__).parents[2] / "docs" / "native-neural-search.md"
NAMES = ("embed-articles", "neural-defaults", "articles", "passages")
# The examples' model, by one that has no weights to load.
STANDINS = {"sentence-transformers/all-MiniLM-L6-v2": "random/small", '"dimension": 384': '"dimension": 32'}
Example = tuple[str, str, str]


@pytest.fixture
def examples(node: str) -> Iterator[list[Example]]:
    """Method, path and body of each, under names of the test's own."""
    text = PAGE.read_text(encoding="utf-8")
    end = uuid.uuid4().hex[:8]
    for name in NAMES:
        text = re.sub(rf"(?<=[/\"]){name}(?=[\s\"/])", f"{name}-{end}", text)
    for real, standin in STANDINS.items():
        text = text.replace(real, standin)
    found = re.findall(r"```http\n(\w+) (\S+)\n(.*?)```", text, re.DOTALL)
    yield found
    for method, path, _ in found:
        if method == "PUT" and "_doc" not in path:
            request(node, "DELETE", path)


def _source(node: str, path: str) -> Any:
    return json.loads(request(node, "GET", path.partition("?")[0])[1])["_source"]


def test_examples_do_what_the_page_says(sidecar: Sidecar, node: str, examples: list[Example]) -> None:
    put: dict[str, str] = {}
    for method, path, body in examples:
        status, answer = request(sidecar.native_url, method, path, body or None)
        assert status in {200, 201}, (path, answer)
        if method == "PUT":
            put[path] = body
        elif path in put:
            assert json.loads(answer)[path.rpartition("/")[2]] == json.loads(put[path])
    pipeline = next(path for path in put if path.startswith("/_ingest"))
    name = pipeline.rpartition("/")[2]
    stored = json.loads(request(node, "GET", pipeline)[1])[name]
    assert [list(one) for one in stored["processors"]] == [["set"]]
    assert stored["description"].rpartition("\n")[2].startswith("#sidecar ")
    source = _source(node, next(path for path in put if "/articles" in path and "_doc" in path))
    assert len(source["title_vector"]) == 32
    assert [len(entry["knn"]) for entry in source["body_vectors"]] == [32]
    source = _source(node, next(path for path in put if "/passages" in path and "_doc" in path))
    assert len(source["passage_semantic_info"]["embedding"]) == 32
    assert source["passage_semantic_info"]["model"]["name"] == "random/small"
    assert [set(chunk) for chunk in source["report_semantic_info"]["chunks"]] == [{"text", "embedding"}]
    passages = next(path for path in put if "passages" in path)
    mapping = json.loads(request(node, "GET", f"{passages}/_mapping")[1])[passages[1:]]["mappings"]
    assert set(mapping["_meta"]["sidecar"]["fields"]) == {
        "passage_semantic_info.embedding",
        "report_semantic_info.chunks.embedding",
    }
