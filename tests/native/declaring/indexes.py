"""Bodies that declare embedded fields, and what became of them."""

from __future__ import annotations

import json
from typing import Any

from tests.fix_opensearch import request

MODEL = "random/small"
METHOD = {"name": "hnsw", "engine": "lucene", "space_type": "cosinesimil"}
VECTOR = {"type": "knn_vector", "dimension": 32, "method": METHOD}
STORED = {**VECTOR, "method": {**METHOD, "parameters": {}}}
"""The same as the cluster tells it."""


def send(url: str, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    """Status and JSON of one exchange."""
    status, text = request(url, method, path, body if isinstance(body, (str, type(None))) else json.dumps(body))
    return status, json.loads(text)


def declaring(properties: dict[str, Any] | None = None, **entry: Any) -> dict[str, Any]:
    """A mapping that declares ``body_vector``."""
    own = {"fields": {"body_vector": {"source": "body", "model": MODEL, **entry}}}
    return {"_meta": {"sidecar": own}, "properties": {"body": {"type": "text"}, **(properties or {})}}


def stored(node: str, name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The mapping and the settings of an index as the cluster has them."""
    status, answer = send(node, "GET", f"/{name}")
    assert status == 200, answer
    ((_, facts),) = answer.items()
    return facts["mappings"], facts["settings"]["index"]
