"""Which processors of a pipeline the sidecar carries out itself, and the pipeline without them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sidecar.native.declarations.description import Kept, KeptProcessor
from sidecar.native.declarations.ingest_processors import EMBEDDING, INGEST_KINDS, read_ingest_processor
from sidecar.native.declarations.processors import IngestProcessor, SearchPipeline
from sidecar.native.declarations.search_processors import ENRICHER, SEARCH_KINDS, read_search_pipeline
from sidecar.native.embedder import NativeEmbedder
from sidecar.native.errors import ILLEGAL_ARGUMENT, Refused
from sidecar.native.json.edits import Edit
from sidecar.native.json.removal import without_items
from sidecar.native.json.spans import Array, Node, NotJson, Object
from sidecar.native.json.writing import as_value, plain

INGEST_LIST = "processors"


@dataclass(frozen=True, slots=True)
class TakenOut:
    """``edits`` leave a pipeline without the sidecar's own processors, which ``kept`` has."""

    edits: list[Edit]
    kept: Kept


@dataclass(frozen=True, slots=True)
class _Found:
    at: int
    kind: str
    node: Object
    settings: Mapping[str, Any]


def take_ingest_processors(pipeline: Object, data: bytes, embedder: NativeEmbedder) -> TakenOut | None:
    """Take the embedding processors out of an ingest pipeline, and the chunking ones beside them.

    None where it has none, or one with a model that isn't served: the pipeline is the cluster's then.
    Raises: Refused where the plugin would, for a condition or a failure handler, and behind a processor of others.
    """
    if pipeline.has_doubles:
        return None
    array = pipeline.get(INGEST_LIST)
    found = list(_own(array, data, INGEST_KINDS))
    if not any(one.kind in EMBEDDING for one in found) or not _are_served(_ingest_models(found), embedder):
        return None
    assert isinstance(array, Array)
    for place, one in enumerate(found):
        read_ingest_processor(one.kind, one.settings)
        if one.at != place:
            other = next(iter(_names(array.items[place])), "")
            raise Refused(
                ILLEGAL_ARGUMENT,
                f"[{one.kind}] can't stand behind [{other}]: the sidecar carries it out before the document reaches "
                "the cluster",
            )
    return _taken({INGEST_LIST: (array, found)}, data)


def take_search_processors(pipeline: Object, data: bytes, embedder: NativeEmbedder) -> TakenOut | None:
    """Take the processors of neural and hybrid queries out of a search pipeline, by name or in a request's body.

    None as in `take_ingest_processors`. Raises: Refused where the plugin would, and for what the sidecar hasn't.
    """
    if pipeline.has_doubles:
        return None
    lists: dict[str, tuple[Array, list[_Found]]] = {}
    for name, kinds in SEARCH_KINDS.items():
        array = pipeline.get(name)
        if isinstance(array, Array) and (found := list(_own(array, data, kinds))):
            lists[name] = array, found
    every = [one for _, found in lists.values() for one in found]
    if not every or not _are_served(_search_models(every), embedder):
        return None
    read_search_pipeline((one.kind, one.settings) for one in every)
    return _taken(lists, data)


def kept_ingest_processors(kept: Kept) -> tuple[IngestProcessor, ...]:
    """The processors of an ingest pipeline that were kept. Raises: Refused, NotJson where another wrote them."""
    return tuple(read_ingest_processor(kind, settings) for kind, settings in _kept(kept, {INGEST_LIST: INGEST_KINDS}))


def kept_search_pipeline(kept: Kept) -> SearchPipeline:
    """What the kept processors of a search pipeline say. Raises: Refused, NotJson where another wrote them."""
    return read_search_pipeline(_kept(kept, SEARCH_KINDS))


def _own(array: Node | None, data: bytes, kinds: Sequence[str]) -> Iterator[_Found]:
    for at, item in enumerate(array.items if isinstance(array, Array) else ()):
        names = _names(item)
        if len(names) == 1 and names[0] in kinds:
            assert isinstance(item, Object)
            settings = item.members[0].value
            if isinstance(settings, Object):
                yield _Found(at, names[0], item, plain(as_value(settings, data)))


def _names(item: Node) -> list[str]:
    return [member.key for member in item.members] if isinstance(item, Object) else []


def _ingest_models(found: Sequence[_Found]) -> Iterator[Any]:
    return (one.settings.get("model_id") for one in found if one.kind in EMBEDDING)


def _search_models(found: Sequence[_Found]) -> Iterator[Any]:
    for one in found:
        if one.kind == ENRICHER:
            yield one.settings.get("default_model_id")
            by_field = one.settings.get("neural_field_default_id")
            yield from by_field.values() if isinstance(by_field, dict) else ()


def _are_served(models: Iterator[Any], embedder: NativeEmbedder) -> bool:
    # What is no name at all is told as the plugin tells it.
    return all(embedder.serves(model) for model in models if isinstance(model, str) and model.strip())


def _taken(lists: Mapping[str, tuple[Array, list[_Found]]], data: bytes) -> TakenOut | None:
    edits: list[Edit] = []
    kept: dict[str, list[KeptProcessor]] = {}
    for name, (array, found) in lists.items():
        edits += without_items(array, {one.at for one in found})
        kept[name] = []
        for one in found:
            value = as_value(one.node, data)
            assert isinstance(value, dict)
            kept[name].append(KeptProcessor(one.at, value))
    return TakenOut(edits, kept)


def _kept(kept: Kept, lists: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name, kinds in lists.items():
        for one in kept.get(name, ()):
            kind, value = next(iter(one.value.items()))
            if kind not in kinds or not isinstance(value, dict):
                raise NotJson(f"[{kind}] is no processor of [{name}]")
            yield kind, plain(value)
