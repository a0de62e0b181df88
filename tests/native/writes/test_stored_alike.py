"""Whatever is sent in bulk is stored, and answered, as without the sidecar, but for the vectors."""

from __future__ import annotations

import gzip
import json
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sidecar.native.json.edits import apply
from sidecar.native.json.removal import without_members
from sidecar.native.json.spans import Array, Node, Object, read
from tests.native.writes.written import MODEL, VECTOR, Answered, Port, make_index

IDS = ("1", "2", "3")
FIELDS = {"body_vector": {"source": "body", "model": MODEL}, "a.v": {"source": "a.t", "model": MODEL}}
# Stored and new documents must spell a path alike, or there are two of it.
FIELDS["d.v"] = {"source": "d.t", "model": MODEL}
# What is not mapped may be anything; derived source would write documents anew.
MAPPED = {"a": {"properties": {"t": {"type": "text"}, "v": VECTOR}}}
MAPPED["d"] = MAPPED["a"]
VECTORS = ("body_vector", "d.v", "v")

TEXTS = st.sampled_from(["a cat", "a dog", "", " ", "é", "\ud800", "\U0001f600 x", 'quote " and \\', "null"])
NUMBERS = st.sampled_from(["1e3", "1.50", "-0.0", "123456789012345678901234567890", "1E-5", "0"])
KEYS = st.sampled_from(["x", "y", "body", "t", "é", "v w"])


def dumped(value: Any, *, is_ascii: bool) -> str:
    return json.dumps(value, ensure_ascii=is_ascii)


SCALARS = NUMBERS | st.sampled_from(["null", "true"]) | st.builds(dumped, TEXTS, is_ascii=st.booleans())
INNER = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda items: f"[{', '.join(items)}]")
        | st.dictionaries(KEYS, inner, max_size=3).map(
            lambda found: "{" + ",".join(f"{json.dumps(key)} :{value}" for key, value in found.items()) + "}"
        )
    ),
    max_leaves=6,
)
STRINGS = st.builds(dumped, TEXTS, is_ascii=st.booleans()) | st.just("null")
MEMBERS = (
    st.tuples(st.sampled_from(['"body"', '"b\\u006fdy"']), STRINGS)
    | st.tuples(st.just('"a"'), st.builds('{{"t":{}, "n":{}}}'.format, STRINGS, SCALARS))
    | st.tuples(st.just('"d.t"'), STRINGS)
    | st.tuples(KEYS.filter(lambda key: key != "body").map(json.dumps), INNER)
)
DOCUMENTS = st.lists(MEMBERS, max_size=4, unique_by=lambda member: member[0].replace("\\u006f", "o")).map(
    lambda members: "{" + ", ".join(f"{key}: {value}" for key, value in members) + "}"
)
ACTIONS = st.sampled_from(["index", "index", "create"])
IDENTITIES = st.sampled_from(['"_id":"1"', '"_id" : "2"', '"_id":3', '"\\u005fid":"3"', '"_id":"1","version":1'])
WRITES = st.builds('{{"{}":{{{}}}}}\n{}'.format, ACTIONS, IDENTITIES, DOCUMENTS)
UPDATES = st.builds(
    '{{"update":{{"_id":"{}"}}}}\n{{"doc":{}, "doc_as_upsert":true}}'.format, st.sampled_from(IDS), DOCUMENTS
)
DELETES = st.builds('{{"delete":{{"_id":"{}"}}}}'.format, st.sampled_from(IDS))
ODD_LINES = st.sampled_from(
    ["", " ", "{}", "[]", "x", '{"index":{"_id":"1","_type":"t"}}\n{"body":"x"}', '{"body":"x"']
)
LINES = st.lists(st.one_of(WRITES, WRITES, WRITES, UPDATES, DELETES, ODD_LINES), min_size=1, max_size=5)


