"""Which files a location names, what they are, and what is told where that can't be."""

from __future__ import annotations

import os
import pickle
import sys
from pathlib import Path

import pytest

from sidecar.errors import InvalidArgument
from sidecar.ingest.sources.formats import FORMATS, format_of
from sidecar.ingest.sources.locations import shown_location
from sidecar.ingest.sources.options import Format, SourceOptions
from sidecar.ingest.sources.registry import open_source
from tests.ingest.sources.reading import documents, part, parts


def write(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f'{{"name": "{name}"}}\n')


def names(location: Path | str, format: Format | None = None) -> list[str]:
    return [part.name for part in parts(location, format)]


@pytest.mark.parametrize(
    ("name", "format"),
    [
        ("a.jsonl", Format.JSONL),
        ("A.NDJSON.GZ", Format.JSONL),
        ("a.json.zst", Format.JSONL),
        ("a.b.csv", Format.CSV),
        ("folder.csv/a.tsv.xz", Format.TSV),
        ("a.parquet", Format.PARQUET),
        ("a.feather", Format.ARROW),
        ("a.jpeg", Format.IMAGES),
        ("readme.md", Format.TEXT),
        ("a.parquet.gz", None),
        ("a.gz", None),
        ("csv", None),
        ("", None),
    ],
)
def test_the_name_tells_the_format(name: str, format: Format | None) -> None:
    assert format_of(name) is format


def test_every_format_has_a_reader() -> None:
    assert set(FORMATS) == set(Format) - {Format.INDEX}


def test_a_folder_is_read_below_and_in_order_without_what_is_hidden(tmp_path: Path) -> None:
    write(tmp_path, "b.jsonl", "a/z.jsonl", "a.jsonl.bak", "_SUCCESS", ".hidden.jsonl", "_tmp/c.jsonl", "notes.pdf")
    assert names(tmp_path) == ["a/z.jsonl", "b.jsonl"]
    assert documents(tmp_path / "a") == [{"name": "a/z.jsonl"}]


def test_a_pattern_names_files_by_their_paths_below_its_folder(tmp_path: Path) -> None:
    write(tmp_path, "x/1.jsonl", "x/2.jsonl", "y/1.jsonl", "y/1.csv")
    assert names(f"{tmp_path}/*/1.jsonl") == ["x/1.jsonl", "y/1.jsonl"]
    assert names(f"{tmp_path}/**/[2]*.jsonl") == ["x/2.jsonl"]
    assert names(f"{tmp_path}/x/*") == ["1.jsonl", "2.jsonl"]


def test_a_file_whose_name_looks_like_a_pattern_is_that_file(tmp_path: Path) -> None:
    write(tmp_path, "a[1].jsonl", "a1.jsonl")
    assert documents(tmp_path / "a[1].jsonl") == [{"name": "a[1].jsonl"}]


def test_a_file_may_be_named_by_its_url(tmp_path: Path) -> None:
    write(tmp_path, "a.jsonl")
    assert documents(f"file://{tmp_path}/a.jsonl") == [{"name": "a.jsonl"}]


def test_part_names_stay_when_the_source_is_moved(tmp_path: Path) -> None:
    write(tmp_path, "old/x/1.jsonl", "old/2.jsonl")
    before = names(tmp_path / "old")
    (tmp_path / "old").rename(tmp_path / "new")
    assert names(tmp_path / "new") == before


def test_a_part_that_changes_has_another_fingerprint(tmp_path: Path) -> None:
    write(tmp_path, "a.jsonl")
    before = part(tmp_path / "a.jsonl").fingerprint
    assert part(tmp_path / "a.jsonl").fingerprint == before
    os.utime(tmp_path / "a.jsonl", ns=(0, 7))
    assert part(tmp_path / "a.jsonl").fingerprint != before


def test_a_part_can_be_sent_to_another_process(tmp_path: Path) -> None:
    write(tmp_path, "a.jsonl", "a.csv")
    for name in ("a.jsonl", "a.csv"):
        sent = pickle.loads(pickle.dumps(part(tmp_path / name)))
        assert list(sent.records()) == list(part(tmp_path / name).records())


