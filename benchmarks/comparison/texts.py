"""The documents that all contestants index, and the queries that they answer."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from typing import Any

from tokenizers import Tokenizer

from benchmarks.corpus import MODEL, QUERIES
from sidecar.cli.demo_corpus import read_documents
from sidecar.embedding.model_table import ModelTable
from sidecar.embedding.weights import find_weights

_LONGEST_TEXT = 800
"""Characters; the longest such text that a model of 256 tokens reads whole, but for a few, which are left out."""


def documents(number: int) -> list[dict[str, Any]]:
    """So many documents of the demo's corpus, with ``_id``, ``title``, ``text``, ``module`` and ``kind``.

    The text is the title and the start of the body, of no more tokens than the model reads: so no contestant cuts what
    another one embeds. Raises: ValueError where the corpus has fewer.
    """
    spec = ModelTable().resolve(MODEL)
    tokenizer = Tokenizer.from_file(str(find_weights(spec.repository).folder / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    whole = [_as_text(document) for document in read_documents()]
    lengths = [len(encoded.ids) for encoded in tokenizer.encode_batch([document["text"] for document in whole])]
    fitting = [document for document, length in zip(whole, lengths, strict=True) if length <= spec.max_tokens]
    if len(fitting) < number:
        raise ValueError(f"{number} documents were asked for; this Python's documentation has {len(fitting)}")
    return spread(fitting, number)


def spread(found: Sequence[dict[str, Any]], number: int) -> list[dict[str, Any]]:
    """So many documents, at even distances."""
    return [found[place * len(found) // number] for place in range(number)]


def _as_text(document: dict[str, Any]) -> dict[str, Any]:
    text = f"{document['title']}: {document['body']}"
    if len(text) > _LONGEST_TEXT:
        text = text[:_LONGEST_TEXT].rpartition(" ")[0]
    kept = {key: document[key] for key in ("_id", "title", "module", "kind")}
    return kept | {"text": text}


class FreshQueries:
    """Queries that were not asked before, so that no cache has their vectors."""

    def __init__(self) -> None:
        self._numbers = count()

    def take(self, number: int) -> list[str]:
        """The next so many queries."""
        taken = (next(self._numbers) for _ in range(number))
        return [f"{QUERIES[place % len(QUERIES)]} {place}" for place in taken]
