"""The processors of ingest pipelines, carried out on documents as the neural-search plugin would."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from sidecar.errors import InvalidArgument
from sidecar.native.declarations.declaration import Chunking, Kind
from sidecar.native.declarations.processors import (
    KEY_IN_LISTS,
    IngestProcessor,
    TextChunking,
    TextEmbedding,
    TextImageEmbedding,
)
from sidecar.native.errors import ILLEGAL_ARGUMENT, Refused
from sidecar.native.json.spans import Array, Object
from sidecar.native.writes.chunkers import Chunker
from sidecar.native.writes.declared import DocumentModel
from sidecar.native.writes.document import Document, Place, find, objects_in
from sidecar.native.writes.inputs import RequestInputs
from sidecar.native.writes.made import Made, MadeEntries, MadeEntry, MadeStrings, MadeVector, Weighted
from sidecar.native.writes.steps import WriteStep, content_of, contents_of, string_of

Mapped = tuple[Place, str]
"""A field's place and the path, from the same object, of what is made of it."""


class EmbedTexts:
    """``text_embedding``: a string gives a vector, a list of strings a list of objects with the key ``knn``."""

    def __init__(self, processor: TextEmbedding, model: DocumentModel) -> None:
        self._processor = processor
        self._model = model
        self.vectors = tuple(_targets(processor.field_map))

    def apply(self, document: Document, inputs: RequestInputs) -> None:
        """As `WriteStep.apply`."""
        for place, target in mapped_fields(document, document.root, self._processor.field_map):
            slot = document.slot(place, target)
            if slot.is_taken and self._processor.skip_existing:
                continue
            made = self._made(document, place, inputs)
            if made is not None:
                document.put(slot, made)

    def _made(self, document: Document, place: Place, inputs: RequestInputs) -> Made | None:
        member = place[-1].member
        value = member.value
        if isinstance(value, (Array, MadeStrings)):
            texts = contents_of(document, value, member.key)
            entries = [MadeEntry(self._model.take(inputs, text, Kind.TEXT), {}) for text in texts]
            return MadeEntries(entries, KEY_IN_LISTS, document.document_id) if entries else None
        text = content_of(document, value, member.key, Kind.TEXT)
        if text is None:
            return None
        return MadeVector([Weighted(self._model.take(inputs, text, Kind.TEXT))], document.document_id)


class EmbedTextAndImage:
    """``text_image_embedding``: one vector of a text, an image, or the two as one."""

    def __init__(self, processor: TextImageEmbedding, model: DocumentModel) -> None:
        self._processor = processor
        self._model = model
        self.vectors = (processor.embedding,)

    def apply(self, document: Document, inputs: RequestInputs) -> None:
        """As `WriteStep.apply`."""
        processor = self._processor
        fields = ((processor.text_field, Kind.TEXT), (processor.image_field, Kind.IMAGE))
        found = [
            (place, content_of(document, place[-1].member.value, field, kind), kind)
            for field, kind in fields
            if field is not None
            for place in find(document.root, field)
        ]
        if all(content is None for _, content, _ in found):
            return
        slot = document.slot(found[0][0], processor.embedding)
        if slot.is_taken and processor.skip_existing:
            return
        contents = [
            Weighted(self._model.take(inputs, content, kind)) for _, content, kind in found if content is not None
        ]
        document.put(slot, MadeVector(contents, document.document_id, is_optional=processor.ignore_failure))


class ChunkTexts:
    """``text_chunking``: a string, or a list of strings, gives the list of its chunks."""

    def __init__(self, processor: TextChunking) -> None:
        self._processor = processor
        self._chunker = Chunker(Chunking(processor.algorithm, processor.parameters))
        self.vectors: tuple[str, ...] = ()

    def apply(self, document: Document, inputs: RequestInputs) -> None:
        """As `WriteStep.apply`."""
        fields = list(mapped_fields(document, document.root, self._processor.field_map))
        texts = [_strings(document, place) for place, _ in fields]
        chunks = iter(self._chunker.cut([text for group in texts for text in group or ()]))
        for (place, target), group in zip(fields, texts, strict=True):
            if group is None and self._processor.ignore_missing:
                continue
            made = [chunk for _ in group or () for chunk in next(chunks)]
            document.put(document.slot(place, target), MadeStrings(made))
        if not self._processor.ignore_missing and not document.is_partial:
            self._put_missing(document)

    def _put_missing(self, document: Document) -> None:
        """Give fields that are not there an empty list, as the plugin does."""
        for field, target in self._processor.field_map.items():
            if not isinstance(target, Mapping) and not find(document.root, field):
                parent = field.rpartition(".")[0]
                slot = document.slot_in_root(f"{parent}.{target}" if parent else str(target))
                document.put(slot, MadeStrings([]))


class Lenient:
    """A processor with ``ignore_failure``: a document that it can't do anything with stays as it is."""

    def __init__(self, step: WriteStep) -> None:
        self._step = step
        self.vectors = step.vectors

    def apply(self, document: Document, inputs: RequestInputs) -> None:
        """As `WriteStep.apply`, without its errors."""
        with suppress(Refused, InvalidArgument):
            self._step.apply(document, inputs)


def processor_step(processor: IngestProcessor, model: Callable[[str], DocumentModel]) -> WriteStep:
    """The step for a processor; ``model`` gives a model by its name."""
    step: WriteStep
    match processor:
        case TextEmbedding():
            step = EmbedTexts(processor, model(processor.model))
        case TextImageEmbedding():
            step = EmbedTextAndImage(processor, model(processor.model))
        case TextChunking():
            step = ChunkTexts(processor)
    return Lenient(step) if processor.ignore_failure else step


def mapped_fields(document: Document, node: Object, field_map: Mapping[str, Any]) -> Iterator[Mapped]:
    """The fields that a map names, wherever they stand, and where what is made of each goes: beside it.

    A map in the place of a target is of the fields of an object, or of the objects of a list.
    Raises: Refused where a value has not the form that the map says.
    """
    for field, target in field_map.items():
        for place in find(node, field):
            value = place[-1].member.value
            if not isinstance(target, Mapping):
                parent = field.rpartition(".")[0]
                yield place, f"{parent}.{target}" if parent else str(target)
                continue
            inner = list(objects_in(value))
            if not inner and not document.is_null(value) and not _is_empty_list(document, place):
                raise Refused(
                    ILLEGAL_ARGUMENT,
                    f"[{field}] configuration doesn't match actual value type, configuration type is an object",
                )
            for one in inner:
                yield from mapped_fields(document, one, target)


def _strings(document: Document, place: Place) -> Sequence[str] | None:
    """The strings of a value, blank ones too; None for null. Raises: Refused for any other type."""
    member = place[-1].member
    if document.is_null(member.value):
        return None
    text = string_of(document, member.value)
    return [text] if text is not None else contents_of(document, member.value, member.key)


def _is_empty_list(document: Document, place: Place) -> bool:
    value = place[-1].member.value
    return isinstance(value, Array) and not value.items


def _targets(field_map: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    for field, target in field_map.items():
        if isinstance(target, Mapping):
            yield from _targets(target, f"{prefix}{field}.")
        else:
            parent = field.rpartition(".")[0]
            yield f"{prefix}{parent}.{target}" if parent else f"{prefix}{target}"
