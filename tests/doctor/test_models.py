"""The models that are loaded at start, and the folders that keep models."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from sidecar.doctor import models
from sidecar.doctor.finding import Finding, Level
from tests.doctor.looking import NOBODY, about, levels, worst
from tests.fix_models import MINILM
from tests.fix_server import Sidecar


def look(home: Path, *preload: Any, **settings: Any) -> list[Finding]:
    return list(models.check(about(home=home, preload_models=preload, opensearch_url=NOBODY, **settings)))


def test_a_model_that_nobody_knows_is_told_with_the_nearest(tmp_path: Path) -> None:
    found = worst(look(tmp_path, "random/smal"))
    assert found.level is Level.ERROR
    assert "no model named 'random/smal'" in found.found
    assert "random/small" in found.found


def test_weights_that_are_here_are_told_with_their_place(tmp_path: Path) -> None:
    found = look(tmp_path, MINILM)[0]
    assert found.level is Level.OK
    assert f"model {MINILM}: weights in " in found.found


def test_weights_that_are_nowhere_are_told_with_every_place(
    tmp_path: Path, own_hub_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("hf/e5-base", "ViT-B/32"):
        found = look(tmp_path, name)[0]
        assert found.level is Level.ERROR
        assert f"not in the Hugging Face cache {own_hub_cache}" in found.found
        assert f"no converted form in {tmp_path / 'models'}" in found.found
        assert "HF_HUB_OFFLINE" in found.found
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    found = look(tmp_path, "hf/e5-base")[0]
    assert (found.level, found.advice) == (Level.WARNING, "Fetch them now: sidecar models pull hf/e5-base")


def test_models_of_their_own_places_are_looked_for_there(tmp_path: Path) -> None:
    def model(**place: str) -> dict[str, Any]:
        return {"model": "mine", "model_properties": {"name": "mine", "dimensions": 32, "type": "sbert", **place}}

    (tmp_path / "model.zip").write_bytes(b"")
    here, empty, gone, away = (
        look(tmp_path, model(**place))[0]
        for place in (
            {"localpath": f"{tmp_path}/model.zip"},
            {"localpath": str(tmp_path)},
            {"localpath": "/no/such.zip"},
            {"url": "https://example.org/m.zip"},
        )
    )
    assert levels([here, empty, gone, away]) == [Level.OK, Level.ERROR, Level.ERROR, Level.OK]
    assert f"folder {tmp_path} has no config.json" in empty.found
    assert "/no/such.zip" in gone.found
    assert str(tmp_path / "downloads") in away.found


def test_a_model_without_files_needs_none(tmp_path: Path) -> None:
    assert levels(look(tmp_path, "random/small")) == [Level.OK, Level.OK]


def converted(home: Path, **facts: Any) -> Path:
    """A folder as that of a converted model, with a graph of three bytes."""
    folder = home / "models" / "some--model-sbert" / "revision-v1"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.onnx").write_bytes(b"abc")
    (folder / "tokenizer.json").write_bytes(b"{}")
    own = {"dimensions": 3, "max_tokens": 3, "strips_text": True, "cosine": 1, "graph_bytes": 3, "tokenizer_bytes": 2}
    (folder / "facts.json").write_text(json.dumps(own | facts))
    return folder


def test_a_converted_model_that_is_not_whole_is_told(tmp_path: Path) -> None:
    folder = converted(tmp_path)
    assert "1 converted models" in look(tmp_path)[-1].found
    for name, broken in (
        ("model.onnx", b"ab"),
        ("facts.json", b"{"),
        ("tokenizer.json", b""),
    ):
        converted(tmp_path)
        (folder / name).write_bytes(broken)
        found = worst(look(tmp_path))
        assert (found.level, found.found) == (Level.WARNING, f"the converted model {folder} is not whole.")


def test_broken_off_work_is_told_and_work_that_goes_on_is_not(tmp_path: Path) -> None:
    base = converted(tmp_path).parent
    (base / ".converting-abc").mkdir()
    (base / ".converting-abc" / "model.onnx").write_bytes(bytes(2_000_000))
    (tmp_path / "downloads" / ".fa1b-xyz").mkdir(parents=True)
    with FileLock(base / ".lock"), FileLock(tmp_path / "downloads" / "fa1b.lock"):
        assert levels(look(tmp_path)) == [Level.OK, Level.OK]
    found = worst(look(tmp_path))
    assert found.level is Level.WARNING
    assert found.found.startswith("2 conversions or downloads were broken off and left 2 MB")
    assert str(base / ".converting-abc") in found.found


def test_another_sidecar_is_asked_whether_it_is_there(
    sidecar: Sidecar, node: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", NOBODY)
    there = look(tmp_path, "hf/e5-base", embedding_url=sidecar.url)
    assert levels(there) == [Level.OK] * 3
    assert "run by the sidecar of SIDECAR_EMBEDDING_URL" in there[1].found
    away = worst(look(tmp_path, embedding_url=NOBODY.replace("://", "://user:hunter2@")))
    assert away.level is Level.ERROR
    assert f"{NOBODY} does not answer" in away.found
    assert "hunter2" not in away.found
