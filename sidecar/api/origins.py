"""Keeps web pages of other origins from using a sidecar that their readers' browsers can reach."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Flask, request

from sidecar.errors import OtherOrigin

READING = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods that change nothing; what they answer, a browser keeps from pages of other origins by itself."""
_OWN_SITES = frozenset({"same-origin", "none"})


def refuse_other_origins(app: Flask, *, has_keys: bool) -> None:
    """Refuse what a page of another origin has a browser send, without asking the sidecar whether it may.

    Browsers do so for requests without headers of the page's own. With ``has_keys`` every request needs such a header,
    so that nothing is to be done. Programs other than browsers are let through: they do not say where they are from.
    """
    if has_keys:
        return

    def check_origin() -> None:
        if request.method not in READING and _is_of_other_origin():
            raise OtherOrigin(
                "A web page of another origin may not use this sidecar from a browser. Ask it from a program, or by "
                "way of the page's own server; or let the operator set SIDECAR_API_KEYS."
            )

    app.before_request(check_origin)


def _is_of_other_origin() -> bool:
    """What the browser says of the request; False where it says nothing, or none sent it."""
    # Sent to hosts that browsers trust (https and this machine), and right also behind a proxy that changes Host.
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site not in _OWN_SITES
    origin = request.headers.get("Origin")
    return origin is not None and urlsplit(origin).netloc.lower() != request.headers.get("Host", "").lower()
