import base64
import io
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from sidecar.embedding.media.pointers import (
    SHOWN_CHARACTERS,
    data_uri_type,
    has_suffix,
    is_base64_image,
    is_pointer,
    is_web_url,
    shortened,
)


def encoded(format: str) -> str:
    stream = io.BytesIO()
    Image.new("RGB", (9, 9)).save(stream, format)
    return base64.b64encode(stream.getvalue()).decode()


@pytest.mark.parametrize(
    "text",
    [
        "cat.jpg",
        "/data/my cat.JPEG",
        "x.png",
        "x.bmp",
        "x.webp",
        "x.gif",
        "x.tif",
        "x.TIFF",
        "https://example.com",
        "HTTPS://example.com/a/b?c=d#e",
        "http://localhost/x",
        "http://localhost:8080",
        "http://10.1.2.3/x",
        "http://[::1]:80/x",
        "http://user:secret@example.com/x",
        "http://bücher.example/x",
        "http://example.com./",
        "http://intranet/x.jpg",
        "file:///data/x",
        "file://localhost/data/x.png",
        "data:image/png;base64,iVBORw0KGgo=",
        "data:image/svg+xml;charset=utf-8;base64,PHN2Zz4=",
        "DATA:audio/wav;base64,UklGRg==",
    ],
)
def test_is_pointer_holds_for_paths_urls_and_data_uris(text: str) -> None:
    assert is_pointer(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "see https://example.com/x for more",
        "http://not a url",
        "https://example.com/x is down",
        "http://",
        "http:///x",
        "http://nodots",
        "http://a..b/",
        "http://-a.example/",
        "http://1.2",
        "http://256.1.1.1/",
        "http://[1.2.3.4]/",
        "http://example.com:99999/",
        "http://example.com:x/",
        "http:example.com",
        "ftp://example.com/x",
        "mailto:a@example.com",
        "file:x",
        "file://",
        "e.g.this",
        "data: all of it",
        "data:text/plain;base64,aGk=",
        "data:image/png;base64, is how such a URI begins",
        "data:image/svg+xml,<svg/>",
        "x.jpg.txt",
        "The dog.",
        "a" * 5000 + ".jpg",
        "nul\0.jpg",
        "/9j/notes",
        "Qk " * 40,
        "Qk" + "A" * 100,
    ],
)
def test_is_pointer_leaves_text_alone(text: str) -> None:
    assert not is_pointer(text)


@pytest.mark.parametrize("format", ["PNG", "JPEG", "GIF", "BMP", "WebP", "TIFF"])
def test_is_pointer_knows_the_base64_text_of_an_image(format: str) -> None:
    assert is_pointer(encoded(format))
    assert is_base64_image("\r\n".join([encoded(format)[:32], encoded(format)[32:]]))
    assert not is_base64_image(encoded(format) + " and more")


def test_is_pointer_takes_the_endings_of_a_plug_in() -> None:
    assert is_pointer("/data/x.WAV", frozenset({".wav"}))
    assert not is_pointer("/data/x.WAV")


def test_has_suffix_looks_at_the_name_and_not_at_what_follows_it() -> None:
    wav = frozenset({".wav"})
    assert has_suffix("https://example.com/x.wav?token=1#t", wav)
    assert has_suffix("/data/x.WAV", wav)
    assert has_suffix("data:audio/x-wav;base64,UklGRg==", wav)
    assert not has_suffix("https://example.com/x?name=x.wav", wav)
    assert not has_suffix("data:image/png;base64,UklGRg==", wav)
    assert not has_suffix("/data/x.wav", frozenset())


def test_shortened_shows_neither_contents_nor_passwords() -> None:
    assert shortened("data:image/png;base64," + "A" * 5000) == "data:image/png;base64,… (5022 characters)"
    assert len(shortened(encoded("PNG"))) < 60
    assert shortened(f"{encoded('PNG')[:6]}\n{encoded('PNG')[6:]}").isprintable()
    assert shortened("https://me:secret@example.com/x") == "https://example.com/x"
    assert shortened("https://example.com/x\n\x1b[31m") == "https://example.com/x��[31m"
    assert shortened("https://example.com/x") == "https://example.com/x"
    assert shortened("data:image/png;a=\x1b[31m;base64,AA") == "data:image/png;a=\ufffd[31m;base64,… (32 characters)"


@given(st.text() | st.text(alphabet="htps:/.[]@0123456789a data;base64,", max_size=60))
def test_is_pointer_and_its_parts_never_raise(text: str) -> None:
    is_pointer(text)
    has_suffix(text, frozenset({".wav"}))
    assert len(shortened(text)) <= SHOWN_CHARACTERS + 40


@given(st.text(), st.sampled_from(list(" \t\n\r\u3000\x0b")), st.text())
def test_a_text_with_white_space_is_never_a_url(before: str, space: str, after: str) -> None:
    assert not is_web_url(f"http://example.com/{before}{space}{after}")
    assert not is_web_url(f"{before}{space}{after}")


@given(st.binary(max_size=200), st.sampled_from(["/9j/", "iVBORw0KGg", "Qk", "UklGR", "SUkq", ""]))
def test_base64_of_anything_is_told_without_raising(content: bytes, start: str) -> None:
    is_base64_image(start + base64.b64encode(content).decode())
    assert data_uri_type("data:image/png;base64," + base64.b64encode(content).decode()) == "image/png"


@pytest.mark.parametrize("behind", ["\n" * 200_000 + "!", " " * 200_000 + "!", "=" * 200_000])
def test_a_long_text_that_begins_like_an_image_is_told_at_once(behind: str) -> None:
    began = time.process_time()
    assert not is_pointer("/9j/" + "A" * 60 + behind)
    assert time.process_time() - began < 0.5
