import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from huggingface_hub import constants
from PIL import Image
from safetensors.torch import save_file

from sidecar.embedding.media import attention
from sidecar.embedding.media.attention import AttentionModel, boxes_of, kept_cells
from sidecar.embedding.media.decoding import DecodedImage
from sidecar.embedding.media.patching import PatchMethod, cut
from sidecar.errors import ModelLoadError
from tests.fix_models import quiet


@pytest.fixture(scope="module")
def hub_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Hugging Face cache with random weights of the true architecture, in the place of the real ones."""
    import timm

    folder = tmp_path_factory.mktemp("hub")
    snapshot = folder / f"models--timm--{attention.MODEL}" / "snapshots" / "0"
    snapshot.mkdir(parents=True)
    (snapshot.parent.parent / "refs").mkdir()
    (snapshot.parent.parent / "refs" / "main").write_text("0")
    torch.manual_seed(0)
    model = timm.create_model(attention.MODEL, pretrained=False, num_classes=0)
    save_file(model.state_dict(), snapshot / "model.safetensors")
    return folder


@pytest.fixture
def weights(hub_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use_cache(hub_cache, monkeypatch)


def use_cache(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(folder))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)


def noise() -> Image.Image:
    values = np.random.default_rng(0).integers(0, 256, (240, 240, 3), dtype=np.uint8)
    return Image.fromarray(values)


def blobs(*boxes: tuple[int, int, int, int]) -> np.ndarray:
    """An attention over 15x15 cells that lies on these boxes of cells, and a little everywhere."""
    found = np.full((15, 15), 1e-4, np.float32)
    for x1, y1, x2, y2 in boxes:
        found[y1:y2, x1:x2] = 1
    return found


def test_kept_cells_are_the_fewest_that_have_60_percent() -> None:
    values = np.array([[5, 3], [1, 1]], np.float32)
    assert kept_cells(values).tolist() == [[True, True], [False, False]]
    assert kept_cells(np.array([[7, 2], [1, 0]], np.float32)).tolist() == [[True, False], [False, False]]


def test_boxes_lie_around_what_is_attended_to() -> None:
    strong, weak = 3 * blobs((1, 2, 5, 6)), blobs((9, 8, 13, 10))
    # 16 cells and 8: of all attention, 60 % are 12 of the strong cells, its first three rows.
    assert boxes_of((strong + weak)[None]) == [(16, 32, 80, 80)]
    assert [box[:3] for box in boxes_of(np.stack([strong, weak]))] == [(16, 32, 80), (144, 128, 208)]


def test_boxes_of_several_heads_are_joined_where_they_are_the_same() -> None:
    left, right = blobs((0, 0, 4, 4)), blobs((8, 8, 12, 12))
    assert len(boxes_of(np.stack([left, right, left]))) == 2
    assert boxes_of(np.stack([right, left])) == sorted(
        boxes_of(np.stack([left, right])), key=lambda box: (box[1], box[0])
    )


def test_boxes_leave_out_specks_and_are_not_endless() -> None:
    assert boxes_of(blobs((3, 3, 4, 4))[None]) == []
    many = np.stack([blobs((x, y, x + 3, y + 3)) for x in range(0, 12, 3) for y in range(0, 12, 2)])
    assert len(boxes_of(many)) == attention.MAX_BOXES


@pytest.mark.usefixtures("weights")
def test_attention_is_what_the_whole_model_computes() -> None:
    model = attention.load_model()
    seen: list[torch.Tensor] = []
    last = model.blocks[-1].attn
    last.fused_attn = False
    last.attn_drop.register_forward_hook(lambda module, given, result: seen.append(result))
    pixels = (np.asarray(noise(), np.float32) / 255 - (0.485, 0.456, 0.406)) / (0.229, 0.224, 0.225)
    with torch.inference_mode():
        model(torch.from_numpy(pixels.transpose(2, 0, 1)[None].astype(np.float32)))
    ours = attention.attention_of(noise(), model)
    np.testing.assert_allclose(ours, seen[0][0, :, 0, 1:].reshape(6, 15, 15).numpy(), rtol=1e-4, atol=1e-7)


@pytest.mark.usefixtures("weights")
def test_cut_by_attention_gives_boxes_inside_the_image_and_loads_the_model_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    loads: list[str] = []
    real = attention.load_model
    monkeypatch.setattr(attention, "load_model", lambda: (loads.append(threading.current_thread().name), real())[1])
    decoded, model = DecodedImage(noise(), 480, 240), AttentionModel()
    with quiet(), ThreadPoolExecutor(4) as pool:
        methods = [PatchMethod("dino-v1"), PatchMethod("dino-v2")] * 2
        v1, v2, *again = pool.map(lambda method: [box for _, box in cut(decoded, method, model)], methods)
    assert again == [v1, v2]
    assert v1[0] == v2[0] == (0.0, 0.0, 480.0, 240.0)
    assert v1 != v2
    assert all(0 <= x1 < x2 <= 480 and 0 <= y1 < y2 <= 240 for x1, y1, x2, y2 in v1 + v2)
    assert len(loads) == 1


def test_the_model_tells_when_the_weights_can_not_be_had(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use_cache(tmp_path, monkeypatch)
    with quiet(), pytest.raises(ModelLoadError, match=r"need the weights of 'timm/vit_small_patch16_224.dino'"):
        AttentionModel().boxes(noise(), each_head=False)
