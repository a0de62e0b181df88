"""Text models in torch, by sentence-transformers: what conversion starts from, and what runs where it fails."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sentence_transformers import SentenceTransformer
from sentence_transformers.models import Pooling, Transformer

from sidecar.embedding.foreign_code import NO_CODE, check_modules, told_as_refused

UNSET_LENGTH = 1_000_000
"""Tokenizers without a limit say 10^30."""


def load_sentence_transformer(source: Path, pooling: str, *, attention: str | None = None) -> SentenceTransformer:
    """The model in a folder, on the CPU, in float32.

    ``pooling`` ``sbert`` follows the folder's own modules (mean pooling where it names none); ``mean`` takes the
    encoder alone and averages the token vectors under the attention mask, as the `hf/` names do.
    Raises: ValueError for a model that wants code of its own to be run; whatever the library raises for files that are
    missing or corrupt.
    """
    options: dict[str, Any] = {"attn_implementation": attention} if attention else {}
    with told_as_refused():
        if pooling == "sbert":
            check_modules(source)
            return SentenceTransformer(str(source), device="cpu", trust_remote_code=False, model_kwargs=options).eval()
        encoder = Transformer(str(source), model_args=options | NO_CODE, tokenizer_args=NO_CODE, config_args=NO_CODE)
    width = encoder.get_word_embedding_dimension()
    return SentenceTransformer(modules=[encoder, Pooling(width, "mean")], device="cpu").eval()


def max_positions(model: SentenceTransformer) -> int:
    """The longest input, in tokens with special ones, that the encoder has positions for."""
    encoder: Any = model[0]
    return positions_of(encoder.auto_model.config) or int(min(model.tokenizer.model_max_length, UNSET_LENGTH))


def positions_of(config: Any) -> int | None:
    """The positions for tokens of a transformers model with that configuration; None where it does not say."""
    positions = getattr(config, "max_position_embeddings", None)
    if not positions:
        return None
    # RoBERTa's kin count positions from behind the padding token's id.
    offset = (config.pad_token_id or 0) + 1 if config.model_type in _OFFSET_TYPES else 0
    return int(positions - offset)


_OFFSET_TYPES = {"roberta", "xlm-roberta", "mpnet", "camembert", "xlm-roberta-xl"}
