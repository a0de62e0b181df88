"""Taking a stored document apart: the user's own text, byte for byte, and the chunks of each field."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.errors import InvalidArgument
from sidecar.ingest.migration.stored_embeddings import StoredField, take_apart
from sidecar.ingest.stored_documents import StoredDocument
from sidecar.native.json.spans import read_object

ROOT = "__embeddings"
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
NAMES = st.text().filter(lambda name: not name.startswith(ROOT))
CHUNKS = st.lists(st.fixed_dictionaries({"vector": st.lists(st.floats(-1, 1, width=32), min_size=2, max_size=2)}))


def stored(text: bytes) -> StoredDocument:
    root = read_object(text)
    assert root is not None
    return StoredDocument("id", None, 3, 1, root, text)


@given(
    st.dictionaries(NAMES, VALUES, max_size=4),
    st.dictionaries(st.sampled_from(["title", "my field", "a.b"]), CHUNKS, max_size=3),
    st.integers(0, 4),
    st.sampled_from([None, 1]),
)
def test_what_is_left_is_the_document_without_its_embeddings(
    document: dict[str, Any], embeddings: dict[str, Any], place: int, indent: int | None
) -> None:
    members = list(document.items())
    keys = {"title": "title", "my field": "my%20field", "a.b": "a%2Eb"}
    members.insert(place, (ROOT, {keys[field]: chunks for field, chunks in embeddings.items()}))
    taken = take_apart(stored(json.dumps(dict(members), indent=indent).encode()))
    assert json.loads(taken.source) == document
    assert {field: one.chunks for field, one in taken.fields.items()} == {
        field: chunks for field, chunks in embeddings.items() if chunks
    }


def test_numbers_and_white_space_of_the_user_stay() -> None:
    taken = take_apart(stored(b'{ "n": 1.10, "__embeddings" : {}, "big":123456789012345678901 }'))
    assert taken.source == b'{"n": 1.10,"big":123456789012345678901}'
    assert take_apart(stored(b'{ "n": 1.10 }')).source == b'{ "n": 1.10 }'


def test_embeddings_under_keys_with_dots_are_refused() -> None:
    with pytest.raises(InvalidArgument, match="keys with dots"):
        take_apart(stored(b'{"__embeddings.title": [{"vector": [1, 2]}]}'))


def test_vectors_become_those_of_the_other_index() -> None:
    field = StoredField("title", [{"vector": [0.5, -1.0], "start": 0, "end": 3, "hash": "h"}, {"vector": [1.0, 0.0]}])
    as_float = field.embedding(2, "float")
    assert as_float.vectors.dtype == np.float32
    assert (list(as_float.spans), as_float.content_hash) == ([(0, 3), (0, 0)], "h")
    assert field.embedding(2, "byte").vectors.tolist() == [[64, -127], [127, 0]]
    whole = StoredField("mine", [{"vector": [3, -4], "start": 0, "end": 0}])
    assert whole.embedding(2, "byte").vectors.tolist() == [[3, -4]]
    assert whole.embedding(2, "float").vectors.dtype == np.float32
    with pytest.raises(InvalidArgument, match="'mine' has vectors of 2 dimensions"):
        whole.embedding(3, "float")
