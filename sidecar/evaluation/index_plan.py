"""The indexes that an evaluation needs: choices that differ only in how they search share one."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from sidecar.embedding.model_spec import ModelSpec
from sidecar.evaluation.chunkings import chunking_settings
from sidecar.evaluation.data.collection import Collection, Kind
from sidecar.evaluation.models import Models
from sidecar.evaluation.results import Choice

PREFIX = "evaluation-"
"""Every index of an evaluation has a name that begins so, and no other index of the sidecar's own does."""
FIELDS = {Kind.TEXT: "text", Kind.IMAGE: "image"}
"""The field that holds a document's content."""


@dataclass(frozen=True)
class IndexPlan:
    """``settings`` are the body of ``POST /indexes/{index}``; ``spec`` is the model, None where nothing is embedded.
    ``choices`` are those that it serves."""

    kind: Kind
    settings: dict[str, Any]
    spec: ModelSpec | None
    choices: tuple[Choice, ...]

    @property
    def field(self) -> str:
        """The one field of its documents."""
        return FIELDS[self.kind]

    @property
    def embedding_key(self) -> str:
        """16 hexadecimal digits that change where equal contents would get other vectors, or other chunks."""
        assert self.spec is not None
        chunking = self.settings["index_defaults"]["text_preprocessing"]
        return _digest([self.kind.value, self.spec.fingerprint, self.spec.text_chunk_prefix, chunking])

    def index_name(self, collection: Collection, owner: str) -> str:
        """The same each time for the same data and settings; ``owner`` keeps machines and clusters apart."""
        return f"{PREFIX}{_digest([owner, collection.facts.fingerprint, self.settings])}"


def plan_indexes(choices: Sequence[Choice], models: Models, kind: Kind) -> list[IndexPlan]:
    """The indexes for completed choices, in the order of their first choices."""
    by_settings: dict[bytes, IndexPlan] = {}
    for choice in choices:
        settings = _settings(choice, models, kind)
        key = orjson.dumps(settings, option=orjson.OPT_SORT_KEYS)
        spec = None if choice.model is None else models.spec(choice)
        before = by_settings[key].choices if key in by_settings else ()
        by_settings[key] = IndexPlan(kind, settings, spec, (*before, choice))
    return list(by_settings.values())


def _settings(choice: Choice, models: Models, kind: Kind) -> dict[str, Any]:
    own: dict[str, Any] = {"number_of_shards": 1, "number_of_replicas": 0}
    if choice.model is None:
        return own
    return own | {
        "index_defaults": {
            **models.settings(choice),
            "treat_urls_and_pointers_as_images": kind is Kind.IMAGE,
            "text_preprocessing": chunking_settings(choice.chunking),
            "ann_parameters": {"parameters": {"m": choice.m, "ef_construction": choice.ef_construction}},
        }
    }


def _digest(value: Any) -> str:
    return hashlib.sha256(orjson.dumps(value, option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]
