"""Models whose makers want code of theirs to run here: it does not, whatever loads them."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sidecar.embedding.conversion import ConversionCache
from sidecar.embedding.foreign_code import check_modules
from sidecar.embedding.load import Backend, ModelLoading
from sidecar.embedding.model_table import ModelTable
from sidecar.embedding.rerankers import reranker_spec
from sidecar.errors import ModelLoadError
from tests.fix_clip import TINY_CLIP
from tests.fix_models import quiet

CODE = """
from pathlib import Path
Path({marker!r}).touch()
class Evil:
    @classmethod
    def load(cls, *arguments, **options):
        return cls()
    from_pretrained = load
"""
"""Leaves its marker when it is imported."""
AUTO_MAP = {
    "AutoConfig": "evil.Evil",
    "AutoModel": "evil.Evil",
    "AutoModelForSequenceClassification": "evil.Evil",
    "AutoProcessor": "evil.Evil",
    "AutoTokenizer": ["evil.Evil", None],
}

Attack = Callable[[Path, Path], None]


class Pickled:
    """Makes a folder where it is unpickled."""

    def __init__(self, marker: Path) -> None:
        self._marker = marker

    def __reduce__(self) -> tuple[Any, ...]:
        return (os.mkdir, (str(self._marker),))


def change(path: Path, **values: Any) -> None:
    """Set values of a JSON object in a file, which may not be there yet."""
    known = json.loads(path.read_text("utf-8")) if path.is_file() else {}
    path.write_text(json.dumps(known | values), "utf-8")


def weights_of_torch(model: Path, marker: Path) -> None:
    import torch

    (model / "model.safetensors").unlink()
    torch.save({"embeddings.word_embeddings.weight": Pickled(marker)}, model / "pytorch_model.bin")


def weights_of_old(model: Path, marker: Path) -> None:
    (model / "model.safetensors").unlink()
    (model / "pytorch_model.bin").write_bytes(pickle.dumps({"x": Pickled(marker)}))


def module_of_its_own(model: Path, marker: Path) -> None:
    add_module(model, "evil.Evil")


def module_of_another_package(model: Path, marker: Path) -> None:
    (model / "9_Evil").mkdir()
    (model / "9_Evil" / "config.json").write_bytes(pickle.dumps(Pickled(marker)))
    add_module(model, "joblib.numpy_pickle", "9_Evil/config.json")


def add_module(model: Path, kind: str, path: str = "") -> None:
    entries = json.loads((model / "modules.json").read_text("utf-8")) if (model / "modules.json").is_file() else []
    entries.append({"idx": len(entries), "name": str(len(entries)), "path": path, "type": kind})
    (model / "modules.json").write_text(json.dumps(entries), "utf-8")


def module_behind_a_router(model: Path, marker: Path) -> None:
    kind = "sentence_transformers.sentence_transformer.modules.Router"
    (model / "modules.json").write_text(json.dumps([{"idx": 0, "name": "0", "path": "", "type": kind}]), "utf-8")
    routes = {"types": {"": "evil.Evil"}, "structure": {"query": [""], "document": [""]}, "parameters": {}}
    change(model / "router_config.json", **routes)


def activation(model: Path, marker: Path) -> None:
    (model / "9_Dense").mkdir()
    facts = {"in_features": 32, "out_features": 32, "bias": True, "activation_function": "evil.Evil"}
    change(model / "9_Dense" / "config.json", **facts)
    add_module(model, "sentence_transformers.sentence_transformer.modules.Dense", "9_Dense")


def architecture(model: Path, marker: Path) -> None:
    change(model / "config.json", model_type="evil", architectures=["Evil"], auto_map=AUTO_MAP)


def architecture_of_a_known_name(model: Path, marker: Path) -> None:
    change(model / "config.json", auto_map=AUTO_MAP)


def architecture_that_says_it_is_trusted(model: Path, marker: Path) -> None:
    architecture(model, marker)
    trusting = {"trust_remote_code": True}
    change(model / "sentence_bert_config.json", model_args=trusting, tokenizer_args=trusting, config_args=trusting)


def tokenizer(model: Path, marker: Path) -> None:
    (model / "tokenizer.json").unlink(missing_ok=True)
    change(model / "tokenizer_config.json", tokenizer_class="Evil", auto_map=AUTO_MAP)


def processor(model: Path, marker: Path) -> None:
    change(model / "processor_config.json", processor_class="Evil", auto_map=AUTO_MAP)
    change(model / "preprocessor_config.json", processor_class="Evil", auto_map=AUTO_MAP)


ATTACKS = (
    *(weights_of_torch, weights_of_old, module_of_its_own, module_of_another_package, module_behind_a_router),
    *(activation, architecture, architecture_of_a_known_name, architecture_that_says_it_is_trusted, tokenizer),
    processor,
)
HARMLESS = {activation, architecture_of_a_known_name, processor, tokenizer}
"""What asks for code beside what is known: it may be loaded as if it had not."""
ONLY_SBERT = {module_of_its_own, module_of_another_package, module_behind_a_router}
"""What is in files that other kinds of models do not read."""


@pytest.fixture
def marker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What code of the models would leave behind. Whatever a terminal is asked, it answers yes."""
    monkeypatch.setattr("builtins.input", lambda *_: "y")
    return tmp_path / "ran"


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A text model and a cross-encoder that do no harm."""
    from tests.random_models import mean_normalized, random_bert, random_cross_encoder

    folder = tmp_path_factory.mktemp("sound")
    with quiet():
        return {"text": random_bert(folder / "text", mean_normalized), "pairs": random_cross_encoder(folder / "pairs")}


def spoilt(source: Path, attack: Attack, folder: Path, marker: Path) -> Path:
    """A copy of the model with code in it, and a wish to have that run."""
    model = Path(shutil.copytree(source, folder / "model"))
    (model / "evil.py").write_text(CODE.format(marker=str(marker)), "utf-8")
    attack(model, marker)
    return model


def load(folder: Path, properties: dict[str, Any], backend: Backend = "torch") -> None:
    spec = ModelTable().resolve("mine", {"dimensions": 32, **properties})
    with quiet():
        ModelLoading(ConversionCache(folder / "converted"), backend).load(spec)


def test_marker_is_left_where_code_runs(tmp_path: Path, marker: Path) -> None:
    exec(CODE.format(marker=str(marker)), {})
    assert marker.exists()
    pickle.loads(pickle.dumps(Pickled(tmp_path / "unpickled")))
    assert (tmp_path / "unpickled").exists()


@pytest.mark.parametrize("kind", ["sbert", "hf"])
@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__)
def test_text_model_runs_no_code(
    attack: Attack, kind: str, sound: dict[str, Path], tmp_path: Path, marker: Path
) -> None:
    model = spoilt(sound["text"], attack, tmp_path, marker)
    try:
        load(tmp_path, {"type": kind, "localpath": str(model)})
        assert attack in HARMLESS or (kind == "hf" and attack in ONLY_SBERT)
    except ModelLoadError as refused:
        assert "trust_remote_code" not in refused.message, "nobody could follow this advice"
    assert not marker.exists()


@pytest.mark.usefixtures("converts_in_process")
@pytest.mark.parametrize("attack", [weights_of_torch, module_of_its_own, architecture], ids=lambda one: one.__name__)
def test_converter_runs_no_code(attack: Attack, sound: dict[str, Path], tmp_path: Path, marker: Path) -> None:
    model = spoilt(sound["text"], attack, tmp_path, marker)
    with pytest.raises(ModelLoadError, match="can't be loaded"):
        load(tmp_path, {"type": "sbert", "localpath": str(model)}, "onnx")
    assert not marker.exists()


@pytest.mark.parametrize(
    "attack",
    [weights_of_torch, weights_of_old, module_of_its_own, architecture, architecture_of_a_known_name, tokenizer],
    ids=lambda attack: attack.__name__,
)
def test_cross_encoder_runs_no_code(attack: Attack, sound: dict[str, Path], tmp_path: Path, marker: Path) -> None:
    model = spoilt(sound["pairs"], attack, tmp_path, marker)
    try:
        with quiet():
            ModelLoading(ConversionCache(tmp_path / "converted"), "torch").load(reranker_spec(str(model), device="cpu"))
        assert attack in HARMLESS
    except ModelLoadError as refused:
        assert "trust_remote_code" not in refused.message
    assert not marker.exists()


def test_clip_tokenizer_runs_no_code_though_its_model_says_it_may(tmp_path: Path, marker: Path) -> None:
    model = spoilt(TINY_CLIP, tokenizer, tmp_path, marker)
    config = json.loads((model / "open_clip_config.json").read_text("utf-8"))
    config["model_cfg"]["text_cfg"] |= {"hf_tokenizer_name": "x", "tokenizer_kwargs": {"trust_remote_code": True}}
    (model / "open_clip_config.json").write_text(json.dumps(config), "utf-8")
    with pytest.raises(ModelLoadError, match="can't be loaded"):
        load(tmp_path, {"name": "mine", "type": "open_clip", "localpath": str(model), "dimensions": 96})
    assert not marker.exists()


def test_module_that_is_code_is_named_with_what_to_do(sound: dict[str, Path], tmp_path: Path, marker: Path) -> None:
    model = spoilt(sound["text"], module_of_its_own, tmp_path, marker)
    with pytest.raises(ModelLoadError, match=r"module 'evil\.Evil' is code that is not part of .*plug-in"):
        load(tmp_path, {"type": "sbert", "localpath": str(model)})


def test_models_of_the_librarys_own_modules_are_let_through(sound: dict[str, Path]) -> None:
    for folder in (*sound.values(), TINY_CLIP):
        check_modules(folder)


def test_clip_archive_that_would_unpack_into_memory_is_refused(tmp_path: Path) -> None:
    from sidecar.embedding.clip_archive import read_archive

    path = tmp_path / "bomb.pt"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb/code/model.py", "")
        archive.writestr("bomb/data.pkl", bytes(10_000_000))
    with pytest.raises(ValueError, match=r"packed file, 'bomb/data\.pkl'"):
        read_archive(path)
