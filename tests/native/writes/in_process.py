"""A native face in this process, for faults; requests to it without a socket between."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import Any

from flask import Flask

from sidecar.app import close_app, create_app, create_native_face
from sidecar.given_settings import load_settings
from sidecar.native.face import NativeFace
from tests.native.writes.written import Answered


@contextmanager
def face_of(**settings: Any) -> Iterator[tuple[Flask, NativeFace]]:
    """An app with these settings, and its native face."""
    app = create_app(load_settings(**settings))
    try:
        yield app, create_native_face(app)
    finally:
        close_app(app)


def ask(face: NativeFace, method: str, target: str, body: bytes = b"", **headers: str) -> Answered:
    """One request."""
    environ = {
        "REQUEST_METHOD": method,
        "RAW_URI": target,
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": BytesIO(body),
        **{f"HTTP_{name.upper()}": value for name, value in headers.items()},
    }
    told: list[Any] = []
    pieces = face(environ, lambda *line: told.append(line))
    content = b"".join(pieces)
    pieces.close()  # type: ignore[attr-defined]
    ((status, fields),) = told
    return Answered(int(status[:3]), fields, content)
