"""What the tests of `sidecar migrate` share: running the command, and reading what an index holds."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from click.testing import CliRunner, Result

from sidecar.cli import main
from sidecar.embedding.loaders.random import RandomLoader
from sidecar.indexing.distinct import STEP
from tests.fix_opensearch import request
from tests.fix_server import Sidecar

ROOT = "__embeddings"
SMALL, MEDIUM = RandomLoader(32), RandomLoader(128)
TOLERANCE = 4 * float(STEP)


@dataclass(frozen=True)
class Migrate:
    """Runs `sidecar migrate` against a node."""

    node: str
    home: Path

    @property
    def environment(self) -> dict[str, str]:
        return {"OPENSEARCH_URL": self.node, "SIDECAR_HOME": str(self.home)}

    def run(self, *arguments: str) -> Result:
        """In this process."""
        return CliRunner().invoke(main, ["migrate", *arguments], env=self.environment)

    def done(self, *arguments: str) -> dict[str, Any]:
        """In this process, to its end; returns what it tells as JSON."""
        result = self.run(*arguments, "--json")
        assert result.exit_code == 0, result.output
        told: dict[str, Any] = json.loads(result.stdout)
        return told

    def begin(self, *arguments: str) -> subprocess.Popen[str]:
        """In a process of its own."""
        command = [sys.executable, "-m", "sidecar", "migrate", *arguments]
        path = {"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        return subprocess.Popen(
            command, env=self.environment | path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )


SETTINGS: dict[str, Any] = {"index_defaults": {"model": "random/small"}, "number_of_shards": 2}


def make(sidecar: Sidecar, name: str, **defaults: Any) -> str:
    """An index of two shards with the model random/small, and the name as its alias; returns the index's own name."""
    index = f"{name}-v1"
    settings = {**SETTINGS, "index_defaults": {**SETTINGS["index_defaults"], **defaults}}
    assert sidecar.post(f"/indexes/{index}", settings).status_code == 200
    assert sidecar.request("PUT", f"/indexes/{index}/aliases/{name}").status_code == 200
    return index


def texts(count: int) -> list[dict[str, Any]]:
    """Documents that have a title."""
    return [{"_id": f"d{number}", "title": f"text {number}", "n": number} for number in range(count)]


def ask(node: str, method: str, path: str, body: Any = None) -> Any:
    """The cluster's own answer, which must be one of success."""
    status, text = request(node, method, path, None if body is None else json.dumps(body))
    assert status < 300, text
    return json.loads(text)


def leads_to(node: str, name: str) -> str:
    """The concrete index of a name."""
    (index,) = ask(node, "GET", f"/{name}/_alias")
    return str(index)


def hits(node: str, index: str) -> dict[str, dict[str, Any]]:
    """All documents of an index, as the cluster tells them, by id."""
    ask(node, "POST", f"/{index}/_refresh")
    found = ask(node, "POST", f"/{index}/_search", {"size": 5000, "version": True})["hits"]["hits"]
    return {hit["_id"]: hit for hit in found}


def sources(node: str, index: str) -> dict[str, dict[str, Any]]:
    """All documents of an index, embeddings included, by id."""
    return {document_id: hit["_source"] for document_id, hit in hits(node, index).items()}


def plain(source: Mapping[str, Any]) -> dict[str, Any]:
    """A document without its embeddings."""
    return {name: value for name, value in source.items() if name != ROOT}


def vectors(source: Mapping[str, Any], field: str) -> list[list[float]]:
    """The vectors of a field's chunks."""
    return [chunk["vector"] for chunk in source.get(ROOT, {}).get(field, [])]


def is_embedded(
    source: Mapping[str, Any], field: str, loader: RandomLoader, texts: Sequence[str] | None = None
) -> bool:
    """True where the field's vectors are those that the model makes of these chunks; of the whole field by default."""
    expected = loader.encode_text([source[field]] if texts is None else list(texts))
    found = vectors(source, field)
    return np.shape(found) == expected.shape and bool(np.allclose(found, expected, atol=TOLERANCE))
