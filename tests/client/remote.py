"""The Python client, in a process of its own: it needs an older pydantic than the sidecar."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

_WORKER = Path(__file__).parent / "worker.py"


class Raised(Exception):
    """What the client raised: the name of its class, and what it tells of itself."""

    def __init__(self, facts: dict[str, Any]) -> None:
        super().__init__(facts["text"])
        self.kind: str = facts["class"]
        self.message: Any = facts["message"]
        self.code: Any = facts["code"]
        self.error_type: Any = facts["error_type"]
        self.status_code: Any = facts["status_code"]


class Worker:
    """One version of the client; `warnings` are those that its last call logged."""

    def __init__(self, python: Path) -> None:
        self.warnings: list[str] = []
        self._process = subprocess.Popen(
            [str(python), "-W", "ignore", str(_WORKER)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def methods(self) -> dict[str, dict[str, list[str]]]:
        """Class -> public method -> the names of its parameters."""
        found: dict[str, dict[str, list[str]]] = self.call({"method": "describe"})
        return found

    def call(self, line: dict[str, Any]) -> Any:
        """Have one call made. Raises: Raised."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps(line) + "\n")
        self._process.stdin.flush()
        text = self._process.stdout.readline()
        assert text, "the client's process has ended; its last words are on standard error"
        answer = json.loads(text)
        self.warnings = answer["warnings"]
        if "raised" in answer:
            raise Raised(answer["raised"])
        return answer["value"]

    def __enter__(self) -> Worker:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # The worker ends with its input.
        self._process.communicate()


@dataclass(frozen=True)
class RemoteIndex:
    """An index object: its attributes are the client's methods of the same names."""

    worker: Worker
    options: dict[str, Any]
    name: str | None = None

    def __getattr__(self, method: str) -> Callable[..., Any]:
        if method.startswith("_"):
            raise AttributeError(method)

        def call(*arguments: Any, **named: Any) -> Any:
            line = {"options": self.options, "index": self.name, "method": method}
            return self.worker.call({**line, "arguments": arguments, "named": named})

        return call


class RemoteClient(RemoteIndex):
    """A client object, made with the given options."""

    def index(self, name: str) -> RemoteIndex:
        """The index of that name, as the client's method makes it."""
        line = {"options": self.options, "index": None, "method": "index", "arguments": [name], "named": {}}
        assert self.worker.call(line) == {"index": name}
        return RemoteIndex(self.worker, self.options, name)
