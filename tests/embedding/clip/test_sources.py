"""Where a CLIP model's weights may come from, and what is said of those that are missing, spoilt or of another kind."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from sidecar.embedding.clip_conversion import convert_clip, read_converted_clip
from sidecar.embedding.clip_weights import ClipSource
from sidecar.embedding.conversion import ConversionCache
from sidecar.embedding.load import Backend, ModelLoading
from sidecar.embedding.loader import ImageLoader
from sidecar.embedding.model_spec import ModelSpec
from sidecar.embedding.model_table import ModelTable
from sidecar.errors import ConversionFailed, HardwareUnavailable, InvalidArgument, ModelLoadError
from tests.embedding.test_weights import put_into_cache
from tests.fix_clip import TINY_CLIP, load_tiny_clip, read_pictures
from tests.fix_models import quiet

WEIGHTS = "open_clip_pytorch_model.bin"
GET = """
import logging, sys
from pathlib import Path
from sidecar.embedding.clip_conversion import convert_clip
from sidecar.embedding.clip_weights import ClipSource
logging.basicConfig(level=logging.INFO, stream=sys.stderr)
print(convert_clip(ClipSource("tiny-emoji", sys.argv[2]), "float32", Path(sys.argv[1])).folder)
"""


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """The tiny trained CLIP, in a folder that may be spoilt."""
    return Path(shutil.copytree(TINY_CLIP, tmp_path / "model"))


def load(spec: ModelSpec, folder: Path, backend: Backend = "auto") -> ImageLoader:
    with quiet():
        return cast(ImageLoader, ModelLoading(ConversionCache(folder), backend).load(spec))


def described(properties: dict[str, Any]) -> ModelSpec:
    return ModelTable().resolve("mine", {"type": "open_clip", "dimensions": 96, **properties})


@pytest.fixture
def named_architecture(tmp_path: Path) -> Any:
    """The tiny CLIP's architecture, made known to open_clip by a name."""
    from open_clip import factory

    config = json.loads((TINY_CLIP / "open_clip_config.json").read_text(encoding="utf-8"))["model_cfg"]
    factory._MODEL_CONFIGS["tiny-emoji"] = config
    yield "tiny-emoji"
    del factory._MODEL_CONFIGS["tiny-emoji"]


@pytest.mark.usefixtures("converts_in_process")
@pytest.mark.parametrize("backend", ["onnx", "torch"])
def test_a_checkpoint_of_a_named_architecture(
    backend: Backend, tmp_path: Path, named_architecture: str, tiny_clip: ImageLoader, photos_folder: Path
) -> None:
    spec = described({"name": named_architecture, "localpath": str(TINY_CLIP / WEIGHTS)})
    loader = load(spec, tmp_path, backend)
    assert loader.backend == backend
    pictures = read_pictures(photos_folder, most=2)
    np.testing.assert_allclose(loader.encode_image(pictures), tiny_clip.encode_image(pictures), atol=3e-5)


def save_archive(path: Path) -> Any:
    """Save the tiny CLIP with QuickGELU as a TorchScript archive in 16 bits, as OpenAI's files are.

    Returns: the module in 32 bits. The weights are the same: they have 16 bits.
    """
    import open_clip
    import torch

    with quiet():
        model = open_clip.create_model(f"local-dir:{TINY_CLIP}", force_quick_gelu=True).eval()
        whole = open_clip.create_model(f"local-dir:{TINY_CLIP}", force_quick_gelu=True).eval()
        for buffer, value in (("input_resolution", 64), ("context_length", 24), ("vocab_size", 49408)):
            # Plain numbers of open_clip's model, tensors in OpenAI's.
            model.__dict__.pop(buffer, None)
            model.register_buffer(buffer, torch.tensor(value))
        ids = torch.zeros(1, 24, dtype=torch.int64)
        archive = torch.jit.trace(model, (torch.zeros(1, 3, 64, 64), ids), check_trace=False)
        archive.half().save(str(path))
    return whole


