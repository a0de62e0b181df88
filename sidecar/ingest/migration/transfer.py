"""Documents of one index as they are to be in another: their vectors taken over, or made anew by its model."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from sidecar.errors import InvalidArgument
from sidecar.indexing.field_rules import FieldRules, rules_of_texts
from sidecar.indexing.files import RequestFiles
from sidecar.indexing.hashes import content_hashes
from sidecar.indexing.kept_embeddings import find_kept_embeddings
from sidecar.indexing.validation import ValidDocument
from sidecar.indexing.windows import Window
from sidecar.ingest.migration.field_choices import FieldChoices
from sidecar.ingest.migration.parts import MigrationParts
from sidecar.ingest.migration.sorting import Sorter, TransferRules, Work
from sidecar.ingest.stored_documents import StoredDocument
from sidecar.opensearch.bulk_actions import BulkAction, FieldEmbedding, encode_source
from sidecar.opensearch.index_state import IndexState
from sidecar.opensearch.stored_chunks import readable_chunks

_WINDOWS_IN_FLIGHT = 2
"""Of one batch, while the next is filled; other batches are under way beside it."""


@dataclass(frozen=True, slots=True)
class Moved:
    """One document on its way: its action, or else why there is none. One that ``is_bare`` has lost vectors."""

    document: StoredDocument
    action: BulkAction | None
    reason: str = ""
    is_bare: bool = False


@dataclass(frozen=True, slots=True)
class _Piece:
    """A document on its way into a window: its contents' hashes, and the vectors that are there."""

    work: Work
    document: ValidDocument
    hashes: Mapping[str, str]
    kept: Mapping[str, FieldEmbedding]


@dataclass(frozen=True, slots=True)
class _Batch:
    """A window, and the pieces that are in it, in order; beside one that it did not take stands the reason."""

    window: Window
    pieces: list[tuple[_Piece, InvalidArgument | None]] = field(default_factory=list)


class Transfer:
    """Makes documents of the ``target`` index out of those of the ``source``; safe to use from any thread."""

    def __init__(self, parts: MigrationParts, source: IndexState, target: IndexState, rules: TransferRules) -> None:
        self._parts = parts
        self._source = source
        self._target = target
        self._rules = rules
        self._sorter = Sorter(source, target, FieldChoices(source.settings, target.settings, parts.table), rules)

    def move(self, documents: Sequence[StoredDocument], *, may_be_there: bool) -> Iterator[Moved]:
        """The documents as they are to be written, in their order, as soon as each is ready.

        Where they ``may_be_there``, in an earlier version, contents that have not changed since are not embedded again.
        Raises: what a model raised; InvalidArgument only for single documents, in their `Moved`.
        """
        works: list[Work | Moved] = [self._work(document) for document in documents]
        wanted = [work for work in works if isinstance(work, Work)]
        self._declare(wanted)
        moved = self._embedded(wanted, may_be_there=may_be_there)
        for work in works:
            yield work if isinstance(work, Moved) else next(moved)

    def _work(self, document: StoredDocument) -> Work | Moved:
        try:
            return self._sorter.sort_out(document)
        except InvalidArgument as error:
            return Moved(document, None, error.message)

    def _declare(self, works: Sequence[Work]) -> None:
        """Make room in the target for fields that the source has embedded since the migration began."""
        fields = {name: None for work in works for name in work.fields}
        missing = [field for field in fields if field not in self._target.embedded_fields]
        if missing:
            states = self._parts.states
            source = states.get(self._source.name)
            kinds = {field: source.kind_of(field) for field in missing if field in source.embedded_fields}
            self._target = states.ensure_embedded_fields(self._target.name, missing, kinds=kinds)

    def _embedded(self, works: Sequence[Work], *, may_be_there: bool) -> Iterator[Moved]:
        rules = self._field_rules(works)
        valid = [work.as_valid(position) for position, work in enumerate(works)]
        hashes = [content_hashes(document, rules.of, files_last=False) for document in valid]
        there = self._already_there(works, [one.lasting for one in hashes]) if may_be_there else {}
        pieces = [
            _Piece(work, document, of_document.stored, {**work.kept, **there.get(document.document_id, {})})
            for work, document, of_document in zip(works, valid, hashes, strict=True)
        ]
        in_flight: deque[_Batch] = deque()
        try:
            for batch in self._batches(pieces, rules):
                in_flight.append(batch)
                while len(in_flight) > _WINDOWS_IN_FLIGHT:
                    yield from self._outcomes(in_flight.popleft())
            while in_flight:
                yield from self._outcomes(in_flight.popleft())
        finally:
            for batch in in_flight:
                batch.window.cancel()

    def _batches(self, pieces: Sequence[_Piece], rules: FieldRules) -> Iterator[_Batch]:
        """The pieces in windows whose embedding has begun."""
        batch = self._new_batch(rules)
        for piece in pieces:
            try:
                batch.window.add(piece.document, piece.hashes, piece.kept)
                batch.pieces.append((piece, None))
            except InvalidArgument as error:
                batch.pieces.append((piece, error))
            if batch.window.is_full:
                yield self._submitted(batch)
                batch = self._new_batch(rules)
        yield self._submitted(batch)

    def _submitted(self, batch: _Batch) -> _Batch:
        self._parts.engine.wait_for_room()
        batch.window.submit(self._parts.engine)
        return batch

    def _outcomes(self, batch: _Batch) -> Iterator[Moved]:
        outcomes = batch.window.outcomes()
        for piece, error_of in batch.pieces:
            outcome = next(outcomes) if error_of is None else error_of
            yield self._moved(piece, outcome)

    def _moved(self, piece: _Piece, outcome: BulkAction | InvalidArgument) -> Moved:
        document = piece.work.document
        if isinstance(outcome, BulkAction):
            return Moved(document, self._placed(outcome, document))
        return self._unembeddable(piece.work, outcome)

    def _unembeddable(self, work: Work, error: InvalidArgument) -> Moved:
        document = work.document
        if not self._rules.keeps_unembeddable:
            return Moved(document, None, error.message)
        action = BulkAction(document.document_id, encode_source(work.taken.source, work.kept))
        return Moved(document, self._placed(action, document), error.message, is_bare=True)

    def _placed(self, action: BulkAction, document: StoredDocument) -> BulkAction:
        version = self._rules.version_base + document.seq_no + 1
        return replace(action, version=version, routing=document.routing)

    def _new_batch(self, rules: FieldRules) -> _Batch:
        patch_method = self._target.settings.image_preprocessing.patch_method
        files = RequestFiles(self._parts.media, {}, patch_method)
        return _Batch(Window(rules.of, files, stores_bytes=self._target.settings.ann_parameters.stores_bytes))

    def _field_rules(self, works: Sequence[Work]) -> FieldRules:
        fields = {name: None for work in works for name in work.contents}
        return rules_of_texts(
            self._target.settings,
            self._parts.table,
            fields,
            device=self._parts.device,
            load=self._parts.engine.models.get,
        )

    def _already_there(
        self, works: Sequence[Work], hashes: Sequence[Mapping[str, str]]
    ) -> dict[str, dict[str, FieldEmbedding]]:
        wanted = {
            work.document.document_id: of_work
            for work, of_work in zip(works, hashes, strict=True)
            if of_work and work.document.routing is None
        }
        if not wanted:
            return {}
        most = readable_chunks(self._target)
        return find_kept_embeddings(self._parts.cluster, self._target.name, wanted, max_chunks=most)
