"""Which targets a bulk body names, found without taking its lines apart: most bodies name none that is embedded."""

from __future__ import annotations

from typing import Final

import orjson

from sidecar.native.writes.grammar import WITH_SOURCE

NamedTarget = tuple[str | None, str | None]
"""The index and the pipeline of an action, None for those that the request's own hold for."""
_LINE_BREAK: Final = b"\n"


def named_targets(body: bytes) -> set[NamedTarget] | None:
    """All that actions name, perhaps with that of a last one that has no source.

    None where metadata and sources do not simply alternate, as with deletes and blank lines, or a metadata line is
    unusual: then the actions must be read one by one.
    """
    lines = set(body.split(_LINE_BREAK)[:-1:2])
    try:
        # As one array, which is read at once. The line breaks keep strings from going on in the next line.
        read = orjson.loads(b"[%b]" % b",\n".join(lines))
        found = {
            (name, values.get("_index"), values.get("pipeline"))
            for metadata in read
            for name, values in metadata.items()
        }
    except (ValueError, AttributeError, TypeError):
        return None
    if len(read) != len(lines) or not all(_is_usual(one) for one in found):
        return None
    return {(index, pipeline) for _, index, pipeline in found}


def _is_usual(found: tuple[str, object, object]) -> bool:
    name, *targets = found
    return name in WITH_SOURCE and all(target is None or isinstance(target, str) for target in targets)
