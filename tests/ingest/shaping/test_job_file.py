"""Loads described in YAML."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from sidecar.errors import InvalidArgument
from sidecar.ingest.loading.plan import Existing
from sidecar.ingest.shaping.job_file import JobFile, merged, read_job_file
from sidecar.ingest.shaping.job_schema import known_keys, known_source_keys
from sidecar.ingest.shaping.shape import DocumentShape
from sidecar.ingest.sources.options import Format, SourceOptions

WHOLE = """
source:
  location: s3://bucket/notes/*.csv
  format: csv
  captions: captions.csv
  encoding: cp1252
  storage: {anon: true, endpoint_url: http://localhost:9000}
index: notes
model: random/small
settings: {normalize_embeddings: false}
id_field: sku
tensor_fields: [title, text]
image_fields: [photo]
rename: {body: text}
set: {lang: en, year: 2024}
types: {pages: int}
keep: [title]
drop: [internal]
precomputed: {embedding: title}
existing: only-new
batch_documents: 100
streams: 2
"""


def read(folder: Path, text: str) -> JobFile:
    path = folder / "job.yaml"
    path.write_text(text)
    return read_job_file(path)


def test_every_key_is_read(tmp_path: Path) -> None:
    job = read(tmp_path, WHOLE)
    assert None not in [getattr(job, field.name) for field in dataclasses.fields(JobFile)]
    assert job.source() == SourceOptions(
        "s3://bucket/notes/*.csv",
        Format.CSV,
        "captions.csv",
        "cp1252",
        {"anon": "true", "endpoint_url": "http://localhost:9000"},
    )
    assert job.shape() == DocumentShape(
        "sku",
        ("title", "text"),
        ("photo",),
        {"body": "text"},
        {"lang": "en", "year": 2024},
        {"pages": "int"},
        ("title",),
        ("internal",),
        {"embedding": "title"},
    )
    assert (job.index, job.model, job.settings) == ("notes", "random/small", {"normalize_embeddings": False})
    assert (job.existing, job.batch_documents, job.streams) == (Existing.ONLY_NEW, 100, 2)


def test_the_keys_of_the_file_are_those_of_the_job() -> None:
    assert {*known_source_keys(), *known_keys()} - {"source"} == {field.name for field in dataclasses.fields(JobFile)}


def test_a_source_may_be_its_location_and_vectors_a_list(tmp_path: Path) -> None:
    job = read(tmp_path, "source: notes.jsonl\nprecomputed: [embedding]\n")
    assert job.source() == SourceOptions("notes.jsonl")
    assert job.shape() == DocumentShape(precomputed={"embedding": None})


def test_the_command_line_holds_where_it_says_something(tmp_path: Path) -> None:
    job = read(tmp_path, "source: {location: a.jsonl, encoding: cp1252}\nindex: a\ntensor_fields: [title]\n")
    both = merged(job, JobFile(location="b.jsonl", tensor_fields=("text",)))
    assert both.source() == SourceOptions("b.jsonl", encoding="cp1252")
    assert (both.index, both.tensor_fields) == ("a", ("text",))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("index: a\nfields: [b]\n", r"line 2, key 'fields': there is no such key; known are source, index"),
        ("source:\n  location: a\n  keys: b\n", r"line 3, key 'source\.keys': .*known are location, format"),
        ("index: a\nrename:\n  a: b\n  c: 7\n", r"line 4, key 'rename\.c': .*must be a text"),
        ("tensor_fields: [a, 7]\n", r"line 1, key 'tensor_fields\.1': .*must be a text"),
        ("tensor_fields: title\n", r"line 1, key 'tensor_fields': .*must be a list"),
        ("streams: 0\n", r"line 1, key 'streams': .*greater than 0"),
        ("streams: '4'\n", r"line 1, key 'streams': .*must be a whole number"),
        ("\nexisting: maybe\n", r"line 2, key 'existing': .*'resume', 'replace' or 'only-new'"),
        ("source: {format: xls, location: a}\n", r"line 1, key 'source\.format': .*'jsonl'"),
        ("source: {format: csv}\n", r"line 1, key 'source\.location': .*must be given"),
        ("- a\n", r"must be a mapping"),
        ("", r"must be a mapping"),
        ("index: [\n", r"can't be read: .*line 2"),
        ("index: \x00\n", r"can't be read"),
    ],
)
def test_a_faulty_file_is_told_with_line_and_key(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(InvalidArgument, match=rf"(?s)job\.yaml.*{told}"):
        read(tmp_path, text)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(InvalidArgument, match=r"The job file .*missing\.yaml can't be read"):
        read_job_file(tmp_path / "missing.yaml")


def test_a_job_without_a_source_says_where_to_name_one() -> None:
    with pytest.raises(InvalidArgument, match="No source is given"):
        JobFile().source()
