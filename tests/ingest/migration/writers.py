"""Clients that write, change, delete and search while an index is migrated, and know what must come of it."""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Callable
from typing import Any

import requests

from tests.fix_server import Sidecar

PATIENCE_SECONDS = 60.0


class Writer(threading.Thread):
    """Does one thing after another to documents that no other writer knows, over both faces and past the sidecar.

    ``documents`` is what the index must have of them: what was acknowledged, and nothing else.
    """

    def __init__(self, sidecar: Sidecar, name: str, number: int, *, seed: int) -> None:
        super().__init__(daemon=True)
        self._urls = sidecar.url, sidecar.native_url
        self._name = name
        self._prefix = f"w{number}-"
        self._random = random.Random(seed * 100 + number)
        self._session = requests.Session()
        self._ended = threading.Event()
        self.documents: dict[str, dict[str, Any]] = {}
        self.done = 0
        self.failures: list[str] = []

    def end(self) -> None:
        """Finish what is under way, and wait for that."""
        self._ended.set()
        self.join(PATIENCE_SECONDS)
        assert not self.is_alive()

    def run(self) -> None:
        try:
            while not self._ended.is_set():
                self._do_something()
                self.done += 1
        except Exception as error:
            self.failures.append(repr(error))

    def _do_something(self) -> None:
        document_id = f"{self._prefix}{self._random.randrange(8)}"
        document = {"title": f"version {self.done} of {document_id}", "n": self.done}
        things: list[Callable[[str, dict[str, Any]], None]] = [
            self._add,
            self._bulk_index,
            self._remove,
            self._bulk_delete,
        ]
        if document_id in self.documents:
            things += [self._change, self._bulk_change]
        self._random.choice(things)(document_id, document)

    def _add(self, document_id: str, document: dict[str, Any]) -> None:
        body = {"documents": [{"_id": document_id, **document}], "tensorFields": ["title"]}
        self._send("POST", f"/indexes/{self._name}/documents", body)
        self.documents[document_id] = document

    def _change(self, document_id: str, document: dict[str, Any]) -> None:
        self._send("PATCH", f"/indexes/{self._name}/documents", {"documents": [{"_id": document_id, **document}]})
        self.documents[document_id] = document

    def _remove(self, document_id: str, document: dict[str, Any]) -> None:
        self._send("POST", f"/indexes/{self._name}/documents/delete-batch", [document_id])
        self.documents.pop(document_id, None)

    def _bulk_index(self, document_id: str, document: dict[str, Any]) -> None:
        self._bulk({"index": {"_id": document_id}}, document)
        self.documents[document_id] = document

    def _bulk_change(self, document_id: str, document: dict[str, Any]) -> None:
        self._bulk({"update": {"_id": document_id}}, {"doc": document})
        self.documents[document_id] = {**self.documents[document_id], **document}

    def _bulk_delete(self, document_id: str, document: dict[str, Any]) -> None:
        self._bulk({"delete": {"_id": document_id}})
        self.documents.pop(document_id, None)

    def _bulk(self, *lines: dict[str, Any]) -> None:
        body = "".join(json.dumps(line) + "\n" for line in lines)
        self._until_taken("POST", f"{self._urls[1]}/{self._name}/_bulk", body, "application/x-ndjson")

    def _send(self, method: str, path: str, body: Any) -> None:
        self._until_taken(method, self._urls[0] + path, json.dumps(body), "application/json")

    def _until_taken(self, method: str, url: str, body: str, content_type: str) -> None:
        """A write that the index refuses for the moment is sent again; any other refusal is a failure."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            answer = self._session.request(
                method, url, data=body, headers={"Content-Type": content_type}, timeout=PATIENCE_SECONDS
            )
            is_blocked = "blocked by" in answer.text
            if not is_blocked:
                errors = [item for item in _items(answer) if item.get("error")]
                assert answer.status_code == 200, answer.text
                assert not errors, errors
                return
            assert time.monotonic() < deadline, answer.text
            self._ended.wait(0.05)


def _items(answer: requests.Response) -> list[dict[str, Any]]:
    told = answer.json()
    items = told.get("items", []) if isinstance(told, dict) else []
    return [next(iter(item.values())) if "_id" not in item else item for item in items]


class Searching(threading.Thread):
    """Searches for a document by its own text, over both faces, until told to end.

    ``wrong`` are answers that failed, or whose first hit is not that document with the score of equal vectors: those of
    the query and of the document were not made by one model.
    """

    def __init__(self, sidecar: Sidecar, name: str, document_id: str, text: str) -> None:
        super().__init__(daemon=True)
        self._sidecar = sidecar
        self._name = name
        self._wanted = document_id
        self._text = text
        self._session = requests.Session()
        self._ended = threading.Event()
        self.searches = 0
        self.wrong: list[Any] = []

    def end(self) -> None:
        """Wait for the search under way."""
        self._ended.set()
        self.join(PATIENCE_SECONDS)
        assert not self.is_alive()

    def run(self) -> None:
        while not self._ended.is_set():
            for url, body in (self._own(), self._native()):
                try:
                    self._look(url, body)
                except Exception as error:
                    self.wrong.append(repr(error))
                self.searches += 1

    def _look(self, url: str, body: dict[str, Any]) -> None:
        answer = self._session.post(url, json=body, timeout=PATIENCE_SECONDS)
        told = answer.json()
        hits = told.get("hits", [])
        hits = hits["hits"] if isinstance(hits, dict) else hits
        if answer.status_code != 200 or not hits or hits[0]["_id"] != self._wanted or hits[0]["_score"] < 0.999:
            self.wrong.append(told)

    def _own(self) -> tuple[str, dict[str, Any]]:
        return f"{self._sidecar.url}/indexes/{self._name}/search", {"q": self._text, "limit": 1}

    def _native(self) -> tuple[str, dict[str, Any]]:
        neural = {"neural": {"__embeddings.title.vector": {"query_text": self._text, "k": 10}}}
        query = {"nested": {"path": "__embeddings.title", "query": neural}}
        body = {"query": query, "size": 1, "_source": False}
        return f"{self._sidecar.native_url}/{self._name}/_search", body
