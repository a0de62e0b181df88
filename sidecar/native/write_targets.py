"""Which index a write goes to by the name it gives, and what templates will make of a name that is not there yet."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import quote

import orjson

from sidecar.native.declarations.declaration import IndexFacts
from sidecar.native.declarations.facts import index_facts, read_facts
from sidecar.native.reading import REFUSED
from sidecar.native.targets import index_target
from sidecar.opensearch.wildcards import matches_wildcard

Ask = Callable[[str, str], tuple[int, bytes]]
"""Sends a method and a target to the cluster; returns the status and the body of its answer."""

_GENERATION = re.compile(r"-(\d+)$")


def read_write_target(name: str, ask: Ask) -> tuple[IndexFacts | None, bool]:
    """The index that takes writes by this name, and whether that may be kept; None where there is none."""
    status, body = ask("GET", index_target(name))
    if status == 200:
        return chosen_index(name, read_facts(body)), True
    if status != 404:
        return None, status in REFUSED
    # Of date math the answer tells the name that it stands for.
    name = orjson.loads(body).get("error", {}).get("index") or name
    status, body = ask("POST", f"/_index_template/_simulate_index/{quote(name, safe='', errors='replace')}")
    if status != 200:
        return None, status in REFUSED
    template = orjson.loads(body).get("template")
    return index_facts(name, _by_legacy_templates(name, ask) if template is None else template), True


def chosen_index(name: str, found: Iterable[IndexFacts]) -> IndexFacts | None:
    """Of the indexes behind a name the one that takes writes; None where the cluster would refuse to choose."""
    indexes = list(found)
    if len(indexes) == 1:
        return indexes[0] if indexes[0].aliases.get(name) is not False else None
    backing = [index for index in indexes if index.data_stream == name]
    if backing:
        return max(backing, key=_generation)
    return next((index for index in indexes if index.aliases.get(name) is True), None)


def _generation(index: IndexFacts) -> int:
    found = _GENERATION.search(index.name)
    return int(found[1]) if found else 0


def _by_legacy_templates(name: str, ask: Ask) -> Mapping[str, Any]:
    """What the templates of `PUT _template` make of an index: those of higher order over the others."""
    status, body = ask("GET", "/_template")
    if status != 200:
        return {}
    templates = [one for one in orjson.loads(body).values() if _matches(name, one.get("index_patterns", ()))]
    made: dict[str, Any] = {}
    for template in sorted(templates, key=lambda one: int(one.get("order", 0))):
        _merge(made, {key: template.get(key, {}) for key in ("mappings", "settings")})
    return made


def _matches(name: str, patterns: Iterable[str]) -> bool:
    return any(matches_wildcard(pattern, name) for pattern in patterns)


def _merge(base: dict[str, Any], over: Mapping[str, Any]) -> None:
    for key, value in over.items():
        kept = base.get(key)
        if isinstance(kept, dict) and isinstance(value, dict):
            _merge(kept, value)
        else:
            base[key] = value