@pytest.mark.usefixtures("converts_in_process")
@pytest.mark.parametrize("kind", ["clip", "open_clip"])
@pytest.mark.parametrize("backend", ["onnx", "torch"])
def test_an_archive_of_openais_kind_is_read_with_quickgelu(
    kind: str, backend: Backend, tmp_path: Path, named_architecture: str, tiny_clip: ImageLoader
) -> None:
    import open_clip
    import torch

    from sidecar.embedding.clip_archive import read_archive

    path = tmp_path / "archive.pt"
    wanted = save_archive(path)
    state = torch.jit.load(str(path)).state_dict()
    read = read_archive(path)
    assert set(state) <= set(read)
    assert all(torch.equal(read[name], tensor) for name, tensor in state.items())
    loader = load(described({"name": named_architecture, "localpath": str(path), "type": kind}), tmp_path, backend)
    texts = ["red apple", "a"]
    with torch.inference_mode():
        vectors = wanted.encode_text(open_clip.get_tokenizer(f"local-dir:{TINY_CLIP}")(texts)).numpy()
    np.testing.assert_allclose(loader.encode_text(texts), vectors, atol=3e-5)
    assert np.abs(tiny_clip.encode_text(texts) - vectors).max() > 1e-3, "the other activation gives other vectors"


