"""Routes that describe the API: its OpenAPI document, and a page that shows it."""

from __future__ import annotations

from functools import cached_property
from importlib.resources import files
from typing import cast

import orjson
from flask import Blueprint, Flask, Response, current_app
from werkzeug.exceptions import NotFound

from sidecar.api.answers import JSON
from sidecar.api.openapi.document import build_document

documentation = Blueprint("documentation", __name__)

EXTENSION = "sidecar.documentation"
_OWN = "sidecar.api.openapi"
_FILES = {
    "start.js": (_OWN, "page", "text/javascript"),
    "swagger-ui-bundle.js": ("flask_swagger_ui", "dist", "text/javascript"),
    "swagger-ui.css": ("flask_swagger_ui", "dist", "text/css"),
    "favicon-32x32.png": ("flask_swagger_ui", "dist", "image/png"),
}
"""File of the page -> its package, its folder there, and its media type."""
# The page needs nothing of other hosts, so that the browser shall ask none; Swagger UI sets styles by itself.
_POLICY = (
    "default-src 'none'; script-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "style-src 'self' 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class Documentation:
    """The OpenAPI document of an app, made when it is first asked for."""

    def __init__(self, app: Flask, *, has_keys: bool) -> None:
        self._app = app
        self._has_keys = has_keys

    @cached_property
    def text(self) -> bytes:
        """The document as JSON text."""
        return orjson.dumps(build_document(self._app, has_keys=self._has_keys))


def document_api(app: Flask, *, has_keys: bool) -> None:
    """Let the routes here describe the app; ``has_keys`` where requests must carry a key."""
    app.extensions[EXTENSION] = Documentation(app, has_keys=has_keys)


@documentation.get("/openapi.json")
def show_openapi() -> Response:
    """Every route, in the terms of OpenAPI 3.1."""
    made = cast(Documentation, current_app.extensions[EXTENSION])
    return Response(made.text, content_type=JSON)


@documentation.get("/docs")
def show_page() -> Response:
    """A page to read about the routes, and to try them."""
    page = (files(_OWN) / "page" / "docs.html").read_bytes()
    return Response(page, mimetype="text/html", headers={"Content-Security-Policy": _POLICY})


@documentation.get("/docs/<file>")
def show_file(file: str) -> Response:
    """A script, style or picture of that page."""
    if file not in _FILES:
        raise NotFound
    package, folder, media_type = _FILES[file]
    content = (files(package) / folder / file).read_bytes()
    return Response(content, mimetype=media_type, headers={"Cache-Control": "max-age=3600"})
