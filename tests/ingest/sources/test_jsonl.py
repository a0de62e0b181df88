"""JSON objects, one a line."""

from __future__ import annotations

import json
import os
import tempfile
import threading
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.errors import InvalidArgument
from sidecar.ingest.sources import byte_lines
from sidecar.ingest.sources.options import Format
from tests.ingest.sources.reading import check_every_place, documents, part, records

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=5,
)
OBJECTS = st.dictionaries(TEXTS, VALUES, max_size=4)
BROKEN = st.sampled_from([b"{", b"[1]", b"7", b'{"a": "\xff"}', b"not json", b'{"a": NaN}'])
ROWS = st.lists(OBJECTS | BROKEN | st.sampled_from([b"", b"  ", b"\r"]), max_size=8)


def encoded(row: dict[str, Any] | bytes, *, is_ascii: bool) -> bytes:
    return row if isinstance(row, bytes) else json.dumps(row, ensure_ascii=is_ascii).encode()


@given(ROWS, st.booleans(), st.booleans(), st.sampled_from([b"\n", b"\r\n"]), st.sampled_from([b"", b"\xef\xbb\xbf"]))
def test_every_row_comes_back_from_any_place(
    rows: list[Any], is_ascii: bool, ends: bool, line_end: bytes, mark: bytes
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "rows.jsonl")
        lines = [encoded(row, is_ascii=is_ascii) for row in rows]
        path.write_bytes(mark + line_end.join(lines) + (line_end if ends else b""))
        found = check_every_place(part(path))
    whole = {number: row for number, row in enumerate(rows) if isinstance(row, dict)}
    assert {record.row: record.document for record in found if record.document is not None} == whole
    broken = {number for number, row in enumerate(rows) if isinstance(row, bytes) and row.strip()}
    assert {record.row for record in found if record.error is not None} == broken


def test_offsets_lead_behind_each_line(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b'{"a":1}\n\n{"a":2}\r\n{"a":3}')
    found = records(path)
    assert [(record.row, record.resume, record.size_bytes) for record in found] == [(0, 8, 8), (2, 18, 9), (3, 25, 7)]


@pytest.mark.parametrize(
    ("line", "error", "raw"),
    [
        (b'{"title": "cut', "not JSON: unexpected end", '{"title": "cut'),
        (b'{"title": "\xe9t\xe9"}', "not utf-8: byte 0xe9 at 11", '{"title": "\ufffdt\ufffd"}'),
        (b"[1, 2]", "not a JSON object", "[1, 2]"),
        (b"null", "not a JSON object", "null"),
        (b'"' + b"x" * 3000, "not JSON", '"' + "x" * 999 + "…"),
    ],
)
def test_a_row_that_cannot_be_read_says_why(tmp_path: Path, line: bytes, error: str, raw: str) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(line + b'\n{"title": "good"}\n')
    broken, good = records(path)
    assert (broken.row, broken.document, broken.raw) == (0, None, raw)
    assert error in str(broken.error)
    assert (good.row, good.document) == (1, {"title": "good"})


def test_lines_of_several_megabytes_are_read(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    texts = ["a" * 6_000_000, "short", "b" * 5_000_000]
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    assert [document["text"] for document in documents(path)] == texts


def test_a_line_over_the_limit_is_told_and_reading_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(byte_lines.byte_lines, "__kwdefaults__", {"offset": 0, "longest": 1_000_000})
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps({"text": "a" * 2_000_000}) + '\n{"text":"short"}\n')
    broken, good = check_every_place(part(path))
    assert "longer than" in str(broken.error)
    assert good.document == {"text": "short"}


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "shift_jis", "utf-16", "utf-16-le", "utf-32", "utf-8-sig"])
def test_other_encodings_are_read_where_they_are_named(tmp_path: Path, encoding: str) -> None:
    text = "テスト" if encoding == "shift_jis" else "Ende gut, alles gut: äöü"
    path = tmp_path / "rows.jsonl"
    path.write_bytes("".join(f'{{"text": "{text}", "n": {n}}}\n' for n in range(5)).encode(encoding))
    found = check_every_place(part(path, encoding=encoding))
    assert [record.document for record in found] == [{"text": text, "n": n} for n in range(5)]


def test_text_that_is_not_of_a_wide_encoding_ends_the_reading_with_its_name(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes('{"a": 1}\n'.encode("utf-16-le") + b"\x00\xd8\x00\xd8\x00\xd8")
    with pytest.raises(InvalidArgument, match=r"rows\.jsonl can't be read on: it is not utf-16-le"):
        records(path, encoding="utf-16-le")


@pytest.mark.parametrize("encoding", ["klingon", "base64"])
def test_unknown_encodings_are_refused(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b"{}")
    with pytest.raises(InvalidArgument, match=rf"'{encoding}' is no encoding of text"):
        part(path, encoding=encoding)


@pytest.mark.parametrize("content", ['[\n {"a": 1}\n]', '[{"a": 1}]', '{\n "a": 1\n}'])
def test_one_json_value_in_a_file_is_told_as_such(tmp_path: Path, content: str) -> None:
    path = tmp_path / "rows.json"
    path.write_text(content)
    with pytest.raises(InvalidArgument, match=r"rows\.json is one JSON value, not one object a line.*jq"):
        records(path)


def test_json_with_an_object_a_line_is_read(tmp_path: Path) -> None:
    path = tmp_path / "rows.json"
    path.write_text('{"a": 1}\n{"a": 2}\n')
    assert documents(path) == [{"a": 1}, {"a": 2}]


def test_an_empty_file_has_no_rows(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b"")
    assert records(path) == []
    assert part(path).count() is None


def test_a_pipe_is_read_once_and_by_counting(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_text, args=('{"a": 1}\n{"a": 2}\n',))
    writer.start()
    found = records(path, Format.JSONL)
    writer.join()
    assert [(record.document, record.resume) for record in found] == [({"a": 1}, None), ({"a": 2}, None)]


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(f'{{"text": "{"long " * 4000}"}}\n' * 1000)
    tracemalloc.start()
    try:
        assert sum(1 for _ in part(path).records()) == 1000
        assert tracemalloc.get_traced_memory()[1] < 2_000_000  # of 20,000,000 bytes
    finally:
        tracemalloc.stop()
