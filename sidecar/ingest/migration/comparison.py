"""What queries find before and after: the hits of the old and the new index side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sidecar.embedding.media.pointers import is_pointer
from sidecar.embedding.texts.chunking import SplitMethod, TextPreprocessing, split_text
from sidecar.ingest.migration.neighbours import SampledDocument
from sidecar.ingest.migration.parts import MigrationParts
from sidecar.searching.request import SearchRequest

HITS = 10
QUERIES = 8
"""That are drawn from the documents, where none are given."""
_LONGEST_QUERY = 200
_ONE_SENTENCE = TextPreprocessing(split_length=1, split_method=SplitMethod.SENTENCE)
_TITLES = ("title", "name", "headline", "caption")


@dataclass(frozen=True)
class Hit:
    """A hit as it is shown."""

    document_id: str
    title: str


@dataclass(frozen=True)
class Compared:
    """One query: what it finds before and after, best first, and the share of the first ten that is in both."""

    query: str
    before: tuple[Hit, ...]
    after: tuple[Hit, ...]

    @property
    def overlap(self) -> float:
        """From 0 to 1."""
        before, after = ({hit.document_id for hit in hits} for hits in (self.before, self.after))
        most = max(len(before), len(after))
        return len(before & after) / most if most else 1.0


def mean_overlap(compared: Sequence[Compared]) -> float | None:
    """The mean over all queries; None where there are none."""
    return sum(one.overlap for one in compared) / len(compared) if compared else None


def compare(parts: MigrationParts, old: str, new: str, queries: Sequence[str]) -> list[Compared]:
    """Search both indexes, each with its own model. Raises: what a search raises."""
    return [Compared(query, _search(parts, old, query), _search(parts, new, query)) for query in queries]


def sample_queries(sample: Sequence[SampledDocument]) -> list[str]:
    """The first sentences of documents, each once."""
    found: dict[str, None] = {}
    for document in sample:
        value = document.source.get(document.field)
        if isinstance(value, str) and value.strip() and not is_pointer(value):
            found[split_text(value, _ONE_SENTENCE)[0].text[:_LONGEST_QUERY]] = None
        if len(found) == QUERIES:
            break
    return list(found)


def _search(parts: MigrationParts, index: str, query: str) -> tuple[Hit, ...]:
    request = SearchRequest(query, limit=HITS, show_highlights=False, device=parts.device)
    hits: Sequence[Mapping[str, Any]] = parts.searcher.search(index, request).hits
    return tuple(Hit(hit["_id"], _title(hit)) for hit in hits)


def _title(hit: Mapping[str, Any]) -> str:
    """What a person knows the document by: its title, or else its first text, or else its id."""
    texts = {name: value for name, value in hit.items() if isinstance(value, str) and not name.startswith("_")}
    named = next((texts[name] for name in _TITLES if name in texts), None)
    return named or next(iter(texts.values()), hit["_id"])
