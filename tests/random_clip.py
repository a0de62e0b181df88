"""CLIP models of true architectures with random weights, laid where open_clip looks for the real ones.

The vectors mean nothing; that two ways of running a model agree on them means as much as with real weights.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import open_clip
import torch
from huggingface_hub import constants
from open_clip.constants import HF_SAFE_WEIGHTS_NAME
from open_clip.pretrained import get_pretrained_cfg
from safetensors.torch import save_file

from tests.fix_models import quiet

_COMMIT = "0123456789abcdef" * 2 + "01234567"


def lively_weights(architecture: str, *, seed: int = 0) -> dict[str, torch.Tensor]:
    """Random weights, so large that different inputs get different vectors, and activations are not near zero."""
    torch.manual_seed(seed)
    with quiet():
        model: Any = open_clip.create_model(architecture, pretrained_text=False)
    weights = {name: tensor for name, tensor in model.state_dict().items() if tensor is not None}
    for name, tensor in weights.items():
        if name.endswith(("c_fc.weight", "in_proj_weight")):
            tensor.mul_(2)
        elif name.endswith("running_var"):
            tensor.uniform_(0.5, 1.5)
        elif name.endswith(("running_mean", "bias")) and tensor.is_floating_point():
            tensor.normal_(0, 0.02)
    return weights


def lay_into_cache(repository: str, weights: dict[str, torch.Tensor]) -> Path:
    """Put weights into the Hugging Face cache under the repository that open_clip has for ``ARCHITECTURE/TAG``.

    Returns: the file.
    """
    config = get_pretrained_cfg(*repository.split("/"))
    owner, _, name = config["hf_hub"].partition("/")
    root = Path(constants.HF_HUB_CACHE) / f"models--{owner}--{name.split('/')[0]}"
    file = root / "snapshots" / _COMMIT / HF_SAFE_WEIGHTS_NAME
    file.parent.mkdir(parents=True)
    (root / "refs").mkdir()
    (root / "refs" / "main").write_text(_COMMIT)
    save_file({key: tensor.contiguous() for key, tensor in weights.items()}, file)
    return file
