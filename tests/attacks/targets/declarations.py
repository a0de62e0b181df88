"""Mappings, templates, pipelines and single documents: JSON comes out of JSON, whatever stands in it."""

from __future__ import annotations

from tests.attacks.native_face import Face
from tests.attacks.targets.json_lines import are_json

TARGETS = (
    ("PUT", "/new"),
    ("PUT", "/i/_mapping"),
    ("PUT", "/_index_template/t"),
    ("PUT", "/_template/t"),
    ("PUT", "/_ingest/pipeline/p"),
    ("PUT", "/_search/pipeline/p"),
    ("POST", "/_ingest/pipeline/_simulate"),
    ("PUT", "/i/_doc/1"),
    ("POST", "/i/_update/1"),
)
SEEDS = [
    b'\x00{"mappings":{"_meta":{"sidecar":{"fields":{"v":{"source":"t","model":"random/small"}}}},'
    b'"properties":{"t":{"type":"text"}}},"settings":{"index":{"number_of_shards":1}}}',
    b'\x00{"mappings":{"_meta":{"sidecar":{"fields":{"v":{"source":[{"field":"t","weight":2}],/* c */"model":"x"}}}}}}',
    b'\x00{"mappings":{"properties":{"s":{"type":"semantic","model_id":"random/small","raw_field_type":"text",'
    b'"chunking":true,"semantic_info_field_name":"info"},"\\ud800":{"type":"\\q"}}}}',
    b'\x01{"_meta":{"sidecar":{"fields":{"body_vector":null,"w":{"source":"b","model":"random/small","dimension":"32"}}}},'
    b'"properties":{"w":{"type":"knn_vector"}}}',
    b'\x01{"_meta":{"sidecar":{"fields":{"w":{"source":"b","model":"random/small"}}}},"properties":{"w":{"type":"\x8e"}}}',
    b'\x02{"index_patterns":["x*"],"template":{"mappings":{"_meta":{"sidecar":{"fields":{"a.v":{"source":"a.t",'
    b'"model":"random/small","existing_vector":"replace"}}}}}}}',
    b'\x03{"index_patterns":["x*"],"mappings":{"properties":{"s":{"type":"semantic","model_id":"random/small"}}}}',
    b'\x04{"description":"mine","processors":[{"text_embedding":{"model_id":"random/small","field_map":{"t":"v",'
    b'"o":{"x":"y"}}}},{"set":{"field":"a","value":1.50}},{"text_chunking":{"algorithm":{"fixed_token_length":'
    b'{"token_limit":10,"overlap_rate":0.2,"tokenizer":"standard"}},"field_map":{"t":"c"}}}]}',
    b'\x05{"request_processors":[{"neural_query_enricher":{"default_model_id":"random/small"}}],'
    b'"phase_results_processors":[{"normalization-processor":{"normalization":{"technique":"min_max"},"combination":'
    b'{"technique":"arithmetic_mean","parameters":{"weights":[0.3,0.7]}}}}]}',
    b'\x05{"phase_results_processors":[{"score-ranker-processor":{"combination":{"technique":"rrf","rank_constant":40}}}]}',
    b'\x06{"pipeline":{"processors":[{"text_embedding":{"model_id":"random/small","field_map":{"t":"v"}}},'
    b'{"text_image_embedding":{"model_id":"random/small","embedding":"e","field_map":{"text":"t","image":"i"}}}]},'
    b'"docs":[{"_source":{"t":["a","b"],"i":"iVBORw0KGgo"}},{"_source":{"t":"\\q"}}]}',
    b'\x07{"body":"x","a":{"t":"y"},"passage":"one. two."}',
    b'\x08{"doc":{"two":"x"},"upsert":{"body":null}}',
]
_FACE = Face()


def check(data: bytes) -> None:
    """Send one request."""
    if len(data) < 2:
        return
    method, target = TARGETS[data[0] % len(TARGETS)]
    body = data[1:]
    answered = _FACE.ask(method, target, body)
    assert answered.status < 500, answered.body
    if answered.body:
        assert are_json(answered.body.replace(b"\n", b" ")), answered.body
    if are_json(body.replace(b"\n", b" ")):
        for request in answered.sent:
            assert isinstance(request.body, bytes)
            assert are_json(request.body.replace(b"\n", b" ")), request.body
