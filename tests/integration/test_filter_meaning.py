"""Filters chosen by chance find what looking at each document in turn finds."""

from __future__ import annotations

import random
import re
import uuid
from collections import Counter
from collections.abc import Iterator, Sequence

import pytest

from sidecar.opensearch.client import Cluster, SearchLine
from sidecar.opensearch.index_states import IndexStates
from sidecar.opensearch.transport import Transport
from sidecar.searching.filters import build_filter
from tests.filter_language.chosen import choose_filters
from tests.filter_language.corpus import COUNT, MAPPINGS, TENSOR_FIELDS, documents
from tests.filter_language.meaning import Node
from tests.fix_server import SMALL, Sidecar

DOCUMENTS = documents()
BATCH = 100


@pytest.fixture(scope="module")
def corpus_index(sidecar: Sidecar) -> Iterator[str]:
    """An index that has the corpus."""
    name = f"filters-{uuid.uuid4().hex[:12]}"
    sidecar.post(f"/indexes/{name}", SMALL).raise_for_status()
    body = {"documents": DOCUMENTS, "tensorFields": TENSOR_FIELDS, "mappings": MAPPINGS}
    added = sidecar.post(f"/indexes/{name}/documents?refresh=true", body).json()
    assert not added["errors"], [item for item in added["items"] if "error" in item]
    yield name
    sidecar.delete(f"/indexes/{name}")


def meant(node: Node) -> set[str]:
    return {document["_id"] for document in DOCUMENTS if node.holds(document)}


def told(text: str, found: set[str], expected: set[str]) -> str:
    return f"{text!r}\nfinds besides: {sorted(found - expected)[:9]}\nmisses: {sorted(expected - found)[:9]}"


def test_a_thousand_filters_find_the_documents_that_they_describe(transport: Transport, corpus_index: str) -> None:
    cluster = Cluster(transport)
    types = IndexStates(cluster).get(corpus_index).field_types
    filters = choose_filters(1_000, seed=1)
    bodies = [
        {"query": {"bool": {"filter": [build_filter(text, types)]}}, "size": COUNT, "_source": False}
        for text, _ in filters
    ]
    answers = []
    for first in range(0, len(bodies), BATCH):
        answers += cluster.search_many([SearchLine(corpus_index, body) for body in bodies[first : first + BATCH]])
    wrong, some = [], 0
    for (text, node), answer in zip(filters, answers, strict=True):
        found, expected = {hit["_id"] for hit in answer["hits"]["hits"]}, meant(node)
        some += 0 < len(expected) < COUNT
        if found != expected:
            wrong.append(told(text, found, expected))
    assert not wrong, f"{len(wrong)} of {len(filters)} filters:\n" + "\n".join(wrong[:10])
    assert some > 400, "most filters should tell documents apart"


@pytest.mark.parametrize(("method", "q", "seed"), [("TENSOR", "anything", 2), ("LEXICAL", "thing", 3)])
def test_searches_find_the_documents_that_their_filters_describe(
    sidecar: Sidecar, corpus_index: str, method: str, q: str, seed: int
) -> None:
    filters = choose_filters(50, seed=seed)
    search = {"q": q, "searchMethod": method, "limit": COUNT, "attributesToRetrieve": [], "showHighlights": False}
    assert _wrong(sidecar, corpus_index, search, filters) == []


def _wrong(sidecar: Sidecar, index: str, search: dict[str, object], filters: Sequence[tuple[str, Node]]) -> list[str]:
    wrong = []
    for text, node in filters:
        answer = sidecar.post(f"/indexes/{index}/search", search | {"filter": text})
        assert answer.status_code == 200, (text, answer.text)
        found, expected = {hit["_id"] for hit in answer.json()["hits"]}, meant(node)
        if found != expected:
            wrong.append(told(text, found, expected))
    return wrong


def test_fuzzy_filter_finds_every_value_that_is_near(sidecar: Sidecar, index: str) -> None:
    near = [{"_id": str(number), "title": "thing", "word": "red" + chr(0x4E00 + number)} for number in range(120)]
    far = {"_id": "far", "title": "thing", "word": "red\u4e00\u4e00"}
    short = [{"_id": word, "title": "thing", "word": word} for word in ("a", "ab", "xyz")]
    sidecar.add(index, [*near, far, *short])

    def find(text: str) -> set[str]:
        search = {"q": "thing", "searchMethod": "LEXICAL", "limit": 200, "filter": text}
        return {hit["_id"] for hit in sidecar.post(f"/indexes/{index}/search", search).json()["hits"]}

    assert find("word:red~1") == {document["_id"] for document in near}
    assert find("word:b~2") == {"a", "ab"}


@pytest.mark.parametrize("method", ["TENSOR", "LEXICAL"])
@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("color:red)", 10),
        ('size:1 OR "red', 11),
        ("((", 3),
        ("color:/a(b/", 9),
        ("color:/(a{1000}){1000}/", 7),
        ("size:1 OR color:/(a|b)*a(a|b){15}/", 17),
        ("color:" + "*a" * 500, 7),
        ("size:1 OR color:red* OR color:" + "*a" * 500, 17),
    ],
)
def test_search_answers_400_with_the_column_when_a_filter_is_bad(
    sidecar: Sidecar, corpus_index: str, method: str, text: str, column: int
) -> None:
    search = {"q": "thing", "searchMethod": method, "filter": text}
    answer = sidecar.post(f"/indexes/{corpus_index}/search", search)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_argument")
    assert answer.json()["message"].startswith(f"filter: column {column}: ")


PIECES = [*" ():\"\\/[]{}~^*?+-!<>=&|'\n", " AND ", " OR ", " NOT ", " TO ", "color:", "size:", "_id:", "a", "10", "🔴"]


def test_search_with_any_filter_answers_hits_or_400_with_a_column(sidecar: Sidecar, corpus_index: str) -> None:
    chance = random.Random(11)
    statuses: Counter[int] = Counter()
    for _ in range(300):
        text = "".join(chance.choices(PIECES, k=chance.randint(1, 12)))
        answer = sidecar.post(f"/indexes/{corpus_index}/search", {"q": "thing", "filter": text, "limit": 1})
        statuses[answer.status_code] += 1
        if answer.status_code != 200:
            found = re.match(r"filter: column (\d+): ", answer.json()["message"])
            assert answer.status_code == 400 and found, (text, answer.text)
            assert 1 <= int(found[1]) <= len(text) + 1, (text, answer.text)
    assert statuses[200] > 10 < statuses[400]
