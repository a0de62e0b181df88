"""The two ways in which inference endpoints are asked for embeddings, and how their answers are read."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

import numpy as np

from sidecar.embedding.endpoint_client import EndpointClient
from sidecar.embedding.loader import Embeddings

_OPENAI_PATH = "/v1/embeddings"
_TEI_PATH = "/embed"


class BadAnswer(Exception):
    """An answer that is not of the protocol's form; the message ends a sentence about the endpoint."""


def whole_url(url: str, protocol: str) -> str:
    """The URL to post to, of one with or without the protocol's path; a query string stays."""
    parts = urlsplit(url)
    path = parts.path.rstrip("/")
    if protocol == "tei":
        path = path if path.endswith(_TEI_PATH) else path + _TEI_PATH
    elif path.endswith("/v1"):
        path += "/embeddings"
    elif not path.endswith("/embeddings"):
        path += _OPENAI_PATH
    return urlunsplit((parts.scheme, parts.netloc, path, parts.query, ""))


def trusted_start(url: str, endpoints: Mapping[str, str]) -> str | None:
    """The longest of the operator's starts of URLs that the URL begins with; None for none.

    Scheme, host and port must be equal, and a path must end where a part of the URL's path does: ``http://a`` is no
    start of ``http://a.example``, nor ``http://a/x`` of ``http://a/xyz``.
    """
    parts = urlsplit(url)
    if ".." in unquote(parts.path).replace("\\", "/").split("/"):
        return None
    found = []
    for start in endpoints:
        given = urlsplit(start)
        path = given.path.rstrip("/")
        has_path = parts.path == path or parts.path.startswith(f"{path}/")
        if (given.scheme, given.netloc.lower()) == (parts.scheme, parts.netloc.lower()) and has_path:
            found.append(start)
    return max(found, key=len, default=None)


def request_body(protocol: str, model: str, texts: Sequence[str]) -> dict[str, Any]:
    """What is posted for the texts."""
    # OpenAI's API refuses empty strings, and with them the whole batch.
    cleaned = [text.encode("utf-8", "replace").decode("utf-8") if text.strip() else " " for text in texts]
    if protocol == "tei":
        return {"inputs": cleaned, "truncate": True, "normalize": False}
    return {"model": model, "input": cleaned, "encoding_format": "float"}


def ask_for_vectors(client: EndpointClient, protocol: str, body: Mapping[str, Any], count: int) -> Embeddings:
    """Post the body of ``count`` inputs. Returns: float32, shape (count, dimensions), in their order.

    Raises: EndpointError.
    """
    answer = client.post(body)
    try:
        return read_vectors(protocol, answer, count)
    except BadAnswer as error:
        raise client.failure(str(error)) from error


def read_vectors(protocol: str, answer: Any, count: int) -> Embeddings:
    """The vectors of an answer, in the order of the inputs: float32, shape (count, dimensions).

    Raises: BadAnswer where it has not so many vectors of one length.
    """
    rows = _tei_rows(answer) if protocol == "tei" else _openai_rows(answer)
    if len(rows) != count:
        raise BadAnswer(f"answered with {len(rows)} vectors for {count} inputs")
    try:
        vectors = np.asarray([_numbers(row) for row in rows], dtype=np.float32)
    except (ValueError, TypeError, binascii.Error) as error:
        raise BadAnswer(f"answered with vectors that can't be read ({error})") from error
    if vectors.ndim != 2 or not vectors.shape[1] or not np.isfinite(vectors).all():
        raise BadAnswer("answered with vectors that are empty, nested or not finite")
    return vectors


def _tei_rows(answer: Any) -> list[Any]:
    if not isinstance(answer, list):
        raise BadAnswer("answered with what is no list of vectors. Check 'url' and 'protocol'")
    return answer


def _openai_rows(answer: Any) -> list[Any]:
    entries = answer.get("data") if isinstance(answer, Mapping) else None
    if not isinstance(entries, list) or not all(isinstance(one, Mapping) and "embedding" in one for one in entries):
        raise BadAnswer("answered without a list 'data' of embeddings. Check 'url' and 'protocol'")
    positions = [entry.get("index", position) for position, entry in enumerate(entries)]
    if sorted(map(str, positions)) != sorted(map(str, range(len(entries)))):
        raise BadAnswer("answered with embeddings whose 'index' are not those of the inputs")
    ordered = sorted(zip(positions, entries, strict=True), key=lambda pair: int(pair[0]))
    return [entry["embedding"] for _, entry in ordered]


def _numbers(row: Any) -> Any:
    """A vector as a list of numbers, or decoded from base64 of little-endian float32."""
    return np.frombuffer(base64.b64decode(row, validate=True), dtype="<f4") if isinstance(row, str) else row
