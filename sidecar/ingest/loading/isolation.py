"""Finds the documents on which a model fails, so that those beside them are stored."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sidecar.errors import SidecarError
from sidecar.ingest.loading.faults import is_of_a_document

Item = dict[str, Any]
Add = Callable[[Sequence[dict[str, Any]]], Sequence[Item]]

MODEL_FAILED = "model_failed"
_MOST_IN_A_ROW = 8
"""Where a model fails on so many documents, one by one, and works on none, it is the model that is at fault."""


def isolated_items(add: Add, documents: Sequence[dict[str, Any]]) -> Sequence[Item]:
    """What ``add`` answers for the documents; where it raises what may be one document's fault, the batch is halved
    until that document is alone, and has an item that says why.

    Raises: what ``add`` raises that is no document's fault, or where no document passes. Part may be stored then.
    """
    return _Isolation(add).items(documents)


class _Isolation:
    def __init__(self, add: Add) -> None:
        self._add = add
        self._passed = False
        self._failed = 0

    def items(self, documents: Sequence[dict[str, Any]]) -> Sequence[Item]:
        try:
            items = self._add(documents)
        except Exception as error:
            if not is_of_a_document(error):
                raise
            if len(documents) == 1:
                return [self._failure(documents[0], error)]
        else:
            self._passed = True
            return items
        half = len(documents) // 2
        return [*self.items(documents[:half]), *self.items(documents[half:])]

    def _failure(self, document: dict[str, Any], error: Exception) -> Item:
        self._failed += 1
        if self._failed >= _MOST_IN_A_ROW and not self._passed:
            raise error
        document_id = str(document["_id"])
        if isinstance(error, SidecarError):
            return error.as_item(document_id)
        reason = f"the model failed on the document: {type(error).__name__}: {error}"
        return {"_id": document_id, "error": reason, "status": 500, "code": MODEL_FAILED}
