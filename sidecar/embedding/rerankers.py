"""Models that order the hits of a search anew: their names, and what they offer once loaded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from sidecar.embedding.loader import Embeddings, ImagePreparer, Prepared, run_in_batches
from sidecar.embedding.media.prepared import Box
from sidecar.embedding.model_spec import ModelAuth, ModelSpec

MAX_PAIR_TOKENS = 512
"""Longest input of a cross-encoder, special tokens counted; one that has fewer positions cuts at those."""

_TESTING = "_testing"
_ONNX = "onnx/"
_DETECTORS = {
    "owl/ViT-B/32": "google/owlvit-base-patch32",
    "owl/ViT-B/16": "google/owlvit-base-patch16",
    "owl/ViT-L/14": "google/owlvit-large-patch14",
}
"""Name -> repository on the hub; these are known by either."""


class PairScorer(Protocol):
    """A loaded cross-encoder. All methods may be called by several threads at once."""

    backend: str
    memory_bytes: int

    def prepare_pairs(self, q: str, texts: Sequence[str]) -> list[Prepared]:
        """Tokenise ``q`` with each of the texts, in the order given; a pair is cut at the model's length."""

    def run_pairs(self, batch: Sequence[Prepared]) -> Embeddings:
        """How well the texts answer ``q``. Returns: float32, shape (len(batch), 1), from 0 to 1."""


@dataclass(frozen=True, slots=True)
class Detection:
    """Where in an image something is seen, and how surely, from 0 to 1. ``box`` is in shares of width and height."""

    score: float
    box: Box


class Detector(ImagePreparer, Protocol):
    """A loaded model that finds in images what a text says. All methods may be called by several threads at once."""

    backend: str
    memory_bytes: int

    def detect(self, q: str, prepared: Prepared) -> Detection:
        """The place in the prepared image that is most like ``q``, which is cut at the model's length."""


def reranker_spec(name: str, *, device: str, auth: ModelAuth | None = None) -> ModelSpec:
    """The model that a search's ``reRanker`` names; whether there is such a one shows when it is loaded."""
    if name == _TESTING:
        return _spec(name, "random_pairs", "", device, None)
    if name in _DETECTORS or name in _DETECTORS.values():
        return _spec(name, "owl_vit", _DETECTORS.get(name, name), device, auth)
    if name.startswith(_ONNX):
        return _spec(name, "cross_encoder_onnx", name.removeprefix(_ONNX), device, auth)
    return _spec(name, "cross_encoder", name, device, auth)


def reads_images(spec: ModelSpec) -> bool:
    """Whether the re-ranker is a `Detector`; a `PairScorer` else."""
    return spec.loader == "owl_vit"


def score_texts(scorer: PairScorer, q: str, texts: Sequence[str]) -> list[float]:
    """How well each of the texts answers ``q``, from 0 to 1, in the order given; in batches of like length.

    Raises: ValueError where the model gives what is no number, and whatever its library raises.
    """
    scores = run_in_batches(scorer.run_pairs, scorer.prepare_pairs(q, texts), 1)[:, 0]
    if not np.isfinite(scores).all():
        raise ValueError("the model gives scores that are no numbers; its weights may be damaged")
    return [float(score) for score in scores]


def hub_token(spec: ModelSpec) -> str | None:
    """The hub's token that came with the request; None where none did."""
    return spec.auth.value("token") if spec.auth is not None and spec.auth.kind == "hf" else None


def _spec(name: str, kind: str, repository: str, device: str, auth: ModelAuth | None) -> ModelSpec:
    return ModelSpec(
        name=name,
        loader=kind,
        repository=repository,
        dimensions=1,
        max_tokens=MAX_PAIR_TOKENS,
        device=device,
        auth=auth,
    )
