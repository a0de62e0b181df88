from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sidecar.embedding.loader import Loader
from sidecar.embedding.weights import find_weights
from sidecar.errors import ModelLoadError
from tests.contracts import LoaderContract


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BERT of random weights as a sentence-transformers model."""
    from tests.random_models import mean_normalized, random_bert

    return random_bert(tmp_path_factory.mktemp("bert"), mean_normalized)


class TestTorchTextLoader(LoaderContract):
    @pytest.fixture(scope="class")
    def loader(self, folder: Path) -> Loader:
        from sidecar.embedding.loaders.torch_text import TorchTextLoader

        return TorchTextLoader(find_weights(str(folder)), "sbert", 64, 32)


def test_texts_are_cut_at_the_models_tokens(folder: Path) -> None:
    from sidecar.embedding.loaders.torch_text import TorchTextLoader

    loader = TorchTextLoader(find_weights(str(folder)), "sbert", 8, 32)
    np.testing.assert_allclose(
        loader.encode_text(["a b c d e f g h i"]), loader.encode_text(["a b c d e f"]), atol=1e-6
    )
    assert not np.allclose(loader.encode_text(["a b c d e f"]), loader.encode_text(["a b c d e"]), atol=1e-4)


def test_corrupt_files_are_an_error_that_names_the_folder(folder: Path, tmp_path: Path) -> None:
    from sidecar.embedding.loaders.torch_text import TorchTextLoader

    (tmp_path / "config.json").write_bytes((folder / "config.json").read_bytes())
    (tmp_path / "model.safetensors").write_bytes((folder / "model.safetensors").read_bytes()[:1000])
    with pytest.raises(ModelLoadError, match=str(tmp_path)):
        TorchTextLoader(find_weights(str(tmp_path)), "sbert", 64, 32)
