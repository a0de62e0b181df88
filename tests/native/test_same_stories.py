"""Requests that change something, one after the other: through the sidecar they go as they go without it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.fix_server import Sidecar
from tests.native.exchanges import JSON, NDJSON, Answered, Header, exchange

_VOLATILE = re.compile(
    rb'"(_scroll_id|scroll_id|pit_id|id|task|node|uuid|index_uuid|creation_date|timestamp|time_in_millis|'
    rb'timestamp_millis|last_modified|creation_time|keep_alive)":("[^"]*"|\d+)'
)


class Story:
    """A server, and what it answered so far."""

    def __init__(self, url: str, index: str) -> None:
        self._url = url
        self._index = index
        self.answers: list[Answered] = []

    def tell(self, method: str, target: str, body: Any = None, headers: list[Header] | None = None) -> Answered:
        """One exchange; ``{i}`` in the target is the index; bytes are sent as they are, all else as JSON."""
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        content = NDJSON if "_bulk" in target or "_msearch" in target else JSON
        answered = exchange(self._url, method, target.replace("{i}", self._index), data, headers or [content])
        masked, count = _VOLATILE.subn(rb'"\1":0', answered.body)
        kept = answered.without("content-length") if count else answered
        self.answers.append(Answered(kept.status, kept.reason, kept.headers, masked))
        return answered


def assert_same_story(sidecar: Sidecar, node: str, index: str, play: Callable[[Story], None], clear: list[str]) -> None:
    """Play it to the cluster, and to the sidecar before the cluster with all traces of the first time gone."""
    stories = []
    for url in (node, sidecar.native_url):
        stories.append(Story(url, index))
        try:
            play(stories[-1])
        finally:
            for target in clear:
                exchange(node, "DELETE", target.replace("{i}", index), None, [])
    direct, passed = (story.answers for story in stories)
    assert passed == direct


BULKS = [
    b'{"index":{"_id":"1"}}\n{"a":1}\n',
    b'{"index":{"_id":"1"}}\n{"a":1}',
    b'{"index":{"_id":"1"}}\n{"a":1}\n\n\n{"delete":{"_id":"1"}}\n',
    b'\n\r\n{"index":{"_id":"1"}}\r\n{"a":1}\r\n',
    b'\xef\xbb\xbf{"index":{"_id":"1"}}\n{"a":1}\n',
    b'{"index":{"_id":"1"}}\n\n{"index":{"_id":"2"}}\n{"a":2}\n',
    b'{"index":{"_id":"1"}}\n{"a":1}\n{"index":{"_id":"2"}}\n',
    b'{"index":{"_id":"1"}} and more\n{"a":1}\n',
    b'{"index":{"_id":7,"routing":"r","version":3,"version_type":"external"}}\n{"a":1}\n',
    b'{"index":{"_id":"1","if_seq_no":9,"if_primary_term":1}}\n{"a":1}\n',
    b'{"index":{"_id":"1","_type":"_doc"}}\n{"a":1}\n',
    b'{"index":{"_id":"1","dynamic_templates":{}}}\n{"a":1}\n',
    b'{"index":{"_id":"1"}}\n{"a":\n{"index":{"_id":"2"}}\n{"a":2}\n',
    b'{"index":{"_id":"1"}}\n{"a":1}\n{"update":{"_id":"1"}}\n{"doc":\n',
    b'{"index":{"_id":"1"}}\n{"a":1}\n{nonsense}\n{"a":2}\n',
    b'{"create":{"_id":"1"}}\n{"a":1}\n{"create":{"_id":"1"}}\n{"a":2}\n{"update":{"_id":"1"}}\n{"doc":{"b":2}}\n',
    b'{"delete":{"_id":"none"}}\n',
    b'{"update":{"_id":"none"}}\n{"doc":{"a":1}}\n{"update":{"_id":"u"}}\n{"doc":{"a":1},"doc_as_upsert":true}\n',
    b'{"index":{"_index":"","_id":"1"}}\n{"a":1}\n{"index":{"_index":"UPPER","_id":"1"}}\n{"a":1}\n',
    b'{"index":{"_id":"1","pipeline":"no-such-pipeline"}}\n{"a":1}\n',
    b'{"index":{"_id":"1","require_alias":true}}\n{"a":1}\n',
    b'{"fly":{"_id":"1"}}\n{"a":1}\n',
    b"",
    b"\n",
    b"[]\n",
]


def test_grammar_of_bulk_bodies_is_the_clusters(sidecar: Sidecar, node: str, index_name: str) -> None:
    def play(story: Story) -> None:
        for body in BULKS:
            story.tell("POST", "/{i}/_bulk?refresh=true", body)
        story.tell("GET", "/{i}/_search?sort=_id&version=true&seq_no_primary_term=true")

    assert_same_story(sidecar, node, index_name, play, ["/{i}?ignore_unavailable=true"])


def test_parameters_of_bulk_are_the_clusters(sidecar: Sidecar, node: str, index_name: str) -> None:
    body = b'{"index":{"_id":"1"}}\n{"a":1}\n{"delete":{"_id":"2"}}\n'
    parameters = ["batch_size=1", "type=_doc", "_type=_doc", "op_type=create", "refresh=nonsense", "pretty"]
    parameters += ["routing=a", "require_alias=true", "pipeline=_none", "pipeline=nope", "wait_for_active_shards=1"]
    parameters += ["filter_path=errors,items.*.status", "filter_path=-took", "timeout=1m", "error_trace=true", "human"]

    def play(story: Story) -> None:
        for parameter in parameters:
            story.tell("POST", f"/{{i}}/_bulk?{parameter}", body)
            story.tell(
                "PUT", f"/_bulk/?{parameter}", body.replace(b'"_id"', b'"_index":"%b","_id"' % index_name.encode())
            )

    assert_same_story(sidecar, node, index_name, play, ["/{i}?ignore_unavailable=true"])


def test_vectors_that_clients_make_pass(sidecar: Sidecar, node: str, index_name: str) -> None:
    vector = {"type": "knn_vector", "dimension": 3, "method": {"name": "hnsw", "engine": "lucene", "space_type": "l2"}}
    lines = b'{"index":{"_id":"1"}}\n{"v":[0.1,0.25,1e-3],"t":"a"}\n{"index":{"_id":"2"}}\n{"v":[1,2,3],"t":"b"}\n'

    def play(story: Story) -> None:
        mappings = {"properties": {"v": vector, "t": {"type": "text"}}}
        story.tell("PUT", "/{i}", {"settings": {"index.knn": True, "number_of_shards": 1}, "mappings": mappings})
        story.tell("POST", "/{i}/_bulk?refresh", lines)
        story.tell("GET", "/{i}/_doc/1")
        query = {"knn": {"v": {"vector": [0.1, 0.2, 0.3], "k": 2, "filter": {"match": {"t": "a b"}}}}}
        story.tell("POST", "/{i}/_search", {"query": query})
        story.tell("POST", "/_msearch", b'{"index":"%b"}\n{"size":1}\n{}\n{"query":1}\n' % index_name.encode())
        story.tell("GET", "/{i}/_mapping")

    assert_same_story(sidecar, node, index_name, play, ["/{i}?ignore_unavailable=true"])


@pytest.mark.parametrize(
    "query",
    [
        {"neural": {"t": {"query_text": "wild west", "model_id": "unknown", "k": 5}}},
        {"bool": {"must": [{"neural": {"t": {"query_text": "wild west"}}}]}},
        {"hybrid": {"queries": [{"match_all": {}}, {"match": {"t": "a"}}]}},
        {"match": {"neural": "x"}},
    ],
)
def test_neural_queries_on_undeclared_fields_are_the_clusters(
    sidecar: Sidecar, node: str, index_name: str, query: dict[str, Any]
) -> None:
    def play(story: Story) -> None:
        story.tell("PUT", "/{i}/_doc/1?refresh", {"t": "a", "neural": "x"})
        story.tell("POST", "/{i}/_search", {"query": query})
        story.tell("GET", "/{i}/_count", {"query": query})
        line = json.dumps({"query": query}).encode()
        story.tell("POST", "/_msearch", b'{"index":"%b"}\n%b\n' % (index_name.encode(), line))

    assert_same_story(sidecar, node, index_name, play, ["/{i}"])


def test_writes_and_reads_of_single_documents_are_the_clusters(sidecar: Sidecar, node: str, index_name: str) -> None:
    def play(story: Story) -> None:
        story.tell("PUT", "/{i}/_create/1", {"a": 1})
        story.tell("PUT", "/{i}/_create/1", {"a": 1})
        story.tell("POST", "/{i}/_doc/a%2Fb?routing=x%20y", b'{"a":1.50, "a":2}')
        story.tell("GET", "/{i}/_doc/a%2Fb?routing=x%20y")
        story.tell("POST", "/{i}/_update/1", {"doc": {"b": 2}})
        story.tell("POST", "/{i}/_update/1", {"script": {"source": "ctx._source.a += 1"}})
        story.tell("POST", "/{i}/_update/2", {"doc": {"b": 2}, "upsert": {"c": 1}})
        story.tell("POST", "/{i}/_doc/1", b"{")
        story.tell("PUT", "/{i}/_doc/1", None)
        story.tell("DELETE", "/{i}/_doc/1?if_seq_no=99&if_primary_term=1")
        story.tell("DELETE", "/{i}/_doc/1?refresh=true")
        story.tell("POST", "/{i}/_delete_by_query?refresh", {"query": {"match_all": {}}})
        story.tell("GET", "/{i}/_search?q=*")

    assert_same_story(sidecar, node, index_name, play, ["/{i}"])


def test_aliases_templates_and_data_streams_are_the_clusters(sidecar: Sidecar, node: str, index_name: str) -> None:
    template = {
        "index_patterns": ["{i}-*".replace("{i}", index_name)],
        "template": {"settings": {"number_of_replicas": 0}},
    }

    def play(story: Story) -> None:
        story.tell(
            "PUT", "/_component_template/{i}", {"template": {"mappings": {"properties": {"a": {"type": "long"}}}}}
        )
        story.tell("PUT", "/_index_template/{i}", {**template, "data_stream": {}, "composed_of": [index_name]})
        story.tell("GET", "/_index_template/{i}")
        story.tell("POST", "/_index_template/_simulate_index/{i}-x")
        story.tell("PUT", "/_data_stream/{i}-logs")
        story.tell("PUT", "/{i}-logs/_create/0?refresh=true", {"@timestamp": "2026-01-01", "a": 1})
        story.tell(
            "POST",
            "/{i}-logs/_bulk",
            b'{"create":{"_id":"1"}}\n{"@timestamp":1,"a":2}\n{"index":{"_id":"2"}}\n{"a":1}\n',
        )
        story.tell("GET", "/{i}-logs/_count")
        story.tell("POST", "/{i}-logs/_rollover?dry_run=true")
        story.tell("PUT", "/{i}", {"aliases": {f"{index_name}-a": {"is_write_index": True}}})
        story.tell("PUT", "/{i}-a/_doc/1?refresh", {"a": 1})
        story.tell("POST", "/_aliases", {"actions": [{"remove": {"index": index_name, "alias": f"{index_name}-a"}}]})
        story.tell("GET", "/{i}-a/_search")
        story.tell("GET", "/_alias/{i}*")

    clear = [
        "/_data_stream/{i}-logs",
        "/_index_template/{i}",
        "/_component_template/{i}",
        "/{i}?ignore_unavailable=true",
    ]
    assert_same_story(sidecar, node, index_name, play, clear)


def test_pipelines_of_native_processors_are_the_clusters(sidecar: Sidecar, node: str, index_name: str) -> None:
    def play(story: Story) -> None:
        story.tell("PUT", "/_ingest/pipeline/{i}", {"description": "d", "processors": []})
        story.tell("PUT", "/_ingest/pipeline/{i}-no", {"processors": [{"nonsense": {}}]})
        story.tell("GET", "/_ingest/pipeline/{i}")
        story.tell("POST", "/_ingest/pipeline/_simulate", {"pipeline": {"processors": []}, "docs": []})
        story.tell("PUT", "/{i}/_doc/1?pipeline={i}&refresh", {"a": 1})
        story.tell("PUT", "/_search/pipeline/{i}", {"description": "d", "request_processors": []})
        story.tell("GET", "/_search/pipeline/{i}")
        story.tell("POST", "/{i}/_search?search_pipeline={i}", {"query": {"match_all": {}}})
        story.tell("PUT", "/_search/pipeline/{i}-no", {"request_processors": [{"nonsense": {}}]})
        story.tell("DELETE", "/_ingest/pipeline/{i}-none")

    assert_same_story(sidecar, node, index_name, play, ["/_ingest/pipeline/{i}", "/_search/pipeline/{i}", "/{i}"])


def test_scrolls_and_points_in_time_are_the_clusters(sidecar: Sidecar, node: str, index_name: str) -> None:
    lines = b"".join(b'{"index":{"_id":"%d"}}\n{"n":%d}\n' % (number, number) for number in range(5))

    def play(story: Story) -> None:
        story.tell("POST", "/{i}/_bulk?refresh", lines)
        page = json.loads(story.tell("POST", "/{i}/_search?scroll=1m&size=2", {"sort": ["n"]}).body)
        page = json.loads(story.tell("POST", "/_search/scroll", {"scroll": "1m", "scroll_id": page["_scroll_id"]}).body)
        story.tell("GET", "/_search/scroll", {"scroll_id": page["_scroll_id"], "scroll": "1m"})
        story.tell("DELETE", "/_search/scroll", {"scroll_id": [page["_scroll_id"]]})
        story.tell("POST", "/_search/scroll", {"scroll_id": "nonsense"})
        pit = json.loads(story.tell("POST", "/{i}/_search/point_in_time?keep_alive=1m").body)["pit_id"]
        search = {"pit": {"id": pit, "keep_alive": "1m"}, "size": 2, "sort": ["n"]}
        story.tell("POST", "/_search", search)
        story.tell("POST", "/_search", {**search, "search_after": [1]})
        story.tell("DELETE", "/_search/point_in_time", {"pit_id": [pit]})

    assert_same_story(sidecar, node, index_name, play, ["/{i}"])
