"""Writes and searches of the `/indexes` API while their index is being switched to another one."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import orjson
import pytest

from tests.fix_server import MakeClient, Sidecar
from tests.switched import TEXTS, Switched, is_held_up, meanwhile, switched

Write = Callable[[Sidecar, str], Any]
NEW = "A yellow kite."


@pytest.fixture
def names(sidecar: Sidecar) -> Iterator[Switched]:
    with switched(sidecar) as made:
        yield made


def add(sidecar: Sidecar, name: str) -> Any:
    return sidecar.add(name, [{"_id": "1", "title": NEW}])["items"]


def change(sidecar: Sidecar, name: str) -> Any:
    body = {"documents": [{"_id": "1", "title": NEW}]}
    return sidecar.request("PATCH", f"/indexes/{name}/documents?refresh=true", body).json()["items"]


def stream(sidecar: Sidecar, name: str) -> Any:
    url = f"{sidecar.url}/indexes/{name}/documents?tensorFields=title&refresh=true"
    line = orjson.dumps({"_id": "1", "title": NEW}) + b"\n"
    answered = sidecar.session.post(url, data=line, headers={"content-type": "application/x-ndjson"}, timeout=60)
    last = orjson.loads(answered.content.splitlines()[-1])
    assert (last["succeeded"], last["failed"]) == (1, 0)
    return [last]


def delete(sidecar: Sidecar, name: str) -> Any:
    return sidecar.post(f"/indexes/{name}/documents/delete-batch?refresh=true", ["1"]).json()["items"]


def delete_found(sidecar: Sidecar, name: str) -> Any:
    body = {"filter": 'title:("A blue bird.")'}
    answered = sidecar.post(f"/indexes/{name}/documents/delete-by-query?refresh=true", body)
    assert answered.json()["failures"] == [], answered.text
    return [answered.json()]


def best(sidecar: Sidecar, name: str, text: str) -> tuple[str, float]:
    """The id and the score of the best hit."""
    hit = sidecar.post(f"/indexes/{name}/search", {"q": text}).json()["hits"][0]
    return hit["_id"], hit["_score"]


@pytest.mark.parametrize("write", [add, change, stream, delete, delete_found])
def test_a_write_waits_for_the_switch_and_is_done_in_the_new_index(
    sidecar: Sidecar, names: Switched, write: Write
) -> None:
    names.migrate()
    names.block()
    before = names.documents(names.old)
    with meanwhile(lambda: write(sidecar, names.name)) as written:
        assert is_held_up(written)
        names.move()
        (item,) = written.result()
    assert "error" not in item
    assert names.documents(names.old) == before
    if write in (delete, delete_found):
        assert set(names.documents(names.new)) == {"0", "2"}
    else:
        assert names.documents(names.new)["1"]["title"] == NEW
        # Embedded by the new index's model, as queries are.
        assert best(sidecar, names.name, NEW) == ("1", pytest.approx(1.0))


def test_a_write_waits_until_the_block_is_lifted(sidecar: Sidecar, names: Switched) -> None:
    names.migrate()
    names.block()
    with meanwhile(lambda: add(sidecar, names.name)) as written:
        assert is_held_up(written)
        names.unblock()
        (item,) = written.result()
    assert item["status"] == 200
    assert best(sidecar, names.old, NEW) == ("1", pytest.approx(1.0))


def test_a_block_of_somebody_elses_fails_at_once(sidecar: Sidecar, names: Switched) -> None:
    names.block()
    for phase, seconds in (("switched", 60), ("switching", -1)):
        names.migrate(phase=phase, seconds=seconds)
        started = time.monotonic()
        (item,) = add(sidecar, names.name)
        assert time.monotonic() - started < 5
        assert (item["status"], item["error"]["type"]) == (403, "cluster_block_exception")
        assert sidecar.post(f"/indexes/{names.name}/documents/delete-batch", ["1"]).json()["items"][0]["status"] == 403


def test_a_write_by_the_old_indexs_own_name_waits_as_long_as_the_migration_is_at_work(
    sidecar: Sidecar, names: Switched
) -> None:
    names.migrate(seconds=1.5)
    names.block()
    with meanwhile(lambda: add(sidecar, names.old)) as written:
        assert is_held_up(written)
        (item,) = written.result()
    assert item["status"] == 403


def test_the_last_of_a_document_wins_after_the_switch(sidecar: Sidecar, names: Switched) -> None:
    names.migrate()
    names.block()
    documents = [{"_id": "1", "title": "First."}, {"_id": "9", "title": 3.5}, {"_id": "1", "title": NEW}]
    with meanwhile(lambda: sidecar.add(names.name, [*documents, {"title": {}}])["items"]) as written:
        assert is_held_up(written)
        names.move()
        items = written.result()
    assert [item["_id"] for item in items[:3]] == ["1", "9", "1"]
    assert [item["status"] for item in items] == [200, 201, 200, 400]
    assert names.documents(names.new)["1"]["title"] == NEW


def test_a_write_that_waits_in_vain_says_so(make_client: MakeClient, names: Switched) -> None:
    client = make_client(opensearch_url=names.node, opensearch_retry_deadline=0.3)
    names.migrate()
    names.block()
    body = {"documents": [{"_id": "1", "title": NEW}, {"_id": "2", "title": 1}], "tensorFields": ["title"]}
    answered = client.post(f"/indexes/{names.name}/documents", json=body)
    assert answered.status_code == 200
    for item in answered.json["items"]:
        assert item["status"] == 503
        assert f"[{names.name}] is write-blocked" in item["error"]["reason"]
    answered = client.post(f"/indexes/{names.name}/documents/delete-batch", json=["1"])
    assert answered.json["items"][0]["status"] == 503


def test_writes_that_wait_leave_threads_to_searches(make_client: MakeClient, names: Switched) -> None:
    app = make_client(opensearch_url=names.node, threads=2).application
    names.migrate()
    names.block()

    def write() -> Any:
        body = {"documents": [{"_id": "1", "title": NEW}], "tensorFields": ["title"]}
        return app.test_client().post(f"/indexes/{names.name}/documents", json=body).json["items"][0]

    with meanwhile(write) as first:
        assert is_held_up(first)
        second = write()
        assert (second["status"], "too many writes" in second["error"]["reason"]) == (503, True)
        names.move()
        assert first.result()["status"] == 200


def test_searches_never_mix_models_while_the_name_moves(sidecar: Sidecar, names: Switched) -> None:
    """Each index holds the text that is asked for, so that the best score is 1 by the index's own model only."""
    is_over = threading.Event()

    def search(number: int) -> int:
        count = 0
        text = TEXTS[number % len(TEXTS)]
        while not is_over.is_set():
            answered = sidecar.session.post(f"{sidecar.url}/indexes/{names.name}/search", json={"q": text}, timeout=60)
            assert answered.status_code == 200, answered.text
            hits = answered.json()["hits"]
            assert hits[0]["_score"] == pytest.approx(1.0)
            assert len(hits) == len(TEXTS)
            assert len({hit["mark"] for hit in hits}) == 1
            count += 1
        return count

    with ThreadPoolExecutor(2) as pool:
        searching = [pool.submit(search, number) for number in range(2)]
        try:
            for number in range(30):
                target = (names.new, names.old)[number % 2]
                if number % 3:
                    names.move(target)
                else:
                    assert sidecar.request("PUT", f"/indexes/{target}/aliases/{names.name}").status_code == 200
                time.sleep(0.05)
        finally:
            is_over.set()
        assert sum(done.result() for done in searching) > 30
