"""One piece of text over and over, in everything that reads texts: the time grows with the length, not faster.

Of an input the first byte chooses a reader, the next two part the rest into what stands before, the piece that is
repeated, and what stands behind.
"""

from __future__ import annotations

import gzip
import time
from collections.abc import Callable
from contextlib import suppress
from io import BytesIO

from sidecar.embedding.media.pointers import has_suffix, is_pointer, shortened
from sidecar.embedding.texts.chunking import TextPreprocessing, split_text
from sidecar.errors import InvalidArgument
from sidecar.native.bodies import read_body
from sidecar.native.client_body import ClientBody
from sidecar.native.errors import Refused
from sidecar.native.json.filter_path import filtered
from sidecar.native.json.layout import laid_out, on_one_line
from sidecar.native.json.spans import NotJson, read
from sidecar.native.raw_target import read_parameters, without_parameters
from sidecar.native.request import NativeRequest
from sidecar.native.targets import expression_parts
from sidecar.native.writes.grammar import OddBody, read_actions
from sidecar.native.writes.named_targets import named_targets
from sidecar.native.writes.tokens import token_starts
from sidecar.searching.filters import build_filter
from tests.attacks.native_face import Face
from tests.attacks.targets.filters import TYPES

LONGEST = 60_000
"""Bytes of a text: what takes time by its square takes minutes, what takes time by its length a tenth of a second."""
LONGEST_OF_PATHS = 4_000
"""Of what stands in a request line, which has at most 4,096 bytes."""
MOST_SECONDS = 4.0
_ANSWER = b'{"a":{"ab":{"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa":{"a":[{"a":{"a":{"a":1}}}]}}}}'
_FACE = Face()


def _spans(text: bytes) -> None:
    with suppress(NotJson):
        read(text)
        on_one_line(text)
        laid_out(text)


def _actions(text: bytes) -> None:
    named_targets(text)
    with suppress(OddBody):
        read_actions(text)


def _filter_string(text: bytes) -> None:
    with suppress(InvalidArgument):
        build_filter(text.decode("utf-8", "replace"), TYPES)


def _pointer(text: bytes) -> None:
    string = text.decode("utf-8", "replace")
    is_pointer(string)
    has_suffix(string, frozenset({".wav"}))
    shortened(string)


def _filter_path(text: bytes) -> None:
    filtered(_ANSWER, text[:LONGEST_OF_PATHS].decode("latin-1"))


def _target(text: bytes) -> None:
    target = "/?" + text.decode("latin-1")
    read_parameters(target)
    without_parameters(target, {"a"})


def _packed(text: bytes) -> None:
    headers = [("content-type", "application/json"), ("content-encoding", "gzip")]
    stream = ClientBody(BytesIO(text), len(text))
    with suppress(Refused):
        read_body(NativeRequest("POST", "/i/_search", headers, stream, len(text)))


def _words(text: bytes) -> None:
    string = text.decode("utf-8", "replace")
    for tokenizer in ("standard", "letter", "whitespace"):
        token_starts(string, tokenizer)
    split_text(string, TextPreprocessing())


def _search(text: bytes) -> None:
    assert _FACE.ask("POST", "/i/_search", text).status < 500


def _searches(text: bytes) -> None:
    assert _FACE.ask("POST", "/_msearch", text).status < 500


def _bulk(text: bytes) -> None:
    assert _FACE.ask("POST", "/i/_bulk", text).status < 500


def _expression(text: bytes) -> None:
    expression_parts(text.decode("latin-1"))


READERS: tuple[Callable[[bytes], None], ...] = (
    _spans,
    _actions,
    _filter_string,
    _pointer,
    _filter_path,
    _target,
    _packed,
    _words,
    _search,
    _searches,
    _bulk,
    _expression,
)


def _seed(reader: Callable[[bytes], None], before: bytes, piece: bytes, behind: bytes) -> bytes:
    return bytes([READERS.index(reader), len(before), len(piece)]) + before + piece + behind


_NEURAL = b'{"neural":{"body":{"query_text":"x"}}},'
SEEDS = [
    _seed(_spans, b"{", b" ", b"x"),
    _seed(_spans, b"", b"/**/", b"x"),
    _seed(_spans, b"", b"// \n", b"x"),
    _seed(_spans, b'{"a":"', b'\\"', b"x"),
    _seed(_spans, b"[1", b",1", b",{}]"),
    _seed(_spans, b"", b"[", b"]"),
    _seed(_spans, b"{", b'"a":{"b":[1,2]},', b"x"),
    _seed(_actions, b"", b'{"index":{}}\n{"a":1}\n', b"x"),
    _seed(_actions, b"", b"/**/", b"x\n"),
    _seed(_filter_string, b"color:", b"(", b"a"),
    _seed(_filter_string, b"", b"color:a -n:1 ", b""),
    _seed(_filter_string, b"color:/", b"(a?){9}", b"/"),
    _seed(_filter_string, b'color:"', b'\\"', b""),
    _seed(_pointer, b"/9j/" + b"A" * 48, b"\n", b"!"),
    _seed(_pointer, b"http://a", b".a", b"/ x"),
    _seed(_pointer, b"data:image/png", b";a=b", b";base64,x y"),
    _seed(_filter_path, b"", b"**.", b"x"),
    _seed(_filter_path, b"", b"*a", b"b"),
    _seed(_filter_path, b"", b"**.a,", b"-**.x"),
    _seed(_target, b"", b"a=b&", b""),
    _seed(_packed, b"", gzip.compress(b"", mtime=0), b""),
    _seed(_words, b"", b"a.", b""),
    _seed(_words, b"", "a\u0300\u0301'b_1,2 ".encode(), b""),
    _seed(_search, b'{"query":{"bool":{"should":[', _NEURAL, b'{"match_all":{}}]}}}'),
    _seed(_search, b'{"query":{"neural":{"body":{"query_text":"x"}}},"a":', b'{"a":', b"1}"),
    _seed(_searches, b"", b'{}\n{"query":' + _NEURAL[:-1] + b"}\n", b""),
    _seed(_searches, b'{"index":"', b"a,", b'"}\n{"query":' + _NEURAL[:-1] + b"}\n"),
    _seed(_bulk, b"", b'{"index":{}}\n{"body":"x"}\n', b""),
    _seed(_bulk, b'{"index":{}}\n{"body":"x","a":', b"[", b"]}\n"),
    _seed(_expression, b"", b"<{a,", b""),
]


def check(data: bytes) -> None:
    """Read one text."""
    if len(data) < 4:
        return
    reader = READERS[data[0] % len(READERS)]
    before, rest = data[3 : 3 + data[1]], data[3 + data[1] :]
    piece, behind = rest[: data[2]], rest[data[2] :]
    if not piece:
        return
    text = before + piece * (LONGEST // len(piece)) + behind
    began = time.process_time()
    reader(text)
    taken = time.process_time() - began
    assert taken < MOST_SECONDS, f"{reader.__name__} takes {taken:.1f} s: {before!r} {piece!r} * n {behind!r}"