def test_an_archive_with_anything_but_a_model_in_it_is_refused(tmp_path: Path) -> None:
    import zipfile

    from sidecar.embedding.clip_archive import read_archive

    class Evil:
        def __reduce__(self) -> tuple[Any, ...]:
            return (Path.touch, (tmp_path / "ran",))

    path = tmp_path / "evil.pt"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("evil/code/model.py", "")
        archive.writestr("evil/data.pkl", pickle.dumps(Evil(), protocol=2))
    with pytest.raises(pickle.UnpicklingError, match="which is no part of a model"):
        read_archive(path)
    spec = ModelTable().resolve("mine", {"name": "ViT-B/32", "type": "clip", "localpath": str(path), "dimensions": 512})
    with pytest.raises(ModelLoadError, match=r"evil\.pt: UnpicklingError: .* no part of a model"):
        load(spec, tmp_path, "torch")
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("backend", ["onnx", "torch"])
@pytest.mark.usefixtures("converts_in_process")
def test_a_pickle_that_would_run_code_is_refused(backend: Backend, tmp_path: Path, model: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[Any, ...]:
            return (os.mkdir, (str(tmp_path / "ran"),))

    import torch

    torch.save({"visual.proj": Evil()}, model / WEIGHTS)
    with pytest.raises(ModelLoadError, match=f"in {model} can't be loaded: .*{model}: UnpicklingError"):
        load(described({"name": "mine", "localpath": str(model)}), tmp_path, backend)
    assert not (tmp_path / "ran").exists()


@pytest.mark.usefixtures("converts_in_process", "own_hub_cache")
@pytest.mark.parametrize("backend", ["onnx", "torch"])
def test_a_repository_of_the_hub(backend: Backend, tmp_path: Path, own_hub_cache: Path, tiny_clip: ImageLoader) -> None:
    files = {path.name: path.read_bytes() for path in TINY_CLIP.iterdir() if path.suffix != ".md"}
    put_into_cache(own_hub_cache, "someone/tiny-emoji", files)
    spec = ModelSpec("mine", "open_clip", "hf-hub:someone/tiny-emoji", 96, 24)
    loader = load(spec, tmp_path, backend)
    assert loader.backend == backend
    np.testing.assert_allclose(loader.encode_text(["red apple"]), tiny_clip.encode_text(["red apple"]), atol=3e-5)
    if backend == "onnx":
        shutil.rmtree(own_hub_cache)
        assert load(spec, tmp_path, backend).backend == "onnx", "the converted form serves where the weights are gone"


@pytest.mark.usefixtures("converts_in_process", "own_hub_cache")
@pytest.mark.parametrize("backend", ["auto", "torch"])
def test_weights_that_are_nowhere_are_told_with_the_places(
    backend: Backend, tmp_path: Path, own_hub_cache: Path
) -> None:
    places = f"timm/vit_base_patch32_clip_224.openai are not in the Hugging Face cache {own_hub_cache}, and the hub"
    with pytest.raises(ModelLoadError, match=places) as error:
        load(ModelTable().resolve("ViT-B/32"), tmp_path / "converted", backend)
    assert not isinstance(error.value, ConversionFailed)
    assert not list(tmp_path.rglob("facts.json"))
    with pytest.raises(ModelLoadError, match=r"hf-hub:someone/nothing.* can't be loaded"):
        load(ModelSpec("mine", "open_clip", "hf-hub:someone/nothing", 96, 24), tmp_path / "converted", backend)


def test_an_architecture_that_there_is_not_is_told(tmp_path: Path) -> None:
    spec = described({"name": "ViT-B-33", "localpath": str(TINY_CLIP / WEIGHTS)})
    with pytest.raises(ModelLoadError, match=r"open_clip [\d.]+ knows no architecture 'ViT-B-33'"):
        load(spec, tmp_path, "torch")


@pytest.mark.parametrize("backend", ["auto", "torch"])
@pytest.mark.usefixtures("converts_in_process")
def test_a_folder_without_configuration_or_weights_is_told(backend: Backend, tmp_path: Path, model: Path) -> None:
    (model / WEIGHTS).unlink()
    with pytest.raises(ModelLoadError, match=f"{model}.*could not be loaded"):
        load(described({"name": "mine", "localpath": str(model)}), tmp_path, backend)
    (model / "open_clip_config.json").unlink()
    with pytest.raises(ModelLoadError, match=str(model)):
        load(described({"name": "mine", "localpath": str(model)}), tmp_path, backend)
    with pytest.raises(ModelLoadError, match=str(model / "no-such")):
        load(described({"name": "mine", "localpath": str(model / "no-such")}), tmp_path, backend)


@pytest.mark.parametrize("backend", ["auto", "torch"])
def test_corrupt_weights_are_named_and_the_next_try_works(
    backend: Backend, tmp_path: Path, model: Path, request: pytest.FixtureRequest
) -> None:
    request.getfixturevalue("converts_in_process")
    whole = (model / WEIGHTS).read_bytes()
    (model / WEIGHTS).write_bytes(whole[: len(whole) // 2])
    spec = described({"name": "mine", "localpath": str(model)})
    with pytest.raises(ModelLoadError, match=f"in {model} can't be loaded: ") as error:
        load(spec, tmp_path / "converted", backend)
    assert not isinstance(error.value, ConversionFailed)
    assert not list(tmp_path.rglob("facts.json"))
    (model / WEIGHTS).write_bytes(whole)
    assert load(spec, tmp_path / "converted", backend).dimensions == 96


@pytest.mark.parametrize("name", ["image/model.onnx", "text/model.onnx", "tokenizer.json", "facts.json"])
@pytest.mark.usefixtures("converts_in_process")
def test_a_file_that_was_cut_off_is_noticed(name: str, tmp_path: Path, tiny_clip: ImageLoader, model: Path) -> None:
    converted = convert_clip(ClipSource("tiny-emoji", str(model)), "float32", tmp_path / "converted")
    path = converted.folder / name
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert read_converted_clip(converted.folder) is None
    again = convert_clip(ClipSource("tiny-emoji", str(model)), "float32", tmp_path / "converted")
    assert again.folder == converted.folder
    assert again.is_faithful


@pytest.mark.usefixtures("converts_in_process")
def test_a_spoilt_graph_of_the_right_size_names_its_folder(tmp_path: Path, model: Path) -> None:
    spec = described({"name": "mine", "localpath": str(model)})
    load(spec, tmp_path / "converted", "onnx")
    (graph,) = tmp_path.glob("converted/*/*/image/model.onnx")
    graph.write_bytes(bytes(graph.stat().st_size))
    with pytest.raises(ModelLoadError, match=f"{graph.parent.parent} can't be read .* delete the folder"):
        load(spec, tmp_path / "converted", "onnx")


def test_a_killed_conversion_leaves_nothing_that_is_read(tmp_path: Path, model: Path) -> None:
    folder = tmp_path / "converted"
    command = [sys.executable, "-c", GET, str(folder), str(model)]
    killed = subprocess.Popen(command, stderr=subprocess.DEVNULL, start_new_session=True)
    pause = threading.Event()
    while not list(folder.rglob("model.onnx")):
        assert killed.poll() is None
        pause.wait(0.02)
    os.killpg(killed.pid, signal.SIGKILL)
    killed.wait()
    assert all(read_converted_clip(path.parent) is None for path in folder.rglob("facts.json"))
    racing = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    told = [process.communicate(timeout=240) for process in racing]
    assert [process.returncode for process in racing] == [0, 0]
    assert sum(log.count("converting model to ONNX") for _, log in told) == 1
    converted = read_converted_clip(Path({out.strip() for out, _ in told}.pop()))
    assert converted is not None
    assert converted.is_faithful
    assert not list(folder.rglob(".converting-*")), "what the killed one left is gone"


@pytest.mark.usefixtures("converts_in_process")
def test_a_conversion_that_is_not_faithful_is_not_used(tmp_path: Path, model: Path) -> None:
    import torch

    weights = torch.load(model / WEIGHTS, weights_only=True)
    # A vector that is no number makes every picture's vector so: the worst conversion there is.
    weights["visual.ln_post.weight"][:] = float("nan")
    torch.save(weights, model / WEIGHTS)
    spec = described({"name": "mine", "localpath": str(model)})
    assert load(spec, tmp_path / "converted").backend == "torch"
    onnx_spec = described({"name": "mine", "localpath": str(model), "type": "clip_onnx"})
    with pytest.raises(ModelLoadError, match=r"'mine': its ONNX form gives vectors of cosine 0\.0+ .* without onnx32/"):
        load(onnx_spec, tmp_path / "converted")


@pytest.mark.usefixtures("converts_in_process")
def test_fp16_names_run_on_the_processor_with_16_bit_weights(
    tmp_path: Path, named_architecture: str, tiny_clip: ImageLoader
) -> None:
    given = {"name": named_architecture, "localpath": str(TINY_CLIP / WEIGHTS), "type": "fp16_clip"}
    loader = load(described({**given, "precision": "float16"}), tmp_path)
    assert loader.backend == "onnx"
    assert {path.parent.name.split("-")[-2] for path in tmp_path.rglob("facts.json")} == {"float32", "float16"}
    # A checkpoint of this kind is OpenAI's, with another activation than the tiny model was trained with.
    assert np.abs(loader.encode_text(["a"]) - tiny_clip.encode_text(["a"])).max() > 1e-3


def test_int8_in_torch_is_refused_with_what_there_is(tmp_path: Path, tiny_clip_properties: dict[str, Any]) -> None:
    with pytest.raises(InvalidArgument, match="int8 runs in ONNX Runtime on the CPU, not in torch"):
        load_tiny_clip(tmp_path, {**tiny_clip_properties, "precision": "int8"}, "torch")


def test_onnx_names_on_a_device_that_the_runtime_lacks_say_what_to_install(
    clip_models_folder: Path, tiny_clip: ImageLoader, tiny_clip_properties: dict[str, Any]
) -> None:
    from dataclasses import replace

    import onnxruntime

    assert "CUDAExecutionProvider" not in onnxruntime.get_available_providers()
    spec = ModelTable().resolve("mine", {**tiny_clip_properties, "type": "clip_onnx"})
    with pytest.raises(HardwareUnavailable, match="Install onnxruntime-gpu"):
        load(replace(spec, device="cuda:0"), clip_models_folder)
