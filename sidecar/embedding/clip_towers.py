"""The two towers of an open_clip model as modules of their own, in the form in which they are converted."""

from __future__ import annotations

from typing import Any

import torch
from open_clip.coca_model import CoCa
from open_clip.hf_model import HFTextEncoder
from open_clip.model import CLIP
from open_clip.transformer import ResidualAttentionBlock, TextTransformer, text_global_pool
from torch.nn import functional


class PlainAttention(torch.nn.Module):
    """An attention layer in plain steps, for a graph of any length; torch's own fixes the length it was traced at.

    Takes and gives what `torch.nn.MultiheadAttention` does where the batch comes first and attention is to itself.
    """

    def __init__(self, layer: torch.nn.MultiheadAttention) -> None:
        super().__init__()
        self.inside = torch.nn.Linear(layer.embed_dim, 3 * layer.embed_dim)
        self.inside.weight, self.inside.bias = layer.in_proj_weight, layer.in_proj_bias
        self.outside = layer.out_proj
        self.heads = layer.num_heads
        self.scale = layer.head_dim**-0.5

    def forward(
        self,
        query: torch.Tensor,
        key: torch.Tensor,
        value: torch.Tensor,
        need_weights: bool = False,
        attn_mask: torch.Tensor | None = None,
    ) -> tuple[torch.Tensor, None]:
        batch, length, width = query.shape
        parts = self.inside(query).reshape(batch, length, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        scores = (parts[0] * self.scale) @ parts[1].transpose(-2, -1)
        if attn_mask is not None:
            # One mask for all, or one for each head of each text.
            scores = scores + (attn_mask if attn_mask.dim() == 2 else attn_mask.reshape(scores.shape))
        mixed = scores.softmax(dim=-1) @ parts[2]
        return self.outside(mixed.transpose(1, 2).reshape(batch, length, width)), None


def with_plain_attention(tower: torch.nn.Module) -> torch.nn.Module:
    """The same tower, with each layer of self-attention in plain steps."""
    for module in list(tower.modules()):
        for name, child in list(module.named_children()):
            is_self = name == "attn" and isinstance(module, ResidualAttentionBlock) and not hasattr(module, "ln_1_kv")
            if is_self and isinstance(child, torch.nn.MultiheadAttention) and child.batch_first:
                setattr(module, name, PlainAttention(child))
    return tower


class ImageTower(torch.nn.Module):
    """Normalised pictures, float32 of shape (n, 3, height, width), to vectors."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.visual = model.visual
        self.is_normalized = isinstance(model, CoCa)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        vectors = self.visual(images)
        if isinstance(vectors, tuple):
            vectors = vectors[0]
        return functional.normalize(vectors, dim=-1) if self.is_normalized else vectors


class TextTower(torch.nn.Module):
    """Token ids, int64 of shape (n, context length), to vectors."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.text = model.text
        self.is_normalized = isinstance(model, CoCa)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        vectors = self.text(ids)
        if isinstance(vectors, tuple):
            vectors = vectors[0]
        return functional.normalize(vectors, dim=-1) if self.is_normalized else vectors


class CausalTextTower(torch.nn.Module):
    """Token ids, int64 of shape (n, length), to vectors, for any length that holds each text's end.

    A token sees only those before it, and the vector is read at the text's end: what follows can't matter, so that
    positions and mask are cut to the batch's length. Short texts take a fraction of the time.
    """

    def __init__(self, model: Any) -> None:
        super().__init__()
        text = model if isinstance(model, CLIP) else model.text
        self.token_embedding = text.token_embedding
        self.positional_embedding = text.positional_embedding
        self.transformer = text.transformer
        self.ln_final = text.ln_final
        self.text_projection = text.text_projection
        self.attn_mask: torch.Tensor
        self.register_buffer("attn_mask", text.attn_mask, persistent=False)
        self.pool_type = _pool_type(text)
        self.eos_id = text.text_eos_id if isinstance(text, CLIP) else text.eos_id

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        length = ids.shape[1]
        states = self.token_embedding(ids) + self.positional_embedding[:length]
        states = self.ln_final(self.transformer(states, attn_mask=self.attn_mask[:length, :length]))
        vectors: torch.Tensor = text_global_pool(states, ids, self.pool_type, eos_token_id=self.eos_id)
        if isinstance(self.text_projection, torch.nn.Linear):
            vectors = self.text_projection(vectors)
        elif self.text_projection is not None:
            vectors = vectors @ self.text_projection
        return vectors


def text_tower(model: Any) -> tuple[torch.nn.Module, bool]:
    """The text tower, and whether it takes texts shorter than the context length."""
    text = model if isinstance(model, CLIP) else model.text
    if isinstance(text, HFTextEncoder):
        # Attention in plain steps is what the exporter has a form for; padding is masked, so any length will do.
        text.transformer.set_attn_implementation("eager")
        return TextTower(model), True
    if not isinstance(text, (CLIP, TextTransformer)) or text.attn_mask is None:
        return TextTower(model), False
    # A class token stands behind the last place, and counts from there.
    has_class_token = getattr(text, "cls_emb", None) is not None
    if has_class_token or _pool_type(text) not in ("argmax", "eos"):
        return TextTower(model), False
    return CausalTextTower(model), True


def _pool_type(text: Any) -> str:
    return str(text.text_pool_type if isinstance(text, CLIP) else text.pool_type)
