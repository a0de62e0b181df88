"""Files that are unpacked while they are read."""

from __future__ import annotations

import bz2
import gzip
import lzma
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard

from sidecar.errors import InvalidArgument
from sidecar.ingest.sources.options import Format
from tests.ingest.sources.reading import check_every_place, documents, part, records

LINES = [b'{"n": %d}\n' % n for n in range(50)]
ROWS = [{"n": n} for n in range(50)]
PACK: dict[str, Callable[[bytes], bytes]] = {
    "gz": gzip.compress,
    "zst": zstandard.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
}


@pytest.mark.parametrize("suffix", PACK)
def test_several_packed_streams_in_a_file_are_one(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"rows.jsonl.{suffix}"
    path.write_bytes(b"".join(PACK[suffix](b"".join(LINES[begin : begin + 10])) for begin in range(0, 50, 10)))
    found = check_every_place(part(path))
    assert [record.document for record in found] == ROWS
    assert {record.resume for record in found} == {None}


@pytest.mark.parametrize("suffix", PACK)
def test_a_file_that_was_cut_off_is_not_taken_for_a_whole_one(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"rows.csv.{suffix}"
    packed = PACK[suffix](b"n,text\n" + b"".join(b"%d,%x\n" % (n, hash(str(n)) & 0xFFFFFF) for n in range(20_000)))
    path.write_bytes(packed[: len(packed) * 2 // 3])
    with pytest.raises(InvalidArgument, match=rf"rows\.csv\.{suffix} can't be read on: "):
        records(path)


@pytest.mark.parametrize("suffix", PACK)
def test_what_is_not_packed_as_its_name_says_is_told(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"rows.jsonl.{suffix}"
    path.write_bytes(b"".join(LINES))
    with pytest.raises(InvalidArgument, match=rf"rows\.jsonl\.{suffix} can't be read on: "):
        records(path)


def test_zstd_with_a_long_window_is_read(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl.zst"
    parameters = zstandard.ZstdCompressionParameters.from_level(3, window_log=28, enable_ldm=True)
    path.write_bytes(zstandard.ZstdCompressor(compression_params=parameters).compress(b"".join(LINES)))
    assert documents(path) == ROWS


def test_an_empty_zstd_file_has_no_rows(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl.zst"
    path.write_bytes(zstandard.compress(b""))
    assert records(path) == []


def test_the_format_may_be_given_where_the_name_tells_only_how_it_is_packed(tmp_path: Path) -> None:
    path = tmp_path / "dump.gz"
    path.write_bytes(gzip.compress(b"".join(LINES)))
    assert documents(path, Format.JSONL) == ROWS
