"""CLIP models with random weights, from the Hugging Face cache to vectors: ONNX Runtime gives what torch gives."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fix_clip import read_pictures

MODELS = [("ViT-B-32", "openai")]
"""`tests/slow` has others, and test_kinds.py each kind, at smaller sizes."""


@pytest.mark.usefixtures("converts_in_process", "own_hub_cache")
@pytest.mark.parametrize(("architecture", "tag"), MODELS)
def test_the_converted_model_gives_the_vectors_of_torch(
    architecture: str, tag: str, tmp_path: Path, photos_folder: Path
) -> None:
    from tests.embedding.clip.agreement import check_architecture

    check_architecture(architecture, tag, tmp_path / "converted", read_pictures(photos_folder, most=3))
