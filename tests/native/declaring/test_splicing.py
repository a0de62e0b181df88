"""Bodies that are translated: whatever is in them, only what the sidecar adds is new."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from sidecar.embedding.model_spec import ModelSpec
from sidecar.embedding.model_table import ModelTable
from sidecar.native.declaring.knn_setting import add_knn_setting
from sidecar.native.declaring.merging import merge_own
from sidecar.native.declaring.translation import DeclaredMapping, creation_edits, property_edits
from sidecar.native.embedder import NativeEmbedder
from sidecar.native.json.edits import apply
from sidecar.native.json.spans import Object, read
from tests.native.declaring.indexes import MODEL, VECTOR

NAMES = st.sampled_from(["a", "b", "a.b", "v", "ü", 'q"', "fields", "_meta"])
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text('aé"\\\n{}', max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)
OTHERS = st.dictionaries(NAMES.filter(lambda name: name not in {"_meta", "fields"}), VALUES, max_size=3)
ENTRIES = st.dictionaries(
    st.sampled_from(["v1", "o.v2", "o.p.v3"]),
    st.fixed_dictionaries({"source": st.sampled_from(["s", "o.s"]), "model": st.just(MODEL)}),
    max_size=3,
)
LAYOUTS = st.sampled_from([None, 0, 2])


class _Embedder(NativeEmbedder):
    """Knows models, and runs none."""

    def __init__(self) -> None:
        self._table = ModelTable()

    def spec(self, model: str, properties: Any = None) -> ModelSpec:
        return self._table.resolve(model, properties)


EMBEDDER = _Embedder()


def parsed(text: bytes) -> Object:
    root = read(text)
    assert isinstance(root, Object)
    return root


def completed(entries: dict[str, Any]) -> dict[str, Any]:
    return {path: {**entry, "dimension": 32} for path, entry in entries.items()}


def with_vectors(properties: dict[str, Any], paths: list[str]) -> dict[str, Any]:
    """The properties with a vector at each path."""
    made: dict[str, Any] = json.loads(json.dumps(properties))
    for path in paths:
        *parents, name = path.split(".")
        place = made
        for parent in parents:
            place = place.setdefault(parent, {}).setdefault("properties", {})
        place[name] = VECTOR
    return made


@settings(max_examples=150, deadline=None)
@given(entries=ENTRIES, meta=OTHERS, own=OTHERS, properties=OTHERS, given_settings=OTHERS, indent=LAYOUTS)
def test_a_created_index_is_told_as_it_came_but_for_vectors_dimensions_and_the_setting(
    entries: dict[str, Any],
    meta: dict[str, Any],
    own: dict[str, Any],
    properties: dict[str, Any],
    given_settings: dict[str, Any],
    indent: int | None,
) -> None:
    mapping = {"_meta": {**meta, "sidecar": {**own, "fields": entries}}, "properties": properties}
    body = {"settings": given_settings, "mappings": mapping, "aliases": {}}
    text = json.dumps(body, indent=indent).encode()
    root = parsed(text)
    mappings = root.get("mappings")
    assert isinstance(mappings, Object)
    edits, additions, needs_knn = creation_edits(mappings, text, EMBEDDER)
    if needs_knn:
        add_knn_setting(root, text, additions, (3, 5, 0))
    made = json.loads(apply(text, [*edits, *additions.edits()]))
    assert needs_knn is bool(entries)
    expected = json.loads(text)
    expected["mappings"]["_meta"]["sidecar"]["fields"] = completed(entries)
    expected["mappings"]["properties"] = with_vectors(properties, list(entries))
    if entries:
        expected["settings"] |= {"index.knn": True, "index.knn.derived_source.enabled": False}
    assert made == expected


@settings(max_examples=150, deadline=None)
@given(
    kept=ENTRIES,
    entries=ENTRIES,
    withdrawn=st.sets(st.sampled_from(["v1", "o.v2"])),
    others=st.tuples(OTHERS, OTHERS),
    meta=OTHERS,
    has_own=st.booleans(),
)
def test_a_mapping_keeps_what_the_index_declares_and_all_that_it_says_itself(
    kept: dict[str, Any],
    entries: dict[str, Any],
    withdrawn: set[str],
    others: tuple[dict[str, Any], dict[str, Any]],
    meta: dict[str, Any],
    has_own: bool,
) -> None:
    stored_others, given_others = others
    stored = {"_meta": {"x": 1, "sidecar": {**stored_others, "fields": completed(kept)}}}
    nulls = dict.fromkeys(withdrawn - entries.keys())
    given_meta = {**meta, **({"sidecar": {**given_others, "fields": {**entries, **nulls}}} if has_own else {})}
    text = json.dumps({"_meta": given_meta}).encode()
    root = parsed(text)
    found = DeclaredMapping.read(root, text, EMBEDDER)
    edits, additions = property_edits(found, root, text, stored)
    edits += merge_own(found, root, text, stored, additions)
    made = json.loads(apply(text, [*edits, *additions.edits()]))
    fields = completed(kept)
    if has_own:
        fields = {path: entry for path, entry in fields.items() if path not in nulls} | completed(entries)
        stored_others = {**given_others, **stored_others}
    assert made["_meta"] == {**meta, "sidecar": {**stored_others, "fields": fields}}
