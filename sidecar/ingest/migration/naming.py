"""The names of a migration's indexes, and how an index that has the migration's own name gets another."""

from __future__ import annotations

import re
from contextlib import suppress

from sidecar.errors import InvalidArgument, OpenSearchError
from sidecar.ingest.migration.state import Place
from sidecar.opensearch.client import Cluster
from sidecar.opensearch.concrete_index import (
    ConcreteIndex,
    allow_writes,
    block_writes,
    change_aliases,
    clone_index,
    find_index,
    find_index_or_none,
    names_beginning,
)
from sidecar.opensearch.switching import WRITE_BLOCK

_CLONED_FROM = "index.resize.source.uuid"
_REPLICAS = "index.number_of_replicas"


def next_names(cluster: Cluster, name: str, count: int) -> list[str]:
    """So many names that no index and no alias has, as ``books-v3``, behind all of that kind that are there."""
    taken = re.compile(rf"{re.escape(name)}-v(\d+)")
    found = [taken.fullmatch(one) for one in names_beginning(cluster, f"{name}-v")]
    last = max((int(match[1]) for match in found if match), default=0)
    return [f"{name}-v{last + number}" for number in range(1, count + 1)]


def give_own_name(cluster: Cluster, name: str, old: Place, clone: str) -> Place:
    """Let the index ``name`` live on as ``clone``, with the name as its alias; returns the clone.

    Writes are refused meanwhile, searches never: files are linked, not copied, and the name changes its meaning in one
    step. To be called again where a call was broken off at any point.
    Raises: InvalidArgument where an index of the clone's name is there that is another's; OpenSearchError. The index
    takes writes again then, unless the cluster has gone away.
    """
    now = find_index(cluster, name)
    if now.name == clone and is_clone_of(now, old):
        return Place(now.name, now.uuid)
    if now.name != name or now.uuid != old.uuid:
        raise InvalidArgument(f"Index {name!r} is another by now than when the migration began. Abort the migration.")
    remove_clone(cluster, clone, old)
    settings = {WRITE_BLOCK: None, _REPLICAS: now.settings.get(_REPLICAS)}
    try:
        block_writes(cluster, name)
        clone_index(cluster, name, clone, settings)
        others = [{"add": {"index": clone, "alias": alias, **kept}} for alias, kept in now.aliases.items()]
        own = [{"remove_index": {"index": name}}, {"add": {"index": clone, "alias": name}}]
        change_aliases(cluster, [*own, *others], name)
    except BaseException:
        with suppress(OpenSearchError):
            allow_writes(cluster, name)
        raise
    return Place(clone, find_index(cluster, clone).uuid)


def remove_clone(cluster: Cluster, clone: str, old: Place) -> None:
    """Delete a clone that has not taken the name over. Raises: InvalidArgument where it is none of the index."""
    half = find_index_or_none(cluster, clone)
    if half is None:
        return
    if not is_clone_of(half, old) or half.aliases:
        raise InvalidArgument(f"An index {clone!r} is there that this migration has not made. Remove or rename it.")
    cluster.delete_index(clone)


def is_clone_of(index: ConcreteIndex, old: Place) -> bool:
    """True where the index was made by cloning that one."""
    return index.settings.get(_CLONED_FROM) == old.uuid
