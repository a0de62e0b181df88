"""The migration page: its commands, run on indexes as Marqo 1.x leaves them in OpenSearch, and its tables."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sidecar.config import environment_name
from sidecar.embedding.loaders.random import RandomLoader
from sidecar.marqo_variables import ALIASES, WITHOUT_EQUIVALENT
from tests.default_settings import DEFAULTS
from tests.fix_opensearch import request
from tests.fix_server import Sidecar
from tests.test_documents_agree import table

PAGE = (Path(__file__).parent.parent / "docs" / "migrating-from-marqo.md").read_text("utf-8")
(SCRIPT,) = re.findall(r"^```python\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
COMMANDS = re.findall(r"^```sh\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
NAMES = ("articles", "pictures", "news", "album", "kept")

STYLE = [1.0] + [0.0] * 31
ARTICLES = [
    {"_id": f"n{number}", "title": f"Number {number}.", "size": number, "tags": ["x", "y"]} for number in range(150)
]
ARTICLES += [
    {"_id": "long", "title": "One. Two. Three. Four. Five.", "ok": True},
    {"_id": "plain", "note": "Never embedded."},
    {"_id": "ü/1", "title": "An odd id.", "body": "Two fields."},
]
PICTURE = {"_id": "p", "captioned": {"caption": "A cat.", "image": "A picture."}, "style": "mine", "year": 2020}


def old_settings() -> dict[str, Any]:
    """Settings as Marqo keeps them in the index, of the model random/small."""
    settings: dict[str, Any] = json.loads(json.dumps(DEFAULTS))
    settings["index_defaults"] |= {"model": "random/small", "search_model": "random/small"}
    return settings | {"number_of_shards": 1}


def make_old_index(node: str, name: str, fields: tuple[str, ...]) -> None:
    method = {"name": "hnsw", "engine": "lucene", "space_type": "cosinesimil"}
    vectors = {f"__vector_{field}": {"type": "knn_vector", "dimension": 32, "method": method} for field in fields}
    chunks = {"__field_name": {"type": "keyword"}, "__field_content": {"type": "text"}, **vectors}
    meta = {"media_type": "text", "model": "random/small", "index_settings": old_settings()}
    body = {
        "settings": {"index.knn": True, "number_of_shards": 1, "number_of_replicas": 0},
        "mappings": {"_meta": meta, "properties": {"__chunks": {"type": "nested", "properties": chunks}}},
    }
    assert request(node, "PUT", f"/{name}", json.dumps(body))[0] == 200


def old_document(document: dict[str, Any], chunks: list[tuple[str, str, list[float]]]) -> dict[str, Any]:
    """A document as it lies there: its fields, and an entry for each chunk, which has them too."""
    fields = {name: value for name, value in document.items() if name != "_id"}
    nested = [
        {**fields, "__field_name": field, "__field_content": content, f"__vector_{field}": vector}
        for field, content, vector in chunks
    ]
    return {**fields, "__chunks": nested}


def fill(node: str, name: str, documents: list[tuple[str, dict[str, Any]]]) -> None:
    lines = [
        json.dumps(line) for document_id, source in documents for line in ({"index": {"_id": document_id}}, source)
    ]
    status, answer = request(node, "POST", f"/{name}/_bulk?refresh=true", "\n".join(lines) + "\n")
    assert (status, json.loads(answer)["errors"]) == (200, False), answer


def embed(text: str) -> list[float]:
    (vector,) = RandomLoader(32).encode_text([text])
    found: list[float] = (vector / np.linalg.norm(vector)).tolist()
    return found


def chunks_of(document: dict[str, Any]) -> list[tuple[str, str, list[float]]]:
    """Two sentences each of the embedded fields."""
    found = []
    for field in ("title", "body"):
        sentences = re.findall(r"[^.]+\.", document.get(field, ""))
        for start in range(0, len(sentences), 2):
            content = "".join(sentences[start : start + 2]).strip()
            found.append((field, content, embed(content)))
    return found


@pytest.fixture
def old_indexes(node: str, sidecar: Sidecar) -> Iterator[None]:
    """The indexes that the page moves, as Marqo leaves them; none of the names is taken in the sidecar."""
    make_old_index(node, "articles", ("title", "body"))
    make_old_index(node, "pictures", ("captioned", "style"))
    fill(node, "articles", [(each["_id"], old_document(each, chunks_of(each))) for each in ARTICLES])
    combined = json.dumps(PICTURE["captioned"])
    chunks = [("captioned", combined, embed(combined)), ("style", "mine", STYLE)]
    fill(node, "pictures", [("p", old_document(PICTURE, chunks))])
    yield
    for name in NAMES:
        request(node, "DELETE", f"/{name}?ignore_unavailable=true")


def run(command: str, folder: Path, node: str, sidecar: Sidecar) -> subprocess.CompletedProcess[str]:
    """Run a command of the page beside its script."""
    (folder / "migrate.py").write_text(SCRIPT, "utf-8")
    command = command.replace("http://localhost:9200", node).replace("http://localhost:8882", sidecar.url)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = os.environ | {"PATH": path}
    return subprocess.run(
        ["bash", "-c", command], cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=120
    )


def command(new: str) -> str:
    (found,) = [text for text in COMMANDS if f"--new {new}" in text]
    return str(found)


def stored(sidecar: Sidecar, index: str, documents: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The documents as the new index gives them back."""
    ids = [document["_id"] for document in documents]
    results: list[dict[str, Any]] = sidecar.get(f"/indexes/{index}/documents", ids).json()["results"]
    return [{key: value for key, value in result.items() if key != "_found"} for result in results]


