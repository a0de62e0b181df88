import io
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from sidecar.embedding.loader import ImageLoader
from sidecar.embedding.media import decoding
from sidecar.embedding.media.decoding import decode_image
from sidecar.embedding.media.unreadable import Unreadable
from tests.attacks.bombs import bmp_of_empty_rows, tiff_of_one_tile

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)
MAX_PIXELS = 10_000_000
UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}
"""EXIF orientation -> how a camera lays down an upright picture (its own inverse, but for the quarter turns)."""


def saved(image: Image.Image, format: str = "PNG", **options: Any) -> bytes:
    stream = io.BytesIO()
    image.save(stream, format, **options)
    return stream.getvalue()


def decoded(content: bytes, needed: int | None = None) -> Image.Image:
    return decode_image(content, max_pixels=MAX_PIXELS, needed=needed).image


def difference(one: Image.Image, other: Image.Image) -> float:
    """The mean difference of two images' values, of 255."""
    assert (one.mode, one.size) == (other.mode, other.size)
    return float(np.abs(np.asarray(one, np.int16) - np.asarray(other, np.int16)).mean())


def refusal(content: bytes, max_pixels: int = MAX_PIXELS) -> str:
    with pytest.raises(Unreadable) as refused:
        decode_image(content, max_pixels=max_pixels, needed=224)
    return str(refused.value)


