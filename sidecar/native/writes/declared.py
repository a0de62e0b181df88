"""Vectors of declared fields: one vector beside its sources, or a list with one for each chunk."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import orjson

from sidecar.embedding.model_spec import ModelSpec
from sidecar.embedding.texts.chunking import TextPreprocessing, split_text
from sidecar.native.declarations.declaration import Declaration, Entry, Existing, Kind, Source
from sidecar.native.json.spans import Object
from sidecar.native.writes.chunkers import cut_by_all
from sidecar.native.writes.document import Document, Place, Slot, find, objects_in, shared_step
from sidecar.native.writes.inputs import RequestInputs
from sidecar.native.writes.made import (
    Made,
    MadeConstant,
    MadeEntries,
    MadeEntry,
    MadeMembers,
    MadeVector,
    Vector,
    Weighted,
)
from sidecar.native.writes.steps import content_of, contents_of, poison

_SENTENCES = TextPreprocessing()
"""How texts are cut where a declaration does not say how: as on the other face."""
_MODEL_TYPE = "TEXT_EMBEDDING"


@dataclass(frozen=True, slots=True)
class DocumentModel:
    """How contents of documents are embedded: by which model, with what before each text, and whether the vector is of
    whole numbers."""

    spec: ModelSpec
    prefix: str
    is_byte: bool = False

    def take(self, inputs: RequestInputs, content: str, kind: Kind) -> Vector:
        """Take a content in among the request's."""
        if kind is Kind.IMAGE:
            return inputs.image(self.spec, content)
        return inputs.text(self.spec, self.prefix + content)


class _Declared:
    """What both forms share: where the value goes, and what is there already."""

    _empty = b"null"

    def __init__(self, declaration: Declaration, model: DocumentModel, path: str) -> None:
        self._declaration = declaration
        self._model = model
        self.vectors = (declaration.vector,)
        self._replaces = declaration.existing is Existing.REPLACE
        self._model_info: bytes | None = None
        self._target, self._key = path, ""
        if declaration.semantic is not None:
            info = {"id": declaration.model, "name": model.spec.name, "type": _MODEL_TYPE}
            self._model_info = orjson.dumps(info)
            # The vector, or its list, lies in an object together with the model.
            self._target, _, self._key = path.rpartition(".")

    def _free_slot(self, document: Document, place: Place, prefix: str = "") -> Slot | None:
        """Where the value goes, None where one is that stays; ``prefix`` leads to the object from which ``place``
        counts."""
        slot = document.slot(place, self._target[len(prefix) :])
        return None if slot.is_taken and not self._replaces else slot

    def _put(self, document: Document, slot: Slot, value: Made | None) -> None:
        """Put a value, None for one that is no more; with the model beside it for a semantic field."""
        if value is None:
            # In a whole document there is nothing to take away.
            if document.is_partial:
                document.put(slot, MadeConstant(self._empty if self._model_info is None else b"null"))
        elif self._model_info is None:
            document.put(slot, value)
        else:
            document.put(slot, MadeMembers({self._key: value, "model": MadeConstant(self._model_info)}))


class DeclaredVector(_Declared):
    """One vector, of one source or of several as one."""

    def apply(self, document: Document, inputs: RequestInputs) -> None:
        """As `WriteStep.apply`."""
        for scope, prefix in self._scopes(document):
            self._apply(document, scope, prefix, inputs)

    def _scopes(self, document: Document) -> Iterator[tuple[Object, str]]:
        """The objects that have a vector of their own, and the path that leads to them."""
        nested = self._declaration.nested
        if nested is None:
            yield document.root, ""
            return
        for place in find(document.root, nested):
            for element in objects_in(place[-1].member.value):
                yield element, f"{nested}."

    def _apply(self, document: Document, scope: Object, prefix: str, inputs: RequestInputs) -> None:
        places = {source: find(scope, source.field[len(prefix) :]) for source in self._declaration.sources}
        place = next((found[0] for found in places.values() if found), None)
        if place is None:
            return
        slot = self._free_slot(document, place, prefix)
        if slot is None:
            return
        contents = {source: self._content(document, source, found) for source, found in places.items()}
        if not prefix:
            contents |= self._stored(document, [source for source, found in places.items() if not found])
        weighted = [
            Weighted(self._model.take(inputs, content, source.kind), source.weight)
            for source, content in contents.items()
            if content is not None
        ]
        made = MadeVector(weighted, document.document_id, is_byte=self._model.is_byte) if weighted else None
        self._put(document, slot, made)

    def _content(self, document: Document, source: Source, places: Sequence[Place]) -> str | None:
        found = [content_of(document, place[-1].member.value, source.field, source.kind) for place in places]
        contents = [content for content in found if content is not None]
        if len(contents) > 1:
            raise poison(
                source.field, f"{len(contents)} values can't share the one vector [{self._declaration.vector}]"
            )
        return contents[0] if contents else None

    def _stored(self, document: Document, missing: Sequence[Source]) -> dict[Source, str | None]:
        """The contents that a partial document does not name, as they are stored."""
        if not missing or document.stored is None:
            return {}
        stored = document.stored([source.field for source in missing])
        if stored is None:
            return {}
        return {source: self._content(stored, source, find(stored.root, source.field)) for source in missing}


class DeclaredChunks(_Declared):
    """A list under a nested path, with an entry for each chunk of the sources' texts, or for each image."""

    _empty = b"[]"

    def apply(self, document: Document, inputs: RequestInputs) -> None:
        """As `WriteStep.apply`."""
        declaration = self._declaration
        assert declaration.nested is not None
        groups: dict[int, tuple[Slot, list[MadeEntry]]] = {}
        for source in declaration.sources:
            for place in find(document.root, source.field):
                slot = self._free_slot(document, place)
                if slot is not None:
                    step = shared_step(place, declaration.nested)
                    _, entries = groups.setdefault(id(step.node), (slot, []))
                    entries += self._entries(document, place, source, inputs)
        key = declaration.vector[len(declaration.nested) + 1 :]
        for slot, entries in groups.values():
            made = MadeEntries(entries, key, document.document_id, is_byte=self._model.is_byte) if entries else None
            self._put(document, slot, made)

    def _entries(self, document: Document, place: Place, source: Source, inputs: RequestInputs) -> Iterator[MadeEntry]:
        value = place[-1].member.value
        chunk_key = self._declaration.chunk_text
        for text in contents_of(document, value, source.field, source.kind):
            for chunk in self._chunks(text, source.kind):
                beside = {} if chunk_key is None else {chunk_key: chunk}
                yield MadeEntry(self._model.take(inputs, chunk, source.kind), beside)

    def _chunks(self, content: str, kind: Kind) -> list[str]:
        if kind is Kind.IMAGE:
            return [content]
        if self._declaration.chunkings:
            return cut_by_all(content, self._declaration.chunkings)
        return [chunk.text for chunk in split_text(content, _SENTENCES)]


def declared_step(declaration: Declaration, model: DocumentModel) -> DeclaredVector | DeclaredChunks:
    """The step for a declaration of the native face."""
    nested = declaration.nested
    has_sources_inside = nested is not None and all(
        source.field.startswith(f"{nested}.") for source in declaration.sources
    )
    if declaration.entry is Entry.CHUNKS and not has_sources_inside:
        assert nested is not None
        return DeclaredChunks(declaration, model, nested)
    return DeclaredVector(declaration, model, declaration.vector)
