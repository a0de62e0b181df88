"""From what a client asks to the vectors that are searched for: one for each model of the searched fields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np

from sidecar.embedding.byte_vectors import as_bytes
from sidecar.embedding.engine import EmbeddingEngine
from sidecar.embedding.kinds import NO_MODEL
from sidecar.embedding.loader import Embeddings, Modality
from sidecar.embedding.media.pointers import has_suffix, is_pointer
from sidecar.embedding.media.prepared import MediaSource
from sidecar.embedding.media_embedder import MediaEmbedder
from sidecar.embedding.model_spec import ModelSpec
from sidecar.embedding.model_table import ModelTable, first_prefix
from sidecar.embedding.normalizing import normalized
from sidecar.errors import InvalidArgument
from sidecar.observation.request import carried
from sidecar.opensearch.index_settings import FieldModel
from sidecar.opensearch.index_state import IndexState
from sidecar.searching.mixture import mix
from sidecar.searching.request import SearchRequest
from sidecar.searching.search_plan import told_of

TERMS_AT_ONCE = 8
"""Terms of a query that are read and embedded side by side; the engine runs those that meet in one batch."""


@dataclass(frozen=True, slots=True)
class VectorSearch:
    """A search that needs a query vector for each of these fields; ``place`` as in `AskedSearch`."""

    state: IndexState
    request: SearchRequest
    fields: Sequence[str]
    place: str | None = None


@dataclass(frozen=True, slots=True)
class _Term:
    """One text, its prefix before it, or one file, for one model."""

    spec: ModelSpec
    content: str
    modality: Modality
    normalize: bool
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class _Need:
    """What one search needs: the model of each field, and what each model is to embed, in the query's order."""

    asked: VectorSearch
    specs: Mapping[str, ModelSpec]
    terms: Mapping[ModelSpec, Sequence[_Term]]


class QueryVectors:
    """Makes the query vectors of searches; safe to use from any thread."""

    def __init__(self, *, engine: EmbeddingEngine, media: MediaEmbedder, table: ModelTable) -> None:
        self._engine = engine
        self._media = media
        self._table = table

    def of_fields(self, asked: Sequence[VectorSearch]) -> list[dict[str, Embeddings]]:
        """For each search the query vector of each field that can be searched for it, in the order of its ``fields``.

        Fields of one model share a vector. What several searches have in common is embedded once, and all texts of one
        model together. Of fields with different models, those are left out whose model can't embed what is asked for,
        as an image for a model of texts.
        Returns: float32, shape (dimensions of the field,); all zeros where terms cancel out, and whole numbers where
        the index stores bytes.
        Raises: InvalidArgument, MediaError for the query; BadRequest where no field has a model; ModelLoadError and
        its like.
        """
        needs = []
        for search in asked:
            with told_of(search.place):
                needs.append(self._need(search))
        terms = dict.fromkeys(term for need in needs for own in need.terms.values() for term in own)
        embedded = self._embed_all(list(terms))
        return [_vectors_of_fields(need, embedded) for need in needs]

    def _need(self, asked: VectorSearch) -> _Need:
        state, request = asked.state, asked.request
        specs = {field: self._spec(state.settings.search_model_of(field), request) for field in asked.fields}
        wanted = list(dict.fromkeys(specs.values()))
        if not specs and not state.settings.field_models:
            # A query that can't be embedded is told so on an empty index too.
            wanted = [self._spec(state.settings.search_model_of(""), request)]
        for spec in wanted:
            _check_context(request, spec)
        terms = {spec: self._terms(state, spec, request) for spec in wanted}
        if len(wanted) > 1:
            able = {spec: own for spec, own in terms.items() if self._embeds(spec, own)}
            # Where no model can, the first one's error tells why.
            terms = able or dict(list(terms.items())[:1])
        return _Need(asked, specs, terms)

    def _terms(self, state: IndexState, spec: ModelSpec, request: SearchRequest) -> list[_Term]:
        contents = list(_weights(request.q))
        settings = state.settings
        override = settings.text_preprocessing.override_text_query_prefix
        prefix = first_prefix(request.text_query_prefix, override, spec.text_query_prefix)
        suffixes: frozenset[str] = frozenset()
        has_files = settings.treat_urls_and_pointers_as_images and spec.loader != NO_MODEL and bool(contents)
        if has_files:
            suffixes = getattr(self._engine.models.get(spec), "media_suffixes", frozenset())
        terms = []
        for content in contents:
            modality = _modality(content, suffixes) if has_files else Modality.TEXT
            if modality is Modality.TEXT:
                terms.append(_Term(spec, prefix + content, modality, settings.normalize_embeddings))
            else:
                headers = tuple(request.media_headers.items())
                terms.append(_Term(spec, content, modality, settings.normalize_embeddings, headers))
        return terms

    def _embeds(self, spec: ModelSpec, terms: Sequence[_Term]) -> bool:
        if not terms:
            return True
        if spec.loader == NO_MODEL:
            return False
        modalities = self._engine.models.get(spec).modalities
        return all(term.modality in modalities for term in terms)

    def _embed_all(self, terms: Sequence[_Term]) -> dict[_Term, Embeddings]:
        """Embed the texts of each model together, and files side by side. Raises what the first that failed raised."""
        groups: dict[tuple[ModelSpec, bool] | _Term, list[_Term]] = {}
        for term in terms:
            group = (term.spec, term.normalize) if term.modality is Modality.TEXT else term
            groups.setdefault(group, []).append(term)
        works = list(groups.values())
        if len(works) <= 1:
            vectors = [self._embed(work) for work in works]
        else:
            with ThreadPoolExecutor(min(len(works), TERMS_AT_ONCE), thread_name_prefix="query") as pool:
                vectors = list(pool.map(carried(self._embed), works))
        embedded: dict[_Term, Embeddings] = {}
        for work, own in zip(works, vectors, strict=True):
            embedded |= zip(work, own, strict=True)
        return embedded

    def _embed(self, terms: Sequence[_Term]) -> list[Embeddings]:
        first = terms[0]
        if first.modality is Modality.TEXT:
            contents = [term.content for term in terms]
            return self._engine.embed_queries(first.spec, contents, normalize=first.normalize)
        vector = self._media.embed_query(first.spec, MediaSource(first.content, headers=dict(first.headers)))
        return [normalized(vector) if first.normalize else vector]

    def _spec(self, model: FieldModel, request: SearchRequest) -> ModelSpec:
        spec = self._table.resolve(model.model, model.model_properties)
        return replace(spec, device=request.device, auth=request.auth)


def _vectors_of_fields(need: _Need, embedded: Mapping[_Term, Embeddings]) -> dict[str, Embeddings]:
    request, settings = need.asked.request, need.asked.state.settings
    weights = _weights(request.q)
    context = [given.vector for given in request.context]
    factors = [*weights.values(), *(given.weight for given in request.context)]
    vectors = {}
    for spec, terms in need.terms.items():
        own = [embedded[term] for term in terms]
        if isinstance(request.q, str):
            vectors[spec] = own[0]
        else:
            vectors[spec] = mix([*own, *context], factors, normalize=settings.normalize_embeddings)
    if settings.ann_parameters.stores_bytes:
        vectors = {spec: as_bytes(vector) for spec, vector in vectors.items()}
    return {field: vectors[spec] for field, spec in need.specs.items() if spec in vectors}


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
