"""Bulk actions that name an alias, with the index in its place that their documents were embedded for."""

from __future__ import annotations

from typing import Final

from sidecar.native.json.edits import Edit
from sidecar.native.json.spans import Object, read_object
from sidecar.native.json.writing import quoted
from sidecar.native.writes.grammar import Action

_INDEX: Final = "_index"
_REQUIRE_ALIAS: Final = "require_alias"


def readdressed(body: bytes, action: Action, index: str) -> list[Edit]:
    """The change of an action's metadata; none where the action insists on an alias, or the line is an odd one."""
    end = action.source_start if action.has_source else action.end
    root = read_object(body, action.start, end)
    values = None if root is None else root.get(action.name)
    name = values.get(_INDEX) if isinstance(values, Object) else None
    if name is None or (isinstance(values, Object) and values.get(_REQUIRE_ALIAS) is not None):
        return []
    return [Edit(name.start, name.end, quoted(index))]
