"""What the handlers of the native face work with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sidecar.errors import OpenSearchError
from sidecar.native.callers import Callers
from sidecar.native.declarations.pipelines import Pipelines
from sidecar.native.embedder import NativeEmbedder
from sidecar.native.metadata import Metadata
from sidecar.native.request import NativeAnswer, NativeRequest
from sidecar.observation.request import Observer
from sidecar.opensearch.client import Cluster, Version
from sidecar.opensearch.passthrough import Passthrough
from sidecar.opensearch.switching import Switches

NEWEST: Version = (99, 0, 0)


@dataclass(frozen=True, slots=True)
class NativeParts:
    """One face's parts, wired by `create_app`; all are safe to use from any thread."""

    upstream: Passthrough
    callers: Callers
    metadata: Metadata
    pipelines: Pipelines
    embedder: NativeEmbedder
    cluster: Cluster
    observer: Observer
    switches: Switches


@dataclass(frozen=True, slots=True)
class NativeCall:
    """A request that a route takes. ``variables`` are the path's, decoded: ``index``, ``id``, …"""

    parts: NativeParts
    request: NativeRequest
    variables: Mapping[str, str]


def cluster_version(parts: NativeParts) -> Version:
    """The cluster's version; where it is not told, one that has all that is new."""
    try:
        return parts.cluster.facts().version
    except OpenSearchError:
        return NEWEST


Handler = Callable[[NativeCall], NativeAnswer]
