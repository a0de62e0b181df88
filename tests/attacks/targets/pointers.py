"""What tells pointers from texts: no error whatever the text, and nothing in a message that must not be shown."""

from __future__ import annotations

import base64
import re

from sidecar.embedding.media.formats import ImageFormat, image_format
from sidecar.embedding.media.pointers import (
    SHOWN_CHARACTERS,
    data_uri_type,
    has_suffix,
    is_base64_image,
    is_file_url,
    is_pointer,
    is_web_url,
    shortened,
)

SUFFIXES = frozenset({".wav", ".mp4"})
SEEDS = [
    b"https://user:secret@example.com:8080/a/b.jpg?c=d#e",
    b"http://[::ffff:127.0.0.1]/x",
    b"http://2130706433/",
    b"http://0x7f.1/\\@evil.example/",
    b"file:///etc/passwd",
    b"data:image/png;charset=utf-8;base64,iVBORw0KGgoAAAANSUhEUg==",
    b"data:audio/x-wav;base64,UklGRg==",
    b"iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk",
    b"/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAgGBgcGBQgHBwcJCQgKDBQNDAsL\r\n",
    b"Qk02AAAAAAAAADYAAAAoAAAAAQAAAAEAAAABABgAAAAAAAAAAAAAAAAAAAAAAAA=",
    b"a picture of a dog.jpeg",
    "b\u00fccher.example/\u65e5\u672c.PNG".encode(),
]
_SECRET = re.compile(r"(?i)https?://[^/?#\\]*@")


def check(data: bytes) -> None:
    """Look at one text."""
    text = data.decode("utf-8", "surrogatepass" if data.count(b"\xed") else "replace") if _is_text(data) else ""
    kinds = [is_web_url(text), is_file_url(text), data_uri_type(text) is not None, is_base64_image(text)]
    assert sum(kinds) <= 1, "one text points to two places"
    assert is_pointer(text, SUFFIXES) or not any(kinds)
    has_suffix(text, SUFFIXES)
    if is_web_url(text):
        assert not any(character.isspace() for character in text)
    if kinds[3]:
        letters = "".join(text.split())
        assert image_format(base64.b64decode(letters[:24])) in ImageFormat
    _check_shown(shortened(text))


def _is_text(data: bytes) -> bool:
    try:
        data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return False
    return True


def _check_shown(shown: str) -> None:
    assert len(shown) <= SHOWN_CHARACTERS + 40
    assert shown.isprintable()
    assert not _SECRET.match(shown), shown
