"""Re-ranking: another model reads the hits of a page together with the query, and orders them anew."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import cast

from sidecar.embedding.loader import Modality
from sidecar.embedding.media.pointers import is_pointer
from sidecar.embedding.media.prepared import MediaSource, PreparedMedia, box_text
from sidecar.embedding.media.reader import MediaReader
from sidecar.embedding.model_cache import ModelCache
from sidecar.embedding.model_spec import ModelSpec
from sidecar.embedding.rerankers import Detection, Detector, PairScorer, reads_images, reranker_spec, score_texts
from sidecar.embedding.texts.chunking import TextPreprocessing, split_text
from sidecar.errors import BadRequest, SidecarError
from sidecar.observation.kinds import Stage
from sidecar.observation.request import carried
from sidecar.observation.stages import stage
from sidecar.searching.hits import showing_too, without_hidden
from sidecar.searching.request import SearchRequest
from sidecar.searching.search_plan import Hit

logger = logging.getLogger(__name__)

IMAGES_AT_ONCE = 8
"""Images that are fetched and held in memory side by side."""
_CHUNKS = TextPreprocessing(split_length=2)
_NO_FIELDS = ("_id",)
"""What may be searched by its name and is no field."""


@dataclass(frozen=True, slots=True)
class _Passage:
    """A chunk of a hit's field: ``text`` is scored, ``written`` is what the user wrote there."""

    field: str
    text: str
    written: str


class Reranker:
    """Orders hits by models that read them; safe to use from any thread."""

    def __init__(self, models: ModelCache, reader: MediaReader) -> None:
        self._models = models
        self._reader = reader

    def rerank(self, request: SearchRequest, hits: Sequence[Hit]) -> list[Hit]:
        """The hits of the request's page, best first by its re-ranker; as they are where it names none.

        The hits must have the fields of `with_fields_to_read`; those that the request hides are left out here. A
        cross-encoder scores a hit by the best two sentences of its fields, which become its highlight; hits without a
        text there come last, with the score 0. A detector of images reads the first field: the score is that of its
        best box, which is the highlight, and hits without an image there are dropped. Where no hit has such a field,
        all stay as they are. Equal scores keep their order.
        Raises: BadRequest for whatever fails: the model can't be had, an image can't be read.
        """
        if request.reranker is None:
            return list(hits)
        spec = reranker_spec(request.reranker, device=request.device, auth=request.auth)
        try:
            by = self._by_images if reads_images(spec) else self._by_texts
            with stage(Stage.RERANK):
                ranked = by(spec, request, hits)
        except SidecarError as error:
            raise BadRequest(f"reranking failure due to {error.message}") from error
        except Exception as error:
            # Whatever a model stumbles over; clients know re-ranking that fails by these words.
            logger.exception("re-ranking failed model=%s", spec.name)
            raise BadRequest(f"reranking failure due to {type(error).__name__}: {error}") from error
        return [without_hidden(hit, _fields(request), request) for hit in ranked]

    def _by_texts(self, spec: ModelSpec, request: SearchRequest, hits: Sequence[Hit]) -> list[Hit]:
        passages = [_passages(hit, _fields(request)) for hit in hits]
        texts = [passage.text for own in passages for passage in own]
        if not texts:
            return list(hits)
        scorer = cast(PairScorer, self._models.get(spec))
        scores = iter(score_texts(scorer, _text_of(request), texts))
        ranked = []
        for hit, own in zip(hits, passages, strict=True):
            # Of equal scores the first.
            best = max(((next(scores), passage) for passage in own), key=lambda scored: scored[0], default=None)
            if best is None:
                ranked.append(_scored(hit, request, 0.0, {}))
            else:
                ranked.append(_scored(hit, request, best[0], {best[1].field: best[1].written}))
        return _best_first(ranked)

    def _by_images(self, spec: ModelSpec, request: SearchRequest, hits: Sequence[Hit]) -> list[Hit]:
        fields = _fields(request)[:1]
        if not any(field in hit for hit in hits for field in fields):
            return list(hits)
        (field,) = fields
        shown = [hit for hit in hits if isinstance(hit.get(field), str) and is_pointer(hit[field])]
        if not shown:
            return []
        detector = cast(Detector, self._models.get(spec))

        def read(hit: Hit) -> PreparedMedia:
            source = MediaSource(hit[field], None, request.media_headers)
            return self._reader.read(detector, Modality.IMAGE, source)

        ranked = []
        with ThreadPoolExecutor(min(len(shown), IMAGES_AT_ONCE), thread_name_prefix="rerank") as pool:
            for start in range(0, len(shown), IMAGES_AT_ONCE):
                batch = shown[start : start + IMAGES_AT_ONCE]
                for hit, image in zip(batch, pool.map(carried(read), batch), strict=True):
                    found = detector.detect(_text_of(request), image.parts[0])
                    ranked.append(_scored(hit, request, found.score, {field: _box(found, image)}))
        return _best_first(ranked)


def with_fields_to_read(request: SearchRequest) -> SearchRequest:
    """The request, its hits with the fields that its re-ranker reads, be they shown or not."""
    return request if request.reranker is None else showing_too(request, _fields(request))


def _fields(request: SearchRequest) -> list[str]:
    return [field for field in request.searchable_attributes or () if field not in _NO_FIELDS]


def _text_of(request: SearchRequest) -> str:
    assert isinstance(request.q, str)
    return request.q


def _passages(hit: Hit, fields: Sequence[str]) -> list[_Passage]:
    texts = {field: hit[field] for field in fields if isinstance(hit.get(field), str)}
    return [
        _Passage(field, chunk.text, text[chunk.start : chunk.end])
        for field, text in texts.items()
        for chunk in split_text(text, _CHUNKS)
    ]


def _box(found: Detection, image: PreparedMedia) -> str:
    """The detection's box in pixels of the image as it came."""
    assert image.size is not None
    width, height = image.size
    left, top, right, bottom = found.box
    return box_text((left * width, top * height, right * width, bottom * height))


def _scored(hit: Hit, request: SearchRequest, score: float, highlights: dict[str, str]) -> Hit:
    return hit | {"_score": score} | ({"_highlights": highlights} if request.show_highlights else {})


def _best_first(hits: list[Hit]) -> list[Hit]:
    return sorted(hits, key=lambda hit: -hit["_score"])
