"""Which requests are looked into; all others pass as they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sidecar.native.parts import Handler
from sidecar.native.raw_target import decoded, is_plain
from sidecar.native.request import NativeRequest
from sidecar.native.targets import is_clusters_own

_VARIABLE: Final = "{"


@dataclass(frozen=True, slots=True)
class Route:
    """A path as OpenSearch's own: literal segments, and variables in braces."""

    methods: frozenset[str]
    template: str
    handle: Handler

    @property
    def segments(self) -> list[str]:
        """The template's segments."""
        return self.template.strip("/").split("/")


def route(methods: str, template: str, handle: Handler) -> Route:
    """A route of several methods, as ``route("PUT POST", "/{index}/_bulk", bulk)``."""
    return Route(frozenset(methods.split()), template, handle)


class Router:
    """Finds the route of a request. Literal segments are compared undecoded: ``/%5Fbulk`` is an index."""

    def __init__(self, routes: Sequence[Route]) -> None:
        self._by_length: dict[int, list[tuple[list[str], Route]]] = {}
        for one in routes:
            self._by_length.setdefault(len(one.segments), []).append((one.segments, one))

    def find(self, request: NativeRequest) -> tuple[Route, Mapping[str, str]] | None:
        """The route, and the path's variables, decoded once; None where the request passes as it is."""
        segments = path_segments(request.path) if is_plain(request.target) else None
        if segments is None:
            return None
        for template, found in self._by_length.get(len(segments), ()):
            if request.method in found.methods and (variables := _match(template, segments)) is not None:
                return found, variables
        return None


def path_segments(path: str) -> list[str] | None:
    """The segments of a raw path; None where it is one that OpenSearch takes for something else.

    Outer slashes count for nothing. An empty or dotted segment inside is the cluster's to refuse; two slashes in front
    of several segments make the first one a host.
    """
    segments = path.strip("/").split("/")
    if len(segments) > 1 and path.startswith("//"):
        return None
    return None if any(segment in {"", ".", ".."} for segment in segments) else segments


def _match(template: Sequence[str], segments: Sequence[str]) -> Mapping[str, str] | None:
    """The variables of a path that fits; None for one that does not."""
    variables = {}
    for name, segment in zip(template, segments, strict=True):
        if not name.startswith(_VARIABLE):
            if name != segment:
                return None
        elif name == "{index}" and segment.startswith("_") and segment != "_all":
            # An endpoint, which no index can be named like.
            return None
        else:
            variables[name[1:-1]] = segment
    return _decoded(variables)


def _decoded(variables: Mapping[str, str]) -> Mapping[str, str] | None:
    """The variables decoded; None where one is not UTF-8, or the index is the cluster's own."""
    try:
        values = {name: decoded(segment) for name, segment in variables.items()}
    except UnicodeDecodeError:
        return None
    return None if is_clusters_own(values.get("index", "")) else values
