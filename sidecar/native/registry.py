"""The routes of the native face: one line for each resource."""

from __future__ import annotations

from sidecar.native.routes import Route

ROUTES: tuple[Route, ...] = ()
