"""Which model, and which rules, hold for each field of one add request."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from sidecar.embedding.kinds import NO_MODEL
from sidecar.embedding.loader import Loader, Modality
from sidecar.embedding.model_spec import ModelSpec
from sidecar.embedding.model_table import ModelTable
from sidecar.errors import BadRequest
from sidecar.indexing.content import ContentRules
from sidecar.indexing.requests import AddDocuments, MultimodalCombination
from sidecar.opensearch.index_settings import FieldModel, IndexSettings


def rules_of_texts(
    settings: IndexSettings,
    table: ModelTable,
    fields: Iterable[str],
    *,
    device: str,
    load: Callable[[ModelSpec], Loader],
) -> FieldRules:
    """The rules by which a request in which each of these fields is a text would be embedded: which texts are pointers
    to files is for the models to say. Raises: as `FieldRules.prepare`."""
    asked = dict.fromkeys(fields, "")
    rules = FieldRules(settings, table, AddDocuments([asked], tuple(asked), None, device=device))
    rules.prepare(load)
    return rules


class FieldRules:
    """Gives the rules of fields; for one thread."""

    def __init__(self, settings: IndexSettings, table: ModelTable, request: AddDocuments) -> None:
        self._settings = settings
        self._table = table
        self._request = request
        self._by_field: dict[str, ContentRules] = {}
        # Fields of one model share their rules, so that their texts are embedded together. One model may be written
        # in several ways; that only costs a run more.
        self._by_model: list[tuple[FieldModel, ContentRules]] = []
        self._media_suffixes: dict[ModelSpec, frozenset[str]] = {}
        self._without_text: set[ModelSpec] = set()

    def prepare(self, load: Callable[[ModelSpec], Loader]) -> None:
        """Find out, before anything is written, whether the request's fields can be embedded.

        The models of an image index are loaded, for they decide which strings are pointers; and those of an index that
        has several. Raises: BadRequest for what a model must embed where there is none, and for `_id` as a tensor
        field of an image index; what ``load`` raises.
        """
        settings = self._settings
        if settings.treat_urls_and_pointers_as_images and "_id" in (self._request.tensor_fields or ()):
            raise BadRequest("'_id' can't be a tensor field of an index that embeds images. Leave it out.")
        needs_all = bool(settings.field_models) or settings.treat_urls_and_pointers_as_images
        if not needs_all and self._spec(settings.model_of("")).loader != NO_MODEL:
            return
        for field in dict.fromkeys(self._fields_to_embed()):
            spec = self._spec(settings.model_of(field))
            if spec.loader == NO_MODEL:
                raise BadRequest(
                    f"field {field!r} has no model (model {NO_MODEL!r}), so that text can't be vectorised: map it as a "
                    "custom_vector and send vectors, or leave it out of the tensor fields (an empty tensorFields "
                    "embeds nothing)"
                )
            if spec not in self._media_suffixes:
                self._note(spec, load(spec))

    def of(self, field: str) -> ContentRules:
        """The rules of a field that has a model."""
        rules = self._by_field.get(field)
        if rules is None:
            rules = self._by_field[field] = self._of_model(self._settings.model_of(field))
        return rules

    def _of_model(self, model: FieldModel) -> ContentRules:
        for known, rules in self._by_model:
            if known == model:
                return rules
        spec = self._spec(model)
        rules = ContentRules.of_index(self._settings, spec, self._request.text_chunk_prefix)
        rules = replace(
            rules,
            embeds_text=spec not in self._without_text,
            media_suffixes=self._media_suffixes.get(spec, frozenset()),
        )
        self._by_model.append((model, rules))
        return rules

    def _note(self, spec: ModelSpec, loader: Loader) -> None:
        # The loader itself is not kept: a model that is evicted must not stay in memory for it.
        self._media_suffixes[spec] = getattr(loader, "media_suffixes", frozenset())
        if Modality.TEXT not in loader.modalities:
            self._without_text.add(spec)

    def _spec(self, model: FieldModel) -> ModelSpec:
        spec = self._table.resolve(model.model, model.model_properties)
        return replace(spec, device=self._request.device, auth=self._request.auth)

    def _fields_to_embed(self) -> Iterator[str]:
        """The fields whose content a model must run on, most of them more than once."""
        request = self._request
        combinations = {name for name, kind in request.mappings.items() if isinstance(kind, MultimodalCombination)}
        for document in request.documents:
            if isinstance(document, dict):
                for field, value in document.items():
                    is_content = isinstance(value, str) or (isinstance(value, dict) and field in combinations)
                    if is_content and isinstance(field, str) and request.embeds(field):
                        yield field
