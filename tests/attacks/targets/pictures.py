"""Files that should be images: an RGB image within the limit, or the one error; no more memory than an image needs."""

from __future__ import annotations

import io
from typing import Any

from PIL import Image

from sidecar.embedding.media.decoding import decode_image
from sidecar.embedding.media.unreadable import Unreadable
from tests.attacks.memory import most_memory_bytes

MAX_PIXELS = 1_000_000
MOST_GROWTH_BYTES = 100 * MAX_PIXELS
"""Of the process for one file: 32-bit grey, which is scaled by 64-bit numbers, takes a third of that."""


def _saved(image: Image.Image, format: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    image.save(stream, format, **options)
    return stream.getvalue()


def _seeds() -> list[bytes]:
    grey = Image.radial_gradient("L").resize((24, 16))
    colour = Image.merge("RGB", (grey, grey.rotate(90), grey.rotate(180)))
    seeds = [_saved(colour, format) for format in ("PNG", "JPEG", "GIF", "WebP", "TIFF", "BMP")]
    seeds += [
        _saved(grey.convert(mode), "TIFF") for mode in ("1", "P", "LA", "RGBA", "CMYK", "YCbCr", "I", "F", "I;16")
    ]
    compressions = ("tiff_lzw", "tiff_deflate", "packbits", "jpeg", "group4")
    seeds += [_saved(grey.convert("1" if one == "group4" else "L"), "TIFF", compression=one) for one in compressions]
    seeds.append(_saved(grey, "TIFF", compression="tiff_deflate", tiffinfo={322: 16, 323: 16}))
    seeds.append(_saved(colour, "JPEG", progressive=True, quality=20))
    seeds.append(_saved(colour.convert("CMYK"), "JPEG"))
    seeds.append(_saved(colour, "PNG", exif=_upside_down(), icc_profile=b"x" * 200))
    seeds.append(_saved(grey.convert("P"), "PNG", transparency=b"\x00\xff"))
    seeds.append(_saved(colour, "WebP", lossless=True))
    seeds.append(_saved(colour.convert("RGBA"), "WebP", save_all=True, append_images=[colour.convert("RGBA")]))
    seeds.append(_saved(grey.convert("P"), "GIF", save_all=True, append_images=[grey.convert("P")], comment=b"c"))
    seeds.append(_run_length_bitmap(24, 16))
    return seeds


def _upside_down() -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = 3
    return exif


def _run_length_bitmap(width: int, height: int) -> bytes:
    """A BMP of runs, which Pillow reads and does not write."""
    rows = b"\x18\x01\x00\x00" * (height - 2) + b"\x00\x02\x01\x01" + b"\x00\x03\x01\x02\x03\x00" + b"\x00\x01"
    palette = b"".join(bytes([value, value, value, 0]) for value in range(256))
    offset = 54 + len(palette)
    head = b"BM" + (offset + len(rows)).to_bytes(4, "little") + bytes(4) + offset.to_bytes(4, "little")
    sizes = (40).to_bytes(4, "little") + width.to_bytes(4, "little") + height.to_bytes(4, "little")
    kind = b"\x01\x00\x08\x00" + (1).to_bytes(4, "little") + len(rows).to_bytes(4, "little")
    return head + sizes + kind + bytes(8) + (256).to_bytes(4, "little") + bytes(4) + palette + rows


SEEDS = _seeds()


def check(data: bytes) -> None:
    """Decode one file."""
    before = most_memory_bytes()
    try:
        found = decode_image(data, max_pixels=MAX_PIXELS, needed=8)
    except Unreadable as error:
        assert str(error)
    else:
        assert found.image.mode == "RGB"
        assert found.image.width * found.image.height <= MAX_PIXELS
        assert found.width * found.height <= MAX_PIXELS
    growth = most_memory_bytes() - before
    assert growth < MOST_GROWTH_BYTES, f"{len(data)} bytes took {growth:,} bytes of memory"
