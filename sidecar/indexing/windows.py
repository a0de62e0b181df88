"""The write path's unit of work: some documents, what models must run on for them, and their embeddings."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from sidecar.embedding.byte_vectors import as_bytes
from sidecar.embedding.model_spec import ModelSpec
from sidecar.embedding.text_embedder import TextEmbedder
from sidecar.embedding.texts.chunking import Chunk
from sidecar.errors import InvalidArgument
from sidecar.indexing.combinations import Combination
from sidecar.indexing.content import ContentRules
from sidecar.indexing.custom_vectors import CustomValue
from sidecar.indexing.files import RequestFiles
from sidecar.indexing.inputs import FileInput, TextInputs
from sidecar.indexing.parts import CombinationPart, FieldPart, FilePart, Member, TextPart, as_stored
from sidecar.indexing.validation import ValidDocument
from sidecar.opensearch.bulk_actions import BulkAction, FieldEmbedding, encode_source
from sidecar.opensearch.partial_update import encode_update

MAX_TEXTS = 256
MAX_DOCUMENTS = 512
"""A window is full with either. Batches are formed across the windows that wait, so that a small one costs little
padding (the demo's corpus: 9.5 % of the tokens with 192 texts to choose from, 2.8 % with 800, 0.9 % with 3,000)."""
MAX_FILE_PARTS = 32
"""So many parts of files fill a window too: a prepared image is 0.6 MB of numbers, and more for a large model."""
MAX_CHUNKS = 10_000
"""Chunks of a document: OpenSearch takes no more nested entries (``index.mapping.nested_objects.limit``)."""


@dataclass(slots=True)
class Window:
    """Documents on their way from validation to the bulk body, in the order of their request.

    ``rules`` gives those of a field. ``stores_bytes`` where the index's vectors are whole numbers of one byte. Where it
    ``creates``, documents that are there already stay as they are.
    """

    rules: Callable[[str], ContentRules]
    files: RequestFiles
    stores_bytes: bool = False
    creates: bool = False
    documents: list[ValidDocument] = field(default_factory=list)
    _texts: dict[ModelSpec, TextInputs] = field(default_factory=dict)
    _files: list[FileInput] = field(default_factory=list)
    _parts: dict[int, dict[str, FieldPart]] = field(default_factory=dict)
    _ready: dict[int, dict[str, FieldEmbedding]] = field(default_factory=dict)
    _is_submitted: bool = False

    def add(self, document: ValidDocument, hashes: Mapping[str, str], kept: Mapping[str, FieldEmbedding]) -> None:
        """Take a document in; ``hashes`` has its fields' content hashes. Fields that are in ``kept`` are not embedded.

        Raises: InvalidArgument for too many chunks, or text for a model that takes none; the document is not taken.
        """
        split = {name: self._split(name, text) for name, text in document.texts.items() if name not in kept}
        combinations = {name: value for name, value in document.combinations.items() if name not in kept}
        _check_chunks(split, kept, len(combinations) + len(document.vectors))
        for name, combination in combinations.items():
            self._check_combination(name, combination)
        parts: dict[str, FieldPart] = {}
        for name, chunks in split.items():
            parts[name] = self._part(name, document.texts[name], chunks, hashes[name])
        for name, combination in combinations.items():
            parts[name] = self._combined(name, combination, hashes[name])
        self.documents.append(document)
        self._parts[document.position] = parts
        own = {name: self._own_vector(custom) for name, custom in document.vectors.items()}
        self._ready[document.position] = {**kept, **own}

    def submit(self, engine: TextEmbedder) -> None:
        """Have everything embedded. Raises what the engine raises when a model can't be loaded."""
        for texts in filter(len, self._texts.values()):
            texts.submit(engine)
        for file in self._files:
            file.submit(self.files)
        self._is_submitted = True

    def cancel(self) -> None:
        """Drop what has not begun."""
        for texts in self._texts.values():
            texts.cancel()
        for file in self._files:
            file.cancel()

    @property
    def file_parts(self) -> int:
        """About how many parts of files must be embedded."""
        return sum(self.files.parts_guess if file.is_cut else 1 for file in self._files)

    @property
    def is_full(self) -> bool:
        return (
            sum(map(len, self._texts.values())) >= MAX_TEXTS
            or len(self.documents) >= MAX_DOCUMENTS
            or (len(self._files) > 0 and self.file_parts >= MAX_FILE_PARTS)
        )

    def wait(self) -> None:
        """Wait for the embeddings. Raises what a model raised on all texts, which fails the request: what else goes
        wrong is one document's fault."""
        if self._is_submitted:
            for texts in filter(len, self._texts.values()):
                texts.wait()
            for file in self._files:
                file.wait()

    def outcomes(self) -> Iterator[BulkAction | InvalidArgument]:
        """For each document its bulk action, or why it has none; as long as `wait` does. Raises what a model raised.

        A window that was not submitted gives its documents without embeddings.
        """
        self.wait()
        for document in self.documents:
            try:
                fields = self._ready[document.position] | self._embeddings(document)
            except InvalidArgument as error:
                yield error
                continue
            yield self._action(document, fields)

    def _action(self, document: ValidDocument, embeddings: Mapping[str, FieldEmbedding]) -> BulkAction:
        if document.changes is None:
            source = encode_source(document.source, embeddings)
            return BulkAction(document.document_id, source, is_create=self.creates)
        update = encode_update(document.source, document.changes, embeddings)
        return BulkAction(document.document_id, update, is_update=True)

    def _embeddings(self, document: ValidDocument) -> dict[str, FieldEmbedding]:
        if not self._is_submitted:
            return {}
        parts = self._parts[document.position].items()
        return {name: self._embedding(part, document.document_id) for name, part in parts}

    def _embedding(self, part: FieldPart, document_id: str) -> FieldEmbedding:
        return as_stored(part, document_id, stores_bytes=self.stores_bytes)

    def _own_vector(self, custom: CustomValue) -> FieldEmbedding:
        vectors = custom.vector[np.newaxis]
        spans = [(0, len(custom.content))]
        if not self.stores_bytes:
            return FieldEmbedding(vectors, spans)
        are_bytes = bool(np.all((vectors == np.rint(vectors)) & (vectors >= -128) & (vectors <= 127)))
        return FieldEmbedding((vectors if are_bytes else as_bytes(vectors)).astype(np.int8), spans)

    def _split(self, name: str, text: str) -> Sequence[Chunk] | None:
        """The text's chunks; None for a pointer to a file."""
        rules = self.rules(name)
        if rules.is_media(text):
            return None
        _check_takes_text(rules, name)
        return rules.chunks(text)

    def _check_combination(self, name: str, combination: Combination) -> None:
        rules = self.rules(name)
        if not all(map(rules.is_media, combination.strings)):
            _check_takes_text(rules, name)

    def _part(self, name: str, text: str, chunks: Sequence[Chunk] | None, content_hash: str) -> FieldPart:
        rules = self.rules(name)
        if chunks is None:
            return FilePart(content_hash, self._file(rules, text, is_cut=True), rules.normalize)
        inputs = self._texts_of(rules)
        return TextPart(content_hash, inputs, chunks, inputs.add([rules.prefix + chunk.text for chunk in chunks]))

    def _combined(self, name: str, combination: Combination, content_hash: str) -> CombinationPart:
        rules = self.rules(name)
        inputs = self._texts_of(rules)
        members = [
            Member(
                self._file(rules, string, is_cut=False)
                if rules.is_media(string)
                else inputs.add([rules.prefix + string])[0],
                weight,
            )
            for _, string, weight in combination.members
        ]
        return CombinationPart(name, content_hash, inputs, members, rules.normalize)

    def _texts_of(self, rules: ContentRules) -> TextInputs:
        inputs = self._texts.get(rules.spec)
        if inputs is None:
            inputs = self._texts[rules.spec] = TextInputs(rules.spec, rules.normalize)
        return inputs

    def _file(self, rules: ContentRules, pointer: str, *, is_cut: bool) -> FileInput:
        self._files.append(FileInput(rules.spec, pointer, is_cut))
        return self._files[-1]


def _check_takes_text(rules: ContentRules, name: str) -> None:
    if not rules.embeds_text:
        raise InvalidArgument(
            f"field {name!r} is text, which its model {rules.spec.name!r} does not embed: give the pointer of a file"
        )


def _check_chunks(split: Mapping[str, Sequence[Chunk] | None], kept: Mapping[str, FieldEmbedding], others: int) -> None:
    """``others`` are fields of one chunk; a file, whose parts are not known yet, counts as one."""
    counts = {name: 1 if chunks is None else len(chunks) for name, chunks in split.items()}
    if kept:
        counts |= {name: len(embedding.spans) for name, embedding in kept.items()}
    total = sum(counts.values()) + others
    if total > MAX_CHUNKS:
        field = max(counts, key=lambda name: counts[name])
        raise InvalidArgument(
            f"the document has {total:,} chunks, most of them ({counts[field]:,}) of field {field!r}; "
            f"the limit is {MAX_CHUNKS:,}. Embed fewer fields, or raise split_length of a new index"
        )
