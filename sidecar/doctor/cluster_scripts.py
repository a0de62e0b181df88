"""Whether the cluster allows the scripts by which vectors are compared exactly."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sidecar.doctor.finding import Finding, ok, warning
from sidecar.opensearch.client import Cluster
from sidecar.opensearch.effective_settings import read_settings

TYPES, CONTEXTS, EXPENSIVE = "script.allowed_types", "script.allowed_contexts", "search.allow_expensive_queries"
NEEDED_CONTEXTS = ("score", "update")
"""Scores of highlights and exact searches; partial updates."""
_WITHOUT = "Highlights, exact searches and score modifiers fail"


def look_at_scripts(cluster: Cluster) -> Iterator[Finding]:
    """The settings that forbid inline scripts. Raises: OpenSearchError and its like."""
    yield from judge(read_settings(cluster, [TYPES, CONTEXTS, EXPENSIVE]))


def judge(settings: dict[str, Any]) -> Iterator[Finding]:
    """What these settings of a cluster forbid."""
    forbidden = []
    types, contexts = _names(settings[TYPES]), _names(settings[CONTEXTS])
    if types and not {"inline", "both"} & types:
        forbidden.append(warning(f"{TYPES} forbids inline scripts. {_WITHOUT}.", _advice(TYPES, "inline")))
    missing = [name for name in NEEDED_CONTEXTS if contexts and name not in contexts]
    if missing:
        told = " and ".join(missing)
        forbidden.append(warning(f"{CONTEXTS} has no {told}. {_WITHOUT}.", _advice(CONTEXTS, ", ".join(missing))))
    if str(settings[EXPENSIVE]).lower() == "false":
        forbidden.append(warning(f"{EXPENSIVE} is false. {_WITHOUT}.", f"Set {EXPENSIVE} to true."))
    yield from forbidden or [ok("scripts are allowed, as highlights and exact searches need them")]


def _names(value: Any) -> set[str]:
    """A setting that is a list, or its names between commas; none where nothing is forbidden."""
    return set(value) if isinstance(value, list) else {name.strip() for name in str(value or "").split(",") if name}


def _advice(setting: str, names: str) -> str:
    return f"Add {names} to {setting} in opensearch.yml, or search with showHighlights: false."
