"""Queries are found by where they stand: every legal place is one, and none of the places of data is."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from functools import lru_cache
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.embedding.engine import EmbeddingEngine
from sidecar.embedding.loader import Embeddings
from sidecar.embedding.loaders.random import RandomLoader
from sidecar.embedding.media_embedder import MediaEmbedder
from sidecar.embedding.model_spec import ModelSpec
from sidecar.embedding.model_table import ModelTable
from sidecar.native.declarations.declaration import Declaration, Entry, IndexFacts, Source, VectorField
from sidecar.native.declarations.processors import SearchPipeline
from sidecar.native.embedder import NativeEmbedder
from sidecar.native.json.edits import apply, vector_text
from sidecar.native.json.spans import read
from sidecar.native.parts import NativeParts
from sidecar.native.queries.grammar import SEARCH, find_clauses
from sidecar.native.queries.rewriter import QueryRewriter
from tests.native.queries.corpus import DIMENSIONS, MODEL, vector

Json = dict[str, Any]
Pair = tuple[Any, Any]
"""What a client asks, and what the cluster is to get."""

LOOKALIKE = {"neural": {"body": {"query_text": "x"}}}
TEXTS = st.sampled_from(["a text", "ein Text: ü 𝄞", 'with "quotes" and \\', "neural"])
DATA = st.sampled_from(
    [
        {"match": {"neural": "x"}},
        {"terms": {"neural": ["hybrid", "neural"]}},
        {"term": {"body": {"value": 0.50, "_name": "neural"}}},
        {"script": {"script": {"source": "params.neural", "params": LOOKALIKE}}},
        {"percolate": {"field": "query", "document": {"query": LOOKALIKE}}},
        {"more_like_this": {"fields": ["body"], "like": [{"doc": LOOKALIKE}]}},
        {"knn": {"neural": {"vector": [1.50, 1e3, 12345678901234567890], "k": 1}}},
        {"wrapper": {"query": "neural"}},
    ]
).map(lambda data: (data, data))


def both(build: Callable[..., Any], *parts: st.SearchStrategy[Any]) -> st.SearchStrategy[Pair]:
    """A body of both kinds, built alike of parts that are pairs."""

    def pair(*drawn: Any) -> Pair:
        return build(*(one[0] for one in drawn)), build(*(one[1] for one in drawn))

    return st.builds(pair, *parts)


def listed(parts: st.SearchStrategy[Pair]) -> st.SearchStrategy[Pair]:
    return st.lists(parts, min_size=1, max_size=3).map(lambda items: ([a for a, _ in items], [b for _, b in items]))


def same(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Pair]:
    return values.map(lambda value: (value, value))


def plain(text: str, parameters: Json, filters: Json) -> Pair:
    knn = {
        "vector": vector(text),
        **parameters,
        **({} if "min_score" in parameters or "k" in parameters else {"k": 10}),
    }
    return (
        {"neural": {"body": {"query_text": text, **parameters, **filters.get("asked", {})}}},
        {"knn": {"body_vector": {**knn, **filters.get("native", {})}}},
    )


def chunked(text: str, outer: Json) -> Pair:
    knn = {"knn": {"chunks.embedding": {"vector": vector(text), "k": 3}}}
    return (
        {"neural": {"passage": {"query_text": text, "k": 3, **outer}}},
        {"nested": {"path": "chunks", "score_mode": "max", **outer, "query": knn}},
    )


OUTER = st.sampled_from([{}, {"boost": 2.0}, {"boost": 2, "_name": "neural"}])
PARAMETERS = st.sampled_from([{}, {"k": 3}, {"k": "3", "boost": 1.50}, {"min_score": 0.50, "_name": "hybrid"}])
EMBEDDED = st.builds(plain, TEXTS, PARAMETERS, st.just({})) | st.builds(chunked, TEXTS, OUTER)


def _compound(inner: st.SearchStrategy[Pair]) -> st.SearchStrategy[Pair]:
    """Every query that has others in it."""
    keys = same(st.sampled_from(["must", "should", "must_not", "filter"]))
    filters = inner.map(lambda pair: {"asked": {"filter": pair[0]}, "native": {"filter": pair[1]}})
    return st.one_of(
        both(lambda key, one: {"bool": {key: one}}, keys, listed(inner) | inner),
        both(lambda a, b: {"boosting": {"positive": a, "negative": b, "negative_boost": 0.5}}, inner, inner),
        both(lambda one: {"constant_score": {"filter": one}}, inner),
        both(lambda one: {"dis_max": {"queries": one, "tie_breaker": 0.7}}, listed(inner)),
        both(lambda a, b: {"function_score": {"query": a, "functions": [{"filter": b, "weight": 1}]}}, inner, inner),
        both(lambda one: {"script_score": {"query": one, "script": {"params": LOOKALIKE}}}, inner),
        both(lambda one: {"nested": {"path": "comments", "query": one}}, inner),
        both(lambda one: {"has_child": {"type": "neural", "query": one}}, inner),
        both(lambda one: {"has_parent": {"parent_type": "neural", "query": one}}, inner),
        both(lambda one: {"knn": {"neural": {"vector": [1, 2], "k": 1, "filter": one}}}, inner),
        st.builds(plain, TEXTS, PARAMETERS, filters),
    )


QUERIES = st.recursive(DATA | EMBEDDED, _compound, max_leaves=8)
AGGREGATION = st.one_of(
    both(lambda one: {"filter": one}, QUERIES),
    both(lambda a, b: {"filters": {"filters": {"neural": a, "queries": b}}}, QUERIES, QUERIES),
    both(lambda one: {"filters": {"filters": one}}, listed(QUERIES)),
    both(lambda one: {"adjacency_matrix": {"filters": {"neural": one}}}, QUERIES),
    both(lambda one: {"significant_text": {"field": "neural", "background_filter": one}}, QUERIES),
    both(lambda one: {"top_hits": {"highlight": {"fields": {"neural": {"highlight_query": one}}}}}, QUERIES),
    same(st.just({"terms": {"field": "neural", "include": ["neural"]}, "meta": LOOKALIKE})),
)


def _aggregations(inner: st.SearchStrategy[Pair]) -> st.SearchStrategy[Pair]:
    keys = same(st.sampled_from(["aggs", "aggregations"]))
    return both(lambda one, key, below: {"neural": {**one, key: below}}, AGGREGATION, keys, inner)


OTHERS = st.one_of(
    same(st.just({})),
    both(lambda one: {"post_filter": one}, QUERIES),
    both(lambda one: {"rescore": [{"window_size": 1, "query": {"rescore_query": one}}]}, QUERIES),
    both(lambda one: {"rescore": {"query": {"rescore_query": one}}}, QUERIES),
    both(lambda one: {"highlight": {"highlight_query": one, "fields": {"neural": {}}}}, QUERIES),
    both(lambda one: {"highlight": {"fields": [{"neural": {"highlight_query": one}}]}}, QUERIES),
    both(
        lambda one: {"aggs": one}, st.recursive(both(lambda one: {"a": one}, AGGREGATION), _aggregations, max_leaves=3)
    ),
    both(lambda one: {"sort": ["neural", {"n.x": {"nested": {"path": "n", "filter": one}}}]}, QUERIES),
    both(lambda one: {"collapse": {"field": "x", "inner_hits": {"highlight": {"highlight_query": one}}}}, QUERIES),
    same(st.just({"script_fields": {"neural": {"script": {"params": LOOKALIKE}}}})),
    same(st.just({"suggest": {"neural": {"phrase": {"field": "x", "collate": {"query": LOOKALIKE}}}}})),
    same(st.just({"ext": {"query": LOOKALIKE}, "_source": ["neural"]})),
)
SEARCHES = both(lambda query, a, b: {**a, "query": query, **b, "size": 1}, QUERIES, OTHERS, OTHERS)


class _Engine:
    """The real model, without the engine's threads."""

    def embed_queries(self, spec: ModelSpec, texts: list[str], *, normalize: bool) -> list[Embeddings]:
        return list(RandomLoader(spec.dimensions).encode_text(texts))


