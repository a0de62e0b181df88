"""Which action stands where in a bulk body."""

from __future__ import annotations

import pytest

from sidecar.native.writes.grammar import OddBody, read_actions


def test_actions_have_their_lines_and_their_keys() -> None:
    body = b'{"index":{"_index":"a","_id":"1","routing":"r","pipeline":"p"}}\n{"x":1}\n{"delete":{"_id":"2"}}\n'
    index, delete = read_actions(body)
    assert (index.name, index.index, index.document_id, index.routing, index.pipeline) == ("index", "a", "1", "r", "p")
    assert body[index.start : index.end].count(b"\n") == 2
    assert body[index.source_start : index.source_end] == b'{"x":1}'
    assert (delete.name, delete.document_id, delete.has_source) == ("delete", "2", False)
    assert body[delete.start : delete.end] == b'{"delete":{"_id":"2"}}\n'


@pytest.mark.parametrize(
    ("line", "document_id"),
    [
        (b'{"index":{"_id":12345678901234567890}}', "12345678901234567890"),
        (b'{"index":{"_id":1.0}}', "1.0"),
        (b'{"index":{"_id":true}}', "true"),
        (b'{"index":{"_id":null}}', None),
        (b'{"index":{"_id":"a"},"delete":{"_id":"b"}}', "a"),
        (b'{"index":{"_id":"a"}} and so on', "a"),
        (b'{"index":{"_id":"a"}', "a"),
        (b'{"index":{"_id":"a","_id":"b"}}', "b"),
        (b'{"index":{"_source":{"includes":{"a":1}},"_id":"a"}}', "a"),
        (b'/* first */ {"index":{"_id":"a" /* id */}}', "a"),
        (b'\xef\xbb\xbf{"index":{"_id":"a"}}', "a"),
        (rb'{"index":{"_\u0069d":"a"}}', "a"),
        (rb'{"index":{"_id":"\ud800"}}', "\ud800"),
        (b'{"index":{"_id":"a"}}\r', "a"),
    ],
)
def test_ids_are_read_as_the_cluster_reads_them(line: bytes, document_id: str | None) -> None:
    (action,) = read_actions(line + b"\n{}\n")
    assert action.document_id == document_id


def test_blank_lines_before_actions_are_skipped_and_carriage_returns_end_sources() -> None:
    body = b'\n \t\n/* nothing */\n{"index":{}}\r\n{"x":1}\r\n\n{"index":{}}\n\n'
    first, second = read_actions(body)
    assert body[first.source_start : first.source_end] == b'{"x":1}'
    # The source is whatever follows, even nothing.
    assert (second.source_start, second.source_end) == (len(body) - 1, len(body) - 1)


def test_a_last_action_without_a_source_is_none() -> None:
    assert read_actions(b'{"index":{}}\n') == []


@pytest.mark.parametrize(
    "body",
    [b'{"index":{}}\n{}', b'{"index":{}}', b"[]\n{}\n", b'{"index":null}\n{}\n', b'{"put":{}}\n{}\n', b"{}\n{}\n"],
)
def test_bodies_that_the_cluster_refuses_are_odd(body: bytes) -> None:
    with pytest.raises(OddBody):
        read_actions(body)


@pytest.mark.parametrize(
    "line", [b'{"index":{"_id":', b'{"index":{"_source":{"a":[1', b'{"index":', b'{"index":{"_id":"a"']
)
def test_a_body_with_a_line_that_is_cut_off_is_odd(line: bytes) -> None:
    with pytest.raises(OddBody):
        read_actions(line + b"\n{}\n")
