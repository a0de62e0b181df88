"""Which vectors are taken over when an index is migrated, and which are made anew."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from sidecar.embedding.loader import Embeddings, Prepared
from sidecar.embedding.loaders.random import RandomLoader
from sidecar.indexing.combinations import combine
from tests.fix_server import MakeClient, Sidecar
from tests.ingest.migration.migrating import (
    MEDIUM,
    SMALL,
    TOLERANCE,
    Migrate,
    ask,
    is_embedded,
    leads_to,
    make,
    plain,
    sources,
    texts,
    vectors,
)

ROOT = "__embeddings"


@pytest.fixture
def run_texts(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The texts that a random model of this process has run on."""
    seen: list[str] = []
    run = RandomLoader.run_text

    def counted(self: RandomLoader, batch: Sequence[Prepared]) -> Embeddings:
        seen.extend(prepared.payload.decode() for prepared in batch)
        return run(self, batch)

    monkeypatch.setattr(RandomLoader, "run_text", counted)
    return seen


def test_other_shards_and_graphs_take_the_vectors_over_without_a_model_run(
    node: str, sidecar: Sidecar, migrate: Migrate, name: str, run_texts: list[str]
) -> None:
    make(sidecar, name)
    sidecar.add(name, texts(30))
    before = sources(node, name)
    told = migrate.done(name, "--shards", "3", "--m", "24", "--ef-construction", "200", "--yes", "--query", "text 1")
    assert run_texts == ["text 1"]
    assert told["queries"][0]["overlap"] == 1.0
    assert sources(node, name) == before
    facts = ask(node, "GET", f"/{name}")[leads_to(node, name)]
    assert facts["settings"]["index"]["number_of_shards"] == "3"
    vector = facts["mappings"]["properties"][ROOT]["properties"]["title"]["properties"]["vector"]
    assert vector["method"]["parameters"] == {"m": 24, "ef_construction": 200}


def test_an_added_field_is_embedded_alone(
    node: str, sidecar: Sidecar, migrate: Migrate, name: str, run_texts: list[str]
) -> None:
    make(sidecar, name)
    documents: list[dict[str, Any]] = [{**document, "note": f"note {document['_id']}"} for document in texts(10)]
    sidecar.add(name, [*documents, {"_id": "without", "title": "no note"}, {"_id": "list", "note": ["a", "b"]}])
    before = sources(node, name)
    migrate.done(name, "--add-tensor-field", "note", "--yes", "--query", "note d1")
    assert sorted(run_texts) == sorted([*(document["note"] for document in documents), "note d1"])
    after = sources(node, name)
    for document in documents:
        found = after[document["_id"]]
        assert found[ROOT]["title"] == before[document["_id"]][ROOT]["title"]
        assert is_embedded(found, "note", SMALL)
    assert after["without"] == before["without"]
    assert after["list"] == before["list"]
    found = sidecar.post(f"/indexes/{name}/search", {"q": "note d7", "limit": 1, "searchableAttributes": ["note"]})
    assert [hit["_id"] for hit in found.json()["hits"]] == ["d7"]


def test_other_chunks_are_embedded_anew_with_the_same_model(
    node: str, sidecar: Sidecar, migrate: Migrate, name: str
) -> None:
    make(sidecar, name)
    sidecar.add(name, [{"_id": "1", "title": "One. Two. Three."}])
    migrate.done(name, "--split-length", "1", "--yes")
    assert is_embedded(sources(node, name)["1"], "title", SMALL, ["One.", "Two.", "Three."])


def test_bytes_take_the_place_of_floats_and_floats_of_bytes(
    node: str, sidecar: Sidecar, migrate: Migrate, name: str, tmp_path: Path
) -> None:
    make(sidecar, name)
    sidecar.add(name, texts(5))
    for data_type, is_whole in (("byte", True), ("float", False)):
        file = tmp_path / f"{data_type}.json"
        file.write_text(json.dumps({"index_defaults": {"ann_parameters": {"data_type": data_type}}}), "utf-8")
        migrate.done(name, "--settings", str(file), "--yes")
        found = sources(node, name)
        numbers = vectors(found["d1"], "title")[0]
        assert all(float(number).is_integer() for number in numbers) is is_whole
        assert migrate.run("finish", name, "--yes").exit_code == 0
    assert is_embedded(found["d1"], "title", SMALL)


