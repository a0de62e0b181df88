"""The route that finds documents like others."""

from __future__ import annotations

import time

from flask import Blueprint, Response

from sidecar.api.answers import json_answer
from sidecar.api.bodies import require_json
from sidecar.api.schemas.recommend import parse_recommend
from sidecar.api.search import limits_of, note_of, result_body
from sidecar.api.services import services
from sidecar.observation.kinds import Stage
from sidecar.observation.request import tell
from sidecar.observation.stages import stage

recommend = Blueprint("recommend", __name__)


@recommend.post("/indexes/<index>/recommend")
def recommend_documents(index: str) -> Response:
    """Documents like those in the body, by the vectors that are stored with them."""
    started = time.perf_counter()
    parts = services()
    with stage(Stage.PARSE):
        asked = parse_recommend(require_json(), limits_of(parts.settings))
    tell(note_of(index, asked.search))
    result = result_body(asked.search, parts.recommender.recommend(index, asked))
    return json_answer({**result, "processingTimeMs": round((time.perf_counter() - started) * 1000)})
