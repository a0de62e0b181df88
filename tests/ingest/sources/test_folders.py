"""Folders whose files are documents: images and texts."""

from __future__ import annotations

import json
import logging
import os
import shutil
from pathlib import Path

import pytest

from sidecar.errors import InvalidArgument
from sidecar.ingest.sources.options import Format
from tests.ingest.sources.reading import check_every_place, documents, part, records

PHOTOS = Path(__file__).parents[2] / "data" / "photos"


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """A folder of three images, one below."""
    folder = tmp_path / "photos"
    (folder / "b").mkdir(parents=True)
    photo = next(path for path in sorted(PHOTOS.iterdir()) if path.suffix in {".jpg", ".png"})
    for name in ("c.jpg", "a.PNG", "b/d.jpg"):
        shutil.copy(photo, folder / name)
    return folder


def test_images_are_documents_by_their_paths(images: Path) -> None:
    found = check_every_place(part(images))
    assert [(record.row, record.document_id, record.document) for record in found] == [
        (row, name, {"image": str(images / name), "name": Path(name).name})
        for row, name in enumerate(["a.PNG", "b/d.jpg", "c.jpg"])
    ]
    assert part(images).count() == 3
    assert part(images).size_bytes == sum(record.size_bytes for record in found)


def test_images_get_the_captions_of_a_table_beside_them(images: Path, caplog: pytest.LogCaptureFixture) -> None:
    (images / "captions.csv").write_text("file_name,text\nb/d.jpg,a dog\nc.jpg,\ngone.jpg,nothing\n")
    with caplog.at_level(logging.WARNING):
        found = documents(images, captions="captions.csv")
    assert [document.get("text") for document in found] == [None, "a dog", None]
    assert "captions of 1 files that are not in" in caplog.text
    assert "gone.jpg" in caplog.text


def test_captions_may_lie_elsewhere_and_name_images_without_their_folder(images: Path, tmp_path: Path) -> None:
    table = tmp_path / "captions.jsonl"
    table.write_text('{"image": "d.jpg", "text": "a dog", "tags": ["dog"]}\n')
    found = documents(images, captions=str(table))
    assert found[1] == {"image": str(images / "b/d.jpg"), "name": "d.jpg", "text": "a dog", "tags": ["dog"]}


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("c.csv", "file,text\nc.jpg,one\nc.jpg,two\n", r"Row 1 of .*c\.csv names c\.jpg again.*one row of each"),
        ("c.csv", "picture,text\nc.jpg,one\n", r"Row 0 of .*c\.csv names no image: .*file_name or filename"),
        ("c.jsonl", '{"file": "c.jpg"}\n{"file": 7}\n', r"Row 1 of .*c\.jsonl names no image: .* in file\."),
        ("c.jsonl", "broken\n", r"Row 0 of .*c\.jsonl can't be read: not JSON"),
        ("c.parquet", "", r"Captions must be CSV, TSV or JSONL"),
    ],
)
def test_captions_that_cannot_be_used_are_told(images: Path, name: str, content: str, told: str) -> None:
    (images / name).write_text(content)
    with pytest.raises(InvalidArgument, match=told):
        part(images, captions=name)


def test_captions_that_are_not_there_are_told(images: Path) -> None:
    with pytest.raises(InvalidArgument, match=r"There is no .*missing\.csv"):
        part(images, captions="missing.csv")


def test_an_image_or_a_caption_that_changes_is_noticed(images: Path) -> None:
    (images / "captions.csv").write_text("file,text\nc.jpg,one\n")
    seen = {part(images, captions="captions.csv").fingerprint}
    (images / "captions.csv").write_text("file,text\nc.jpg,another\n")
    seen.add(part(images, captions="captions.csv").fingerprint)
    (images / "b/d.jpg").write_bytes(b"other")
    seen.add(part(images, captions="captions.csv").fingerprint)
    (images / "b/d.jpg").unlink()
    seen.add(part(images, captions="captions.csv").fingerprint)
    assert len(seen) == 4


def test_texts_are_documents_with_their_first_heading(tmp_path: Path) -> None:
    contents = {
        "a.md": "Some words.\n\n```sh\n# no heading\n```\n\n## The heading ##\n\n# Another\n",
        "b/no-heading.md": "Words only, #hashtag.\n",
        "c.txt": "# in a text this is no heading",
    }
    for name, content in contents.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content)
    found = check_every_place(part(tmp_path))
    assert [record.document for record in found] == [
        {"title": title, "text": contents[name], "path": name}
        for name, title in [("a.md", "The heading"), ("b/no-heading.md", "no-heading"), ("c.txt", "c")]
    ]
    assert [record.document_id for record in found] == list(contents)


def test_a_text_in_another_encoding_fails_alone(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes("café".encode("latin-1"))
    (tmp_path / "b.txt").write_bytes("\ufeffcafé".encode())
    broken, good = records(tmp_path)
    assert "not utf-8: byte 0xe9 at 3. Name its encoding" in str(broken.error)
    assert good.document == {"title": "b", "text": "café", "path": "b.txt"}
    assert documents(tmp_path / "a.txt", encoding="latin-1")[0]["text"] == "café"


def test_a_file_whose_name_is_no_text_fails_alone(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"caf\xe9.txt")).write_text("words")
    (tmp_path / "good.txt").write_text("words")
    broken, good = records(tmp_path, Format.TEXT)
    assert "its name is not UTF-8" in str(broken.error)
    json.dumps([broken.error, broken.raw, broken.document_id]).encode()
    assert good.document_id == "good.txt"
