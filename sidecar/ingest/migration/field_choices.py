"""Whether the vectors of a field can be taken over as they are, or must be made anew."""

from __future__ import annotations

from sidecar.embedding.model_table import ModelTable
from sidecar.errors import InvalidArgument, UnknownModel
from sidecar.indexing.content import ContentRules
from sidecar.opensearch.index_settings import IndexSettings


class FieldChoices:
    """Compares what decides the vectors of fields in two indexes; safe to use from any thread."""

    def __init__(self, source: IndexSettings, target: IndexSettings, table: ModelTable) -> None:
        self._source = source
        self._target = target
        self._table = table
        self._known: dict[str, bool] = {}

    def is_kept(self, field: str) -> bool:
        """True where the model would make the very same vectors again: model, precision, prefix, chunks, length and the
        numbers' type are the same."""
        kept = self._known.get(field)
        if kept is None:
            kept = self._known[field] = self._is_kept(field)
        return kept

    def _is_kept(self, field: str) -> bool:
        if self._source.ann_parameters.data_type != self._target.ann_parameters.data_type:
            return False
        try:
            return _deciding(self._source, field, self._table) == _deciding(self._target, field, self._table)
        except (UnknownModel, InvalidArgument):
            # The old index's model may be one that this sidecar does not know.
            return False


def _deciding(settings: IndexSettings, field: str, table: ModelTable) -> tuple[object, ...]:
    model = settings.model_of(field)
    spec = table.resolve(model.model, model.model_properties)
    rules = ContentRules.of_index(settings, spec, None)
    patches = rules.patch_method if rules.reads_media else None
    return rules.fingerprint, rules.preprocessing, rules.prefix, rules.normalize, rules.reads_media, patches
