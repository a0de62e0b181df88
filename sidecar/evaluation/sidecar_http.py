"""A client of the sidecar that is measured, over one kept connection: what it waits for, a user's client would."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from typing import Any
from urllib.parse import quote

import orjson

from sidecar.errors import BadRequest, SidecarError

ANSWER_SECONDS = 3600.0
"""A batch of long documents may keep a large model busy for as long as that."""


class SidecarHttp:
    """Speaks to one sidecar on this machine; for one thread."""

    def __init__(self, port: int) -> None:
        self._connection = HTTPConnection("127.0.0.1", port, timeout=ANSWER_SECONDS)

    def close(self) -> None:
        """End the connection."""
        self._connection.close()

    def create_index(self, index: str, settings: Mapping[str, Any]) -> None:
        """Make an index with these settings."""
        self._send("POST", _path(index), settings)

    def delete_index(self, index: str) -> None:
        """Delete an index."""
        self._send("DELETE", _path(index))

    def add(self, index: str, documents: Sequence[Mapping[str, Any]], tensor_fields: Sequence[str]) -> None:
        """Add documents. Raises: BadRequest where one of them is refused, with its id and the reason."""
        body = {"documents": documents, "tensorFields": tensor_fields}
        answer = self._send("POST", f"{_path(index)}/documents", body)
        for document, item in zip(documents, answer["items"], strict=True):
            if "error" in item:
                raise BadRequest(f"The document {document['_id']!r} can't be added: {item['error']}")

    def search(self, index: str, body: Mapping[str, Any]) -> list[dict[str, Any]]:
        """The hits of one search."""
        hits: list[dict[str, Any]] = self._send("POST", f"{_path(index)}/search", body)["hits"]
        return hits

    def search_many(self, index: str, bodies: Sequence[Mapping[str, Any]]) -> list[list[dict[str, Any]]]:
        """The hits of several searches that are sent together, in order."""
        queries = [{"index": index, **body} for body in bodies]
        return [one["hits"] for one in self._send("POST", "/indexes/bulk/search", {"queries": queries})["result"]]

    def stats(self, index: str) -> tuple[int, int]:
        """How many documents and vectors searches find."""
        answer = self._send("GET", f"{_path(index)}/stats")
        return int(answer["numberOfDocuments"]), int(answer["numberOfVectors"])

    def refresh(self, index: str) -> None:
        """Let searches see all that was written."""
        self._send("POST", f"{_path(index)}/refresh")

    def _send(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The answer. Raises: BadRequest with the sidecar's own words; SidecarError where it fails or is gone."""
        content = None if body is None else orjson.dumps(body)
        try:
            self._connection.request(method, path, content, {"Content-Type": "application/json"})
            response = self._connection.getresponse()
            text = response.read()
        except (OSError, HTTPException) as error:
            self._connection.close()
            raise SidecarError(f"The sidecar that is evaluated does not answer: {error!r}.") from error
        except BaseException:
            # Its answer would be taken for that to the next request.
            self._connection.close()
            raise
        if response.status >= 400:
            raise _error(response.status, text)
        answer: dict[str, Any] = orjson.loads(text)
        return answer


@dataclass(frozen=True)
class ServedSidecar:
    """A sidecar in a process of its own, without a cache of queries' vectors; ``process_id`` is that of the process
    that began it."""

    http: SidecarHttp
    process_id: int


Serve = Callable[[], AbstractContextManager[ServedSidecar]]
"""Starts a sidecar on the cluster of the evaluation, and ends it."""


def _path(index: str) -> str:
    return f"/indexes/{quote(index, safe='')}"


def _error(status: int, text: bytes) -> SidecarError:
    message = text.decode(errors="replace")
    with suppress(orjson.JSONDecodeError, KeyError, TypeError):
        message = orjson.loads(text)["message"]
    return BadRequest(message) if status < 500 else SidecarError(message)
