"""What becomes of each field of a document on its way: its vectors are taken over, made anew, or dropped."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sidecar.errors import InvalidArgument
from sidecar.indexing.combinations import Combination, read_combination
from sidecar.indexing.requests import MultimodalCombination
from sidecar.indexing.validation import ValidDocument
from sidecar.ingest.migration.field_choices import FieldChoices
from sidecar.ingest.migration.stored_embeddings import StoredField, TakenApart, take_apart
from sidecar.ingest.stored_documents import StoredDocument
from sidecar.native.embedder import for_model
from sidecar.opensearch.bulk_actions import FieldEmbedding
from sidecar.opensearch.index_state import IndexState
from sidecar.opensearch.stored_chunks import readable_chunks


@dataclass(frozen=True)
class TransferRules:
    """``added`` fields are embedded wherever they hold text; ``dropped`` ones come without their vectors. ``weights``
    and ``keeps_unembeddable`` are as in `Changes`. ``version_base`` plus a document's number is its version."""

    added: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    weights: Mapping[str, Mapping[str, float]] | None = None
    keeps_unembeddable: bool = False
    version_base: int = 0


@dataclass(frozen=True, slots=True)
class Work:
    """What becomes of the fields of one document: vectors that are kept, and contents that the model gets."""

    taken: TakenApart
    kept: Mapping[str, FieldEmbedding]
    texts: Mapping[str, str]
    combinations: Mapping[str, Combination]

    @property
    def document(self) -> StoredDocument:
        """The document as it is stored."""
        return self.taken.document

    @property
    def fields(self) -> dict[str, None]:
        """The fields that have vectors in the end."""
        return dict.fromkeys((*self.kept, *self.texts, *self.combinations))

    @property
    def contents(self) -> dict[str, None]:
        """The fields that a model gets."""
        return dict.fromkeys((*self.texts, *self.combinations))

    def as_valid(self, position: int) -> ValidDocument:
        """As the write path has it."""
        document_id = self.taken.document.document_id
        return ValidDocument(position, document_id, True, self.taken.source, self.texts, self.combinations)


class Sorter:
    """Sorts documents of the ``source`` index out for the ``target``; safe to use from any thread."""

    def __init__(self, source: IndexState, target: IndexState, choices: FieldChoices, rules: TransferRules) -> None:
        self._target = target
        self._rules = rules
        self._choices = choices
        self._most_chunks = readable_chunks(source)

    def sort_out(self, document: StoredDocument) -> Work:
        """Raises: InvalidArgument where vectors can be neither taken over nor made anew."""
        taken = take_apart(document)
        kept: dict[str, FieldEmbedding] = {}
        contents: dict[str, Any] = {}
        are_readable = self._most_chunks is None or taken.chunk_count <= self._most_chunks
        for name, stored in taken.fields.items():
            if name in self._rules.dropped:
                continue
            is_brought = stored.content_hash is None
            if is_brought and not are_readable:
                raise InvalidArgument(
                    f"the vectors of field {name!r}, which a client brought, can't be read: the document has more "
                    f"than {self._most_chunks} chunks, and its index does not store its vectors as they are"
                )
            if are_readable and (is_brought or self._choices.is_kept(name)):
                kept[name] = self._taken_over(stored)
            else:
                contents[name] = self._content(taken, stored)
        for name in self._rules.added:
            if name not in kept and isinstance(value := taken.value(name), str):
                contents[name] = value
        texts = {name: for_model(value) for name, value in contents.items() if isinstance(value, str)}
        combinations = {name: value for name, value in contents.items() if isinstance(value, Combination)}
        return Work(taken, kept, texts, combinations)

    def _taken_over(self, stored: StoredField) -> FieldEmbedding:
        data_type = self._target.settings.ann_parameters.data_type
        return stored.embedding(self._target.dimensions_of(stored.field), data_type)

    def _content(self, taken: TakenApart, stored: StoredField) -> str | Combination | None:
        """What is to be embedded of a field; None where its content is gone."""
        value = taken.value(stored.field)
        if value is None or isinstance(value, str):
            return value
        weights = (self._rules.weights or {}).get(stored.field)
        if isinstance(value, dict) and weights is not None:
            return read_combination(stored.field, value, MultimodalCombination(weights))
        if isinstance(value, dict):
            raise InvalidArgument(f"field {stored.field!r} is a combination, and its weights are not given (--weights)")
        raise InvalidArgument(f"field {stored.field!r} is embedded, but neither a string nor an object")
