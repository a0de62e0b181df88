"""The documents of a corpus file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sidecar.errors import InvalidArgument
from sidecar.evaluation.data.collection import EvaluatedDocument, text_document
from sidecar.evaluation.data.rows import read_rows

ID_COLUMNS = ("_id", "id", "document_id")
TEXT_FIELDS = ("title", "text")
"""Those of BEIR."""


def read_corpus(path: Path, fields: Sequence[str] = TEXT_FIELDS) -> list[EvaluatedDocument]:
    """The documents of a JSONL, CSV or TSV file, in its order.

    Raises: InvalidArgument, naming file and line, for a row without an id or without any of the fields, and for an id
    that was there before.
    """
    documents: dict[str, EvaluatedDocument] = {}
    for row in read_rows(path):
        document_id = row.text(*ID_COLUMNS)
        if document_id in documents:
            raise InvalidArgument(f"{row.where}: the document {document_id!r} was there before.")
        row.column(*fields)
        documents[document_id] = text_document(document_id, joined(row.values, fields))
    return list(documents.values())


def joined(values: Mapping[str, Any], fields: Sequence[str]) -> str:
    """The texts of these fields, in this order, a space between two; empty where there are none.

    A list counts as its members. Of title and text it is ``(title + " " + text).strip()``, the document of BEIR.
    """
    texts: list[str] = []
    for field in fields:
        value = values.get(field)
        members = value if isinstance(value, list) else [value]
        texts.append(" ".join(str(member) for member in members if member is not None))
    return " ".join(texts).strip()
