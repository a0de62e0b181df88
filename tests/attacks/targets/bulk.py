"""Bulk requests: the cluster gets every action that can be embedded, with its own bytes and its own vectors."""

from __future__ import annotations

import json
import re
from typing import Any

import numpy as np

from tests.attacks.native_face import DIMENSIONS, Answered, Face, count_actions, vector_of
from tests.attacks.targets.json_lines import are_json

TARGETS = ("/i/_bulk", "/_bulk", "/i/_bulk?routing=r&pipeline=p")
SEEDS = [
    b'\x00{"index":{"_id":"1"}}\n{"body":"a text","x":1e3}\n{"create":{}}\n{"body":null, "body_vector":null}\n',
    b'\x01{"index":{"_index":"i","_id":1.0}}\r\n{"a":{"t":"x"},"a.t":"y"}\r\n\r\n{"delete":{"_id":"2"}}\n',
    b'\x00{"update":{"_id":"1"}}\n{"doc":{"two":"x","body":""},"doc_as_upsert":true}\n',
    b'\x00{"update":{"_id":"1"}}\n{"script":{"source":"1"},"upsert":{"body":"b"}}\n',
    b'\x02{"index":{"pipeline":"_none"}}\n{"passage":["one. two.","three"],"chunks":[]}\n',
    b'\x00{"index":{}}\n{"a":[[{"t":"x"}],{"t":"y"}],"body":["no"]}\n{"index":{}}\n{"body":7}\n',
    b'\x00\xef\xbb\xbf{"index":{}}\n{"body":"x" /* a remark */, // two\r"y":[1,2.50,-0.0]}\n',
    b'\x00{"index":{"_id":"\\ud800"}}\n{"b\\u006fdy":"\\ud83d\\ude00 \\" \\\\"}\n{"index":{"_id":\n{}\n',
    b'\x01{"index":{"_index":"i","_source":{"includes":["a"]}}}\n{"one":"x","two":"y","body":"z"}\n',
    b'\x01{"index":{"_index":"\\ud800","pipeline":"\\udfff"}}\n{"body":"x"}\n',
]
VECTORS = {"body": "body_vector", "a": "v"}
_PLAIN = re.compile(rb'\{"(?:index|create)":\{(?:"_id":"\w*")?\}\}')
_FACE = Face()


def check(data: bytes) -> None:
    """Send one bulk body."""
    if not data:
        return
    body = data[1:]
    answered = _FACE.ask("POST", TARGETS[data[0] % len(TARGETS)], body)
    assert answered.status < 500, answered.body
    json.loads(answered.body)
    sent = [request.body for request in answered.sent if "_bulk" in request.target]
    if answered.status == 200 and body and data[0] % len(TARGETS) == 0:
        _check_sent(body, b"".join(one for one in sent if isinstance(one, bytes)), answered)


def _check_sent(body: bytes, sent: bytes, answered: Answered) -> None:
    """Compare what the cluster got with what it would have got; bodies of other than plain actions must only be JSON
    where they were."""
    lines = body.split(b"\n")
    if lines.pop() or len(lines) % 2 or not all(_PLAIN.fullmatch(line) for line in lines[::2]):
        assert are_json(sent) or not are_json(body), sent
        return
    theirs = sent.split(b"\n")
    assert theirs.pop() == b""
    items = json.loads(answered.body)["items"]
    assert len(items) == count_actions(body), "an action has no answer"
    for metadata, source, item in zip(lines[::2], lines[1::2], items, strict=True):
        if "error" in next(iter(item.values())):
            continue
        assert theirs.pop(0) == metadata
        _check_source(source, theirs.pop(0))
    assert not theirs, "an action that was refused was sent"


def _check_source(before: bytes, after: bytes) -> None:
    if before == after:
        return
    # Values are compared as they are written, and so are keys' places.
    old, new = _parsed(before), _parsed(after)
    if old is None or new is None:
        # Comments and the like: then what was put in is all that there is more.
        assert len(after) >= len(before)
        return
    assert _without(new) == _without(old), (before, after)
    text, vector = dict(old).get("body"), dict(new).get("body_vector")
    if isinstance(text, str) and text.strip() and vector is not None and dict(old).get("body_vector") is None:
        expected = vector_of(text.encode("utf-8", "replace").decode())
        assert len(vector) == DIMENSIONS
        assert np.allclose(np.array(vector, dtype=np.float32), expected, atol=1e-6), "another document's vector"


class _Pairs(list[tuple[str, Any]]):
    """The members of an object, in their order."""


def _parsed(text: bytes) -> _Pairs | None:
    try:
        found = json.loads(text, object_pairs_hook=_Pairs, parse_float=str, parse_int=str, parse_constant=str)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, _Pairs) else None


_MADE = {"body_vector", "a.v", "v", "two_vector", "chunks", "embedding", "chunks.embedding"}


def _without(value: Any) -> Any:
    """The value without what may have been put in."""
    if isinstance(value, _Pairs):
        return _Pairs((key, _without(inner)) for key, inner in value if key not in _MADE)
    return [_without(item) for item in value] if isinstance(value, list) else value
