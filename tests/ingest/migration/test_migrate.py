"""`sidecar migrate NAME`, on the run's own node: what becomes of documents, mapping, settings and names."""

from __future__ import annotations

import json

from tests.fix_server import Sidecar
from tests.ingest.migration.migrating import (
    MEDIUM,
    SMALL,
    Migrate,
    ask,
    hits,
    is_embedded,
    leads_to,
    make,
    plain,
    sources,
    texts,
)


def test_another_model_embeds_all_documents_and_the_name_leads_to_the_new_index(
    node: str, sidecar: Sidecar, migrate: Migrate, name: str
) -> None:
    make(sidecar, name)
    sidecar.add(name, texts(40))
    sidecar.add(name, [{"_id": "bare", "title": "not embedded", "note": "one. two. three."}], tensor_fields=("note",))
    ask(
        node, "PUT", f"/{name}/_doc/routed?routing=r&refresh=true", {"title": "past the sidecar", "x": {"y": [1, None]}}
    )
    before = hits(node, name)
    told = migrate.done(name, "--model", "random/medium", "--yes")
    assert (told["phase"], told["old"], told["new"]) == ("switched", f"{name}-v1", f"{name}-v2")
    assert (told["copied"], told["failures"], told["deleted"]) == (42, {}, 0)
    assert leads_to(node, name) == f"{name}-v2"
    after = hits(node, name)
    assert after.keys() == before.keys()
    for document_id, hit in after.items():
        assert plain(hit["_source"]) == plain(before[document_id]["_source"])
        assert hit.get("_routing") == before[document_id].get("_routing")
    assert all(is_embedded(after[f"d{number}"]["_source"], "title", MEDIUM) for number in range(40))
    assert is_embedded(after["bare"]["_source"], "note", MEDIUM, ["one. two.", "three."])
    assert "title" not in after["bare"]["_source"]["__embeddings"]
    assert "__embeddings" not in after["routed"]["_source"]
    settings = sidecar.get(f"/indexes/{name}/settings").json()
    assert settings["index_defaults"]["model"] == "random/medium"
    assert settings["index_defaults"]["search_model"] == "random/medium"
    found = sidecar.post(f"/indexes/{name}/search", {"q": "text 7", "limit": 1}).json()["hits"]
    assert [hit["_id"] for hit in found] == ["d7"]


def test_an_index_without_an_alias_becomes_one_and_keeps_its_other_names(
    node: str, sidecar: Sidecar, migrate: Migrate, name: str
) -> None:
    body = {"index_defaults": {"model": "random/small"}, "number_of_shards": 2}
    assert sidecar.post(f"/indexes/{name}", body).status_code == 200
    ask(node, "PUT", f"/{name}/_alias/{name}-too")
    sidecar.add(name, texts(3))
    told = migrate.done(name, "--model", "random/medium", "--yes")
    assert (told["old"], told["new"]) == (f"{name}-v1", f"{name}-v2")
    for alias in (name, f"{name}-too"):
        assert leads_to(node, alias) == f"{name}-v2"
    assert len(sources(node, f"{name}-v1")) == len(sources(node, name)) == 3
    assert ask(node, "GET", f"/{name}-v1")[f"{name}-v1"]["settings"]["index"]["number_of_replicas"] == "0"


def test_the_old_index_is_kept_until_the_migration_is_finished(
    node: str, sidecar: Sidecar, migrate: Migrate, name: str
) -> None:
    make(sidecar, name)
    sidecar.add(name, texts(3))
    migrate.done(name, "--model", "random/medium", "--yes")
    old = sources(node, f"{name}-v1")
    assert all(is_embedded(source, "title", SMALL) for source in old.values())
    again = migrate.run(name, "--model", "random/large", "--yes")
    assert again.exit_code == 2
    assert f"sidecar migrate finish {name}" in again.stderr
    assert migrate.done(name, "--model", "random/medium", "--yes")["phase"] == "switched"
    deleted = json.loads(migrate.run("finish", name, "--yes", "--json").stdout)
    assert deleted == {"name": name, "deleted": f"{name}-v1"}
    assert list(ask(node, "GET", f"/{name}*/_alias")) == [f"{name}-v2"]
    assert "finished already" in migrate.run("finish", name, "--yes").stdout
    told = migrate.done(name, "--model", "random/small", "--yes")
    assert (told["old"], told["new"]) == (f"{name}-v2", f"{name}-v3")
