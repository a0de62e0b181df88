"""Tells strings that point to an image, or to a file of another kind, from strings that are text."""

from __future__ import annotations

import base64
import ipaddress
import mimetypes
import re
from collections.abc import Set as AbstractSet

from sidecar.embedding.media.formats import HEAD_BYTES, image_format

IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".gif", ".tif", ".tiff")
"""The first four make an image of any text in the API's contract; the others are ours."""

MAX_PATH_CHARACTERS = 4096
"""Longer texts are no paths on any system we run on."""

SHOWN_CHARACTERS = 200
MIN_BASE64_CHARACTERS = 48
"""Of an image without a data URI around it; the smallest images have more."""

_WEB_SCHEMES = ("http://", "https://")
_DATA_URI = re.compile(
    r"data:(?P<type>(?:image|audio|video|model|application)/[\w.+-]+)(?:;[\w.+-]+=[^;,\s]*)*;base64,", re.IGNORECASE
)
_BASE64 = re.compile(r"[A-Za-z0-9+/\r\n]+={0,2}")
_BASE64_MAGIC = ("iVBORw0KGg", "/9j/", "R0lGOD", "UklGR", "SUkq", "SUkr", "TU0A", "Qk")
_LABEL = re.compile(r"[^\W_](?:[\w-]*[^\W_])?")


def is_pointer(text: str, suffixes: AbstractSet[str] = frozenset()) -> bool:
    """True for what the API reads as an image: a path or URL by its ending, any valid URL, a data URI, base64 text.

    ``suffixes`` are further endings, lower case and with the dot, of files that a plug-in reads. A few steps for prose
    of any length: only texts that begin like a pointer are looked through.
    """
    return (
        _ends_like_a_file(text, suffixes)
        or is_web_url(text)
        or is_file_url(text)
        or data_uri_type(text) is not None
        or is_base64_image(text)
    )


def is_web_url(text: str) -> bool:
    """True for an http or https URL: a host that is dotted, an address or localhost; no white space."""
    scheme = next((scheme for scheme in _WEB_SCHEMES if text[: len(scheme)].lower() == scheme), None)
    if scheme is None or any(character.isspace() for character in text):
        return False
    authority = re.split(r"[/?#\\]", text[len(scheme) :], maxsplit=1)[0]
    return _is_host_and_port(authority.rpartition("@")[2])


def is_file_url(text: str) -> bool:
    """True for a ``file:`` URL with a path in it; whether that may be read is another matter."""
    return text[:7].lower() == "file://" and len(text) > 8 and not any(character.isspace() for character in text)


def data_uri_type(text: str) -> str | None:
    """The media type of a data URI in base64, lower case; None for any other text."""
    if text[:5].lower() != "data:":
        return None
    match = _DATA_URI.match(text)
    # A sentence about data URIs goes on with words.
    is_sentence = match is not None and " " in text[match.end() : match.end() + 64]
    return match["type"].lower() if match and not is_sentence else None


def is_base64_image(text: str) -> bool:
    """True for the base64 text of an image, known by the image's first bytes."""
    if len(text) < MIN_BASE64_CHARACTERS or not text.startswith(_BASE64_MAGIC) or not _BASE64.fullmatch(text.rstrip()):
        return False
    letters = "".join(text[:MIN_BASE64_CHARACTERS].split())[: HEAD_BYTES * 4 // 3].rstrip("=")
    return image_format(base64.b64decode(letters[: len(letters) // 4 * 4])) is not None


def has_suffix(pointer: str, suffixes: AbstractSet[str]) -> bool:
    """True where the pointer's file has one of these endings: of its name, before ``?`` or ``#``, or of a data URI's
    media type."""
    if not suffixes:
        return False
    media_type = data_uri_type(pointer)
    if media_type is not None:
        return not suffixes.isdisjoint(mimetypes.guess_all_extensions(media_type))
    name = re.split(r"[?#]", pointer, maxsplit=1)[0] if is_web_url(pointer) else pointer
    return name.lower().endswith(tuple(suffixes))


def shortened(pointer: str) -> str:
    """The pointer as a message may show it: without password, control characters or a file's content."""
    if data_uri_type(pointer) is not None:
        return _printable(f"{pointer[: pointer.index(',') + 1][:SHOWN_CHARACTERS]}… ({len(pointer)} characters)")
    if is_base64_image(pointer):
        return _printable(f"{pointer[:12]}… (base64, {len(pointer)} characters)")
    shown = re.sub(r"^(https?://)[^/?#\\]*@", r"\1", pointer, flags=re.IGNORECASE)
    shown = _printable(shown[: SHOWN_CHARACTERS + 1])
    return shown if len(shown) <= SHOWN_CHARACTERS else f"{shown[:SHOWN_CHARACTERS]}…"


def _printable(text: str) -> str:
    return "".join(character if character.isprintable() else "�" for character in text)


def _ends_like_a_file(text: str, suffixes: AbstractSet[str]) -> bool:
    if len(text) > MAX_PATH_CHARACTERS or "\0" in text:
        return False
    # Lower-casing the end alone keeps it cheap; suffixes are short.
    return text[-16:].lower().endswith((*IMAGE_SUFFIXES, *suffixes))


def _is_host_and_port(authority: str) -> bool:
    bracketed = re.fullmatch(r"\[(.*)\](?::(\d*))?", authority)
    host, port = bracketed.groups() if bracketed else (authority.partition(":")[0], authority.partition(":")[2])
    if port and not (port.isascii() and port.isdigit() and int(port[:6]) <= 65535):
        return False
    if bracketed:
        return _is_address(host, ipaddress.IPv6Address)
    labels = host.removesuffix(".").split(".")
    if labels[-1].isdigit():
        return _is_address(host, ipaddress.IPv4Address)
    if host.lower() == "localhost":
        return True
    return len(labels) > 1 and len(host) <= 253 and all(map(_is_label, labels))


def _is_label(text: str) -> bool:
    return len(text) < 64 and _LABEL.fullmatch(text) is not None


def _is_address(text: str, kind: type[ipaddress.IPv4Address] | type[ipaddress.IPv6Address]) -> bool:
    try:
        kind(text)
    except ValueError:
        return False
    return True
