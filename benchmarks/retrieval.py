"""Test collections for retrieval in the layout of BEIR, and the measures of a ranking."""

from __future__ import annotations

import gzip
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sidecar.embedding.loader import Embeddings
from sidecar.embedding.normalizing import normalized

NEAREST = 100


@dataclass(frozen=True)
class Collection:
    """Documents, queries, and for each query the grade of every document that answers it."""

    name: str
    document_ids: list[str]
    documents: list[str]
    queries: list[str]
    grades: list[dict[str, int]]


@dataclass(frozen=True)
class Quality:
    """Means over queries, and each query's ten nearest documents."""

    ndcg_at_10: float
    recall_at_100: float
    nearest: list[set[str]]


def read_collections(folder: Path) -> list[Collection]:
    """Every folder in ``folder`` that holds a corpus, in order of their names."""
    return [_read(path.parent) for path in sorted(folder.glob("*/queries.jsonl"))]


def _read(folder: Path) -> Collection:
    documents = _lines(folder / "corpus.jsonl")
    graded: dict[str, dict[str, int]] = {}
    for line in (folder / "qrels" / "test.tsv").read_text(encoding="utf-8").splitlines()[1:]:
        query, document, grade = line.split("\t")
        graded.setdefault(query, {})[document] = int(grade)
    queries = [query for query in _lines(folder / "queries.jsonl") if query["_id"] in graded]
    return Collection(
        folder.name,
        [document["_id"] for document in documents],
        [f"{document.get('title', '')} {document['text']}".strip() for document in documents],
        [query["text"] for query in queries],
        [graded[query["_id"]] for query in queries],
    )


def _lines(path: Path) -> list[dict[str, Any]]:
    packed = path.with_name(path.name + ".gz")
    text = gzip.decompress(packed.read_bytes()).decode() if packed.exists() else path.read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def measure_quality(collection: Collection, documents: Embeddings, queries: Embeddings) -> Quality:
    """The measures of an exact search by cosine."""
    scores = normalized(queries) @ normalized(documents).T
    order = np.argsort(-scores, axis=1, kind="stable")[:, :NEAREST]
    return measure_ranking(collection, [[collection.document_ids[position] for position in row] for row in order])


def measure_ranking(collection: Collection, found: Sequence[Sequence[str]]) -> Quality:
    """The measures of the first `NEAREST` documents found for each query. nDCG has linear gain, as trec_eval's."""
    pairs = list(zip(found, collection.grades, strict=True))
    return Quality(
        ndcg_at_10=float(np.mean([_ndcg(ids[:10], grades) for ids, grades in pairs])),
        recall_at_100=float(np.mean([len(set(ids) & set(grades)) / len(grades) for ids, grades in pairs])),
        nearest=[set(ids[:10]) for ids in found],
    )


def _ndcg(ids: Sequence[str], grades: dict[str, int]) -> float:
    best = _gain(sorted(grades.values(), reverse=True)[:10])
    return _gain([grades.get(document, 0) for document in ids]) / best


def _gain(grades: Sequence[int]) -> float:
    return sum(grade / math.log2(rank + 2) for rank, grade in enumerate(grades))
