"""The targets of a bulk body, found quickly, are those that its actions name."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.native.writes.grammar import OddBody, read_actions
from sidecar.native.writes.named_targets import named_targets

LINES = st.sampled_from(
    [
        b'{"index":{}}',
        b'{"index":{"_id":"1"}}',
        b'{"create":{"_index":"a","pipeline":"p"}}\r',
        b' {"update":{"\\u005findex":"b","_id":"x"}} ',
        b'{"delete":{"_id":"1"}}',
        b'{"index":{"_index":7}}',
        b'{"index":{"_index":"c"}} and more',
        b'{"fly":{}}',
        b'{"text":"{\\"index\\":{}}"}',
        b"{}",
        b"[]",
        b"7",
        b"",
        b" ",
        b"\xff",
    ]
)


@given(st.lists(LINES, max_size=8), st.sampled_from([b"", b"\n"]))
def test_targets_are_those_of_the_actions(lines: list[bytes], end: bytes) -> None:
    body = b"\n".join(lines) + end
    named = named_targets(body)
    if named is None:
        return
    try:
        actions = read_actions(body)
    except OddBody:
        # The cluster refuses it, whatever it names.
        return
    assert {(action.index, action.pipeline) for action in actions} <= named


@pytest.mark.parametrize(
    ("body", "named"),
    [
        (b'{"index":{}}\n{"a":1}\n' * 3, {(None, None)}),
        (b'{"index":{"_index":"a"}}\n{}\n{"create":{"_index":"b","pipeline":"p"}}\n\n', {("a", None), ("b", "p")}),
        (b'{"index":{"_id":"1"}}\r\n{"a":1}\r\n', {(None, None)}),
        (b'{"index":{}}\n{"a":1}\n\n{"index":{}}\n{"a":1}\n', None),
        (b'{"delete":{"_id":"1"}}\n', None),
    ],
)
def test_plain_bodies_need_no_reading_of_each_action(body: bytes, named: set[tuple[str, str]] | None) -> None:
    assert named_targets(body) == named
