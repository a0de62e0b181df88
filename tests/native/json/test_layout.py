"""JSON on one line and laid out."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from sidecar.native.json.layout import laid_out, on_one_line

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20)


@given(value=VALUES, is_ascii=st.booleans())
def test_layout_changes_no_value(value: Any, is_ascii: bool) -> None:
    text = json.dumps(value, ensure_ascii=is_ascii, indent=3)
    assert json.loads(laid_out(text.encode())) == value
    line = on_one_line(text.encode())
    assert b"\n" not in line
    assert json.loads(line) == value


def test_comments_end_with_their_line() -> None:
    assert json.loads(on_one_line(b'{ // one {\n"a" : "// \\" two" /* three\n */, "b"\r\n: 1}')) == {
        "a": '// " two',
        "b": 1,
    }


def test_what_only_looks_like_a_comment_stays_with_the_blanks_around_it() -> None:
    assert on_one_line(b'{"a": [1, "//no /* comment */"]}') == b'{"a": [1, "//no /* comment */"]}'
    assert json.loads(on_one_line(b'{"a":/* one */1}')) == {"a": 1}


def test_layout_is_that_of_the_cluster() -> None:
    text = laid_out(b'{"a":{},"b":[1e3,{"c":"x:y"}],"d":[]}')
    assert (
        text.decode() == '{\n  "a" : { },\n  "b" : [\n    1e3,\n    {\n      "c" : "x:y"\n    }\n  ],\n  "d" : [ ]\n}\n'
    )
