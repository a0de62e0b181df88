"""Writes to names that are not indexes yet, or not indexes at all."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.native.writes.written import MODEL, VECTOR, Expected, Port, is_vector

MAPPINGS = {
    "_meta": {"sidecar": {"fields": {"body_vector": {"source": "body", "model": MODEL}}}},
    "properties": {"body_vector": VECTOR},
}


@pytest.fixture
def template(direct: Port, index_name: str) -> Iterator[str]:
    """The name of a template for names that begin with it, which takes all it has made along."""
    yield index_name
    direct.send("DELETE", f"/_data_stream/{index_name}-*")
    direct.send("DELETE", f"/{index_name}-*")
    direct.send("DELETE", f"/_index_template/{index_name}")


def put_template(direct: Port, name: str, **others: Any) -> None:
    settings = {"index.knn": True, "number_of_shards": 1, "number_of_replicas": 0}
    body = {"index_patterns": [f"{name}-*"], "priority": 500, "template": {"settings": settings, "mappings": MAPPINGS}}
    direct.done("PUT", f"/_index_template/{name}", body | others)


def test_an_index_that_a_template_makes_is_embedded_from_its_first_document(
    native: Port, direct: Port, template: str, expected: Expected
) -> None:
    put_template(direct, template)
    native.bulk("/_bulk", {"index": {"_index": f"{template}-1", "_id": "1"}}, {"body": "a cat"})
    native.done("PUT", f"/{template}-2/_doc/1", {"body": "a dog"})
    assert is_vector(direct.source(f"{template}-1", "1")["body_vector"], expected("a cat"))
    assert is_vector(direct.source(f"{template}-2", "1")["body_vector"], expected("a dog"))


def test_a_data_stream_is_embedded(native: Port, direct: Port, template: str, expected: Expected) -> None:
    put_template(direct, template, data_stream={})
    stream = f"{template}-logs"
    lines: list[Any] = []
    for number in range(3):
        document = {"@timestamp": "2026-01-01", "body": "a cat" if number < 2 else 7}
        lines += [{"create": {"_id": str(number)}}, document]
    answer = native.bulk(f"/{stream}/_bulk?refresh=true", *lines)
    assert [item["create"]["status"] for item in answer["items"]] == [201, 201, 400]
    names = {item["create"]["_index"] for item in answer["items"][:2]}
    assert {name[: len(stream) + 4] for name in names} == {f".ds-{stream}"}
    native.done("POST", f"/{stream}/_rollover")
    native.bulk(
        f"/{stream}/_bulk?refresh=true", {"create": {"_id": "4"}}, {"@timestamp": "2026-01-02", "body": "a dog"}
    )
    hits = direct.done("GET", f"/{stream}/_search?q=_id:4")["hits"]["hits"]
    assert is_vector(hits[0]["_source"]["body_vector"], expected("a dog"))


def test_date_math_names_the_index_of_the_day(native: Port, direct: Port, template: str) -> None:
    put_template(direct, template)
    path = f"/%3C{template}-%7Bnow%2Fd%7D%3E/_doc/1"
    name = native.done("PUT", path, {"body": "a cat"})["_index"]
    assert name.startswith(f"{template}-20")
    assert "body_vector" in direct.source(name, "1")