def vectors(sidecar: Sidecar, index: str) -> int:
    return int(sidecar.get(f"/indexes/{index}/stats").json()["numberOfVectors"])


@pytest.mark.usefixtures("old_indexes")
def test_documents_are_moved_and_embedded_again(node: str, sidecar: Sidecar, tmp_path: Path) -> None:
    done = run(command("news"), tmp_path, node, sidecar)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "153 documents in articles, 153 in news, 0 refused\n"
    assert stored(sidecar, "news", ARTICLES) == ARTICLES
    assert sidecar.get("/indexes/news/settings").json() == old_settings()
    assert vectors(sidecar, "news") == 150 + 3 + 2
    (hit,) = sidecar.post("/indexes/news/search", {"q": "Three. Four.", "limit": 1}).json()["hits"]
    assert (hit["_id"], hit["_highlights"]) == ("long", {"title": "Three. Four."})
    assert sidecar.post("/indexes/news/search", {"q": "Never", "searchableAttributes": ["note"]}).json()["hits"] == []
    again = run(command("news"), tmp_path, node, sidecar)
    assert again.stdout == done.stdout


@pytest.mark.usefixtures("old_indexes")
def test_vectors_are_kept_where_a_field_has_one_chunk(node: str, sidecar: Sidecar, tmp_path: Path) -> None:
    done = run(command("kept"), tmp_path, node, sidecar)
    assert (done.returncode, done.stderr) == (0, "")
    assert stored(sidecar, "kept", ARTICLES) == ARTICLES
    assert vectors(sidecar, "kept") == 150 + 3 + 2
    (hit,) = sidecar.post("/indexes/kept/search", {"q": "Number 7.", "limit": 1}).json()["hits"]
    assert (hit["_id"], hit["_highlights"]) == ("n7", {"title": "Number 7."})
    assert hit["_score"] == pytest.approx(1.0, abs=1e-5)  # float32


@pytest.mark.usefixtures("old_indexes")
def test_kept_vectors_are_the_old_ones(node: str, sidecar: Sidecar, tmp_path: Path) -> None:
    changed = old_document(ARTICLES[0], [("title", ARTICLES[0]["title"], STYLE)])
    fill(node, "articles", [("n0", changed)])
    assert run(command("kept"), tmp_path, node, sidecar).returncode == 0
    body = {"context": {"tensor": [{"vector": STYLE, "weight": 1}]}, "limit": 1}
    (hit,) = sidecar.post("/indexes/kept/search", body).json()["hits"]
    assert hit["_id"] == "n0"
    assert hit["_score"] == pytest.approx(1.0, abs=1e-5)  # float32


@pytest.mark.usefixtures("old_indexes")
def test_combinations_and_custom_vectors_are_moved_as_such(node: str, sidecar: Sidecar, tmp_path: Path) -> None:
    done = run(command("album"), tmp_path, node, sidecar)
    assert (done.returncode, done.stderr) == (0, "")
    assert stored(sidecar, "album", [PICTURE]) == [PICTURE]
    body = {"q": None, "context": {"tensor": [{"vector": STYLE, "weight": 1}]}, "filter": "captioned.caption:(A cat.)"}
    (hit,) = sidecar.post("/indexes/album/search", body).json()["hits"]
    assert hit["_highlights"] == {"style": "mine"}
    assert hit["_score"] == pytest.approx(1.0, abs=1e-5)  # float32
    assert vectors(sidecar, "album") == 2


@pytest.mark.usefixtures("old_indexes")
def test_combination_without_weights_stops_the_move(node: str, sidecar: Sidecar, tmp_path: Path) -> None:
    without = re.sub(r"--weights '.*?'", "", command("album"))
    done = run(without, tmp_path, node, sidecar)
    assert done.returncode == 1
    assert "'captioned' is a combination; give the weights" in done.stderr


@pytest.mark.usefixtures("old_indexes")
def test_refused_document_is_told_and_the_others_are_moved(node: str, sidecar: Sidecar, tmp_path: Path) -> None:
    fill(node, "pictures", [("bad", {"a": {"b": "an object"}})])
    done = run(command("album"), tmp_path, node, sidecar)
    assert done.returncode == 1
    assert done.stdout == "2 documents in pictures, 1 in album, 1 refused\n"
    assert done.stderr.startswith("bad: field 'a' has a value of an unsupported type")


@pytest.mark.usefixtures("old_indexes")
def test_index_of_another_model_is_not_written_to(node: str, sidecar: Sidecar, tmp_path: Path) -> None:
    sidecar.post("/indexes/news", {"index_defaults": {"model": "random/medium"}})
    done = run(command("news"), tmp_path, node, sidecar)
    assert done.returncode == 1
    assert "with another model: random/medium" in done.stderr


def test_every_command_of_the_page_is_run() -> None:
    assert len(COMMANDS) == 3
    assert [sum(f"--new {new}" in text for text in COMMANDS) for new in ("news", "album", "kept")] == [1, 1, 1]


def test_tables_have_every_variable() -> None:
    (named, unused) = (table(f"Variable of Marqo | {head}", PAGE) for head in ("Setting here", "Why it has no effect"))
    told = {variable.strip("`"): re.findall(r"`(\w+)`", setting)[0] for variable, setting in named}
    assert told == {variable: environment_name(alias.setting) for variable, alias in ALIASES.items()}
    assert {name for row in unused for name in re.findall(r"`(\w+)`", row[0])} == set(WITHOUT_EQUIVALENT)