def png(width: int, height: int, *, depth: int = 8, colour: int = 2, rows: bytes = b"") -> bytes:
    """A PNG file put together by hand, as Pillow would not write it."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


@pytest.fixture(scope="module")
def photo(photos_folder: Path) -> Image.Image:
    return Image.open(photos_folder / "cat.jpg").convert("RGB").resize((160, 96))


@pytest.mark.parametrize(
    ("format", "tolerance"), [("PNG", 0), ("BMP", 0), ("TIFF", 0), ("JPEG", 8), ("WebP", 8), ("GIF", 12)]
)
def test_decode_image_reads_each_format(photo: Image.Image, format: str, tolerance: float) -> None:
    result = decode_image(saved(photo, format), max_pixels=MAX_PIXELS, needed=None)
    assert difference(result.image, photo) <= tolerance
    assert (result.width, result.height) == photo.size


@pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "RGBA", "CMYK", "YCbCr"])
def test_decode_image_makes_rgb_of_each_mode(photo: Image.Image, mode: str) -> None:
    source = photo.convert(mode)
    assert difference(decoded(saved(source, "TIFF")), source.convert("RGB")) == 0


@pytest.mark.parametrize(
    ("dtype", "low", "high"), [("float32", -0.5, 1.0), ("float32", 0.0, 1e9), ("int32", -7, 10**6)]
)
def test_decode_image_stretches_32_bit_grey_from_black_to_white(dtype: str, low: float, high: float) -> None:
    values = np.linspace(low, high, 256).reshape(16, 16).astype(dtype)
    result = np.asarray(decoded(saved(Image.fromarray(values), "TIFF")))[:, :, 0].ravel()
    assert (result[0], result[-1]) == (0, 255)
    assert np.abs(result.astype(int) - np.arange(256)).max() <= 1
    flat = Image.fromarray(np.full((4, 4), low, dtype))
    assert decoded(saved(flat, "TIFF")).getpixel((0, 0)) == (0, 0, 0)


@pytest.mark.parametrize(("format", "byte_order"), [("PNG", "<"), ("TIFF", "<"), ("TIFF", ">")])
def test_decode_image_scales_16_bit_grey_to_8_bits(format: str, byte_order: str) -> None:
    values = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    image = Image.frombytes(
        "I;16" if byte_order == "<" else "I;16B", (256, 256), values.astype(byte_order + "u2").tobytes()
    )
    result = np.asarray(decoded(saved(image, format)))
    np.testing.assert_array_equal(result[:, :, 0], (values >> 8).astype(np.uint8))
    np.testing.assert_array_equal(result[:, :, 0], result[:, :, 2])


def test_decode_image_scales_16_bit_colour_to_8_bits() -> None:
    rows = b"".join(b"\0" + struct.pack(">6H", 0xFF00, 0x8000, 0x0100, 0, 0xFFFF, 0x7FFF) for _ in range(2))
    result = np.asarray(decoded(png(2, 2, depth=16, rows=rows)))
    assert result[1].tolist() == [[0xFF, 0x80, 0x01], [0, 0xFF, 0x7F]]


def test_decode_image_lays_what_is_transparent_on_white() -> None:
    half = Image.new("RGBA", (2, 1), (255, 0, 0, 0))
    half.putpixel((1, 0), (0, 0, 0, 128))
    palette = Image.new("P", (2, 1))
    palette.putpalette([*RED, *GREEN])
    palette.putpixel((1, 0), 1)
    grey = Image.new("LA", (2, 1), (0, 0))
    sixteen = Image.fromarray(np.array([[0, 512]], np.uint16))
    pixels = {
        "alpha": decoded(saved(half)),
        "webp": decoded(saved(half, "WebP", lossless=True, exact=True)),
        "palette": decoded(saved(palette, transparency=0)),
        "palette of alphas": decoded(saved(palette, transparency=b"\x00\xff")),
        "gif": decoded(saved(palette, "GIF", transparency=0)),
        "grey": decoded(saved(grey)),
        "colour key": decoded(saved(Image.new("RGB", (2, 1), RED), transparency=RED)),
        "16-bit key": decoded(saved(sixteen, transparency=0)),
    }
    assert {name: image.getpixel((0, 0)) for name, image in pixels.items()} == dict.fromkeys(pixels, WHITE)
    assert pixels["alpha"].getpixel((1, 0)) == (127, 127, 127)
    assert pixels["palette"].getpixel((1, 0)) == GREEN
    assert pixels["16-bit key"].getpixel((1, 0)) == (2, 2, 2)


def test_decode_image_reads_cmyk_with_and_without_adobes_inversion(photo: Image.Image) -> None:
    content = saved(photo.convert("CMYK"), "JPEG", quality=95)
    assert b"Adobe" in content
    assert difference(decoded(content), photo) < 8
    # The same file without the mark: the values then mean the opposite, as in Pillow.
    unmarked = bytearray(content)
    position = unmarked.index(b"\xff\xee")
    del unmarked[position : position + 2 + int.from_bytes(unmarked[position + 2 : position + 4], "big")]
    with Image.open(io.BytesIO(bytes(unmarked))) as plain:
        assert difference(decoded(bytes(unmarked)), plain.convert("RGB")) == 0


def test_decode_image_takes_the_first_picture_of_several() -> None:
    pictures = [Image.new("RGB", (8, 8), colour) for colour in (RED, GREEN, BLUE)]
    for format in ("GIF", "WebP", "TIFF", "PNG"):
        content = saved(pictures[0], format, save_all=True, append_images=pictures[1:])
        assert difference(decoded(content), pictures[0]) < 1


@pytest.mark.parametrize("orientation", list(UPRIGHT))
@pytest.mark.parametrize("format", ["JPEG", "PNG", "WebP", "TIFF"])
def test_decode_image_turns_a_picture_upright(photo: Image.Image, format: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = saved(photo.transpose(UPRIGHT[orientation]), format, exif=exif, quality=95)
    result = decode_image(content, max_pixels=MAX_PIXELS, needed=None)
    assert difference(result.image, photo) < 8
    assert (result.width, result.height) == photo.size
    draft = decode_image(content, max_pixels=MAX_PIXELS, needed=20)
    assert (draft.width, draft.height) == photo.size
    assert (draft.image.width > draft.image.height) == (photo.width > photo.height)


def test_decode_image_ignores_a_damaged_exif_block(photo: Image.Image) -> None:
    for exif in (b"Exif\0\0nonsense", b"Exif\0\0II*\0\xff\xff\xff\x7f", b"Exif\0\0MM\0*\0\0\0\x08\xff\xff"):
        assert difference(decoded(saved(photo, "JPEG", exif=exif, quality=95)), photo) < 8


@pytest.mark.parametrize("content", [b"", b"<html>not found</html>", b"%PDF-1.7", b"BM" + bytes(60), b"RIFF____WAVE"])
def test_decode_image_tells_what_is_no_image(content: bytes) -> None:
    assert "it is not an image" in refusal(content)


@pytest.mark.parametrize("format", ["PNG", "JPEG", "GIF", "WebP", "TIFF", "BMP"])
@pytest.mark.parametrize("part", [0.05, 0.5, 0.9])
def test_decode_image_refuses_a_file_that_is_cut_off(photo: Image.Image, format: str, part: float) -> None:
    content = saved(photo, format)
    assert "damaged or cut off" in refusal(content[: int(len(content) * part)])


def test_decode_image_refuses_a_bomb_before_it_decodes_it() -> None:
    assert refusal(png(50_000, 50_000)) == (
        "the image has 50000 x 50000 pixels; the limit is 10,000,000. Make it smaller"
    )
    assert "the limit is 99" in refusal(saved(Image.new("RGB", (10, 10))), max_pixels=99)
    assert decode_image(saved(Image.new("RGB", (10, 10))), max_pixels=100, needed=None).image.size == (10, 10)


def test_decode_image_has_no_limit_of_pixels_but_its_own() -> None:
    # More than Pillow's global allows; the rows are not there, which is the next thing to be told.
    assert "cut off" in refusal(png(20_000, 20_000), max_pixels=500_000_000)


def test_decode_image_refuses_an_image_without_pixels() -> None:
    assert refusal(png(0, 5))
    assert refusal(png(5, 0))


def test_decode_image_refuses_a_jpeg_of_endless_scans(photo: Image.Image) -> None:
    content = saved(photo, "JPEG", progressive=True)
    assert decoded(content).size == photo.size
    scan = content[content.rindex(b"\xff\xda") : -2]
    assert "scans" in refusal(content[:-2] + scan * 600 + b"\xff\xd9")
    with pytest.MonkeyPatch.context() as changed:
        changed.setattr(decoding, "MAX_SCANNED_PIXELS", 10 * photo.width * photo.height)
        assert decoded(content).size == photo.size
        assert "too many" in refusal(content[:-2] + scan * 5 + b"\xff\xd9")


def test_decode_image_refuses_a_tile_that_is_larger_than_an_image_may_be() -> None:
    content = tiff_of_one_tile(1200, 900)
    assert refusal(content, max_pixels=1_000_000).startswith("the image has a tile of 1200 x 900 pixels")
    assert decoded(content).size == (1, 1)


def test_decode_image_refuses_a_bmp_of_runs_that_takes_long() -> None:
    assert "is of runs and has 10000 x 1001 pixels" in refusal(bmp_of_empty_rows(10_000, 1001), max_pixels=10**8)
    assert decoded(bmp_of_empty_rows(100, 50)).size == (100, 50)


@given(st.sampled_from(["PNG", "JPEG", "GIF", "WebP", "TIFF", "BMP"]), st.data())
@settings(max_examples=150, deadline=None)
def test_decode_image_never_raises_anything_else(format: str, data: st.DataObject) -> None:
    content = bytearray(saved(Image.radial_gradient("L").resize((24, 16)).convert("RGB"), format))
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        assert decoded(bytes(content), needed=8).mode == "RGB"
    except Unreadable as error:
        assert str(error)


def large_photos(folder: Path) -> list[bytes]:
    """The photographs as a camera has them: JPEG of 1920x1280."""
    paths = sorted(folder.glob("*.jpg"))[:8]
    return [saved(Image.open(path).convert("RGB").resize((1920, 1280)), "JPEG", quality=90) for path in paths]


def test_decode_image_makes_no_draft_smaller_than_twice_what_is_needed() -> None:
    content = saved(Image.new("RGB", (1920, 1280)), "JPEG")
    for needed, width in {224: 960, 320: 960, 321: 1920, 160: 480, 336: 1920, 80: 240, 10: 240, None: 1920}.items():
        result = decode_image(content, max_pixels=MAX_PIXELS, needed=needed)
        assert (result.image.width, result.width, result.height) == (width, 1920, 1280)


def test_drafts_look_like_the_exact_image_at_the_models_size(photos_folder: Path) -> None:
    for content in large_photos(photos_folder)[:4]:
        exact, draft = (decoded(content, needed).resize((336, 224), Image.Resampling.BICUBIC) for needed in (None, 224))
        assert difference(exact, draft) < 1.0


def test_drafts_have_the_embeddings_of_the_exact_image(tiny_clip: ImageLoader, photos_folder: Path) -> None:
    contents = large_photos(photos_folder)
    needed = max(tiny_clip.image_size)
    exact, draft = (unit(tiny_clip.encode_image([decoded(one, n) for one in contents])) for n in (None, needed))
    assert (exact * draft).sum(axis=1).min() >= 0.999


def unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)
