"""Fetches a model's weights ahead of their use, with the hub's own progress bars."""

from __future__ import annotations

from pathlib import Path

from sidecar.embedding.clip_weights import HUB_PREFIX
from sidecar.embedding.load import LoadContext
from sidecar.embedding.model_files import files_of
from sidecar.embedding.model_options import CLIP_KINDS, TEXT_KINDS
from sidecar.embedding.model_spec import ModelSpec
from sidecar.embedding.weights import find_weights
from sidecar.errors import BadRequest, ModelLoadError


def pull_weights(spec: ModelSpec, context: LoadContext) -> Path:
    """The folder or file of the model's weights on this machine, fetching them now where they are not here.

    Raises: ModelLoadError where they can't be had; BadRequest for a kind of model that has no weights.
    """
    if spec.location and spec.loader != "endpoint":
        return files_of(spec, context).path
    if spec.loader in TEXT_KINDS:
        return find_weights(spec.repository).folder
    if spec.loader in CLIP_KINDS:
        return _clip_weights(spec)
    raise BadRequest(f"model {spec.name!r} is of kind {spec.loader!r}, which has no weights to fetch")


def _clip_weights(spec: ModelSpec) -> Path:
    from open_clip import pretrained

    try:
        if spec.repository.startswith(HUB_PREFIX):
            return Path(pretrained.download_pretrained_from_hf(spec.repository.removeprefix(HUB_PREFIX)))
        architecture, _, tag = spec.repository.partition("/")
        return Path(pretrained.download_pretrained(pretrained.get_pretrained_cfg(architecture, tag)))
    except Exception as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise ModelLoadError(
            f"the weights of model {spec.name!r} can't be had: {reason}. Check the name, the network and HF_TOKEN"
        ) from error
