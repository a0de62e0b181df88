"""The tiny trained CLIP of the tests' data, and the pictures beside it."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
from pathlib import Path
from typing import Any, cast

import pytest
from PIL import Image

from sidecar.embedding.conversion import ConversionCache
from sidecar.embedding.load import Backend, ModelLoading
from sidecar.embedding.loader import ImageLoader
from sidecar.embedding.model_table import ModelTable
from tests.fix_models import quiet

DATA = Path(__file__).parent / "data"
TINY_CLIP = DATA / "tiny-clip"
_ROOT = Path(__file__).parent.parent
_CONVERTS = (
    "clip_*.py",
    "convert_clip.py",
    "conversion_run.py",
    "precision_*.py",
    "loaders/onnx_clip.py",
    "onnx_session.py",
)
_CONVERTS += ("onnx_session.py", "quantize_graph.py", "calibration_*.py", "calibration_pictures/*")


@pytest.fixture(scope="session")
def emoji_folder() -> Path:
    """300 emoji pictures, and `captions.jsonl` with their names."""
    return DATA / "emoji"


@pytest.fixture(scope="session")
def photos_folder() -> Path:
    """30 photographs of several sizes, and `captions.jsonl` with a sentence each."""
    return DATA / "photos"


@pytest.fixture(scope="session")
def tiny_clip_properties() -> dict[str, Any]:
    """The `model_properties` of a CLIP trained on emoji: it finds each picture of `emoji_folder` by its name."""
    return {"name": "tiny-emoji", "type": "open_clip", "localpath": str(TINY_CLIP), "dimensions": 96}


@pytest.fixture(scope="session")
def clip_models_folder() -> Path:
    """Converted CLIP models, kept between runs for as long as what converts them stays the same."""
    digest = hashlib.blake2b(digest_size=6)
    for pattern in _CONVERTS:
        for path in sorted((_ROOT / "sidecar" / "embedding").glob(pattern)):
            digest.update(path.read_bytes() if path.is_file() else b"")
    for library in ("torch", "open_clip_torch", "onnx", "tokenizers", "onnxruntime"):
        digest.update(importlib.metadata.version(library).encode())
    return _ROOT / ".cache" / "test-models" / f"clip-{digest.hexdigest()}"


@pytest.fixture
def own_hub_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty Hugging Face cache, and no hub."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    return tmp_path / "hub"


@pytest.fixture(scope="session")
def tiny_clip(clip_models_folder: Path, tiny_clip_properties: dict[str, Any]) -> ImageLoader:
    """The tiny trained CLIP, converted and loaded."""
    return load_tiny_clip(clip_models_folder, tiny_clip_properties)


def load_tiny_clip(folder: Path, properties: dict[str, Any], backend: Backend = "auto") -> ImageLoader:
    """The tiny trained CLIP, with its converted form kept in the folder."""
    with quiet():
        loader = ModelLoading(ConversionCache(folder), backend).load(ModelTable().resolve("tiny-emoji", properties))
    return cast(ImageLoader, loader)


def read_captions(folder: Path) -> list[dict[str, Any]]:
    """What is said of each picture of `emoji_folder` or `photos_folder`."""
    lines = (folder / "captions.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def read_pictures(folder: Path, *, most: int | None = None) -> list[Image.Image]:
    """The pictures of the folder in the order of its captions, as RGB."""
    pictures = []
    for caption in read_captions(folder)[:most]:
        with Image.open(folder / caption["file"]) as picture:
            pictures.append(picture.convert("RGB"))
    return pictures
