"""Cross-encoders in torch, by sentence-transformers: what conversion starts from, and what runs where it fails."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sentence_transformers import CrossEncoder

from sidecar.embedding.foreign_code import check_modules, told_as_refused
from sidecar.embedding.loader import Embeddings
from sidecar.embedding.torch_text import UNSET_LENGTH, positions_of

_SCORING = ("ForSequenceClassification", "ForCausalLM")
"""Ends of the names of architectures that give scores. Any other is loaded by the library too, with a last layer of
random weights."""


def open_cross_encoder(source: Path, max_tokens: int, *, attention: str | None = None) -> CrossEncoder:
    """The model in a folder, on the CPU, in float32. Pairs are cut at ``max_tokens``, or at its own limit.

    Raises: ValueError for a model that gives no score, or several, or wants code of its own to be run; and whatever the
    library raises for files that are missing or corrupt.
    """
    options: dict[str, Any] = {"attn_implementation": attention} if attention else {}
    check_modules(source)
    with told_as_refused():
        model: CrossEncoder = CrossEncoder(
            str(source), device="cpu", trust_remote_code=False, local_files_only=True, model_kwargs=options
        )
    model.float().eval()
    config: Any = transformer_of(model).config
    architectures = config.architectures or []
    if not any(name.endswith(_SCORING) for name in architectures):
        raise ValueError(f"it is no cross-encoder: its architecture is {', '.join(architectures) or 'not told'}")
    own = int(min(model.tokenizer.model_max_length, UNSET_LENGTH))
    model.tokenizer.model_max_length = min(max_tokens, own, positions_of(config) or own)
    labels = logits_of(model, [("a", "b")]).shape[1]
    if labels != 1:
        raise ValueError(f"it gives {labels} scores for each text; a re-ranker gives one")
    return model


def transformer_of(model: CrossEncoder) -> torch.nn.Module:
    """The model of transformers that gives the scores."""
    transformer = model.model
    assert transformer is not None
    return transformer


def logits_of(model: CrossEncoder, pairs: Sequence[tuple[str, str]]) -> Embeddings:
    """What the model gives before the sigmoid. Returns: float32, shape (len(pairs), labels)."""
    found = model.predict(
        [(_cleaned(first), _cleaned(second)) for first, second in pairs],
        batch_size=len(pairs),
        activation_fn=torch.nn.Identity(),
        show_progress_bar=False,
    )
    return np.asarray(found, dtype=np.float32).reshape(len(pairs), -1)


def _cleaned(text: str) -> str:
    # White space at the ends goes, as in converted models; halves of surrogate pairs no tokenizer takes.
    return text.strip().encode("utf-8", "replace").decode("utf-8")
