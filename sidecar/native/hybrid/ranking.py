"""The hits of several sub-queries in one order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sidecar.native.declarations.processors import Combination
from sidecar.native.hybrid.answers import Hit, Key
from sidecar.native.hybrid.combination import combined
from sidecar.native.hybrid.normalization import normalized


@dataclass(frozen=True, slots=True)
class RankedHit:
    """A document with its combined score, and its hit of each sub-query that has one."""

    score: np.float32
    hits: tuple[Hit, ...]


def ranked(halves: Sequence[Sequence[Hit]], combination: Combination) -> list[RankedHit]:
    """All documents found, best first; those of equal score by index and id. ``halves`` are best first too."""
    found: dict[Key, list[Hit]] = {}
    for hits in halves:
        for hit in hits:
            found.setdefault(hit.key, []).append(hit)
    rows = {key: row for row, key in enumerate(found)}
    scores = np.zeros((len(rows), len(halves)), dtype=np.float32)
    raw = [np.array([hit.score for hit in hits], dtype=np.float32) for hits in halves]
    for place, (hits, values) in enumerate(zip(halves, normalized(raw, combination), strict=True)):
        scores[[rows[hit.key] for hit in hits], place] = values
    totals = combined(scores, combination)
    order = sorted(rows, key=lambda key: (-float(totals[rows[key]]), key))
    return [RankedHit(totals[rows[key]], tuple(found[key])) for key in order]
