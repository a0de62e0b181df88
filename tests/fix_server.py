"""The sidecar as a client meets it: one real server process for the run, and apps in this process for faults."""

from __future__ import annotations

import io
import logging
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from types import TracebackType
from typing import Any
from urllib.parse import quote

import pytest
import requests
from flask.testing import FlaskClient

from sidecar.app import close_app, create_app
from sidecar.given_settings import load_settings
from sidecar.logs import TextFormatter

NATIVE = re.compile(r"native face at (https?://[^\s\"]+)")
LISTENING = re.compile(r"listening at (https?://[^\s\"]+)")
WAIT_SECONDS = 60.0
SMALL = {"index_defaults": {"model": "random/small"}, "number_of_shards": 1}

MakeClient = Callable[..., FlaskClient]


class Sidecar:
    """A running ``sidecar serve``, and requests to it over one kept connection."""

    def __init__(
        self, environment: dict[str, str], ports: tuple[int, int] = (0, 0), within: Sequence[str] = ()
    ) -> None:
        """``within`` is a command that runs the command behind it, elsewhere or otherwise."""
        self.environment = environment
        port, native_port = map(str, ports)
        command = [*within, sys.executable, "-m", "sidecar", "serve", "--port", port, "--native-port", native_port]
        prefixes = ("SIDECAR_", "OPENSEARCH_", "MARQO_")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(prefixes)}
        self.process = subprocess.Popen(
            command, stderr=subprocess.PIPE, text=True, env=kept | environment, start_new_session=True
        )
        self.log: list[str] = []
        self._said = threading.Condition()
        self._reader = threading.Thread(target=self._read_log, daemon=True)
        self._reader.start()
        self.url = self.wait_for_log(LISTENING)[1]
        self.native_url = self.wait_for_log(NATIVE)[1]
        self.session = requests.Session()

    def wait_for_log(self, pattern: str | re.Pattern[str], *, seconds: float = WAIT_SECONDS) -> re.Match[str]:
        """The first match in the log so far, or in what is yet to come."""

        def find() -> re.Match[str] | None:
            return next((match for line in self.log if (match := re.search(pattern, line))), None)

        with self._said:
            found = self._said.wait_for(find, timeout=seconds)
        assert found, f"{pattern} was not logged within {seconds:.0f} s:\n" + "\n".join(self.log)
        return found

    def request(self, method: str, path: str, json: Any = None, **options: Any) -> requests.Response:
        """One request; `options` are those of the requests library."""
        return self.session.request(method, self.url + path, json=json, timeout=WAIT_SECONDS, **options)

    def get(self, path: str, json: Any = None, **options: Any) -> requests.Response:
        return self.request("GET", path, json, **options)

    def post(self, path: str, json: Any = None, **options: Any) -> requests.Response:
        return self.request("POST", path, json, **options)

    def delete(self, path: str, **options: Any) -> requests.Response:
        return self.request("DELETE", path, **options)

    def add(self, index: str, documents: list[Any], *, tensor_fields: tuple[str, ...] = ("title",)) -> dict[str, Any]:
        """Add documents so that searches see them; returns the answer."""
        body = {"documents": documents, "tensorFields": list(tensor_fields)}
        answer = self.post(f"/indexes/{quote(index)}/documents?refresh=true", body)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def stop(self) -> int:
        """Ask it to stop, as a service manager does; returns its exit status."""
        self.session.close()
        self.process.send_signal(signal.SIGTERM)
        return self.wait()

    def kill(self) -> None:
        """End it and its worker at once, without a chance to do anything (kill -9)."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.wait()

    def wait(self) -> int:
        """Its exit status, once it has ended and all it said is in the log."""
        status = self.process.wait(WAIT_SECONDS)
        self._reader.join(WAIT_SECONDS)
        return status

    def __enter__(self) -> Sidecar:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.stop()

    def _read_log(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            with self._said:
                self.log.append(line.rstrip("\n"))
                self._said.notify_all()


@pytest.fixture(scope="session")
def sidecar(node: str) -> Iterator[Sidecar]:
    """The run's own server, in front of the run's own node."""
    with Sidecar({"OPENSEARCH_URL": node}) as running:
        yield running


@pytest.fixture
def index(sidecar: Sidecar, index_name: str) -> str:
    """A fresh index of one shard with the model random/small."""
    answer = sidecar.post(f"/indexes/{index_name}", SMALL)
    assert answer.status_code == 200, answer.text
    return index_name


@pytest.fixture
def make_client() -> Iterator[MakeClient]:
    """Makes clients of apps in this process, with the settings given; the apps are closed afterwards."""
    clients: list[FlaskClient] = []

    def make(**settings: Any) -> FlaskClient:
        clients.append(create_app(load_settings(**settings)).test_client())
        return clients[-1]

    yield make
    for client in clients:
        close_app(client.application)


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    """What is logged meanwhile, as text lines."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(TextFormatter())
    # Commands that ran in this process may have made the package, or parts of it, quieter.
    root = logging.getLogger()
    own = [logging.getLogger(name) for name in logging.root.manager.loggerDict if name.partition(".")[0] == "sidecar"]
    levels = [(logger, logger.level) for logger in (root, *own)]
    root.addHandler(handler)
    root.setLevel("INFO")
    for logger in own:
        logger.setLevel(logging.NOTSET)
    yield stream
    root.removeHandler(handler)
    for logger, level in levels:
        logger.setLevel(level)
