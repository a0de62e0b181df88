"""``sidecar demo`` on the run's node, with a few documents."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from sidecar.cli import main
from sidecar.cli.demo_corpus import read_documents
from sidecar.cli.demo_run import INDEX
from sidecar.opensearch.client import Cluster


@pytest.fixture
def clean_cluster(cluster: Cluster) -> Iterator[Cluster]:
    """A cluster without the demo's index, before and after."""

    def forget() -> None:
        if INDEX in cluster.list_indexes():
            cluster.delete_index(INDEX)

    forget()
    yield cluster
    forget()


def test_demo_indexes_searches_and_does_nothing_twice(
    clean_cluster: Cluster, node: str, models_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    models_folder.mkdir(parents=True, exist_ok=True)
    (home / "models").symlink_to(models_folder)
    environment = {"OPENSEARCH_URL": node, "SIDECAR_HOME": str(home)}
    # A server's settings, which a file .env may have: the command itself gives no key.
    environment |= {"SIDECAR_API_KEYS": '["a-key"]', "SIDECAR_HOST": "::"}
    monkeypatch.setattr(sys, "argv", ["/srv/my venv/bin/sidecar", "demo"])
    first = CliRunner().invoke(main, ["demo", "--documents", "40"], env=environment, catch_exceptions=False)
    assert first.exit_code == 0, first.output
    assert "40 documents" in first.output
    assert "make a temporary directory that goes away by itself" in first.output
    assert f"http://localhost:8882/indexes/{INDEX}/search" in first.output
    assert "  '/srv/my venv/bin/sidecar' serve\n" in first.output
    again = CliRunner().invoke(main, ["demo", "--documents", "40"], env=environment, catch_exceptions=False)
    assert "All 40 documents are in index python-docs already" in again.output
    assert "Indexing" not in again.output
    read = CliRunner().invoke(main, ["demo", "--documents", "40", "--json"], env=environment, catch_exceptions=False)
    told = json.loads(read.stdout)
    assert told["index"] == INDEX
    assert len(told["searches"][0]["hits"]) == 3
    assert "All 40 documents are in index python-docs already" in read.stderr


def test_the_corpus_is_thousands_of_different_documents_with_the_source_s_own_words() -> None:
    documents = read_documents()
    assert len(documents) > 2000
    assert len({document["_id"] for document in documents}) == len(documents)
    counter = next(document for document in documents if document["_id"] == "collections.Counter")
    assert counter["module"] == "collections"
    assert counter["kind"] == "class"
    assert counter["body"].startswith("Dict subclass for counting hashable items.")


def test_a_sample_of_the_corpus_is_spread_over_the_library() -> None:
    sample = read_documents(50)
    assert len(sample) == 50
    assert len({document["module"] for document in sample}) > 20
