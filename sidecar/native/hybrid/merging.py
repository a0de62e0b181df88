"""The answer to a hybrid search, made of those of its searches; what is not merged keeps its bytes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np

from sidecar.native.hybrid.answers import SearchAnswer
from sidecar.native.hybrid.hits import hit_text, score_text
from sidecar.native.hybrid.plan import HybridPlan
from sidecar.native.hybrid.ranking import RankedHit, ranked
from sidecar.native.json.cursor import Cursor

_STATUS: Final = "status"


def failed(answers: Sequence[SearchAnswer]) -> SearchAnswer | None:
    """The first of the searches that failed, whose error is the answer."""
    return next((answer for answer in answers if answer.is_error), None)


def merged(plan: HybridPlan, answers: Sequence[SearchAnswer]) -> str:
    """The answer, as latin-1 text of its bytes; none of the searches failed. It has no ``status``."""
    halves = answers[:-1] if plan.counts else answers
    found = ranked([half.hits for half in halves], plan.combination) if halves else []
    if plan.request.min_score is not None:
        least = np.float32(plan.request.min_score)
        found = [hit for hit in found if hit.score >= least]
    last = answers[-1]
    own = {
        "took": str(max(int(answer.values["took"]) for answer in answers)),
        "timed_out": _json(any(answer.values["timed_out"] for answer in answers)),
        "_shards": max(reversed(answers), key=lambda answer: int(answer.values["_shards"]["failed"])).part("_shards"),
        "hits": _hits(plan, halves, found, total=last.total if plan.counts else None),
    }
    if any(answer.values.get("terminated_early") for answer in answers):
        own["terminated_early"] = "true"
    if "profile" in last.parts:
        own["profile"] = f'{{"shards":[{",".join(_profiles(answers))}]}}'
    others = {key: last.part(key) for key in last.parts if key != _STATUS}
    return "{" + ",".join(f'"{key}":{text}' for key, text in (others | own).items()) + "}"


def _hits(plan: HybridPlan, halves: Sequence[SearchAnswer], found: Sequence[RankedHit], *, total: str | None) -> str:
    request = plan.request
    if total is not None and request.min_score is not None and request.size:
        # Only the best of each sub-query were seen: there may be more, unless these were all.
        is_all = all(len(half.hits) < request.depth for half in halves)
        relation = "eq" if is_all else "gte"
        total = f'{{"value":{len(found)},"relation":"{relation}"}}' if total.startswith("{") else str(len(found))
    page = found[request.first : request.first + request.size]
    parts = [] if total is None else [f'"total":{total}']
    parts.append(f'"max_score":{score_text(found[0].score) if found else "null"}')
    parts.append(f'"hits":[{",".join(hit_text(hit, request.name) for hit in page)}]')
    return "{" + ",".join(parts) + "}"


def _profiles(answers: Sequence[SearchAnswer]) -> Iterator[str]:
    """The profiles of all shards of all searches."""
    for answer in answers:
        cursor = Cursor(answer.text, answer.parts["profile"][0])
        for key in cursor.members():
            start = cursor.place
            cursor.value()
            if key == "shards" and (inner := cursor.text[start + 1 : cursor.place - 1].strip()):
                yield inner


def _json(value: Any) -> str:
    return "true" if value else "false"
