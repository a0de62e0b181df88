"""Embedded fields of an index that was made on the ``/indexes`` face: embedded as that face would."""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from sidecar.indexing.content import ContentRules
from sidecar.indexing.field_rules import rules_of_texts
from sidecar.indexing.files import RequestFiles
from sidecar.indexing.inputs import FileInput
from sidecar.indexing.parts import FieldPart, FilePart, TextPart, as_stored
from sidecar.native.declarations.declaration import IndexFacts
from sidecar.native.declarations.stored import is_of_other_face
from sidecar.native.embedder import DocumentParts, for_model
from sidecar.native.writes.document import Document, find
from sidecar.native.writes.inputs import RequestInputs
from sidecar.native.writes.made import Made, MadeConstant
from sidecar.native.writes.steps import kind_of, poison, string_of
from sidecar.opensearch.bulk_actions import embedded_member
from sidecar.opensearch.embedded_paths import embedded_key, nested_path, vector_path
from sidecar.opensearch.index_state import IndexState


class MadeChunks(Made):
    """The chunks of one field, with their places in its text and its content's hash."""

    __slots__ = ("document_id", "field", "part", "stores_bytes")

    def __init__(self, field: str, part: FieldPart, document_id: str, *, stores_bytes: bool) -> None:
        super().__init__()
        self.field = field
        self.part = part
        self.document_id = document_id
        self.stores_bytes = stores_bytes

    def text(self, data: bytes = b"") -> bytes:
        """Raises: MediaError for a file that can't be had."""
        stored = as_stored(self.part, self.document_id, stores_bytes=self.stores_bytes)
        chunks = embedded_member({self.field: stored})[embedded_key(self.field)]
        return bytes(orjson.dumps(chunks, option=orjson.OPT_SERIALIZE_NUMPY))


class ChunkedField:
    """One text field, or pointer to an image, whose chunks lie under ``__embeddings``."""

    def __init__(self, field: str, rules: ContentRules, files: RequestFiles, state: IndexState) -> None:
        self._field = field
        self._rules = rules
        self._files = files
        self._stores_bytes = state.settings.ann_parameters.stores_bytes
        self.vectors = (vector_path(field),)

    def apply(self, document: Document, inputs: RequestInputs) -> None:
        """As `WriteStep.apply`."""
        places = find(document.root, self._field)
        slot = document.slot(places[0], nested_path(self._field)) if places else None
        if slot is None or slot.is_taken:
            return
        value = places[0][-1].member.value
        text = string_of(document, value)
        if text is not None:
            part = self._part(text, inputs)
            made = MadeChunks(self._field, part, document.document_id, stores_bytes=self._stores_bytes)
            document.put(slot, made)
        elif not document.is_null(value) and kind_of(document, value) in {"a list", "an object"}:
            raise poison(self._field, f"only strings can be embedded, not {kind_of(document, value)}")
        elif document.is_partial:
            document.put(slot, MadeConstant(b"[]"))

    def _part(self, text: str, inputs: RequestInputs) -> FieldPart:
        rules = self._rules
        if rules.is_media(text):
            file = FileInput(rules.spec, text, True)
            inputs.add_file(self._files, file)
            return FilePart(rules.media_hash(text), file, rules.normalize)
        if not rules.embeds_text:
            raise poison(self._field, f"its model {rules.spec.name!r} embeds no text: give the pointer of a file")
        chunks = rules.chunks(text)
        texts = inputs.texts_of(rules.spec, normalize=rules.normalize)
        rows = texts.add([for_model(rules.prefix + chunk.text) for chunk in chunks])
        return TextPart(rules.content_hash(text), texts, chunks, rows)


def chunked_fields(facts: IndexFacts, state: IndexState, parts: DocumentParts) -> Sequence[ChunkedField]:
    """The steps for the fields of an index of the other face. Raises: what loading their models raises."""
    fields = [source.field for one in facts.declarations if is_of_other_face(one.vector) for source in one.sources]
    if not fields:
        return ()
    rules = rules_of_texts(state.settings, parts.table, fields, device=parts.device, load=parts.engine.models.get)
    files = RequestFiles(parts.media, {}, state.settings.image_preprocessing.patch_method)
    return [ChunkedField(field, rules.of(field), files, state) for field in fields]
