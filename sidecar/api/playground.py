"""The playground: a page to search indexes in the browser. Its files are the package `sidecar.playground`."""

from __future__ import annotations

from hashlib import blake2b
from importlib.resources import files

from flask import Blueprint, Response, request
from werkzeug.exceptions import NotFound

playground = Blueprint("playground", __name__)

_FILES = "sidecar.playground"
_MEDIA_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
"""Endings of the page's files -> their media types; no other file is served."""
# Pictures of documents lie anywhere; all else comes from the sidecar. Nothing of a document can become a script.
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        "img-src 'self' data: blob: http: https:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    # Always asked for, and answered by 304 where it is the same: after an update no old script meets a new one.
    "Cache-Control": "no-cache",
}


@playground.get("/ui")
def show_playground() -> Response:
    """A page to try an index: search it by text, by image, by both, and see what it holds."""
    return _answer("index.html")


@playground.get("/ui/<file>")
def show_playground_file(file: str) -> Response:
    """A script, style or picture of that page."""
    return _answer(file)


def _answer(file: str) -> Response:
    content, tag = _read(file)
    ending = file[file.rindex(".") :]
    answer = Response(content, mimetype=_MEDIA_TYPES[ending], headers=_HEADERS)
    answer.set_etag(tag)
    answer.make_conditional(request)
    return answer


def _read(file: str) -> tuple[bytes, str]:
    """A file of the page, and a tag that changes with it. Raises: NotFound."""
    root = files(_FILES)
    known = {entry.name for entry in root.iterdir() if entry.name.endswith(tuple(_MEDIA_TYPES))}
    if file not in known:
        raise NotFound
    content = (root / file).read_bytes()
    return content, blake2b(content, digest_size=12).hexdigest()
