"""The cluster's own settings, as they hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sidecar.opensearch.client import Cluster

_SCOPES = ("transient", "persistent", "defaults")


def read_settings(cluster: Cluster, paths: Sequence[str]) -> dict[str, Any]:
    """What holds of each of the settings, by their dotted paths; None for one that the cluster does not have.

    Raises: OpenSearchUnreachable, OpenSearchTimeout, OpenSearchError.
    """
    filters = ",".join(f"*.{path}" for path in paths)
    answer = cluster.status_call(f"/_cluster/settings?include_defaults=true&filter_path={filters}")
    return {path: effective(answer, path) for path in paths}


def effective(answer: Mapping[str, Any], path: str) -> Any:
    """One setting in an answer of ``/_cluster/settings``: transient settings win over persistent ones, and these over
    the defaults; None where none has it."""
    for scope in _SCOPES:
        value: Any = answer.get(scope)
        for key in path.split("."):
            value = value.get(key) if isinstance(value, dict) else None
        if value is not None:
            return value
    return None
