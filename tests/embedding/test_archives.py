"""Archives that are made to fill a disk or a memory, or to hold what is no file."""

from __future__ import annotations

import io
import lzma
import os
import tarfile
import zipfile
from pathlib import Path

import pytest

from sidecar.embedding import archives
from sidecar.embedding.archives import MAX_HEADER_BYTES, BadArchive, is_archive, unpack


def tar_of(*members: tarfile.TarInfo, format: int = tarfile.PAX_FORMAT) -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w", format=format) as archive:
        for member in members:
            archive.addfile(member, io.BytesIO(bytes(member.size)))
    return content.getvalue()


def member(name: str, kind: bytes = tarfile.REGTYPE, size: int = 0, link: str = "") -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type, made.size, made.linkname = kind, size, link
    return made


def refusal(content: bytes, folder: Path) -> str:
    (folder / "archive").write_bytes(content)
    with pytest.raises(BadArchive) as refused:
        unpack(folder / "archive", folder / "files")
    return str(refused.value)


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, b"Z"]
)
def test_what_is_no_file_is_refused(kind: bytes, tmp_path: Path) -> None:
    content = tar_of(member("a"), member("b", kind, link="a"))
    assert "has a link or a special file, 'b'" in refusal(content, tmp_path)


@pytest.mark.parametrize("name", ["../b", "a/../../b", "/b", "..\\b", "C:\\b", "\\\\host\\b"])
def test_path_that_leads_out_is_refused(name: str, tmp_path: Path) -> None:
    assert "outside its folder" in refusal(tar_of(member(name)), tmp_path)
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr(name, b"x")
    assert "outside its folder" in refusal(content.getvalue(), tmp_path)
    assert not list(tmp_path.rglob("b"))


def test_link_in_a_zip_is_refused_also_one_that_a_later_file_would_follow(tmp_path: Path) -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        link = zipfile.ZipInfo("up")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "..")
        archive.writestr("up/evil", b"x")
    assert "has a link, 'up'" in refusal(content.getvalue(), tmp_path)
    assert not list(tmp_path.rglob("evil"))


@pytest.mark.parametrize("kind", [tarfile.REGTYPE, tarfile.DIRTYPE])
def test_too_many_members_are_refused(kind: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MAX_MEMBERS", 20)
    assert "more than 20 files and folders" in refusal(tar_of(*(member(str(n), kind) for n in range(21))), tmp_path)
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for number in range(21):
            archive.writestr(f"{number}/" if kind == tarfile.DIRTYPE else str(number), b"")
    assert "more than 20 files and folders" in refusal(content.getvalue(), tmp_path)


def test_small_archive_whose_header_would_fill_the_memory_is_refused(tmp_path: Path) -> None:
    # A comment of 3 MB on a file, a thousandth of that when packed; the library reads it whole.
    noted = member("weights.bin")
    noted.pax_headers = {"comment": "x" * 3_000_000}
    content = lzma.compress(tar_of(noted), preset=1)
    assert len(content) < 10_000
    (tmp_path / "archive").write_bytes(content)
    assert not is_archive(tmp_path / "archive")
    behind = lzma.compress(tar_of(member("first"), noted), preset=1)
    assert f"over {MAX_HEADER_BYTES:,} bytes stand before a file" in refusal(behind, tmp_path)


@pytest.mark.parametrize("name", ["x" * 300, "folder/" * 30 + "x"])
@pytest.mark.parametrize("format", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
def test_long_names_are_unpacked(name: str, format: int, tmp_path: Path) -> None:
    if len(name.rpartition("/")[2]) > 255:
        name = f"{name[:150]}/{name[150:]}"
    (tmp_path / "archive").write_bytes(tar_of(member(name, size=3), format=format))
    unpack(tmp_path / "archive", tmp_path / "files")
    assert (tmp_path / "files" / name).read_bytes() == bytes(3)


def test_sparse_file_counts_with_all_its_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MIN_ALLOWED_BYTES", 1000)
    # GNU's old form: one block of data, and a gigabyte said to be there.
    head = bytearray(member("weights.bin", size=512).tobuf(tarfile.GNU_FORMAT))
    head[156:157] = tarfile.GNUTYPE_SPARSE
    head[386:410] = b"%011o\0%011o\0" % (0, 512)
    head[483:495] = b"%011o\0" % 1_000_000_000
    head[148:156] = b"        "
    head[148:156] = b"%06o\0 " % sum(head)
    assert "more bytes than any model" in refusal(bytes(head) + bytes(512 + 1024), tmp_path)


def test_file_that_is_no_archive_is_told_from_one(tmp_path: Path) -> None:
    for content in (b"", b"text", b"\x1f\x8b not gzip", b"BZh not bzip2", b"\xfd7zXZ\0 not xz", os.urandom(2000)):
        (tmp_path / "file").write_bytes(content)
        assert not is_archive(tmp_path / "file")
