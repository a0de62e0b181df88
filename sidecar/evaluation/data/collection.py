"""A test collection: documents, queries, and for each query the documents that answer it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from sidecar.errors import InvalidArgument
from sidecar.evaluation.results import DataFacts


class Kind(str, Enum):
    """What the documents are."""

    TEXT = "text"
    IMAGE = "image"


@dataclass(frozen=True, slots=True)
class EvaluatedDocument:
    """``content`` is the text, or the path of the picture. ``digest``, of hexadecimal digits, changes with the text, or
    with the picture's bytes."""

    document_id: str
    content: str
    digest: str


@dataclass(frozen=True)
class Judgements:
    """``queries`` leads from a query's id to its text, ``grades`` from a query's id to the grades of documents by their
    ids: 1 and more for those that answer it. Both have the same queries, in the same order."""

    queries: Mapping[str, str]
    grades: Mapping[str, Mapping[str, int]]


@dataclass(frozen=True)
class Collection:
    """``folder`` is that of the pictures; ``unknown_documents`` counts judgements of documents that are not there."""

    facts: DataFacts
    kind: Kind
    documents: Sequence[EvaluatedDocument]
    judgements: Judgements
    folder: Path | None = None
    unknown_documents: int = 0


def text_document(document_id: str, text: str) -> EvaluatedDocument:
    """A document of text."""
    return EvaluatedDocument(document_id, text, hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest())


def make_collection(
    name: str,
    kind: Kind,
    documents: Sequence[EvaluatedDocument],
    judgements: Judgements,
    *,
    folder: Path | None = None,
) -> Collection:
    """The collection with its facts. Raises: InvalidArgument where nothing is left to measure."""
    if not documents:
        raise InvalidArgument(f"{name} has no documents.")
    known = {document.document_id for document in documents}
    judged = [document_id for grades in judgements.grades.values() for document_id in grades]
    unknown = sum(document_id not in known for document_id in judged)
    if unknown == len(judged):
        raise InvalidArgument(
            f"None of the {len(judged)} judgements of {name} names one of its {len(known)} documents, as "
            f"{judged[0]!r}: are they of the same collection?"
            if judged
            else f"{name} has no judgements."
        )
    facts = DataFacts(name, len(documents), len(judgements.queries), len(judged), _fingerprint(documents, judgements))
    return Collection(facts, kind, documents, judgements, folder, unknown)


def _fingerprint(documents: Sequence[EvaluatedDocument], judgements: Judgements) -> str:
    digest = hashlib.sha256()
    for document in documents:
        digest.update(repr((document.document_id, document.digest)).encode())
    for query_id, text in judgements.queries.items():
        digest.update(repr((query_id, text, sorted(judgements.grades[query_id].items()))).encode())
    return digest.hexdigest()[:16]