@lru_cache
def rewriter() -> QueryRewriter:
    """A rewriter to an index with a plain vector, and one in nested entries."""
    embedder = NativeEmbedder(
        cast(EmbeddingEngine, _Engine()), cast(MediaEmbedder, None), ModelTable(), aliases={}, device="cpu"
    )
    chunks = VectorField("chunks.embedding", DIMENSIONS, "chunks")
    facts = IndexFacts(
        "index",
        (
            Declaration("body_vector", (Source("body"),), MODEL, DIMENSIONS),
            Declaration(chunks.path, (Source("passage"),), MODEL, DIMENSIONS, entry=Entry.CHUNKS, nested=chunks.nested),
        ),
        {"body_vector": VectorField("body_vector", DIMENSIONS), chunks.path: chunks},
    )
    cluster = SimpleNamespace(facts=lambda: SimpleNamespace(version=(3, 5, 0)))
    parts = SimpleNamespace(embedder=embedder, cluster=cluster)
    return QueryRewriter(cast(NativeParts, parts), (facts,), SearchPipeline())


def rewritten(data: bytes) -> bytes:
    """A search's body with its queries rewritten."""
    return apply(data, rewriter().edits_of(find_clauses(read(data), SEARCH, data), data))


@given(pair=SEARCHES, indent=st.sampled_from([None, 0, 2]))
def test_queries_in_all_places_become_the_clusters_and_data_stays(pair: Pair, indent: int | None) -> None:
    asked, native = pair
    changed = rewritten(json.dumps(asked, indent=indent, ensure_ascii=indent is None).encode())
    assert json.loads(changed) == native


