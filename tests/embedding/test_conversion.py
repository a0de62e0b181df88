"""The cache of converted models: once each, whatever is killed, cut off or changed in between."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from sidecar.embedding import conversion_run
from sidecar.embedding.conversion import ConversionCache, ConvertedModel, read_converted
from sidecar.embedding.conversion_run import Subject, slug
from sidecar.embedding.load import ModelLoading
from sidecar.embedding.loader import Embeddings, Loader
from sidecar.embedding.loaders.onnx_text import OnnxTextLoader
from sidecar.embedding.model_table import ModelTable
from sidecar.errors import ConversionFailed, ModelLoadError
from tests.fix_models import MINILM, quiet

GET = """
import logging, sys
from pathlib import Path
from sidecar.embedding.conversion import ConversionCache
logging.basicConfig(level=logging.INFO, stream=sys.stderr)
print(ConversionCache(Path(sys.argv[1])).get(sys.argv[2], "sbert").folder)
"""


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A BERT of random weights as a sentence-transformers model."""
    from tests.random_models import mean_normalized, random_bert

    with quiet():
        return random_bert(tmp_path / "model", mean_normalized)


@pytest.fixture
def cache(tmp_path: Path) -> ConversionCache:
    return ConversionCache(tmp_path / "converted")


class CountedConversions:
    """Counts the conversions that are begun."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count = 0
        convert = conversion_run.run_child

        def counted(module: str, arguments: Sequence[str], subject: Subject) -> tuple[int, str]:
            self.count += 1
            return convert(module, arguments, subject)

        monkeypatch.setattr(conversion_run, "run_child", counted)


@pytest.fixture
def conversions(converts_in_process: None, monkeypatch: pytest.MonkeyPatch) -> CountedConversions:
    return CountedConversions(monkeypatch)


def vector(converted: ConvertedModel) -> Embeddings:
    vector: Embeddings = OnnxTextLoader(converted, 64, converted.dimensions).encode_text(["a text"])[0]
    return vector


def test_a_model_is_converted_once(cache: ConversionCache, model: Path, conversions: CountedConversions) -> None:
    first = cache.get(str(model), "sbert")
    assert first.is_faithful
    assert (first.dimensions, first.max_tokens) == (32, 64)
    assert cache.get(str(model), "sbert") == first
    assert ConversionCache(first.folder.parent.parent).get(str(model), "sbert") == first
    assert conversions.count == 1
    cache.get(str(model), "mean")
    assert conversions.count == 2, "another pooling is another model"


def test_a_precision_is_made_of_the_float32_form_beside_it_once(
    cache: ConversionCache, model: Path, conversions: CountedConversions
) -> None:
    half = cache.get(str(model), "sbert", "float16")
    assert conversions.count == 2, "float32 first, then float16 from it"
    whole = cache.get(str(model), "sbert")
    assert half.folder.parent == whole.folder.parent
    assert (half.precision, whole.precision) == ("float16", "float32")
    assert half.memory_bytes == whole.memory_bytes
    assert cache.get(str(model), "sbert", "float16") == half
    shutil.rmtree(whole.folder)
    assert cache.get(str(model), "sbert", "float16") == half, "it needs its float32 form no more"
    assert conversions.count == 2
    shutil.rmtree(model)
    assert cache.get(str(model), "sbert", "float16") == half, "nor its weights"
    with pytest.raises(ModelLoadError):
        cache.get(str(model), "sbert")


@pytest.mark.parametrize("name", ["model.onnx", "tokenizer.json", "facts.json"])
def test_a_file_that_was_cut_off_is_noticed_and_the_model_converted_again(
    name: str, cache: ConversionCache, model: Path, conversions: CountedConversions
) -> None:
    whole = cache.get(str(model), "sbert")
    wanted = vector(whole)
    path = whole.folder / name
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert read_converted(whole.folder) is None
    np.testing.assert_array_equal(vector(cache.get(str(model), "sbert")), wanted)
    assert conversions.count == 2


@pytest.mark.usefixtures("conversions")
def test_a_spoilt_graph_of_the_right_size_names_its_folder(cache: ConversionCache, model: Path) -> None:
    converted = cache.get(str(model), "sbert")
    converted.graph_path.write_bytes(bytes(converted.graph_path.stat().st_size))
    with pytest.raises(ModelLoadError, match=f"{converted.folder} can't be read .* delete the folder"):
        vector(converted)


def test_a_changed_folder_is_converted_anew(
    cache: ConversionCache, model: Path, conversions: CountedConversions
) -> None:
    from tests.random_models import mean_normalized, random_bert

    before = vector(cache.get(str(model), "sbert"))
    with quiet():
        random_bert(model, mean_normalized, seed=1)
    assert not np.allclose(vector(cache.get(str(model), "sbert")), before, atol=1e-3)
    assert conversions.count == 2


def test_a_converted_model_serves_where_its_weights_are_gone(
    cache: ConversionCache, model: Path, conversions: CountedConversions
) -> None:
    converted = cache.get(str(model), "sbert")
    shutil.rmtree(model)
    assert cache.get(str(model), "sbert") == converted
    assert conversions.count == 1


def test_a_folder_and_a_repository_of_like_names_are_kept_apart(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, conversions: CountedConversions
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    cache = ConversionCache(tmp_path / "converted")
    cache.get(str(model), "sbert")
    with pytest.raises(ModelLoadError):
        cache.get(str(model).lstrip("/"), "sbert")


@pytest.mark.usefixtures("converts_in_process")
def test_what_can_not_be_converted_leaves_nothing_and_runs_in_torch(model: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    folder = tmp_path / "converted"
    weights = model / "model.safetensors"
    tensors = load_file(weights)
    # A vector that is no number makes every text's vector so: the worst conversion there is.
    tensors["embeddings.LayerNorm.weight"][:] = float("nan")
    save_file(tensors, weights, metadata={"format": "pt"})
    converted = ConversionCache(folder).get(str(model), "sbert")
    assert not converted.is_faithful
    assert not list(folder.rglob(".converting-*"))


@pytest.mark.usefixtures("converts_in_process")
def test_a_folder_that_can_not_be_written_is_a_clear_error(model: Path, tmp_path: Path) -> None:
    (tmp_path / "converted").write_text("a file where a folder should be")
    with pytest.raises(ModelLoadError, match=r"can't be kept in .*converted.* SIDECAR_HOME"):
        ConversionCache(tmp_path / "converted").get(str(model), "sbert")


def test_corrupt_weights_name_their_folder_and_the_next_try_works(
    cache: ConversionCache, model: Path, request: pytest.FixtureRequest
) -> None:
    weights = model / "model.safetensors"
    whole = weights.read_bytes()
    weights.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ModelLoadError, match=f"files of model .* in {model} can't be loaded: .*Safetensor") as error:
        cache.get(str(model), "sbert")
    assert not isinstance(error.value, ConversionFailed)
    weights.write_bytes(whole)
    request.getfixturevalue("converts_in_process")
    assert cache.get(str(model), "sbert").is_faithful


def test_a_killed_conversion_leaves_nothing_that_is_read_and_two_racing_ones_convert_once(
    model: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "converted"
    command = [sys.executable, "-c", GET, str(folder), str(model)]
    killed = subprocess.Popen(command, stderr=subprocess.DEVNULL, start_new_session=True)
    pause = threading.Event()
    while not (left := list(folder.rglob(".converting-*"))):
        assert killed.poll() is None
        pause.wait(0.02)
    os.killpg(killed.pid, signal.SIGKILL)
    killed.wait()
    assert not list(folder.rglob("facts.json"))
    assert left[0].is_dir()
    racing = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    told = [process.communicate(timeout=120) for process in racing]
    assert [process.returncode for process in racing] == [0, 0]
    assert sum(log.count("converting model to ONNX") for _, log in told) == 1
    place = {out.strip() for out, _ in told}
    assert len(place) == 1
    converted = read_converted(Path(place.pop()))
    assert converted is not None
    assert converted.is_faithful
    assert not list(folder.rglob(".converting-*")), "what the killed one left is gone"


def test_a_converted_model_runs_without_torch_and_transformers(
    minilm: Loader, models_folder: Path, load_by_name: Callable[[str], Loader]
) -> None:
    program = f"""
