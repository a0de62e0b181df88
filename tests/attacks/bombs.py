"""Small files that unpack to gigabytes, or take minutes, in decoders that believe them.

``python -m tests.attacks.bombs NAME`` decodes one in a process of its own and tells what that took.
"""

from __future__ import annotations

import io
import json
import struct
import sys
import time
import zlib
from collections.abc import Callable
from pathlib import Path

from PIL import Image

from sidecar.embedding.media.decoding import decode_image
from sidecar.embedding.media.unreadable import Unreadable
from tests.attacks.memory import most_memory_bytes

MAX_PIXELS = 100_000_000
"""The default of ``SIDECAR_MEDIA_MAX_PIXELS``."""


def png_of_zeros(width: int = 60_000, height: int = 60_000) -> bytes:
    """Rows of zeros."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return _png([(b"IHDR", head), (b"IDAT", zlib.compress(bytes(10_000_000), 9))])


def png_of_comments() -> bytes:
    """A thousand packed texts of a megabyte each."""
    text = b"Comment\0\0" + zlib.compress(bytes(1024 * 1024 - 1), 9)
    return _png([(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)), *[(b"zTXt", text)] * 1000])


def png_of_a_profile() -> bytes:
    """A colour profile of a gigabyte."""
    packer = zlib.compressobj(9)
    packed = b"".join(packer.compress(bytes(1024 * 1024)) for _ in range(1024)) + packer.flush()
    head = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    return _png([(b"IHDR", head), (b"iCCP", b"x\0\0" + packed), (b"IDAT", zlib.compress(bytes(4)))])


def gif_of_a_wide_screen() -> bytes:
    """A screen of 4 gigapixels around a picture of one."""
    content = bytearray(_saved(Image.new("P", (1, 1)), "GIF"))
    content[6:10] = b"\xff\xff\xff\xff"
    return bytes(content)


def gif_of_a_wide_frame() -> bytes:
    """A picture of 4 gigapixels on a screen of one."""
    content = bytearray(_saved(Image.new("P", (1, 1)), "GIF"))
    place = content.index(b",\0\0\0\0\x01\0\x01\0") + 5
    content[place : place + 4] = b"\xff\xff\xff\xff"
    return bytes(content)


def webp_of_16383() -> bytes:
    """The largest there is, of one colour."""
    return _saved(Image.new("RGB", (16_383, 16_383)), "WebP", lossless=True, method=0)


def tiff_of_one_tile(width: int = 44_000, height: int = 44_000) -> bytes:
    """One pixel, in a tile of 2 gigabytes."""
    packer = zlib.compressobj(1)
    packed = b"".join(packer.compress(bytes(width)) for _ in range(height)) + packer.flush()
    tile = ((322, width), (323, height), (324, 8), (325, len(packed)))
    entries = [*_SMALL, (258, 8), (259, 8), (262, 1), (277, 1), *tile]
    return _tiff(packed, entries)


def tiff_of_one_strip() -> bytes:
    """One pixel, in a strip of a gigabyte."""
    packer = zlib.compressobj(1)
    packed = b"".join(packer.compress(bytes(1024 * 1024)) for _ in range(1024)) + packer.flush()
    strip = ((273, 8), (278, 0xFFFF), (279, len(packed)))
    return _tiff(packed, [*_SMALL, (258, 8), (259, 8), (262, 1), (277, 1), *strip])


def tiff_of_floats(size: int = 10_000) -> bytes:
    """32-bit grey, as large as is allowed, of one value."""
    return _saved(Image.new("F", (size, size)), "TIFF", compression="tiff_deflate")


def tiff_of_a_long_tag() -> bytes:
    """A tag that says it has 4 gigabytes."""
    content = bytearray(_tiff(b"\0", [*_SMALL, (258, 8), (259, 1), (262, 1), (273, 8), (279, 1), (700, 8)]))
    struct.pack_into("<HII", content, len(content) - 4 - 10, 1, 0xFFFFFFFF, 8)
    return bytes(content)


def bmp_of_one_step() -> bytes:
    """Runs on a row of 100 megapixels: one step goes 255 rows up."""
    return _bmp_of_runs(MAX_PIXELS, 1, b"\x00\x02\xff\xff" * 1000)


def bmp_of_empty_rows(width: int = 10_000, height: int = 10_000) -> bytes:
    """Ends of rows, each of which is filled up."""
    return _bmp_of_runs(width, height, b"\x01\x00\x00\x00" * height)


def jpeg_of_65500() -> bytes:
    """The largest there is."""
    content = bytearray(_saved(Image.new("RGB", (16, 16)), "JPEG"))
    place = content.index(b"\xff\xc0") + 5
    content[place : place + 4] = struct.pack(">HH", 65_500, 65_500)
    return bytes(content)


def jpeg_of_scans(size: int = 10_000) -> bytes:
    """As many scans as are allowed over as many pixels as are allowed."""
    content = _saved(Image.new("L", (size, size)), "JPEG", progressive=True)
    scan = content[content.rindex(b"\xff\xda") : -2]
    return content[:-2] + scan * (490 - content.count(b"\xff\xda")) + b"\xff\xd9"


_SMALL = ((256, 1), (257, 1))
BOMBS: tuple[Callable[[], bytes], ...] = (
    png_of_zeros,
    png_of_comments,
    png_of_a_profile,
    gif_of_a_wide_screen,
    gif_of_a_wide_frame,
    webp_of_16383,
    tiff_of_one_tile,
    tiff_of_one_strip,
    tiff_of_floats,
    tiff_of_a_long_tag,
    bmp_of_one_step,
    bmp_of_empty_rows,
    jpeg_of_65500,
    jpeg_of_scans,
)


def _png(chunks: list[tuple[bytes, bytes]]) -> bytes:
    made = [
        struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        for kind, content in [*chunks, (b"IEND", b"")]
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(made)


def _tiff(content: bytes, entries: list[tuple[int, int]]) -> bytes:
    """A TIFF of one picture whose content stands at byte 8; each entry is a number of 32 bits."""
    fields = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in sorted(entries))
    start = 8 + len(content) + len(content) % 2
    head = b"II*\0" + struct.pack("<I", start) + content + bytes(len(content) % 2)
    return head + struct.pack("<H", len(entries)) + fields + bytes(4)


def _bmp_of_runs(width: int, height: int, runs: bytes) -> bytes:
    palette = bytes(1024)
    offset = 54 + len(palette)
    head = b"BM" + struct.pack("<IHHI", offset + len(runs), 0, 0, offset)
    information = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 8, 1, len(runs), 0, 0, 256, 0)
    return head + information + palette + runs


def _saved(image: Image.Image, format: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, format, **options)
    return stream.getvalue()


def main() -> None:
    """Decode the file whose path is given."""
    content = Path(sys.argv[1]).read_bytes()
    before, began = most_memory_bytes(), time.process_time()
    try:
        found = decode_image(content, max_pixels=MAX_PIXELS, needed=224)
        outcome = f"{found.width} x {found.height}"
    except Unreadable as error:
        outcome = str(error)
    taken = {"bytes": most_memory_bytes() - before, "seconds": time.process_time() - began, "outcome": outcome}
    print(json.dumps(taken))


if __name__ == "__main__":
    main()
