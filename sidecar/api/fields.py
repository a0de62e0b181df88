"""Routes that tell of the fields of documents: which there are, and which values they have."""

from __future__ import annotations

from flask import Blueprint, Response, request

from sidecar.api.answers import json_answer
from sidecar.api.services import services
from sidecar.errors import InvalidArgument
from sidecar.opensearch.index_state import IndexState, document_fields
from sidecar.searching.field_values import LONGEST_CONTAINED, ValuesAsked, find_values
from sidecar.whole_numbers import whole_number

fields = Blueprint("fields", __name__, url_prefix="/indexes")

DEFAULT_VALUES = 10
MAX_VALUES = 1000


@fields.get("/<index>/fields")
def list_fields(index: str) -> Response:
    """The fields of the index's documents: their types, and what is embedded of them by which model."""
    state = services().states.get(index, is_fresh=True)
    return json_answer({"fields": [_field_body(state, name) for name in document_fields(state)]})


@fields.get("/<index>/fields/<field>/values")
def list_values(index: str, field: str) -> Response:
    """The values of a field, the most frequent first; of numbers and dates, their range."""
    parts = services()
    asked = ValuesAsked(field, _read_size(), _read_contained())
    return json_answer(find_values(parts.cluster, parts.states.get(index), asked))


def _read_size() -> int:
    text = request.args.get("size", str(DEFAULT_VALUES))
    size = whole_number(text, most_digits=len(str(MAX_VALUES)))
    if size is None or not 1 <= size <= MAX_VALUES:
        raise InvalidArgument(f"the parameter 'size' is {text[:50]!r}; it must be 1 to {MAX_VALUES}.")
    return size


def _read_contained() -> str:
    text = request.args.get("contains", "")
    if len(text) > LONGEST_CONTAINED:
        raise InvalidArgument(
            f"the parameter 'contains' is {len(text):,} characters long; the limit is {LONGEST_CONTAINED}."
        )
    return text


def _field_body(state: IndexState, name: str) -> dict[str, str | None]:
    is_embedded = name in state.embedded_fields
    return {
        "name": name,
        "type": state.field_types.get(name, "object"),
        "embedded": state.kind_of(name) if is_embedded else None,
        "model": state.settings.model_of(name).model if is_embedded else None,
    }
