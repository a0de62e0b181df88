"""Searches and what else takes a query: JSON comes out of JSON, and what has no query by meaning stays as it is."""

from __future__ import annotations

from tests.attacks.native_face import Answered, Face
from tests.attacks.targets.json_lines import are_json

TARGETS = (
    "/i/_search",
    "/i/_search?filter_path=**.hits,-took&pretty&track_total_hits=5&_source=a,b",
    "/_msearch",
    "/i/_count",
    "/_plugins/_asynchronous_search?index=i",
    "/i/_delete_by_query",
    "/i/_search/template",
    "/_msearch/template",
    "/_reindex",
    "/i/_update_by_query?pipeline=p",
)
TEMPLATES = TARGETS[6:8]
SEEDS = [
    b'\x00{"query":{"neural":{"body":{"query_text":"x","k":3,"filter":{"term":{"a":1.50}}}}},"size":1e0}',
    b'\x00{"query":{"bool":{"must":[{"neural":{"passage":{"query_text":"y","boost":2}}}],"filter":{"match_all":{}}}}}',
    b'\x01{"query":{"hybrid":{"queries":[{"match":{"t":"x"}},{"neural":{"body":{"query_text":"x"}}}],'
    b'"filter":{"term":{"a":1}},"pagination_depth":20,"_name":"\\ud800"}},"from":1,"size":2}',
    b'\x00{"query":{"nested":{"path":"\\q","query":{"neural":{"body":{"query_text":"x"}}}}}}',
    b'\x00{"query":{"neural":{"body":{"query_text":"x","\\ud800":1}}},"pit":{"id":"\\ud800"}}',
    b'\x00{"query":{"neural":{"body":{"query_text":"x"}}},"search_pipeline":{"request_processors":'
    b'[{"neural_query_enricher":{"default_model_id":"random/small"}}]},"aggs":{"a":{"filter":{"match_all":{}}}}}',
    b'\x00{"query":{"neural":{"body":{"query_image":"https://example.com/x.jpg","min_score":0.5}}},"search_pipeline":"p"}',
    b'\x02{"index":"i"}\n{"query":{"neural":{"body":{"query_text":"x"}}}}\n{}\n{"query":{"match_all":{}}}\n',
    b'\x02{"index":["i","*"],"search_type":"dfs_query_then_fetch"}\n{"query":{"hybrid":{"queries":[{"neural":'
    b'{"body":{"query_text":"x"}}}]}},"sort":[{"a":"asc"}]}\n',
    b'\x03{"query":{"n\\u0065ural":{"body":{"query_text":"x"}}}}',
    b'\x04{"query":{"dis_max":{"queries":[{"neural":{"body_vector":{"query_text":7,"model_id":"random/small"}}}]}}}',
    b'\x06{"source":{"query":{"neural":{"body":{"query_text":"{{q}}"}}}},"params":{"q":"x"},"explain":true}',
    b'\x07{}\n{"source":{"query":{"neural":{"body":{"query_text":"x"}}}}}\n{}\n{"id":"stored"}\n',
    b'\x08{"source":{"index":["i","\\ud800"],"query":{"neural":{"body":{"query_text":"x"}}}},"dest":{"index":"j"}}',
    b'\x09{"query":{"neural":{"body":{"query_text":"x"}}},"script":{"source":"1"}}',
    b'\x00{"query":{/* one */"knn":{"neural":{"vector":[1,2.5e3],"k":1,'
    b'"filter":{"neural":{"body":{"query_text":"z"}}}}}}}',
]
_SIGNS = (b"neural", b"hybrid", b"\\u00")
_FACE = Face()


def check(data: bytes) -> None:
    """Send one request."""
    if len(data) < 2:
        return
    target, body = TARGETS[data[0] % len(TARGETS)], data[1:]
    answered = _FACE.ask("POST", target, body)
    assert answered.status < 500, answered.body
    if answered.body:
        assert are_json(answered.body.replace(b"\n", b" ")), answered.body
    if answered.status == 200:
        _check_sent(target, body, answered)


def _check_sent(target: str, body: bytes, answered: Answered) -> None:
    sent = [request for request in answered.sent if request.target != "/_render/template"]
    if target not in TEMPLATES and not any(sign in body for sign in _SIGNS):
        ((request),) = sent
        assert (request.target, request.body) == (target, body)
    if are_json(body):
        for request in sent:
            assert isinstance(request.body, bytes)
            assert are_json(request.body), (body, request.body)
