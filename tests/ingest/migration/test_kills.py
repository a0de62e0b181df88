"""A migration that is killed before or after each request that changes the cluster, one after the other."""

from __future__ import annotations

import re
from typing import Any

import pytest

from sidecar.opensearch.transport import Request, Response, Transport
from tests.fix_server import Sidecar
from tests.ingest.migration.migrating import MEDIUM, SMALL, Migrate, ask, is_embedded, leads_to, sources, texts

READING = re.compile(r"/(_search|_msearch|_mget|_count|_refresh)\b")


class Killed(BaseException):
    """The process is gone: nothing that it would do to clean up reaches the cluster."""


class Killing:
    """Ends a run at its request number ``at`` that changes something: before it is sent, or before its answer comes."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._send = Transport.send
        self.at: int | None = None
        self.is_late = False
        self._count = 0

        def send(transport: Transport, request: Request, **options: Any) -> Response:
            return self.send(transport, request, **options)

        monkeypatch.setattr(Transport, "send", send)

    def begin(self, at: int | None, *, is_late: bool) -> None:
        self.at, self.is_late, self._count = at, is_late, 0

    def send(self, transport: Transport, request: Request, **options: Any) -> Response:
        if request.method != "GET" and not READING.search(request.target):
            self._count += 1
        if self.at is None or self._count < self.at:
            return self._send(transport, request, **options)
        if self._count == self.at and self.is_late:
            self._count += 1
            self._send(transport, request, **options)
        raise Killed(request.target)


@pytest.fixture
def killing(monkeypatch: pytest.MonkeyPatch) -> Killing:
    # The next run is in the same process, which is not gone.
    monkeypatch.setattr("sidecar.ingest.migration.ledger.is_held", lambda record: False)
    monkeypatch.setattr("sidecar.ingest.migration.forward.SETTLE_SECONDS", 0)
    return Killing(monkeypatch)


def run_with_kills(killing: Killing, migrate: Migrate, node: str, name: str, *command: str) -> int:
    """Kill each run one request later than the one before, until one comes to its end; returns how many were."""
    count = len(sources(node, name))
    for number in range(1, 100):
        killing.begin((number + 1) // 2, is_late=number % 2 == 0)
        try:
            result = migrate.run(*command)
        except Killed:
            killing.begin(None, is_late=False)
            # The name leads to all documents, whatever happened.
            assert len(sources(node, name)) == count
            continue
        killing.begin(None, is_late=False)
        assert result.exit_code == 0, result.output
        return number - 1
    raise AssertionError("no run came to its end")


def test_every_run_goes_on_where_the_one_before_was_killed(
    node: str, sidecar: Sidecar, migrate: Migrate, name: str, killing: Killing
) -> None:
    body = {"index_defaults": {"model": "random/small"}, "number_of_shards": 1}
    assert sidecar.post(f"/indexes/{name}", body).status_code == 200
    sidecar.add(name, texts(5))
    kills = run_with_kills(killing, migrate, node, name, name, "--model", "random/medium", "--yes", "--query", "x")
    assert kills > 20
    assert leads_to(node, name) == f"{name}-v2"
    assert set(ask(node, "GET", f"/{name}*/_alias")) == {f"{name}-v1", f"{name}-v2"}
    found = sources(node, name)
    assert len(found) == 5
    assert all(is_embedded(source, "title", MEDIUM) for source in found.values())
    sidecar.add(name, [{"_id": "d9", "title": "since the switch"}, {"_id": "d1", "title": "changed since"}])
    assert sidecar.post(f"/indexes/{name}/documents/delete-batch?refresh=true", ["d0"]).status_code == 200
    assert run_with_kills(killing, migrate, node, name, "rollback", name) > 8
    assert leads_to(node, name) == f"{name}-v1"
    found = sources(node, name)
    titles = {"d1": "changed since", "d2": "text 2", "d3": "text 3", "d4": "text 4", "d9": "since the switch"}
    assert {key: source["title"] for key, source in found.items()} == titles
    assert all(is_embedded(source, "title", SMALL) for source in found.values())
    assert run_with_kills(killing, migrate, node, name, "finish", name, "--yes") >= 2
    assert list(ask(node, "GET", f"/{name}*/_alias")) == [f"{name}-v1"]
    sidecar.add(name, texts(1))
    assert sources(node, name)["d0"]["title"] == "text 0"


def test_a_run_that_was_killed_anywhere_can_be_given_up(
    node: str, sidecar: Sidecar, migrate: Migrate, name: str, killing: Killing
) -> None:
    body = {"index_defaults": {"model": "random/small"}, "number_of_shards": 1}
    assert sidecar.post(f"/indexes/{name}", body).status_code == 200
    sidecar.add(name, texts(2))
    given_up = 0
    for at in range(2, 60, 3):
        killing.begin(at, is_late=at % 2 == 0)
        try:
            migrate.run(name, "--model", "random/medium", "--yes", "--query", "x")
            break
        except Killed:
            killing.begin(None, is_late=False)
        result = migrate.run("abort", name)
        if result.exit_code == 2 and "nothing to give up" in result.stderr:
            # It was killed before it had written down that it began, or after it had ended.
            continue
        if "was switched already" in result.stderr:
            break
        assert result.exit_code == 0, result.output
        given_up += 1
        assert len(ask(node, "GET", f"/{name}*/_alias")) == 1
        sidecar.add(name, texts(2))
        assert all(is_embedded(source, "title", SMALL) for source in sources(node, name).values())
    assert given_up > 4
