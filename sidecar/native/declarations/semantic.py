"""Fields of the type ``semantic``, as the neural-search plugin has it, told to the cluster in types that it knows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sidecar.native.embedder import NativeEmbedder
from sidecar.native.json.edits import Edit
from sidecar.native.json.spans import Object


@dataclass(frozen=True, slots=True)
class SemanticTranslation:
    """``edits`` put fields that the cluster knows in the place of ``semantic`` ones.

    ``fields`` are the declarations as they are to be kept under `_meta.sidecar.fields`: what `read_declaration` reads,
    by the path of the vector. Both are empty where the mapping has no such field, or none with a model that is served.
    Where ``fields`` is not empty the index needs ``index.knn``.
    """

    edits: list[Edit]
    fields: Mapping[str, Mapping[str, Any]]


def translate_semantic(mappings: Object, data: bytes, embedder: NativeEmbedder) -> SemanticTranslation:
    """Translate the ``semantic`` fields of a mapping: the object that has ``properties``, inside the text ``data``.

    Fields of a model that is not served stay as they are, for a plugin that may know it.
    Raises: Refused where the plugin would refuse a parameter.
    """
    return SemanticTranslation([], {})
