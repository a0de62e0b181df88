"""The settings of an index that holds vectors, in a request's settings: ``index.knn``, without which it finds none."""

from __future__ import annotations

from collections.abc import Iterator

from sidecar.native.json.additions import Additions
from sidecar.native.json.spans import Node, Object
from sidecar.opensearch.client import Version
from sidecar.opensearch.mapping_builder import DERIVED_SOURCE, DERIVED_SOURCE_SINCE

_SETTINGS = "settings"
_KNN = "index.knn"
_PREFIX = "index."
_FALSE = (b"false", b'"false"')


def add_knn_setting(holder: Object, data: bytes, additions: Additions, version: Version) -> None:
    """Add them where the client does not say; ``holder`` is the object that has, or would have, ``settings``.

    From version 3 on, k-NN's derived source is switched off: with it (k-NN 3.5.0) reads fail after a scroll over the
    index, a document with 150 nested vectors or more gets those of another, and sources come back written anew.
    """
    wanted: dict[str, bool] = {_KNN: True}
    if version >= DERIVED_SOURCE_SINCE:
        wanted[DERIVED_SOURCE] = False
    settings = holder.get(_SETTINGS)
    if settings is None:
        additions.add(holder, _SETTINGS, wanted)
    elif isinstance(settings, Object):
        given = {name.removeprefix(_PREFIX): value for name, value in _given(settings)}
        knn = given.get("knn")
        if knn is not None and knn.text(data) in _FALSE:
            return  # The cluster's to refuse, in its own words.
        for name, value in wanted.items():
            if name.removeprefix(_PREFIX) not in given:
                additions.add(settings, name, value)


def _given(settings: Object, prefix: str = "") -> Iterator[tuple[str, Node]]:
    """All settings by their dotted names, whatever their spelling."""
    for key, value in settings.items():
        if isinstance(value, Object):
            yield from _given(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value
