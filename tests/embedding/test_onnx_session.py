"""The options of ONNX Runtime sessions."""

from __future__ import annotations

from pathlib import Path

import onnxruntime as ort
import pytest

from sidecar.embedding.conversion import ConversionCache
from sidecar.embedding.loader import Loader
from sidecar.embedding.model_spec import CPU
from sidecar.embedding.model_table import ModelTable
from sidecar.embedding.onnx_session import SPIN_SINCE, open_session
from tests.fix_models import MINILM

SPINNING = "session.intra_op.allow_spinning"


@pytest.fixture(scope="module")
def graph(models_folder: Path, minilm: Loader) -> Path:
    """Of a model that is converted already."""
    return ConversionCache(models_folder).get(ModelTable().resolve(MINILM).repository, "sbert").graph_path


def entry(session: ort.InferenceSession, key: str) -> str:
    value: str = session.get_session_options().get_session_config_entry(key)
    return value


@pytest.mark.skipif(
    tuple(map(int, ort.__version__.split(".")[:2])) < SPIN_SINCE, reason="this ONNX Runtime can't bound spinning"
)
def test_threads_of_a_run_spin_for_a_moment_and_never_after_it(graph: Path) -> None:
    session = open_session(graph, 2, CPU)
    assert entry(session, SPINNING) == "1"
    assert 0 < int(entry(session, "session.intra_op.spin_duration_us")) <= 50
    assert entry(session, "session.force_spinning_stop") == "1"


def test_nothing_spins_where_one_thread_runs_or_the_library_would_not_stop(
    graph: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert entry(open_session(graph, 1, CPU), SPINNING) == "0"
    monkeypatch.setattr(ort, "__version__", "1.25.1")
    assert entry(open_session(graph, 2, CPU), SPINNING) == "0"
