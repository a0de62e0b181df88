"""Two indexes whose models differ, and a name that leads to one of them, which tests switch to the other."""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sidecar.opensearch.job_records import JOBS_INDEX
from sidecar.opensearch.switching import MIGRATION, record_name
from tests.fix_opensearch import request
from tests.fix_server import Sidecar

TEXTS = ("A red boat.", "A blue bird.", "A green plane.")


@dataclass(frozen=True)
class Switched:
    """``name`` is an alias of ``old`` at first. Equal texts have other vectors in each, of equal dimensions."""

    node: str
    name: str
    old: str
    new: str

    def put(self, method: str, path: str, body: Any = None) -> Any:
        """One exchange with the node, which succeeds."""
        status, text = request(self.node, method, path, None if body is None else json.dumps(body))
        assert status < 300, text
        return json.loads(text)

    def block(self, index: str | None = None) -> None:
        """Let an index, the old one, take no writes."""
        self.put("PUT", f"/{index or self.old}/_block/write")

    def unblock(self) -> None:
        """Let the old index take writes again."""
        self.put("PUT", f"/{self.old}/_settings", {"index.blocks.write": None})

    def move(self, index: str | None = None) -> None:
        """Let the name lead to an index, the new one, in one step."""
        remove = {"remove": {"index": f"{self.name}-*", "alias": self.name}}
        self.put("POST", "/_aliases", {"actions": [remove, {"add": {"index": index or self.new, "alias": self.name}}]})

    def migrate(self, *, seconds: float = 60.0, phase: str = "switching") -> None:
        """Have it on record that a migration is at work, for so long."""
        value = {
            "kind": MIGRATION,
            "phase": phase,
            "until": time.time() + seconds,
            "old_index": self.old,
            "new_index": self.new,
        }
        self.put("PUT", f"/{JOBS_INDEX}/_doc/{record_name(self.name)}?refresh=true", value)

    def documents(self, index: str) -> dict[str, Any]:
        """What is stored in an index, by ids, without vectors."""
        self.put("POST", f"/{index}/_refresh")
        answer = self.put("GET", f"/{index}/_search?size=1000&_source_excludes=__embeddings.*")
        sources = {hit["_id"]: hit["_source"] for hit in answer["hits"]["hits"]}
        return {key: {k: v for k, v in source.items() if k != "__embeddings"} for key, source in sources.items()}


@contextmanager
def switched(sidecar: Sidecar) -> Iterator[Switched]:
    """The indexes, each with a document for every one of `TEXTS`."""
    name = f"test-{uuid.uuid4().hex[:12]}"
    made = Switched(sidecar.environment["OPENSEARCH_URL"], name, f"{name}-v1", f"{name}-v2")
    for index, mark in ((made.old, "old"), (made.new, "new")):
        texts = {"override_text_chunk_prefix": f"{mark}: ", "override_text_query_prefix": f"{mark}: "}
        defaults = {"model": "random/small", "text_preprocessing": texts}
        answer = sidecar.post(f"/indexes/{index}", {"index_defaults": defaults, "number_of_shards": 1})
        assert answer.status_code == 200, answer.text
        sidecar.add(index, [{"_id": str(n), "title": text, "mark": mark} for n, text in enumerate(TEXTS)])
    made.put("POST", "/_aliases", {"actions": [{"add": {"index": made.old, "alias": name}}]})
    try:
        yield made
    finally:
        request(made.node, "DELETE", f"/{made.old},{made.new}?ignore_unavailable=true")
        request(made.node, "DELETE", f"/{JOBS_INDEX}/_doc/{record_name(name)}")


@contextmanager
def meanwhile(work: Callable[[], Any]) -> Iterator[Future[Any]]:
    """The work on a thread of its own, begun."""
    begun = threading.Event()

    def run() -> Any:
        begun.set()
        return work()

    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(run)
        begun.wait()
        yield future


def is_held_up(future: Future[Any]) -> bool:
    """True where the work does not end by itself in a third of a second."""
    return not wait([future], timeout=0.3).done
