"""all-MiniLM-L6-v2, and what its float32 form makes of some texts: what its other forms are compared with."""

from __future__ import annotations

from pathlib import Path

import pytest

from sidecar.embedding.calibration_texts import calibration_texts
from sidecar.embedding.conversion import ConversionCache
from sidecar.embedding.loader import Embeddings, Loader
from sidecar.embedding.model_spec import ModelSpec
from sidecar.embedding.model_table import ModelTable
from tests.fix_models import MINILM


@pytest.fixture(scope="module")
def spec() -> ModelSpec:
    return ModelTable().resolve(MINILM)


@pytest.fixture(scope="module")
def texts() -> list[str]:
    """Docstrings that int8 was not calibrated on, for the most part."""
    return calibration_texts(301)


@pytest.fixture(scope="module")
def cache(models_folder: Path, minilm: Loader) -> ConversionCache:
    """Holds the float32 form already."""
    return ConversionCache(models_folder)


@pytest.fixture(scope="module")
def wanted(minilm: Loader, texts: list[str]) -> Embeddings:
    return minilm.encode_text(texts)