@st.composite
def bodies(draw: st.DrawFn) -> bytes:
    """A bulk body, mostly a good one."""
    newline = draw(st.sampled_from(["\n", "\n", "\r\n"]))
    text = newline.join(line.replace("\n", newline) for line in draw(LINES)) + draw(
        st.sampled_from([newline] * 5 + [""])
    )
    body = text.encode("utf-8", "surrogatepass")
    if draw(st.integers(0, 9)) == 0:
        body = b"\xef\xbb\xbf" + body
    if draw(st.integers(0, 5)) == 0:
        place = draw(st.integers(0, len(body)))
        body = body[:place] + draw(st.binary(max_size=2)) + body[place + draw(st.integers(0, 2)) :]
    return body


@pytest.fixture
def twins(native: Port, direct: Port, index_name: str) -> Any:
    """Two indexes alike, but that one has no declarations: its name ends in another letter."""
    declared, plain = f"{index_name}-d", f"{index_name}-p"
    own = {"index.knn.derived_source.enabled": False}
    make_index(direct, declared, FIELDS, MAPPED, **own)
    make_index(direct, plain, {}, {"body_vector": VECTOR, **MAPPED}, **own)
    for name in (declared, plain):
        direct.done("PUT", f"/{name}/_mapping", {"dynamic": False, "properties": {"body": {"type": "text"}}})
    yield declared, plain
    for name in (declared, plain):
        direct.done("DELETE", f"/{name}")


def test_what_is_stored_is_what_was_sent_with_vectors(native: Port, direct: Port, twins: tuple[str, str]) -> None:
    declared, plain = twins

    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    @given(body=bodies(), is_packed=st.booleans())
    def check(body: bytes, is_packed: bool) -> None:
        headers = {"content_encoding": "gzip"} if is_packed else {}
        sent = gzip.compress(body) if is_packed else body
        through = native.send("POST", f"/{declared}/_bulk", sent, **headers)
        straight = direct.send("POST", f"/{plain}/_bulk", sent, **headers)
        assert told(through, declared) == told(straight, plain)
        assert stored(direct, declared) == stored(direct, plain)

    check()


def told(answer: Answered, index: str) -> Any:
    """What an answer says, but for what differs from write to write."""
    text = answer.body.decode().replace(index, "the-index")
    text = re.sub(r'"(?:took|_version|_seq_no|_primary_term)":-?\d+,?', "", text)
    # Where in a refused line something stands: behind the vectors, in one that has got some.
    text = re.sub(r"\[\d+:\d+\]", "[place]", text)
    text = re.sub(r'"_id":"[\w-]{20}"|"index_uuid":"[\w-]{22}"|current version \[\d+\]', "made", text)
    # A vector that goes with its text is a change where the text was null before.
    return answer.status, re.sub(r'"result":"(?:noop|updated)"', '"result":"updated"', text)


@dataclass(frozen=True)
class Stored:
    """A stored source without its vectors: its bytes, and what it says."""

    text: bytes
    content: Any

    def __eq__(self, other: object) -> bool:
        # An update puts the members of a document in another order where one more is among them.
        return isinstance(other, Stored) and (self.text == other.text or self.content == other.content)

    def __hash__(self) -> int:
        raise NotImplementedError


def stored(direct: Port, index: str) -> list[Stored | None]:
    """The sources of all documents."""
    answer = direct.send("POST", f"/{index}/_mget", {"ids": IDS})
    root = read(answer.body)
    assert isinstance(root, Object)
    documents = root.get("docs")
    assert isinstance(documents, Array)
    return [without_vectors(document, answer.body) for document in documents.items]


def without_vectors(document: Node, data: bytes) -> Stored | None:
    assert isinstance(document, Object)
    source = document.get("_source")
    if source is None:
        return None
    text = source.text(data)
    node = read(text)
    assert isinstance(node, Object)
    inner = [value for _, value in node.items() if isinstance(value, Object)]
    edits = [edit for one in (node, *inner) for edit in without_members(one, VECTORS)]
    bare = apply(text, edits)
    # By value: an update writes 1e3 as 1000.0.
    exactly = {"parse_float": Decimal, "parse_int": Decimal}
    return Stored(bare, json.loads(bare.decode("utf-8", "surrogatepass"), **exactly))
