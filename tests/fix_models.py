"""Real models for tests, each converted and loaded once; and the rooms of a sidecar around them."""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import importlib.metadata
import io
import logging
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sidecar.embedding import conversion_run
from sidecar.embedding.conversion import ConversionCache
from sidecar.embedding.conversion_run import Subject
from sidecar.embedding.load import ModelLoading
from sidecar.embedding.loader import Loader
from sidecar.embedding.model_spec import ModelSpec
from sidecar.embedding.model_table import ModelTable
from sidecar.opensearch.transport import Transport
from tests.rooms import Rooms

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

MINILM = "sentence-transformers/all-MiniLM-L6-v2"
_ROOT = Path(__file__).parent.parent
_CONVERTS = (
    *(
        "conversion.py",
        "conversion_run.py",
        "convert_text.py",
        "torch_text.py",
        "text_tokens.py",
        "loaders/onnx_text.py",
        "onnx_session.py",
    ),
    *("precision_*.py", "quantize_*.py", "calibration_*.py"),
)


@pytest.fixture(scope="session")
def models_folder() -> Path:
    """Converted models, kept between runs for as long as what converts them stays the same."""
    digest = hashlib.blake2b(digest_size=6)
    for pattern in _CONVERTS:
        for path in sorted((_ROOT / "sidecar" / "embedding").glob(pattern)):
            digest.update(path.read_bytes())
    for library in ("torch", "transformers", "sentence-transformers", "tokenizers", "onnxruntime"):
        digest.update(importlib.metadata.version(library).encode())
    return _ROOT / ".cache" / "test-models" / digest.hexdigest()


@pytest.fixture(scope="session")
def load_by_name(models_folder: Path) -> Callable[[str], Loader]:
    """Loads a model of the table in ONNX Runtime, once for each name."""
    loading, table = ModelLoading(ConversionCache(models_folder), "onnx"), ModelTable()
    loaded: dict[str, Loader] = {}

    def load(name: str) -> Loader:
        if name not in loaded:
            loaded[name] = loading.load(table.resolve(name))
        return loaded[name]

    return load


@pytest.fixture(scope="session")
def minilm(load_by_name: Callable[[str], Loader]) -> Loader:
    """The real all-MiniLM-L6-v2, converted."""
    return load_by_name(MINILM)


@pytest.fixture(scope="session")
def reference_minilm() -> SentenceTransformer:
    """The real all-MiniLM-L6-v2 in the library that it is made for."""
    from sentence_transformers import SentenceTransformer

    from tests.random_models import minilm_folder

    return SentenceTransformer(str(minilm_folder()), device="cpu")


@pytest.fixture
def converts_in_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Conversion by the same code without a process of its own, which takes ten seconds only to import torch."""

    def run(module: str, arguments: Sequence[str], subject: Subject) -> tuple[int, str]:
        converter = importlib.import_module(f"sidecar.embedding.{module}")
        with quiet() as told:
            try:
                converter.main(arguments)
            except SystemExit as error:
                return int(error.code or 0), told.getvalue()
            except Exception as error:
                return 1, str(error)
        return 0, ""

    monkeypatch.setattr(conversion_run, "run_child", run)


@contextlib.contextmanager
def quiet() -> Iterator[io.StringIO]:
    """Without the warnings and progress bars of model libraries; gives what was written to standard error."""
    before = logging.root.manager.disable
    with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()) as told:
        warnings.simplefilter("ignore")
        logging.disable(logging.WARNING)
        try:
            yield told
        finally:
            logging.disable(before)


@pytest.fixture
def rooms(transport: Transport, load_by_name: Callable[[str], Loader]) -> Iterator[Rooms]:
    """The write path and the read path of one sidecar on the run's node."""
    loading, table = ModelLoading(ConversionCache(Path("unused")), "auto"), ModelTable()

    def load(spec: ModelSpec) -> Loader:
        return load_by_name(spec.name) if spec.name in table.names() else loading.load(spec)

    with Rooms(transport, load) as made:
        yield made
