"""The cluster's answers as objects: one that is not what OpenSearch answers is told as such."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import orjson

from sidecar.errors import OpenSearchError

_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)", re.DOTALL
)
"""An escape in a string; in its group, half of a pair of surrogates."""


def decode_object(body: bytes, status: int = 200) -> dict[str, Any]:
    """The JSON object of an answer. Halves of surrogate pairs, which a document may have and nobody could send on,
    become U+FFFD. Raises: OpenSearchError where it is none."""
    try:
        answer = _decoded(body)
    except orjson.JSONDecodeError as error:
        raise OpenSearchError(
            f"The answer of the server at OPENSEARCH_URL is not JSON ({error}); is it OpenSearch, or something before "
            "it that answers in its place?",
            upstream_status=status,
        ) from error
    if not isinstance(answer, dict):
        raise OpenSearchError(
            "The server at OPENSEARCH_URL does not answer as OpenSearch does.", upstream_status=status
        )
    return answer


def _decoded(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        whole = _ESCAPE.sub(lambda found: rb"\ufffd" if found[1] else found[0], body)
        if whole == body:
            raise
        return orjson.loads(whole)


@contextmanager
def read_as(operation: str) -> Iterator[None]:
    """Meanwhile an answer to the operation is taken apart. Raises: OpenSearchError where it has other parts."""
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise OpenSearchError(
            f"The answer to {operation} of the server at OPENSEARCH_URL is not what OpenSearch answers "
            f"({type(error).__name__}: {error}); is there something before it that answers in its place?"
        ) from error


def objects(answer: Mapping[str, Any], name: str, count: int | None = None) -> list[dict[str, Any]]:
    """The objects of a list, ``count`` of them where given. Raises: KeyError, TypeError, ValueError; see `read_as`."""
    found = answer[name]
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise TypeError(f"{name} is no list of objects")
    if count is not None and len(found) != count:
        raise ValueError(f"{name} has {len(found)} objects in place of {count}")
    return found


def check_search(answer: Mapping[str, Any]) -> None:
    """Look whether an answer has what one to a search must have. Raises: as `objects`."""
    hits = answer["hits"]["hits"]
    if not isinstance(hits, list) or not all(isinstance(hit, dict) and isinstance(hit["_id"], str) for hit in hits):
        raise TypeError("hits is no list of documents")
    if not isinstance(answer["took"], int):
        raise TypeError("took is no number")
