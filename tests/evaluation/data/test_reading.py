"""Collections as they are read, and what is said of those that can't be."""

from __future__ import annotations

import csv
import gzip
import io
import json
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.errors import InvalidArgument
from sidecar.evaluation.data.collection import Kind
from sidecar.evaluation.data.corpus import joined, read_corpus
from sidecar.evaluation.data.rows import read_rows
from tests.evaluation.collections import TOPICS, read_collection, write_beir, write_lines

TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\r\0"), max_size=20)


def test_a_beir_folder_is_read_whole(tmp_path: Path) -> None:
    collection = read_collection(write_beir(tmp_path / "notes"))
    assert (collection.facts.name, collection.facts.documents, collection.facts.queries) == ("notes", 30, 7)
    assert collection.facts.judgements == 30
    assert collection.documents[0].content == "Notes 0 Chapter 0 is on rivers. It has 0 pages."
    assert collection.judgements.queries["q0"] == f"what is known of {TOPICS[0]}"
    assert "unjudged" not in collection.judgements.queries
    assert collection.judgements.grades["q0"]["d0"] == 2


def test_a_packed_corpus_is_the_same_collection(tmp_path: Path) -> None:
    plain, packed = write_beir(tmp_path / "a"), write_beir(tmp_path / "b")
    corpus = packed / "corpus.jsonl"
    (packed / "corpus.jsonl.gz").write_bytes(gzip.compress(corpus.read_bytes()))
    corpus.unlink()
    assert read_collection(packed).facts.fingerprint == read_collection(plain).facts.fingerprint


@pytest.mark.parametrize("file", ["corpus.jsonl", "queries.jsonl", "qrels/test.tsv"])
def test_the_fingerprint_changes_with_every_file(tmp_path: Path, file: str) -> None:
    folder = write_beir(tmp_path)
    before = read_collection(folder).facts.fingerprint
    path = folder / file
    changes = {
        "corpus.jsonl": ("pages", "sheets"),
        "queries.jsonl": ("known", "told"),
        "qrels/test.tsv": ("\t2", "\t3"),
    }
    path.write_text(path.read_text().replace(*changes[file]))
    assert read_collection(folder).facts.fingerprint != before


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"title": "A", "text": "b"}, "A b"),
        ({"title": "", "text": "b"}, "b"),
        ({"title": "A", "text": ""}, "A"),
        ({"title": "", "text": ""}, ""),
        ({"text": "b"}, "b"),
        ({"title": None, "text": ["b", "c"]}, "b c"),
    ],
)
def test_a_document_is_its_title_and_its_text(values: dict[str, object], text: str) -> None:
    assert joined(values, ("title", "text")) == text


def test_other_fields_can_be_named(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "c.jsonl", [{"id": 7, "name": "Elbe", "length": 1094, "text": "no"}])
    (document,) = read_corpus(path, ("name", "length"))
    assert (document.document_id, document.content) == ("7", "Elbe 1094")


def test_a_table_of_pairs_numbers_its_queries(tmp_path: Path) -> None:
    corpus = write_lines(tmp_path / "c.jsonl", [{"_id": name, "text": name} for name in "abc"])
    pairs = tmp_path / "pairs.csv"
    pairs.write_text('query,id,score\n"one, two",a,2\nthree,b,1\n"one, two",c,1\n')
    collection = read_collection(pairs, corpus=corpus)
    assert collection.judgements.queries == {"1": "one, two", "2": "three"}
    assert collection.judgements.grades == {"1": {"a": 2, "c": 1}, "2": {"b": 1}}
    pairs.write_text("query,id\nthree,b\n")
    assert read_collection(pairs, corpus=corpus).judgements.grades == {"1": {"b": 1}}


def test_judgements_of_unknown_documents_are_counted(tmp_path: Path) -> None:
    folder = write_beir(tmp_path)
    with (folder / "qrels" / "test.tsv").open("a") as file:
        file.write("q0\telsewhere\t1\n")
    assert read_collection(folder).unknown_documents == 1


def test_captions_are_queries_for_their_pictures(photos_folder: Path) -> None:
    collection = read_collection(photos_folder, captions=Path("captions.jsonl"))
    assert collection.kind is Kind.IMAGE
    assert (collection.facts.documents, collection.facts.queries) == (30, 30)
    (query_id,) = [one for one, text in collection.judgements.queries.items() if "astronaut" in text]
    assert collection.judgements.grades[query_id] == {"astronaut.jpg": 1}
    by_id = {document.document_id: document.content for document in collection.documents}
    assert Path(by_id["astronaut.jpg"]) == photos_folder.resolve() / "astronaut.jpg"


def _broken(folder: Path, file: str, old: str, new: str) -> None:
    path = folder / file
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new, 1))


