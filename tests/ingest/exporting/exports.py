"""Documents that are written past the sidecar, and what an export makes of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from sidecar.ingest.exporting.export import Export, ExportSummary
from sidecar.ingest.exporting.options import ExportOptions
from sidecar.opensearch.client import Cluster
from tests.fix_opensearch import request

TEXT = "An é, a 😀. And more! And the end."


def fill(node: str, index: str, documents: dict[str, str], *, routing: str | None = None) -> None:
    """Write documents past the sidecar, by their JSON texts."""
    for document_id, text in documents.items():
        target = f"/{index}/_doc/{document_id}" + ("" if routing is None else f"?routing={routing}")
        status, answer = request(node, "PUT", target, text.encode())
        assert status in {200, 201}, answer


def exported(cluster: Cluster, index: str, to: Path, **options: Any) -> ExportSummary:
    return Export(cluster, ExportOptions(index, str(to), **options)).run()


def lines(path: Path) -> dict[str, bytes]:
    """The lines of a file by the ids of their documents."""
    found = path.read_bytes().splitlines()
    return {json.loads(line)["_id"]: line for line in found}


def documents_of(path: Path) -> dict[str, dict[str, Any]]:
    return {document_id: json.loads(line) for document_id, line in lines(path).items()}
