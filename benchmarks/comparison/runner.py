"""Runs one contestant's code in that contestant's own Python: ``python -m benchmarks.comparison.runner NAME``.

Commands come as lines of JSON on standard input, each is answered by one line of JSON on standard output: `COMMANDS`
says which there are. Nothing but the standard library is needed here; all times are taken here, in seconds.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import json
import os
import platform
import sys
import threading
import time
from typing import Any, Protocol

Command = dict[str, Any]
HITS = 10


class HelpSearch(Protocol):
    """What each contestant's file has; one whose library takes a size of batches has the attribute ``batch`` too."""

    def create(self) -> None: ...

    def add(self, documents: list[dict[str, Any]]) -> None: ...

    def search(self, q: str) -> list[tuple[str, str]]: ...


def create(contestant: HelpSearch, command: Command) -> Command:
    """Make an empty index; ``batch`` is the size of batches from now on, for those that take one."""
    if command["batch"] is not None and hasattr(contestant, "batch"):
        contestant.batch = command["batch"]
    contestant.create()
    return {}


def add(contestant: HelpSearch, command: Command) -> Command:
    """Add all ``documents``; answers with ``seconds``."""
    started = time.perf_counter()
    contestant.add(command["documents"])
    return {"seconds": time.perf_counter() - started}


def search(contestant: HelpSearch, command: Command) -> Command:
    """Ask ``queries`` one after the other; answers with the ``seconds`` of each, and the ids that it ``found``."""
    seconds, found = [], []
    for query in command["queries"]:
        started = time.perf_counter()
        hits = contestant.search(query)
        seconds.append(time.perf_counter() - started)
        found.append([document_id for document_id, _ in hits])
    return {"seconds": seconds, "found": found}


def search_together(contestant: HelpSearch, command: Command) -> Command:
    """Ask ``queries`` by so many ``clients`` at once until the ``seconds`` are over.

    Answers with the ``searches`` that found ten documents with titles, those that ``failed``, the first ``error``, and
    the ``seconds`` until the last client had its answer.
    """
    queries, taking = iter(command["queries"]), threading.Lock()
    found = [0] * command["clients"]
    errors: list[str] = []
    started = time.perf_counter()

    def ask(place: int) -> None:
        while time.perf_counter() - started < command["seconds"]:
            with taking:
                query = next(queries)
            try:
                hits = contestant.search(query)
                if len(hits) != HITS or not all(title for _, title in hits):
                    raise ValueError(f"{len(hits)} hits of {query!r}")
                found[place] += 1
            except Exception as error:
                errors.append(f"{type(error).__name__}: {error}"[:300])

    threads = [threading.Thread(target=ask, args=(place,)) for place in range(command["clients"])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - started
    error = errors[0] if errors else None
    return {"searches": sum(found), "failed": len(errors), "error": error, "seconds": seconds}


def versions(contestant: HelpSearch, command: Command) -> Command:
    """The version of Python, and of each of the ``packages``."""
    found = {name: importlib.metadata.version(name) for name in command["packages"]}
    return {"Python": platform.python_version(), **found}


COMMANDS = {
    "create": create,
    "add": add,
    "search": search,
    "search_together": search_together,
    "versions": versions,
}


def load(name: str) -> HelpSearch:
    """The contestant of that name, with the index that the environment names."""
    module = importlib.import_module(f"benchmarks.comparison.contestants.{name}")
    contestant: HelpSearch = module.HelpSearch(os.environ["INDEX"])
    return contestant


def main() -> None:
    """Answer commands until standard input ends."""
    # What libraries print must not stand between the answers.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    contestant = load(sys.argv[1])
    print(json.dumps({}), file=answers, flush=True)
    for line in sys.stdin:
        command = json.loads(line)
        print(json.dumps(COMMANDS[command["do"]](contestant, command)), file=answers, flush=True)


if __name__ == "__main__":
    main()
