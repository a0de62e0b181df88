"""The documents in a request's body, with what is to be put into each of them."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sidecar.native.json.spans import Node, NotJson, Object, read
from sidecar.native.writes.document import Document, PendingEdit
from sidecar.native.writes.fitness import may_be_stored
from sidecar.native.writes.grammar import BOM
from sidecar.native.writes.inputs import RequestInputs
from sidecar.native.writes.recipes import Recipe
from sidecar.native.writes.steps import poison

StoredFields = Callable[[Sequence[str]], Document | None]
"""Reads fields of the stored document that a partial one is merged into; None where there is none."""


@dataclass(frozen=True, slots=True)
class PlannedUpdate:
    """What is put into the documents of an update, and whether a script makes the new document."""

    edits: Sequence[PendingEdit]
    has_script: bool = False


@dataclass(slots=True)
class Planner:
    """Plans the documents of one body; their contents go among the request's inputs."""

    body: bytes
    inputs: RequestInputs

    def whole(self, start: int, end: int, recipe: Recipe, document_id: str | None) -> list[PendingEdit]:
        """What is put into the document in ``body[start:end]``; nothing where that is no document.

        Raises: Refused, InvalidArgument for content that can't be embedded.
        """
        root = self._object(start, end)
        if root is None:
            return []
        return self._edits([Document(self.body, root, document_id or uuid.uuid4().hex)], recipe)

    def update(
        self, start: int, end: int, recipe: Recipe, document_id: str | None, stored: StoredFields
    ) -> PlannedUpdate:
        """As `whole`, for the ``doc`` and the ``upsert`` of the update in ``body[start:end]``."""
        root = self._object(start, end)
        if root is None:
            return PlannedUpdate([])
        name = document_id or uuid.uuid4().hex
        documents = []
        for key, is_partial in (("doc", True), ("upsert", False)):
            node = root.get(key)
            if isinstance(node, Object):
                documents.append(Document(self.body, node, name, is_partial, stored if is_partial else None))
        return PlannedUpdate(self._edits(documents, recipe), root.get("script") is not None)

    def _edits(self, documents: Sequence[Document], recipe: Recipe) -> list[PendingEdit]:
        for document in documents:
            for step in recipe.steps:
                step.apply(document, self.inputs)
        return [edit for document in documents for edit in document.pending()]

    def _object(self, start: int, end: int) -> Object | None:
        """The object that stands there; of what is none, or no JSON to the cluster, that will say where it is wrong."""
        if self.body.startswith(BOM, start, end):
            start += len(BOM)
        if self.body.startswith(b"{\0", start, end):
            # UTF-16 and UTF-32 of this order of bytes, which the cluster would read.
            raise poison("_source", "the document must be UTF-8")
        try:
            node: Node = read(self.body, start, end)
        except NotJson:
            return None
        return node if isinstance(node, Object) and may_be_stored(node, self.body) else None