def test_vectors_that_clients_brought_are_taken_over(
    node: str, sidecar: Sidecar, migrate: Migrate, name: str, tmp_path: Path
) -> None:
    make(sidecar, name)
    own = [float(number) for number in range(1, 33)]
    body = {
        "documents": [{"_id": "1", "title": "text", "mine": {"content": "what I saw", "vector": own}}],
        "tensorFields": ["title", "mine"],
        "mappings": {"mine": {"type": "custom_vector"}},
    }
    assert not sidecar.post(f"/indexes/{name}/documents", body).json()["errors"]
    refused = migrate.run(name, "--model", "random/medium", "--yes")
    assert refused.exit_code == 2
    assert "'mine' has vectors that clients brought, of 32 dimensions" in refused.stderr
    assert leads_to(node, name) == f"{name}-v1"
    file = tmp_path / "settings.json"
    no_model = {"model": "no_model", "model_properties": {"type": "no_model", "dimensions": 32}}
    file.write_text(json.dumps({"index_defaults": {"field_models": {"mine": no_model}}}), "utf-8")
    migrate.done(name, "--model", "random/medium", "--settings", str(file), "--yes")
    found = sources(node, name)["1"]
    assert vectors(found, "mine") == [own]
    assert found["mine"] == "what I saw"
    assert is_embedded(found, "title", MEDIUM)


def test_a_combination_is_made_anew_by_the_weights_that_are_given(
    node: str, sidecar: Sidecar, migrate: Migrate, name: str
) -> None:
    make(sidecar, name)
    weights = {"a": 0.75, "b": -0.25}
    body = {
        "documents": [{"_id": "1", "both": {"a": "sea", "b": "land"}}],
        "tensorFields": ["both"],
        "mappings": {"both": {"type": "multimodal_combination", "weights": weights}},
    }
    assert not sidecar.post(f"/indexes/{name}/documents", body).json()["errors"]
    refused = migrate.run(name, "--model", "random/medium", "--yes")
    assert (refused.exit_code, "--weights" in refused.stderr) == (2, True)
    migrate.done(name, "--model", "random/medium", "--weights", json.dumps({"both": weights}), "--yes")
    found = sources(node, name)["1"]
    expected = combine(MEDIUM.encode_text(["sea", "land"]), list(weights.values()), normalize=True)
    np.testing.assert_allclose(vectors(found, "both"), [expected], atol=TOLERANCE)
    assert plain(found) == {"both": {"a": "sea", "b": "land"}}


def test_a_document_that_cannot_be_embedded_holds_the_switch_up_unless_it_may_come_without_vectors(
    node: str, make_client: MakeClient, migrate: Migrate, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIDECAR_MEDIA_ROOTS", json.dumps([str(tmp_path)]))
    client = make_client(opensearch_url=node)
    defaults = {"model": "random/small", "treat_urls_and_pointers_as_images": True}
    assert client.post(f"/indexes/{name}-v1", json={"index_defaults": defaults}).status_code == 200
    assert client.put(f"/indexes/{name}-v1/aliases/{name}").status_code == 200
    files = {colour: tmp_path / f"{colour}.png" for colour in ("red", "blue")}
    for colour, file in files.items():
        Image.new("RGB", (8, 8), colour).save(file)
    documents = [{"_id": colour, "picture": str(file), "about": colour} for colour, file in files.items()]
    body = {"documents": documents, "tensorFields": ["picture"]}
    assert not client.post(f"/indexes/{name}/documents", json=body).get_json()["errors"]
    files["blue"].unlink()
    command = (name, "--model", "random/medium", "--yes")
    refused = migrate.run(*command, "--json")
    told = json.loads(refused.stdout)
    assert (refused.exit_code, told["phase"], list(told["failures"])) == (1, "ready", ["blue"])
    assert "blue.png" in told["objections"][0]
    assert leads_to(node, name) == f"{name}-v1"
    # The same command tries again what has failed.
    Image.new("RGB", (8, 8), "blue").save(files["blue"])
    assert migrate.done(*command)["failures"] == {}
    assert migrate.run("finish", name, "--yes").exit_code == 0
    files["red"].unlink()
    told = migrate.done(name, "--model", "random/small", "--keep-unembeddable", "--yes")
    assert (told["withoutVectors"], told["failures"]) == (1, {})
    found = sources(node, name)
    assert found["red"] == {"picture": str(files["red"]), "about": "red"}
    assert len(vectors(found["blue"], "picture")) == 1
