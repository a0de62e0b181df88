"""CLIP models beyond ViT-B-32, with random weights; three have graphs over 2 GB, and weights beside them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fix_clip import read_pictures

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]


@pytest.mark.usefixtures("converts_in_process", "own_hub_cache")
@pytest.mark.parametrize(
    ("architecture", "tag"),
    [
        ("RN50", "openai"),
        ("RN101", "yfcc15m"),
        ("ViT-B-32-quickgelu", "laion400m_e32"),
        ("ViT-B-16", "openai"),
        ("ViT-B-16-plus-240", "laion400m_e32"),
        ("ViT-L-14", "laion2b_s32b_b82k"),
        ("ViT-L-14-336", "openai"),
        ("RN50x64", "openai"),
        ("ViT-H-14", "laion2b_s32b_b79k"),
        ("ViT-g-14", "laion2b_s12b_b42k"),
    ],
)
def test_the_converted_model_gives_the_vectors_of_torch(
    architecture: str, tag: str, tmp_path: Path, photos_folder: Path
) -> None:
    from tests.embedding.clip.agreement import check_architecture

    check_architecture(architecture, tag, tmp_path / "converted", read_pictures(photos_folder, most=3))
