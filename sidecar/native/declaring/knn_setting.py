"""The setting ``index.knn``, without which an index finds no vectors, in a request's settings."""

from __future__ import annotations

from collections.abc import Iterator

from sidecar.native.json.additions import Additions
from sidecar.native.json.spans import Object

_SETTINGS = "settings"
_KNN = "index.knn"


def add_knn_setting(holder: Object, additions: Additions) -> None:
    """Switch it on where the client does not say; ``holder`` is the object that has, or would have, ``settings``."""
    settings = holder.get(_SETTINGS)
    if settings is None:
        additions.add(holder, _SETTINGS, {_KNN: True})
    elif isinstance(settings, Object) and not {_KNN, "knn"} & set(_names(settings)):
        additions.add(settings, _KNN, True)


def _names(settings: Object, prefix: str = "") -> Iterator[str]:
    """The dotted names of all settings that have a value, whatever their spelling."""
    for key, value in settings.items():
        if isinstance(value, Object):
            yield from _names(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}"
