"""What a migrated index has of the old one beside its documents: fields, settings, pipelines, names."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.fix_opensearch import request
from tests.fix_server import SMALL, Sidecar
from tests.ingest.migration.migrating import Migrate, ask, hits, leads_to, make, sources, texts

NATIVE = {"source": "body", "model": "random/small"}


@pytest.fixture
def pipeline(node: str, name: str) -> Iterator[str]:
    """An ingest pipeline that counts how often a document went through it."""
    script = "ctx.passed = ctx.containsKey('passed') ? ctx.passed + 1 : 1"
    ask(node, "PUT", f"/_ingest/pipeline/{name}", {"processors": [{"script": {"source": script}}]})
    yield name
    request(node, "DELETE", f"/_ingest/pipeline/{name}")


def facts(node: str, index: str) -> dict[str, Any]:
    (told,) = ask(node, "GET", f"/{index}?flat_settings=true").values()
    assert isinstance(told, dict)
    return told


def test_fields_and_settings_of_the_users_own_are_carried_over(
    node: str, sidecar: Sidecar, migrate: Migrate, name: str
) -> None:
    index = make(sidecar, name)
    ask(node, "POST", f"/{index}/_close")
    analyzer = {"type": "custom", "tokenizer": "keyword", "filter": ["lowercase"]}
    settings = {"analysis": {"analyzer": {"whole": analyzer}}, "index.max_result_window": 12345}
    ask(node, "PUT", f"/{index}/_settings", settings)
    ask(node, "POST", f"/{index}/_open?wait_for_active_shards=all")
    properties = {"code": {"type": "text", "analyzer": "whole"}, "place": {"type": "geo_point"}}
    ask(node, "PUT", f"/{index}/_mapping", {"properties": properties})
    ask(node, "PUT", f"/{index}/_settings", {"index.refresh_interval": "7s"})
    documents = [{"_id": "1", "title": "a", "code": "A B", "n": 1.5, "tags": ["x"]}]
    sidecar.add(name, documents)
    before = facts(node, name)
    migrate.done(name, "--model", "random/medium", "--replicas", "1", "--yes")
    after = facts(node, name)
    old, new = before["mappings"], after["mappings"]
    for mapping in (old, new):
        del mapping["properties"]["__embeddings"], mapping["_meta"]
    assert new == old
    own = ("index.uuid", "index.creation_date", "index.provided_name", "index.number_of_replicas")
    kept = {key: value for key, value in before["settings"].items() if key not in own}
    assert {key: after["settings"].get(key) for key in kept} == kept
    assert after["settings"]["index.number_of_replicas"] == "1"
    whole = {"query": {"match": {"code": "a b"}}}
    assert ask(node, "POST", f"/{name}/_count", whole)["count"] == 1


def test_pipelines_do_not_run_on_copies_and_run_on_what_is_written_later(
    node: str, sidecar: Sidecar, migrate: Migrate, name: str, pipeline: str
) -> None:
    index = make(sidecar, name)
    ask(node, "PUT", f"/{index}/_settings", {"index.default_pipeline": pipeline, "index.final_pipeline": pipeline})
    sidecar.add(name, texts(2))
    migrate.done(name, "--model", "random/medium", "--yes")
    sidecar.add(name, [{"_id": "new", "title": "later"}])
    assert {key: source["passed"] for key, source in sources(node, name).items()} == {"d0": 2, "d1": 2, "new": 2}
    migrate.done("rollback", name)
    sidecar.add(name, [{"_id": "last", "title": "later still"}])
    passed = {key: source["passed"] for key, source in sources(node, name).items()}
    assert passed == {"d0": 2, "d1": 2, "new": 2, "last": 2}


def test_every_alias_moves_and_an_index_template_adds_none(
    node: str, sidecar: Sidecar, migrate: Migrate, name: str, template: str
) -> None:
    index = make(sidecar, name)
    ask(node, "PUT", f"/{index}/_alias/{name}-too", {"is_hidden": True})
    body = {"index_patterns": [f"{name}-v*"], "template": {"aliases": {f"{name}-all": {}}}}
    ask(node, "PUT", f"/_index_template/{template}", body)
    sidecar.add(name, texts(1))
    migrate.done(name, "--model", "random/medium", "--yes")
    new = leads_to(node, name)
    assert facts(node, new)["aliases"] == {name: {}, f"{name}-too": {"is_hidden": True}}
    assert facts(node, index)["aliases"] == {}
    assert facts(node, index)["settings"]["index.blocks.write"] == "true"


def test_what_the_other_face_declared_stays_as_it_is(node: str, sidecar: Sidecar, migrate: Migrate, name: str) -> None:
    index = make(sidecar, name)
    vector = {"type": "knn_vector", "dimension": 32, "method": {"name": "hnsw", "engine": "lucene"}}
    meta = {"sidecar": {"fields": {"body_vector": NATIVE}}}
    mapping = {"_meta": meta, "properties": {"body_vector": vector}}
    answer = sidecar.session.put(f"{sidecar.native_url}/{index}/_mapping", json=mapping, timeout=60)
    assert answer.status_code == 200, answer.text
    line = json.dumps({"index": {"_id": "1"}}) + "\n" + json.dumps({"body": "native"}) + "\n"
    sidecar.session.post(
        f"{sidecar.native_url}/{name}/_bulk?refresh=true",
        data=line,
        headers={"Content-Type": "application/x-ndjson"},
        timeout=60,
    ).raise_for_status()
    sidecar.add(name, texts(1))
    before = sources(node, name)["1"]
    assert len(before["body_vector"]) == 32
    migrate.done(name, "--model", "random/medium", "--yes")
    assert sources(node, name)["1"] == before
    query = {"query": {"neural": {"body_vector": {"query_text": "native", "k": 1}}}}
    found = sidecar.session.post(f"{sidecar.native_url}/{name}/_search", json=query, timeout=60).json()
    assert [hit["_id"] for hit in found["hits"]["hits"]] == ["1"]


def test_new_fields_that_are_written_meanwhile_get_the_types_that_they_have_in_the_old_index(
    node: str, sidecar: Sidecar, migrate: Migrate, name: str
) -> None:
    index = make(sidecar, name)
    sidecar.add(name, texts(2))
    command = (name, "--model", "random/medium", "--yes")
    migrate.done(*command, "--no-switch")
    ask(node, "PUT", f"/{index}/_mapping", {"properties": {"when": {"type": "date", "format": "yyyy"}}})
    sidecar.add(name, [{"_id": "later", "other": "embedded now", "when": "2020", "x": 1}], tensor_fields=("other",))
    migrate.done(*command)
    properties = facts(node, name)["mappings"]["properties"]
    assert properties["when"] == {"type": "date", "format": "yyyy"}
    assert properties["x"] == {"type": "long"}
    assert "other" in sources(node, name)["later"]["__embeddings"]
    assert hits(node, name).keys() == {"d0", "d1", "later"}


def test_what_can_not_be_migrated_is_told_before_anything_is_made(
    node: str, sidecar: Sidecar, migrate: Migrate, name: str
) -> None:
    def refused(*arguments: str) -> str:
        result = migrate.run(name, *arguments, "--yes")
        assert result.exit_code == 2
        assert list(ask(node, "GET", f"/{name}*/_alias")) in ([], [f"{name}-v1"], [name])
        return result.stderr

    assert "There is no index" in refused("--model", "random/medium")
    ask(node, "PUT", f"/{name}", {"settings": {"index.knn": True}})
    assert "sidecar migrate backfill" in refused("--model", "random/medium")
    ask(node, "DELETE", f"/{name}")
    index = make(sidecar, name)
    assert "Nothing would change" in refused("--model", "random/small")
    assert "there is no model named 'random/smal'" in refused("--model", "random/smal")
    assert "no index" not in refused("--shards", "2", "--model", "random/small")
    assert "has a text in a field 'x'" in refused("--add-tensor-field", "x")
    sidecar.add(name, texts(1))
    ask(node, "PUT", f"/{index}/_alias/{name}-some", {"filter": {"term": {"n": 0}}})
    assert f"The alias '{name}-some'" in refused("--model", "random/medium")
    ask(node, "PUT", f"/{index}/_settings", {"index.blocks.write": True})
    assert "index.blocks.write" in refused("--model", "random/medium")
    assert (
        SMALL["index_defaults"]["model"] == sidecar.get(f"/indexes/{name}/settings").json()["index_defaults"]["model"]
    )
