"""Vector fields among the properties of a mapping: found, completed, or added."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sidecar.native.declaring.checks import Declared, wrong_dimension
from sidecar.native.errors import MAPPER_PARSING, Refused
from sidecar.native.json.additions import Additions
from sidecar.native.json.spans import Object
from sidecar.native.json.writing import as_value, plain

_PROPERTIES = "properties"
_METHOD = {"name": "hnsw", "engine": "lucene", "space_type": "cosinesimil"}
# What of a client's own field decides how its vectors are indexed.
_CHOOSES_METHOD = frozenset({"method", "engine", "mode", "compression_level", "model_id"})


@dataclass(frozen=True, slots=True)
class _Place:
    """The object in whose properties a field stands, and the rest of its path there; ``found`` is None where it does
    not."""

    parent: Object
    rest: str
    found: Object | None


class VectorProperties:
    """Has a mapping's text hold the vector fields of declarations; the changes are collected in ``additions``.

    ``nested`` are the paths that are nested in the index already, which the mapping may leave out.
    """

    def __init__(self, mapping: Object, data: bytes, *, nested: Collection[str] = ()) -> None:
        self.additions = Additions()
        self._mapping = mapping
        self._data = data
        self._nested = nested
        self._added: dict[int, tuple[Object, dict[str, Any]]] = {}

    def has(self, path: str) -> bool:
        """True where the mapping says anything of that field."""
        return _locate(self._mapping, path).found is not None

    def complete(self, declared: Declared) -> None:
        """Fill in what the client's own field leaves open. Raises: Refused where it can't hold the vectors."""
        found = _locate(self._mapping, declared.path).found
        assert found is not None
        given = plain(as_value(found, self._data))
        if given.get("type") != "knn_vector":
            raise Refused(
                MAPPER_PARSING, f"[{declared.path}] is of type [{given.get('type')}]; vectors need a knn_vector"
            )
        if given.get("data_type", "float") != "float":
            raise Refused(
                MAPPER_PARSING, f"[{declared.path}] has data_type [{given['data_type']}]; embeddings are float"
            )
        if "dimension" in given:
            if str(given["dimension"]) != str(declared.dimensions):
                raise wrong_dimension(declared.path, given["dimension"], declared.entry["model"], declared.dimensions)
            return
        if "model_id" in given:
            return
        self.additions.add(found, "dimension", declared.dimensions)
        if _CHOOSES_METHOD.isdisjoint(given):
            # The engine always said: that of the cluster's choice differs between versions.
            method = {key: value for key, value in _METHOD.items() if key not in given}
            self.additions.add(found, "method", method)

    def add(self, declared: Declared) -> None:
        """Put a vector field where there is none."""
        place = _locate(self._mapping, declared.path)
        _, tree = self._added.setdefault(place.parent.start, (place.parent, {}))
        names = place.rest.split(".")
        above = declared.path.removesuffix(place.rest)
        for depth, name in enumerate(names[:-1]):
            inner = tree.setdefault(name, {})
            if above + ".".join(names[: depth + 1]) in self._nested:
                inner["type"] = "nested"
            tree = inner.setdefault(_PROPERTIES, {})
        tree[names[-1]] = {"type": "knn_vector", "dimension": declared.dimensions, "method": _METHOD}

    def close(self) -> None:
        """Bring the added fields into ``additions``; to be called once, at the end."""
        for parent, tree in self._added.values():
            properties = parent.get(_PROPERTIES)
            if properties is None:
                self.additions.add(parent, _PROPERTIES, tree)
                continue
            if not isinstance(properties, Object):
                raise Refused(MAPPER_PARSING, "[properties] must be an object")
            for name, field in tree.items():
                self.additions.add(properties, name, field)


def nested_paths(mapping: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    """The paths of a mapping, as the cluster tells it, that are nested."""
    for name, field in mapping.get(_PROPERTIES, {}).items():
        if field.get("type") == "nested":
            yield f"{prefix}{name}"
        yield from nested_paths(field, f"{prefix}{name}.")


def _locate(parent: Object, path: str) -> _Place:
    """Where a field is, or is to be: keys may be dotted, as ``"a.b"``, at any level."""
    deepest = _Place(parent, path, None)
    properties = parent.get(_PROPERTIES)
    for key, value in properties.items() if isinstance(properties, Object) else ():
        if not isinstance(value, Object):
            continue
        if key == path:
            return _Place(parent, path, value)
        if path.startswith(f"{key}."):
            place = _locate(value, path.removeprefix(f"{key}."))
            if place.found is not None:
                return place
            deepest = place
    return deepest
