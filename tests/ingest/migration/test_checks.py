"""What is looked at before a switch, with the real all-MiniLM-L6-v2 where meaning matters."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sidecar.embedding.loader import Embeddings, Prepared
from sidecar.embedding.loaders.random import RandomLoader
from sidecar.errors import ModelLoadError
from sidecar.ingest.migration.comparison import Compared, Hit, mean_overlap
from sidecar.ingest.migration.neighbours import Neighbours
from tests.fix_server import Sidecar
from tests.ingest.migration.migrating import MEDIUM, SMALL, Migrate, is_embedded, leads_to, make, sources, texts

MINILM = "hf/all-MiniLM-L6-v2"
FACTS = {
    "cat": "A cat sleeps on the warm roof.",
    "ship": "The ship left the harbour in a storm.",
    "bread": "Bread is baked from flour, water and salt.",
    "star": "A star is a hot ball of gas in the sky.",
}


def test_a_model_that_knows_meaning_takes_the_place_of_one_that_does_not(
    node: str, sidecar: Sidecar, migrate: Migrate, name: str, models_folder: Path
) -> None:
    make(sidecar, name)
    sidecar.add(name, [{"_id": key, "title": text} for key, text in FACTS.items()])
    models_folder.mkdir(parents=True, exist_ok=True)
    (migrate.home / "models").symlink_to(models_folder)
    queries = migrate.home / "queries.txt"
    queries.write_text("an animal takes a nap\n\nboats at sea\n", "utf-8")
    told = migrate.done(name, "--model", MINILM, "--sample-queries", str(queries), "--query", "baking", "--yes")
    firsts = {one["query"]: one["after"][0]["_id"] for one in told["queries"]}
    assert firsts == {"baking": "bread", "an animal takes a nap": "cat", "boats at sea": "ship"}
    assert told["queries"][0]["after"][0]["title"] == FACTS["bread"]
    assert told["sample"] == {"documents": 4, "findThemselves": 1.0, "recall": 1.0}
    assert told["overlap"] == 1.0


def test_hits_that_differ_too_much_hold_the_switch_up(node: str, sidecar: Sidecar, migrate: Migrate, name: str) -> None:
    index = make(sidecar, name)
    sidecar.add(name, texts(60))
    command = (name, "--model", "random/medium", "--yes")
    result = migrate.run(*command, "--min-overlap", "0.9")
    assert (result.exit_code, leads_to(node, name)) == (1, index)
    assert "--min-overlap wants 90%" in result.stderr
    # Each query is the first sentence of a document, and its own first hit.
    assert "text" in result.stderr
    assert migrate.done(*command, "--min-overlap", "0")["overlap"] < 0.9


def test_graphs_in_which_neighbours_are_not_found_hold_the_switch_up(
    node: str, sidecar: Sidecar, migrate: Migrate, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = make(sidecar, name)
    sidecar.add(name, texts(60))
    # A graph as poor as this can't be made on purpose.
    monkeypatch.setattr("sidecar.ingest.migration.neighbours.candidates", lambda limit, offset: 3)
    result = migrate.run(name, "--model", "random/medium", "--yes")
    assert (result.exit_code, leads_to(node, name)) == (1, index)
    assert "of the 10 nearest neighbours" in result.stderr
    assert migrate.done(name, "--model", "random/medium", "--yes", "--min-recall", "0.1")["phase"] == "switched"


def test_an_old_model_that_can_not_be_had_any_more_is_no_obstacle(
    node: str, sidecar: Sidecar, migrate: Migrate, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(sidecar, name)
    sidecar.add(name, texts(3))
    monkeypatch.setattr("sidecar.embedding.loaders.random.load", _load_no_small)
    command = (name, "--model", "random/medium", "--yes")
    refused = migrate.run(*command, "--min-overlap", "0.1")
    assert (refused.exit_code, "nothing was compared" in refused.stderr) == (1, True)
    told = migrate.done(*command)
    assert (told["overlap"], told["queries"]) == (None, [])


def _load_no_small(spec: Any, context: Any) -> RandomLoader:
    if spec.dimensions == 32:
        raise ModelLoadError("the disk with the small model is gone")
    return RandomLoader(spec.dimensions)


def test_a_text_on_which_the_model_fails_is_told_and_holds_up_no_other(
    node: str, sidecar: Sidecar, migrate: Migrate, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(sidecar, name)
    sidecar.add(name, texts(30))
    run = RandomLoader.run_text

    def fail_on_one(self: RandomLoader, batch: Sequence[Prepared]) -> Embeddings:
        if any(prepared.payload == b"text 7" for prepared in batch):
            raise RuntimeError("index out of range in self")
        return run(self, batch)

    monkeypatch.setattr(RandomLoader, "run_text", fail_on_one)
    command = (name, "--model", "random/medium", "--yes", "--query", "x")
    result = migrate.run(*command, "--json")
    assert result.stdout, result.exception
    told = json.loads(result.stdout)
    assert (result.exit_code, list(told["failures"])) == (1, ["d7"])
    assert "index out of range in self" in told["failures"]["d7"]
    monkeypatch.undo()
    monkeypatch.setattr("sidecar.cli.migrate_parts.give_way", lambda: None)
    assert migrate.done(*command)["failures"] == {}
    found = sources(node, name)
    assert len(found) == 30
    assert all(is_embedded(source, "title", MEDIUM) for source in found.values())
    assert all(is_embedded(source, "title", SMALL) for source in sources(node, f"{name}-v1").values())


def test_objections_name_what_was_found() -> None:
    assert Neighbours(50, 0.9, 1.0).why_not(0.9) is None
    assert Neighbours(0, 1.0, 1.0).why_not(0.9) is None
    assert "only 85% of the 10 nearest" in str(Neighbours(50, 0.85, 1.0).why_not(0.9))
    assert "only 90% of 50 sampled documents find themselves" in str(Neighbours(50, 1.0, 0.9).why_not(0.9))


def test_overlap_is_the_share_of_hits_in_both() -> None:
    def hits(letters: str) -> tuple[Hit, ...]:
        return tuple(Hit(letter, letter) for letter in letters)

    assert Compared("q", hits("abcd"), hits("dcxy")).overlap == 0.5
    assert Compared("q", hits("ab"), hits("abcd")).overlap == 0.5
    assert Compared("q", (), ()).overlap == 1.0
    assert mean_overlap([Compared("q", hits("a"), hits("a")), Compared("q", hits("a"), hits("b"))]) == 0.5
    assert mean_overlap([]) is None
    assert np.isclose(Compared("q", hits("abc"), hits("a")).overlap, 1 / 3)
