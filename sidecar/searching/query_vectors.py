"""From what a client asks to the vectors that are searched for: one for each model of the searched fields."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np

from sidecar.embedding.byte_vectors import as_bytes
from sidecar.embedding.engine import EmbeddingEngine, normalized
from sidecar.embedding.kinds import NO_MODEL
from sidecar.embedding.loader import Embeddings, Modality
from sidecar.embedding.media.pointers import has_suffix, is_pointer
from sidecar.embedding.media.prepared import MediaSource
from sidecar.embedding.media_embedder import MediaEmbedder
from sidecar.embedding.model_spec import ModelSpec
from sidecar.embedding.model_table import ModelTable, first_prefix
from sidecar.errors import InvalidArgument
from sidecar.opensearch.index_settings import FieldModel
from sidecar.opensearch.index_state import IndexState
from sidecar.searching.mixture import mix
from sidecar.searching.request import SearchRequest

TERMS_AT_ONCE = 8
"""Terms of a query that are read and embedded side by side; the engine runs those that meet in one batch."""


@dataclass(frozen=True, slots=True)
class _Term:
    """One text or file, for one model."""

    spec: ModelSpec
    content: str
    modality: Modality


class QueryVectors:
    """Makes the query vectors of searches; safe to use from any thread."""

    def __init__(self, *, engine: EmbeddingEngine, media: MediaEmbedder, table: ModelTable) -> None:
        self._engine = engine
        self._media = media
        self._table = table

    def of_fields(self, state: IndexState, request: SearchRequest, fields: Sequence[str]) -> dict[str, Embeddings]:
        """The query vector of each field that can be searched for this query, in the order of ``fields``.

        Fields of one model share a vector, which is embedded once. Of fields with different models, those are left
        out whose model can't embed what is asked for, as an image for a model of texts.
        Returns: float32, shape (dimensions of the field,); all zeros where terms cancel out, and whole numbers where
        the index stores bytes.
        Raises: InvalidArgument, MediaError for the query; BadRequest where no field has a model; ModelLoadError and
        its like.
        """
        specs = {field: self._spec(state.settings.search_model_of(field), request) for field in fields}
        if not specs and not state.settings.field_models:
            # A query that can't be embedded is told so on an empty index too.
            self._vectors(state, request, [self._spec(state.settings.search_model_of(""), request)])
        vectors = self._vectors(state, request, list(dict.fromkeys(specs.values())))
        if state.settings.ann_parameters.data_type == "byte":
            vectors = {spec: as_bytes(vector) for spec, vector in vectors.items()}
        return {field: vectors[spec] for field, spec in specs.items() if spec in vectors}

    def _vectors(
        self, state: IndexState, request: SearchRequest, specs: Sequence[ModelSpec]
    ) -> dict[ModelSpec, Embeddings]:
        weights = _weights(request.q)
        for spec in specs:
            _check_context(request, spec)
        terms = {spec: self._terms(state, spec, weights) for spec in specs}
        if len(specs) > 1:
            able = {spec: own for spec, own in terms.items() if self._embeds(spec, own)}
            # Where no model can, the first one's error tells why.
            terms = able or dict(list(terms.items())[:1])
        embedded = self._embed_all(state, request, dict.fromkeys(term for own in terms.values() for term in own))
        normalize = state.settings.normalize_embeddings
        context = [given.vector for given in request.context]
        factors = [*weights.values(), *(given.weight for given in request.context)]
        if isinstance(request.q, str):
            return {spec: embedded[own[0]] for spec, own in terms.items()}
        return {
            spec: mix([*(embedded[term] for term in own), *context], factors, normalize=normalize)
            for spec, own in terms.items()
        }

    def _terms(self, state: IndexState, spec: ModelSpec, contents: Iterable[str]) -> list[_Term]:
        """What the model is to embed, in the query's order."""
        contents = list(contents)
        if not state.settings.treat_urls_and_pointers_as_images or spec.loader == NO_MODEL or not contents:
            return [_Term(spec, content, Modality.TEXT) for content in contents]
        suffixes: frozenset[str] = getattr(self._engine.models.get(spec), "media_suffixes", frozenset())
        return [_Term(spec, content, _modality(content, suffixes)) for content in contents]

    def _embeds(self, spec: ModelSpec, terms: Sequence[_Term]) -> bool:
        if not terms:
            return True
        if spec.loader == NO_MODEL:
            return False
        modalities = self._engine.models.get(spec).modalities
        return all(term.modality in modalities for term in terms)

    def _embed_all(
        self, state: IndexState, request: SearchRequest, terms: Mapping[_Term, None]
    ) -> dict[_Term, Embeddings]:
        """Embed the terms side by side. Raises what the first that failed raised."""
        if len(terms) <= 1:
            return {term: self._embed(state, request, term) for term in terms}
        with ThreadPoolExecutor(min(len(terms), TERMS_AT_ONCE), thread_name_prefix="query") as pool:
            return dict(zip(terms, pool.map(lambda term: self._embed(state, request, term), terms), strict=True))

    def _embed(self, state: IndexState, request: SearchRequest, term: _Term) -> Embeddings:
        settings = state.settings
        if term.modality is Modality.TEXT:
            override = settings.text_preprocessing.override_text_query_prefix
            prefix = first_prefix(request.text_query_prefix, override, term.spec.text_query_prefix)
            return self._engine.embed_query(term.spec, prefix + term.content, normalize=settings.normalize_embeddings)
        vector = self._media.embed_query(term.spec, MediaSource(term.content, headers=request.media_headers))
        return normalized(vector) if settings.normalize_embeddings else vector

    def _spec(self, model: FieldModel, request: SearchRequest) -> ModelSpec:
        spec = self._table.resolve(model.model, model.model_properties)
        return replace(spec, device=request.device, auth=request.auth)


def _weights(q: str | Mapping[str, float] | None) -> dict[str, float]:
    """The terms of ``q``, each with its weight, in their order."""
    if q is None:
        return {}
    return {q: 1.0} if isinstance(q, str) else dict(q)


def _modality(content: str, suffixes: frozenset[str]) -> Modality:
    if not is_pointer(content, suffixes):
        return Modality.TEXT
    return Modality.MEDIA if has_suffix(content, suffixes) else Modality.IMAGE


def _check_context(request: SearchRequest, spec: ModelSpec) -> None:
    for number, given in enumerate(request.context):
        if given.vector.shape != (spec.dimensions,):
            raise InvalidArgument(
                "The provided vectors are not in the same dimension of the index: "
                f"context.tensor[{number}].vector has {len(given.vector)} numbers, the vectors of model "
                f"{spec.name!r} have {spec.dimensions}"
            )


def is_zero(vector: Embeddings) -> bool:
    """True for a query vector that has no direction: nothing is near it."""
    return not np.any(vector)
