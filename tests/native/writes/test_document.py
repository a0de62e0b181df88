"""Values are put into documents in the documents' own spelling, and nothing else of them changes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sidecar.native.json.edits import apply
from sidecar.native.json.spans import Object, read
from sidecar.native.writes.document import Document, find
from sidecar.native.writes.made import MadeConstant

VALUE = MadeConstant(b"[1.0]")


def spliced(text: str, source: str, *vectors: str) -> str:
    """The document with values at the paths, unless something is there, for the first value of the source."""
    data = text.encode("utf-8", "surrogatepass")
    root = read(data)
    assert isinstance(root, Object)
    document = Document(data, root, "id")
    for path in vectors:
        slot = document.slot(find(root, source)[0], path)
        if not slot.is_taken:
            document.put(slot, VALUE)
    return apply(data, document.edits()).decode("utf-8", "surrogatepass")


@pytest.mark.parametrize(
    ("text", "source", "vectors", "result"),
    [
        ('{"t":"x", "z":1}', "t", ["v"], '{"t":"x","v":[1.0], "z":1}'),
        ('{"a":{"t":"x","z":1}}', "a.t", ["a.v"], '{"a":{"t":"x","v":[1.0],"z":1}}'),
        ('{"a.t":"x","z":1}', "a.t", ["a.v"], '{"a.t":"x","a.v":[1.0],"z":1}'),
        ('{"a":{"b.t":"x"}}', "a.b.t", ["a.b.v", "a.v", "v"], '{"a":{"b.t":"x","b.v":[1.0],"v":[1.0]},"v":[1.0]}'),
        ('{"t":"x"}', "t", ["i.v", "i.w"], '{"t":"x","i":{"v":[1.0],"w":[1.0]}}'),
        ('{"t":"x","i":{"n":1}}', "t", ["i.v"], '{"t":"x","i":{"n":1,"v":[1.0]}}'),
        ('{"t":"x","i":{ }}', "t", ["i.v", "i.w"], '{"t":"x","i":{ "v":[1.0],"w":[1.0]}}'),
        ('{"t":"x","i":null}', "t", ["i.v", "i.w"], '{"t":"x","i":{"v":[1.0],"w":[1.0]}}'),
        ('{"t":"x","v":null}', "t", ["v"], '{"t":"x","v":[1.0]}'),
        ('{"t":"x","v":[2.0]}', "t", ["v"], '{"t":"x","v":[2.0]}'),
        ('{"v":{"t":"x"}}', "v.t", ["v.v"], '{"v":{"t":"x","v":[1.0]}}'),
        ('{"l":[{"t":"x"},{"t":"y"}]}', "l.t", ["l.v"], '{"l":[{"t":"x","v":[1.0]},{"t":"y"}]}'),
        ('{"t":"x" // a remark\n}', "t", ["v"], '{"t":"x","v":[1.0] // a remark\n}'),
        ('{"\\u0074":"x"}', "t", ["v"], '{"\\u0074":"x","v":[1.0]}'),
        ('{"x":1e3,"y":1.50,"x":12345678901234567890,"t":"a"}', "t", ["v"], None),
    ],
)
def test_values_go_beside_their_source(text: str, source: str, vectors: list[str], result: str | None) -> None:
    assert spliced(text, source, *vectors) == (result or text.replace('"t":"a"', '"t":"a","v":[1.0]'))


KEYS = st.sampled_from(["a", "b", "t", "a.b", "b.t", "a.t", "é"])
SCALARS = st.none() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=8
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    value=st.dictionaries(KEYS, VALUES, max_size=5),
    source=st.sampled_from(["t", "a.t", "a.b.t", "b.t"]),
    target=st.sampled_from(["v", "a.v", "a.b.v", "w.v"]),
    is_ascii=st.booleans(),
    indent=st.sampled_from([None, 1]),
)
def test_a_document_without_what_was_put_in_is_the_document(
    value: dict[str, Any], source: str, target: str, is_ascii: bool, indent: int | None
) -> None:
    text = json.dumps(value, ensure_ascii=is_ascii, indent=indent)
    data = text.encode("utf-8", "surrogatepass")
    root = read(data)
    assert isinstance(root, Object)
    for place in find(root, source):
        document = Document(data, root, "id")
        slot = document.slot(place, target)
        if slot.is_taken:
            continue
        document.put(slot, VALUE)
        (edit,) = document.edits()
        result = apply(data, [edit])
        # What stood there was null, or nothing.
        assert data[edit.start : edit.end] in {b"", b"null"}
        json.loads(result)
        again = read(result)
        assert isinstance(again, Object)
        found = [place[-1].member.value.text(result) for place in find(again, target)]
        assert b"[1.0]" in found
        assert result[: edit.start] == data[: edit.start]
        assert result[edit.start + len(edit.text) :] == data[edit.end :]
        break