import sys
from pathlib import Path
from sidecar.embedding.conversion import ConversionCache
from sidecar.embedding.load import ModelLoading
from sidecar.embedding.model_table import ModelTable
loading = ModelLoading(ConversionCache(Path({str(models_folder)!r})), "auto")
vectors = loading.load(ModelTable().resolve({MINILM!r})).encode_text(["a text"])
assert vectors.shape == (1, 384)
print(sorted({{"torch", "transformers", "sentence_transformers"}} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.strip() == "[]"


def test_the_default_model_comes_from_a_prepared_hub_cache(tmp_path: Path, minilm: Loader) -> None:
    from tests.embedding.test_weights import put_into_cache
    from tests.random_models import minilm_folder

    # Its own weights can't be had here: those of all-MiniLM-L6-v2, of the same architecture, lie under its name.
    files = {path.name: path.read_bytes() for path in minilm_folder().iterdir() if path.is_file()}
    del files["modules.json"]
    put_into_cache(tmp_path / "hub", "flax-sentence-embeddings/all_datasets_v4_MiniLM-L6", files)
    program = f"""
from pathlib import Path
import numpy as np
from sidecar.embedding.conversion import ConversionCache
from sidecar.embedding.load import ModelLoading
from sidecar.embedding.model_table import ModelTable
from sidecar.opensearch.index_settings import DEFAULT_MODEL
loading = ModelLoading(ConversionCache(Path({str(tmp_path / "converted")!r})), "auto")
loader = loading.load(ModelTable().resolve(DEFAULT_MODEL))
assert loader.backend != "torch"
np.save({str(tmp_path / "vector.npy")!r}, loader.encode_text(["a text"])[0])
"""
    environment = os.environ | {"HF_HOME": str(tmp_path), "HF_HUB_OFFLINE": "1"}
    subprocess.run([sys.executable, "-c", program], env=environment, timeout=120, check=True)
    found = np.load(tmp_path / "vector.npy")
    np.testing.assert_allclose(found / np.linalg.norm(found), minilm.encode_text(["a text"])[0], atol=1e-5)


def test_models_are_loaded_by_what_is_kept_in_the_cache(models_folder: Path, minilm: Loader) -> None:
    loaded = ModelLoading(ConversionCache(models_folder), "onnx").load(ModelTable().resolve(MINILM))
    np.testing.assert_array_equal(loaded.encode_text(["a"]), minilm.encode_text(["a"]))


def test_long_names_make_folders_that_can_be_and_that_differ() -> None:
    assert slug("org/name") == "org--name"
    one, other = slug("/" + "x" * 5000), slug("/" + "x" * 5000 + "y")
    assert one != other
    assert len(one) < 200
