"""Comma- and tab-separated values."""

from __future__ import annotations

import csv
import io
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.errors import InvalidArgument
from tests.ingest.sources.reading import check_every_place, documents, part, records

# NUL can't be read by the csv module of Python 3.10.
CELLS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8) | st.sampled_from(
    ["", "a,b", "tab\there", 'a "quote"', "two\nlines", "two\r\nlines", "é", ";"]
)


@given(
    st.lists(st.lists(CELLS, min_size=2, max_size=2), max_size=8),
    st.sampled_from([(".csv", ","), (".tsv", "\t")]),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    st.sampled_from(["", "\ufeff"]),
)
def test_every_row_comes_back_from_any_place(
    rows: list[list[str]], kind: tuple[str, str], line_end: str, quoting: int, mark: str
) -> None:
    suffix, delimiter = kind
    # Older writers leave a carriage return without quotes, which makes it a line's end.
    quoting = csv.QUOTE_ALL if any("\r" in cell for row in rows for cell in row) else quoting
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator=line_end, quoting=quoting)  # type: ignore[arg-type]
    writer.writerows([["title", "text"], *rows])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "rows" + suffix)
        path.write_bytes((mark + text.getvalue()).encode())
        found = check_every_place(part(path))
    assert [record.row for record in found] == list(range(len(rows)))
    expected = [{name: cell for name, cell in zip(("title", "text"), row, strict=True) if cell} for row in rows]
    assert [record.document for record in found] == expected


def written(folder: Path, content: str | bytes, name: str = "rows.csv") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_missing_columns_are_absent_and_too_many_are_told(tmp_path: Path) -> None:
    path = written(tmp_path, "a,b,c\n1\n1,2,3,4\n\n5,,6\n")
    found = check_every_place(part(path))
    assert [(record.row, record.document, record.error) for record in found] == [
        (0, {"a": "1"}, None),
        (1, None, "4 columns; the header names 3"),
        (3, {"a": "5", "c": "6"}, None),
    ]
    assert found[1].raw == "1,2,3,4"


def test_a_row_in_another_encoding_fails_alone(tmp_path: Path) -> None:
    path = written(tmp_path, b"a,b\n1,caf\xe9\n2,good\n")
    broken, good = records(path)
    assert "not utf-8: byte 0xe9" in str(broken.error)
    assert (broken.raw, good.document) == ("1,caf\ufffd", {"a": "2", "b": "good"})


@pytest.mark.parametrize(("encoding", "is_offset"), [("cp1252", True), ("utf-16", False)])
def test_other_encodings_are_read_where_they_are_named(tmp_path: Path, encoding: str, is_offset: bool) -> None:
    path = written(tmp_path, "Größe;Name\r\n12;Österreich\r\n".encode(encoding))
    [record] = check_every_place(part(path, encoding=encoding))
    assert record.document == {"Größe": "12", "Name": "Österreich"}
    assert (record.resume is not None) == is_offset


def test_a_quote_that_is_left_open_is_told(tmp_path: Path) -> None:
    first, broken = records(written(tmp_path, 'a,b\n1,2\n3,"open\n'))
    assert first.document == {"a": "1", "b": "2"}
    assert "unexpected end of data" in str(broken.error)


def test_a_badly_quoted_row_fails_alone(tmp_path: Path) -> None:
    broken, good = check_every_place(part(written(tmp_path, 'a,b\n"x"y,1\n2,3\n')))
    assert "not delimited as it should be" in str(broken.error)
    assert good.document == {"a": "2", "b": "3"}


def test_texts_over_the_limit_of_the_csv_module_are_read(tmp_path: Path) -> None:
    text = "long text " * 500_000
    assert documents(written(tmp_path, f"a,b\n1,{text}\n")) == [{"a": "1", "b": text}]


def test_columns_without_a_name_are_named_by_their_number(tmp_path: Path) -> None:
    assert documents(written(tmp_path, ",title \n7,x\n")) == [{"column_1": "7", "title": "x"}]


@pytest.mark.parametrize("content", ["a,a\n1,2\n", b"a,\xff\n1,2\n", 'a,"b\n'])
def test_a_header_that_cannot_be_read_is_told(tmp_path: Path, content: str | bytes) -> None:
    with pytest.raises(InvalidArgument, match=r"The header of .*rows\.csv can't be read"):
        records(written(tmp_path, content))


@pytest.mark.parametrize("content", ["", "a,b\n", "a,b"])
def test_a_file_without_rows_has_none(tmp_path: Path, content: str) -> None:
    assert records(written(tmp_path, content)) == []