@given(pair=SEARCHES)
def test_the_bytes_around_queries_stay_as_they_are(pair: Pair) -> None:
    spelled = json.dumps(pair[0]).encode().replace(b'"size": 1', b'"size" :\t1e0,/* neural */"size":1')
    data = spelled.replace(b"12345678901234567890", b"1.230e+400")
    outside, place = [], 0
    for clause in find_clauses(read(data), SEARCH, data):
        # A query in the filter of another is inside of that one.
        if clause.member.key_start >= place:
            outside.append(data[place : clause.member.key_start])
            place = clause.member.value.end
    changed = rewritten(data)
    at = 0
    for piece in outside:
        at = changed.index(piece, at) + len(piece)
    assert changed[at:].endswith(data[place:])
    assert changed.startswith(outside[0] if outside else data)


@pytest.mark.parametrize(
    ("text", "changed"),
    [
        (
            b'{"query":{"n\\u0065ural":{"body":{"query_text":"x","k":"2"}}},"size":1e0}',
            b'{"query":{"knn":{"body_vector":{"vector":%b,"k":"2"}}},"size":1e0}',
        ),
        (
            b'{"query":{ "neural" : {"body" : { "k" : 3 , /* why */ "query_text":"x", "boost" : 1.50} } } }',
            b'{"query":{ "knn":{"body_vector":{"k" : 3,"vector":%b,"boost" : 1.50}} } }',
        ),
        (
            b'{"query":{"neural":{"body":{"query_image":" ","filter" : { "match" : {"a":1.0 }},"query_text":"x"}}}}',
            b'{"query":{"knn":{"body_vector":{"vector":%b,"filter" : { "match" : {"a":1.0 }},"k":10}}}}',
        ),
    ],
)
def test_parameters_keep_their_bytes(text: bytes, changed: bytes) -> None:
    assert rewritten(text) == changed % vector_text(RandomLoader(DIMENSIONS).encode_text(["x"])[0])


def test_a_query_deeper_than_python_calls_is_found() -> None:
    depth = 400
    text = b'{"query":' + b'{"bool":{"must":' * depth + json.dumps(LOOKALIKE).encode() + b"}}" * depth + b"}"
    (clause,) = find_clauses(read(text), SEARCH, text)
    assert clause.member.key == "neural"


@pytest.mark.parametrize(
    ("around", "is_wrapped"),
    [
        ({"nested": {"path": "chunks", "query": LOOKALIKE}}, False),
        ({"nested": {"path": "chunks.deeper", "query": LOOKALIKE}}, False),
        ({"nested": {"path": "chunk", "query": LOOKALIKE}}, True),
        ({"nested": {"path": "chunks", "query": {"has_child": {"type": "x", "query": LOOKALIKE}}}}, True),
        ({"nested": {"path": "chunks", "query": {"bool": {"filter": [LOOKALIKE]}}}}, False),
    ],
)
def test_a_query_in_the_nested_entries_stays_in_them(around: Json, is_wrapped: bool) -> None:
    text = json.dumps({"query": around}).replace('"body"', '"passage"').encode()
    assert (rewritten(text).count(b'"path"') == 2) is is_wrapped


@pytest.mark.parametrize(
    ("around", "is_wrapped"),
    [
        ({"n": {"nested": {"path": "chunks"}, "aggs": {"f": {"filter": LOOKALIKE}}}}, False),
        (
            {
                "n": {
                    "nested": {"path": "chunks"},
                    "aggs": {"r": {"reverse_nested": {}, "aggs": {"f": {"filter": LOOKALIKE}}}},
                }
            },
            True,
        ),
    ],
)
def test_an_aggregation_over_nested_entries_filters_these(around: Json, is_wrapped: bool) -> None:
    text = json.dumps({"aggs": around}).replace('"body"', '"passage"').encode()
    assert (rewritten(text).count(b'"path"') == 2) is is_wrapped


def test_thousands_of_queries_are_rewritten_in_the_time_of_their_length() -> None:
    count = 10_000
    text = json.dumps({"query": {"dis_max": {"queries": [LOOKALIKE] * count}}}).encode()
    clauses = find_clauses(read(text), SEARCH, text)
    plan = rewriter().plan(clauses, text)
    vectors = [RandomLoader(DIMENSIONS).encode_text(["x"])[0]] * count
    began = time.process_time()
    assert len(plan.edits(vectors)) == count
    assert time.process_time() - began < 2.0
