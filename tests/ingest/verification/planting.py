"""Documents with broken vectors, planted into the cluster, and what a verification tells of them."""

from __future__ import annotations

import json
from typing import Any

from sidecar.ingest.verification.options import VerificationOptions
from sidecar.ingest.verification.parts import VerificationParts
from sidecar.ingest.verification.report import Report
from sidecar.ingest.verification.verification import Verification
from tests.fix_opensearch import request
from tests.native.declaring.indexes import send

TEXT = "All is well. It is a fine day. Nobody complains."
UNIT = [1.0, *[0.0] * 31]


def verified(parts: VerificationParts, index: str, **options: Any) -> Report:
    return Verification(parts, VerificationOptions(index, **options)).run()


def told(report: Report) -> set[tuple[str, str, tuple[str, ...]]]:
    """Field, problem and example ids of each row."""
    return {(row["field"], row["problem"], tuple(sorted(row["examples"]))) for row in report.rows()}


def source_of(node: str, index: str, document_id: str) -> dict[str, Any]:
    found: dict[str, Any] = send(node, "GET", f"/{index}/_doc/{document_id}")[1]["_source"]
    return found


def plant(node: str, index: str, document_id: str, source: dict[str, Any] | str) -> None:
    """Write a document past the sidecar."""
    text = source if isinstance(source, str) else json.dumps(source)
    status, answer = request(node, "PUT", f"/{index}/_doc/{document_id}?refresh=true", text)
    assert status in {200, 201}, answer


def broken(node: str, index: str, document_id: str, **changes: Any) -> None:
    """A copy of document ``good`` whose first chunk of ``title`` is changed, or has no more what is None."""
    source = source_of(node, index, "good")
    chunk = source["__embeddings"]["title"][0]
    chunk |= changes
    source["__embeddings"]["title"][0] = {key: value for key, value in chunk.items() if value is not None}
    plant(node, index, document_id, source)