@pytest.mark.parametrize(
    ("location", "format", "told"),
    [
        ("missing.jsonl", None, r"There is no .*missing\.jsonl\. Give a file, a folder or a pattern"),
        ("no-*.jsonl", None, r"There is no file in .*no-\*\.jsonl"),
        ("empty", None, r"There is no file in .*empty"),
        ("mixed", None, r"mixed has files of several formats: 2 of csv, 1 of jsonl\. Say which: --format"),
        ("mixed", Format.PARQUET, r"There is no file of the format parquet in .*mixed"),
        ("a.unknown", None, r"The format of .*a\.unknown can't be told by its name.*\.jsonl.*--format"),
        ("a.unknown", Format.INDEX, r"is no index: name one as opensearch\+https://"),
        ("-", None, r"Say what comes in on the standard input: --format jsonl, csv, tsv"),
        ("-", Format.PARQUET, r"Say what comes in on the standard input"),
    ],
)
def test_a_location_that_cannot_be_read_is_told_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, location: str, format: Format | None, told: str
) -> None:
    write(tmp_path, "mixed/a.csv", "mixed/b.csv", "mixed/c.jsonl", "a.unknown", "empty/.hidden")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InvalidArgument, match=told):
        for part in parts(location, format):
            list(part.records())


def test_the_format_that_is_given_picks_its_files(tmp_path: Path) -> None:
    write(tmp_path, "mixed/a.csv", "mixed/c.jsonl", "plain/part-0000", "plain/part-0001")
    assert names(tmp_path / "mixed", Format.JSONL) == ["c.jsonl"]
    assert names(tmp_path / "plain", Format.JSONL) == ["part-0000", "part-0001"]


def test_a_file_that_vanished_is_told(tmp_path: Path) -> None:
    write(tmp_path, "a.jsonl")
    found = part(tmp_path / "a.jsonl")
    (tmp_path / "a.jsonl").unlink()
    with pytest.raises(InvalidArgument, match=r"There is no .*a\.jsonl"):
        list(found.records())


def test_names_that_no_job_can_remember_are_refused(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"caf\xe9.jsonl")).write_text("{}")
    with pytest.raises(InvalidArgument, match=r"'caf\\udce9\.jsonl' in .* is not UTF-8\. Rename"):
        parts(tmp_path)


@pytest.mark.parametrize(
    ("library", "location", "extra"),
    [
        ("pyarrow.parquet", "a.parquet", "ingest"),
        ("pyarrow", "a.arrow", "ingest"),
        ("zstandard", "a.jsonl.zst", "ingest"),
        ("fsspec", "https://example.org/a.jsonl", "ingest"),
        ("s3fs", "s3://bucket/a.jsonl", "s3"),
    ],
)
def test_a_missing_library_is_told_with_what_installs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, library: str, location: str, extra: str
) -> None:
    write(tmp_path, "a.parquet", "a.arrow", "a.jsonl.zst")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, library, None)
    told = rf"without {library.partition('.')[0]}: pip install 'vector-sidecar\[{extra}\]'"
    with pytest.raises(InvalidArgument, match=told):
        documents(location)


@pytest.mark.parametrize(
    ("location", "shown"),
    [
        ("data/*.jsonl", "data/*.jsonl"),
        ("https://user:secret@host/a.jsonl", "https://host/a.jsonl"),
        ("https://host/a.jsonl?version=7", "https://host/a.jsonl?version=7"),
        ("https://host/a.jsonl?version=7&X-Amz-Signature=secret", "https://host/a.jsonl"),
        ("elasticsearch+https://user:p%40ss@host:9200/index", "elasticsearch+https://host:9200/index"),
        ("s3://bucket/a.jsonl", "s3://bucket/a.jsonl"),
    ],
)
def test_a_location_is_shown_without_its_secrets(location: str, shown: str) -> None:
    assert shown_location(location) == shown


def test_a_sources_location_is_that_of_the_user_made_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, "a.jsonl")
    monkeypatch.chdir(tmp_path)
    assert open_source(SourceOptions("a.jsonl")).location == str(tmp_path / "a.jsonl")