@pytest.mark.parametrize(
    ("file", "old", "new", "told"),
    [
        ("corpus.jsonl", '{"_id": "d1"', '{"_id": "d1', "corpus.jsonl, line 2 is not JSON"),
        ("corpus.jsonl", '"d1"', '"d0"', "corpus.jsonl, line 2: the document 'd0' was there before"),
        ("corpus.jsonl", '"_id"', '"key"', "corpus.jsonl, line 1: there is no column _id or id or document_id; there"),
        ("corpus.jsonl", '{"_id": "d0"', '["d0"]\n{"_id": "d0"', "corpus.jsonl, line 1 must be an object"),
        ("queries.jsonl", '"q1"', '"q0"', "queries.jsonl, line 2: the query 'q0' was there before"),
        ("queries.jsonl", '"what is known of rivers"', '" "', "queries.jsonl, line 1: text is empty"),
        ("qrels/test.tsv", "q1\td1\t1", "q9\td1\t1", "test.tsv, line 3: the query 'q9' is not in"),
        ("qrels/test.tsv", "q1\td1\t1", "q1\td1", "test.tsv, line 3 has 2 columns; the first line names 3"),
        ("qrels/test.tsv", "q1\td1\t1", "q1\td1\t1.5", "test.tsv, line 3: score must be a whole number, not '1.5'"),
        ("qrels/test.tsv", "q1\td1\t1", "q0\td0\t1", "test.tsv, line 3: the document 'd0' was judged for this query"),
        ("qrels/test.tsv", "query-id", "topic", "test.tsv, line 2: there is no column query-id or query_id; there are"),
    ],
)
def test_what_is_broken_is_told_with_file_and_line(tmp_path: Path, file: str, old: str, new: str, told: str) -> None:
    folder = write_beir(tmp_path)
    _broken(folder, file, old, new)
    with pytest.raises(InvalidArgument) as caught:
        read_collection(folder)
    assert told in caught.value.message


def _without(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).unlink()


@pytest.mark.parametrize(
    ("spoil", "wish", "told"),
    [
        (_without("qrels/test.tsv"), {}, "has not the layout of BEIR"),
        (lambda folder: None, {"split": "dev"}, "there are: test (--split)"),
        (_without("corpus.jsonl"), {}, "There is no file"),
        (lambda folder: None, {"index": "books"}, "goes with a table of queries and ids"),
        (lambda folder: None, {"captions": Path("captions.csv")}, "There is no picture in"),
    ],
)
def test_what_is_missing_is_told(
    tmp_path: Path, spoil: Callable[[Path], None], wish: dict[str, object], told: str
) -> None:
    folder = write_beir(tmp_path)
    spoil(folder)
    with pytest.raises(InvalidArgument) as caught:
        read_collection(folder, **wish)
    assert told in caught.value.message


def test_pairs_need_exactly_one_place_of_documents(tmp_path: Path) -> None:
    pairs = tmp_path / "pairs.csv"
    pairs.write_text("query,id\na,b\n")
    for wish in ({}, {"corpus": pairs, "index": "books"}):
        with pytest.raises(InvalidArgument, match="by --corpus FILE or --index NAME"):
            read_collection(pairs, **wish)


def test_judgements_of_another_collection_are_refused(tmp_path: Path) -> None:
    corpus = write_lines(tmp_path / "c.jsonl", [{"_id": "a", "text": "b"}])
    pairs = tmp_path / "pairs.csv"
    pairs.write_text("query,id\nx,elsewhere\n")
    with pytest.raises(InvalidArgument, match="are they of the same collection"):
        read_collection(pairs, corpus=corpus)


@given(st.lists(st.fixed_dictionaries({"query": TEXTS, "id": TEXTS}), max_size=5))
def test_rows_of_csv_and_jsonl_come_back_as_they_were_written(rows: list[dict[str, str]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        lines = Path(folder) / "rows.jsonl"
        lines.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        table = io.StringIO(newline="")
        writer = csv.DictWriter(table, ["query", "id"], lineterminator="\n", quoting=csv.QUOTE_ALL)
        writer.writeheader()
        writer.writerows(rows)
        tables = Path(folder) / "rows.csv"
        tables.write_text(table.getvalue(), encoding="utf-8", newline="")
        assert [row.values for row in read_rows(lines)] == rows
        assert [row.values for row in read_rows(tables)] == rows


def test_a_line_is_told_behind_fields_of_several_lines(tmp_path: Path) -> None:
    pairs = tmp_path / "pairs.csv"
    pairs.write_text('query,id\n"a\nb",1\nc\n')
    with pytest.raises(InvalidArgument, match="line 4 has 1 columns"):
        list(read_rows(pairs))
