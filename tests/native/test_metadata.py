"""Which indexes a name stands for, against the run's own node."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from typing import Any

import pytest

from sidecar.native.metadata import Metadata
from sidecar.native.reading import ClusterReader, Credentials
from sidecar.native.request import NativeRequest
from sidecar.native.targets import expression_parts, has_remote, local_part
from sidecar.opensearch.address import ClusterAddress
from sidecar.opensearch.connections import TransportOptions
from sidecar.opensearch.passthrough import Passthrough
from tests.fix_opensearch import request
from tests.fix_server import Sidecar
from tests.native.declaring.indexes import MODEL, VECTOR

FIELDS = {"body_vector": {"source": "body", "model": MODEL, "dimension": 32}}
MAPPINGS = {"_meta": {"sidecar": {"fields": FIELDS}}, "properties": {"body_vector": VECTOR}}
DECLARING = {"settings": {"index.knn": True, "number_of_shards": 1}, "mappings": MAPPINGS}
OPEN = {"settings": {"number_of_shards": 1}}


class CountingReader(ClusterReader):
    """A reader that remembers what it asked for."""

    def __init__(self, node: str) -> None:
        super().__init__(Passthrough(ClusterAddress(node), TransportOptions()))
        self.asked: list[str] = []

    def ask(self, credentials: Credentials, method: str, target: str) -> tuple[int, bytes]:
        self.asked.append(f"{method} {target}")
        return super().ask(credentials, method, target)


@pytest.fixture
def reader(node: str) -> CountingReader:
    return CountingReader(node)


@pytest.fixture
def metadata(reader: CountingReader) -> Metadata:
    return Metadata(reader)


@pytest.fixture
def names(node: str, index_name: str) -> Iterator[list[str]]:
    """Two indexes, the first of which declares a field, and two aliases of both; the second index takes writes."""
    made = [f"{index_name}-{letter}" for letter in "ab"]
    for name, body in zip(made, (DECLARING, OPEN), strict=True):
        aliases = {f"{index_name}-all": {}, f"{index_name}-write": {"is_write_index": name == made[1]}}
        put(node, f"/{name}", {**body, "aliases": aliases})
    yield made
    request(node, "DELETE", f"/{','.join(made)}")


def put(node: str, path: str, body: dict[str, Any] | None = None) -> None:
    status, text = request(node, "PUT", path, None if body is None else json.dumps(body))
    assert status == 200, text


def asking(target: str = "/", **headers: str) -> NativeRequest:
    return NativeRequest("GET", target, list(headers.items()), io.BytesIO(), 0)


def found(metadata: Metadata, expression: str, target: str = "/") -> list[str] | None:
    facts = metadata.of(expression, asking(target))
    return None if facts is None else sorted(one.name for one in facts)


def test_an_expression_is_what_the_cluster_takes_it_for(
    metadata: Metadata, node: str, index_name: str, names: list[str]
) -> None:
    first, second = names
    assert found(metadata, first) == [first]
    assert found(metadata, f"{index_name}-all") == names
    assert found(metadata, f"{index_name}-*") == names
    assert found(metadata, f"{first},{second}") == names
    assert found(metadata, f"{index_name}-*,-{first}") == [second]
    assert found(metadata, "") is not None
    assert found(metadata, f"{index_name}-none") is None
    assert found(metadata, f"{first},{index_name}-none") is None
    assert found(metadata, f"{first},{index_name}-none", "/?ignore_unavailable=true") == [first]
    assert found(metadata, f"{index_name}-none-*") is None
    assert found(metadata, f"elsewhere:{first},{second}") == [second]
    assert found(metadata, f"elsewhere:{first}") is None


def test_closed_and_hidden_indexes_are_found_by_name_or_where_asked_for(
    metadata: Metadata, node: str, index_name: str, names: list[str]
) -> None:
    first, second = names
    put(node, f"/{second}/_settings", {"index.hidden": True})
    assert request(node, "POST", f"/{first}/_close")[0] == 200
    # A pattern that fits an alias finds what is hidden behind it; this one does not.
    assert found(metadata, f"{second}*") is None
    assert found(metadata, f"{second}*", "/?expand_wildcards=open,hidden") == [second]
    assert found(metadata, f"{index_name}-*", "/?expand_wildcards=all") == names
    assert found(metadata, first) == [first]


def test_facts_have_declarations_and_pipelines(metadata: Metadata, node: str, names: list[str]) -> None:
    settings = {"default_pipeline": "p", "final_pipeline": "_none", "search.default_pipeline": "s"}
    put(node, f"/{names[0]}/_settings", {"index": settings})
    facts = metadata.of(names[0], asking())
    assert facts is not None
    (declaration,) = facts[0].declarations
    assert (declaration.vector, declaration.sources[0].field) == ("body_vector", "body")
    assert (declaration.model, declaration.dimensions) == (MODEL, 32)
    assert (facts[0].default_pipeline, facts[0].final_pipeline, facts[0].search_pipeline) == ("p", None, "s")
    assert list(facts[0].vector_fields) == ["body_vector"]


def test_what_stands_in_meta_in_another_shape_is_left_out(metadata: Metadata, node: str, index_name: str) -> None:
    fields = {
        "a": 5,
        "b": {"source": 5, "model": MODEL},
        "c": {"source": [{"no": "field"}], "model": MODEL},
        "body_vector": {"source": "body", "model": MODEL, "existing_vector": "perhaps"},
        "__embeddings.x.vector": {"source": "x", "model": MODEL},
    }
    body = {**DECLARING, "mappings": {**MAPPINGS, "_meta": {"sidecar": {"fields": fields, "settings": 3}}}}
    put(node, f"/{index_name}", body)
    facts = metadata.of(index_name, asking())
    assert facts is not None
    assert facts[0].declarations == ()


def test_writes_go_to_the_index_that_the_cluster_chooses(metadata: Metadata, index_name: str, names: list[str]) -> None:
    def target(name: str) -> str | None:
        facts = metadata.write_target(name, asking())
        return None if facts is None else facts.name

    assert target(names[0]) == names[0]
    assert target(f"{index_name}-write") == names[1]
    assert target(f"{index_name}-all") is None
    assert target(f"{index_name}-*") is None
    assert target(f"{names[0]},{names[1]}") is None


def test_a_data_streams_writes_go_to_its_newest_index(
    metadata: Metadata, node: str, index_name: str, template: str
) -> None:
    body = {"index_patterns": [f"{index_name}*"], "data_stream": {}, "template": DECLARING, "priority": 900}
    put(node, f"/_index_template/{template}", body)
    not_yet = metadata.write_target(index_name, asking())
    assert not_yet is not None
    assert [one.vector for one in not_yet.declarations] == ["body_vector"]
    try:
        put(node, f"/_data_stream/{index_name}")
        assert request(node, "POST", f"/{index_name}/_rollover")[0] == 200
        metadata.forget()
        facts = metadata.write_target(index_name, asking())
        assert facts is not None
        assert (facts.name, facts.data_stream) == (f".ds-{index_name}-000002", index_name)
        assert facts.declarations == not_yet.declarations
        assert len(found(metadata, index_name) or ()) == 2
    finally:
        request(node, "DELETE", f"/_data_stream/{index_name}")


def test_a_name_that_is_not_there_yet_has_what_templates_will_give_it(
    metadata: Metadata, node: str, index_name: str, template: str
) -> None:
    facts = metadata.write_target(f"{index_name}-new", asking())
    assert facts is not None
    assert (facts.name, facts.declarations) == (f"{index_name}-new", ())
    put(node, f"/_template/{template}", {"index_patterns": [f"{index_name}-n*"], "order": 1, **DECLARING})
    metadata.forget()
    facts = metadata.write_target(f"{index_name}-new", asking())
    assert facts is not None
    assert [one.vector for one in facts.declarations] == ["body_vector"]
    body = {"index_patterns": [f"{index_name}-*"], "priority": 900, "template": OPEN}
    put(node, f"/_index_template/{template}", body)
    metadata.forget()
    facts = metadata.write_target(f"{index_name}-new", asking())
    assert facts is not None
    assert facts.declarations == ()


def test_date_math_names_an_index_there_or_not(metadata: Metadata, node: str, index_name: str, template: str) -> None:
    put(node, f"/_index_template/{template}", {"index_patterns": [f"{index_name}*"], "template": DECLARING})
    expression = f"<{index_name}-{{now/d{{yyyy.MM.dd}}}}>"
    resolved = f"{index_name}-{datetime.now(timezone.utc):%Y.%m.%d}"
    facts = metadata.write_target(expression, asking())
    assert facts is not None
    assert facts.name == resolved
    assert [one.vector for one in facts.declarations] == ["body_vector"]
    put(node, f"/{resolved}")
    try:
        metadata.forget()
        assert found(metadata, expression) == [resolved]
        facts = metadata.write_target(expression, asking())
        assert facts is not None
        assert facts.name == resolved
    finally:
        request(node, "DELETE", f"/{resolved}")


def test_what_is_known_is_read_once_for_each_caller(
    metadata: Metadata, reader: CountingReader, names: list[str]
) -> None:
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda _: found(metadata, names[0]), range(64)))
    assert reader.asked == [f"GET /{names[0]}"]
    metadata.of(names[0], asking(authorization="Basic eA=="))
    assert len(reader.asked) == 2
    metadata.forget()
    found(metadata, names[0])
    assert len(reader.asked) == 3


def test_a_missing_index_is_looked_for_again(metadata: Metadata, node: str, index_name: str) -> None:
    assert found(metadata, index_name) is None
    put(node, f"/{index_name}")
    assert found(metadata, index_name) == [index_name]


def test_an_index_of_the_other_face_has_its_declarations_by_its_own_rules(
    metadata: Metadata, sidecar: Sidecar, index_name: str
) -> None:
    properties = {"name": "random", "dimensions": 8, "type": "random"}
    defaults = {
        "model": "mine",
        "model_properties": properties,
        "normalize_embeddings": False,
        "text_preprocessing": {"override_text_query_prefix": "query: "},
    }
    assert sidecar.post(f"/indexes/{index_name}", {"index_defaults": defaults}).status_code == 200
    sidecar.add(index_name, [{"_id": "1", "title": "a"}])
    facts = metadata.of(index_name, asking())
    assert facts is not None
    (declaration,) = facts[0].declarations
    assert facts[0].state is not None
    assert (declaration.vector, declaration.nested) == ("__embeddings.title.vector", "__embeddings.title")
    assert (declaration.model, declaration.model_properties, declaration.dimensions) == ("mine", properties, 8)
    assert (declaration.query_prefix, declaration.normalize) == ("query: ", False)


def test_parts_of_expressions() -> None:
    expression = "a,<b-{now/d{yyyy,MM|+02:00}}>,c:d,-e*"
    assert expression_parts(expression) == ["a", "<b-{now/d{yyyy,MM|+02:00}}>", "c:d", "-e*"]
    assert local_part(expression) == "a,<b-{now/d{yyyy,MM|+02:00}}>,-e*"
    assert has_remote(expression)
    assert not has_remote("a,b")


def test_an_account_of_the_sidecars_own_reads_for_all(node: str) -> None:
    reader = ClusterReader(Passthrough(ClusterAddress(node), TransportOptions()), account="reads:all:of it")
    own = (("authorization", "Basic cmVhZHM6YWxsOm9mIGl0"),)
    assert reader.credentials(asking(authorization="Basic eA==")) == own
    assert reader.credentials(asking()) == own
