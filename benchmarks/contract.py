"""What the API's searches and writes cost against one another: each pair in one run, taken in turns."""

from __future__ import annotations

import re
from typing import Any

from benchmarks.corpus import documents, settings
from benchmarks.figures import Figure, median_ms
from benchmarks.indexing import add
from benchmarks.searching import INDEX, fresh_query
from benchmarks.server import Client, Server
from benchmarks.turns import Work, in_turns
from sidecar.cli.demo_corpus import read_documents

_WIDE_INDEX = "bench-contract-fields"
_ADD_INDEX = "bench-contract-add"
_FIELDS = tuple(f"part {number}" for number in range(16))
_FIELD_COUNTS = (1, 4, 16)
_WORDS = 12
_WIDE_DOCUMENTS = 1_000
_SEARCHES = 200
_BULK_SEARCHES = 32
_BULK_ROUNDS = 20
_ADD_DOCUMENTS = 1_000
_ADD_BATCH = 100
_ADD_ROUNDS = 3
_CALLS = re.compile(rb'^sidecar_opensearch_seconds_count\{operation="search(?:_many)?"\} (\S+)$', re.MULTILINE)


def measure(server: Server) -> list[Figure]:
    """All figures; the searched index is that of `searching.prepare`."""
    client = Client(server.url)
    return [*_fields(client), _together(client), _hybrid(client), _one_call(client)]


def wide_documents(count: int) -> list[dict[str, Any]]:
    """Documents of sixteen fields, each with another twelve words of the corpus."""
    words = [word for document in read_documents() for word in document["body"].split()]
    starts = range(0, len(words) - _WORDS, _WORDS)
    texts = [" ".join(words[start : start + _WORDS]) for start in starts]
    return [
        {"_id": str(number)}
        | {field: texts[(number * len(_FIELDS) + place) % len(texts)] for place, field in enumerate(_FIELDS)}
        for number in range(count)
    ]


def _fields(client: Client) -> list[Figure]:
    """Searches over one, four and all sixteen fields of one index."""
    client.call("POST", f"/indexes/{_WIDE_INDEX}", settings())
    docs = wide_documents(_WIDE_DOCUMENTS)
    body = {"documents": docs, "tensorFields": list(_FIELDS)}
    answer = client.call("POST", f"/indexes/{_WIDE_INDEX}/documents?refresh=true", body)
    assert not answer["errors"]

    def search(count: int) -> Work:
        return lambda: _search(client, _WIDE_INDEX, {"searchableAttributes": list(_FIELDS[:count])})

    works = [search(count) for count in _FIELD_COUNTS]
    in_turns(works, 50)
    before = _cluster_calls(client)
    seconds = in_turns(works, _SEARCHES)
    calls = (_cluster_calls(client) - before) / (_SEARCHES * len(works))
    one, four, sixteen = (median_ms(each) for each in seconds)
    client.call("DELETE", f"/indexes/{_WIDE_INDEX}")
    return [
        Figure(
            "requests to the cluster a search, over 1, 4 and 16 tensor fields",
            calls,
            1.0,
            at_most=True,
            detail=f"{_SEARCHES * len(works)} searches",
        ),
        Figure(
            "a search over 16 tensor fields against one over 1",
            sixteen / one,
            3.0,
            at_most=True,
            detail=f"{sixteen:.1f} against {one:.1f} ms; over 4: {four:.1f} ms",
        ),
    ]


def _together(client: Client) -> Figure:
    """Searches in one request, and as many one after the other."""

    def one_by_one() -> None:
        for _ in range(_BULK_SEARCHES):
            _search(client, INDEX, {})

    def bulk() -> None:
        queries = [{"index": INDEX, "q": fresh_query()} for _ in range(_BULK_SEARCHES)]
        answer = client.call("POST", "/indexes/bulk/search", {"queries": queries})
        assert [len(result["hits"]) for result in answer["result"]] == [10] * _BULK_SEARCHES

    in_turns([one_by_one, bulk], 3)
    alone, together = (median_ms(each) for each in in_turns([one_by_one, bulk], _BULK_ROUNDS))
    return Figure(
        f"{_BULK_SEARCHES} searches in one request against one by one",
        alone / together,
        4.0,
        detail=f"{together:.0f} against {alone:.0f} ms",
    )


def _hybrid(client: Client) -> Figure:
    """Hybrid searches, and searches by each half."""

    def search(method: str) -> Work:
        return lambda: _search(client, INDEX, {"searchMethod": method})

    works = [search(method) for method in ("HYBRID", "TENSOR", "LEXICAL")]
    in_turns(works, 50)
    hybrid, tensor, lexical = (median_ms(each) for each in in_turns(works, _SEARCHES))
    return Figure(
        "a hybrid search against the slower of its halves",
        hybrid / max(tensor, lexical),
        1.5,
        at_most=True,
        detail=f"{hybrid:.1f} ms against {tensor:.1f} (tensor) and {lexical:.1f} (lexical)",
    )


def _one_call(client: Client) -> Figure:
    """Adding documents in one call, and as many in several; each time others, so that all are embedded."""
    client.call("POST", f"/indexes/{_ADD_INDEX}", settings())
    editions = iter(_portions())

    def add_in(size: int) -> Work:
        def work() -> None:
            docs = next(editions)
            for first in range(0, len(docs), size):
                add(client, _ADD_INDEX, docs[first : first + size], refresh=False)
            client.call("POST", f"/indexes/{_ADD_INDEX}/refresh")

        return work

    works = [add_in(_ADD_DOCUMENTS), add_in(_ADD_BATCH)]
    in_turns(works, 1)
    whole, parts = (min(each) / _ADD_DOCUMENTS * 1000 for each in in_turns(works, _ADD_ROUNDS))
    client.call("DELETE", f"/indexes/{_ADD_INDEX}")
    return Figure(
        f"a document added in one call of {_ADD_DOCUMENTS:,} against calls of {_ADD_BATCH}",
        whole / parts,
        1.05,
        at_most=True,
        detail=f"{whole:.2f} against {parts:.2f} ms; 0.05 is left for noise",
    )


def _portions() -> list[list[dict[str, Any]]]:
    """Documents for each piece of work: the same texts, but for their beginning, under other ids."""
    return [
        [
            {
                "_id": f"{number}-{place}",
                "title": f"{number} {document['title']}",
                "body": f"{number} {document['body']}",
            }
            for place, document in enumerate(documents(_ADD_DOCUMENTS))
        ]
        for number in range(2 * (1 + _ADD_ROUNDS))
    ]


def _search(client: Client, index: str, options: dict[str, Any]) -> None:
    answer = client.call("POST", f"/indexes/{index}/search", {"q": fresh_query(), **options})
    assert len(answer["hits"]) == 10


def _cluster_calls(client: Client) -> float:
    """Searches that the cluster was asked for so far."""
    return sum(float(count) for count in _CALLS.findall(client.read("GET", "/metrics")))
