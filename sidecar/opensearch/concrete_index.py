"""One index as the cluster describes it, and the operations on an index as a whole: blocks, settings, copies of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from sidecar.errors import IndexNotFound, OpenSearchError
from sidecar.opensearch.client import Cluster
from sidecar.opensearch.index_state import stands_for_several
from sidecar.opensearch.request_text import encode_json, index_path
from sidecar.opensearch.switching import WRITE_BLOCK
from sidecar.opensearch.transport import Request

_HEALTH_SECONDS = 60
_NARROWING = frozenset({"filter", "index_routing", "search_routing"})


@dataclass(frozen=True)
class ConcreteIndex:
    """An index under its own name. ``settings`` are flat, as ``index.knn``, without those that are null; ``aliases``
    maps the index's other names to what the cluster keeps of each."""

    name: str
    uuid: str
    settings: Mapping[str, Any]
    mapping: Mapping[str, Any]
    aliases: Mapping[str, Mapping[str, Any]]

    @property
    def is_write_blocked(self) -> bool:
        """True where the index takes no writes."""
        return str(self.settings.get(WRITE_BLOCK)) == "true"

    @property
    def narrowing_aliases(self) -> list[str]:
        """The aliases that have a filter or a routing, sorted: whoever uses one goes by its name to the cluster."""
        return sorted(alias for alias, kept in self.aliases.items() if _NARROWING & kept.keys())


def find_index(cluster: Cluster, name: str) -> ConcreteIndex:
    """The index of that name, or the one that the alias stands for, as it is now.

    Raises: IndexNotFound; NotASidecarIndex where the alias stands for several.
    """
    answer = cluster.ask("read_index", Request("GET", f"{index_path(name)}?flat_settings=true"), name)
    if len(answer) != 1:
        raise stands_for_several(name, answer)
    ((own_name, told),) = answer.items()
    settings = {key: value for key, value in told["settings"].items() if value is not None}
    return ConcreteIndex(
        own_name, settings["index.uuid"], settings, told.get("mappings", {}), dict(told.get("aliases", {}))
    )


def find_index_or_none(cluster: Cluster, name: str) -> ConcreteIndex | None:
    """As `find_index`; None where there is none."""
    try:
        return find_index(cluster, name)
    except IndexNotFound:
        return None


def names_beginning(cluster: Cluster, start: str) -> list[str]:
    """The names of all indexes and aliases that begin so, in no order; ``start`` is a name that an index may have."""
    index_path(start)
    # A pattern that matches nothing is an empty answer.
    answer = cluster.ask("list_names", Request("GET", f"/{quote(start, safe='')}*/_alias?expand_wildcards=all"))
    names = set(answer)
    for told in answer.values():
        names |= told.get("aliases", {}).keys()
    return [name for name in names if name.startswith(start)]


def block_writes(cluster: Cluster, index: str) -> None:
    """Have the index refuse writes. When this returns, those that were under way are done, on every copy.

    Raises: IndexNotFound; OpenSearchError where a shard has not confirmed it. Then the block may be there.
    """
    answer = cluster.ask("block_writes", Request("PUT", f"{index_path(index)}/_block/write"), index)
    # Of one that is blocked already the answer says nothing.
    if answer.get("indices") and not answer.get("shards_acknowledged"):
        raise OpenSearchError(f"Not every shard of index '{index}' has confirmed that it takes no writes. Try again.")


def allow_writes(cluster: Cluster, index: str) -> None:
    """Lift the block of `block_writes`. Raises: IndexNotFound."""
    change_settings(cluster, index, {WRITE_BLOCK: None})


def change_settings(cluster: Cluster, index: str, settings: Mapping[str, Any]) -> None:
    """Set dynamic settings of an index; None brings one to its default. Raises: IndexNotFound."""
    request = Request("PUT", f"{index_path(index)}/_settings", encode_json(settings), is_repeatable=True)
    cluster.ask("change_settings", request, index)


def clone_index(cluster: Cluster, index: str, copy: str, settings: Mapping[str, Any]) -> None:
    """Make a second index of the same documents, whose files are the first's own; that one must be write-blocked.

    ``settings`` are the copy's where they differ. It has no aliases.
    Raises: IndexNotFound, IndexAlreadyExists; OpenSearchError where its shards don't come up.
    """
    target = f"{index_path(index)}/_clone{index_path(copy)}"
    cluster.ask("clone_index", Request("POST", target, encode_json({"settings": settings})), index)
    if not are_shards_there(cluster, copy):
        raise OpenSearchError(
            f"Not all shards of index '{copy}' were there after {_HEALTH_SECONDS} s. Look at GET "
            "_cluster/allocation/explain."
        )


def are_shards_there(cluster: Cluster, index: str, *, with_copies: bool = False) -> bool:
    """Wait until each shard of the index can be used; ``with_copies``, until no copy is being made any more either.

    False where that takes more than a minute: what was begun goes on.
    """
    copies = "&wait_for_no_initializing_shards=true" if with_copies else ""
    target = f"/_cluster/health{index_path(index)}?wait_for_status=yellow{copies}&timeout={_HEALTH_SECONDS}s"
    return not cluster.status_call(target, index=index, timeout_seconds=2 * _HEALTH_SECONDS).get("timed_out")


def alias_actions(aliases: Mapping[str, Mapping[str, Any]], *, source: str, target: str) -> list[dict[str, Any]]:
    """The actions that take the aliases from one index and give them, as they are, to another."""
    moved: list[dict[str, Any]] = []
    for alias, kept in aliases.items():
        moved.append({"remove": {"index": source, "alias": alias, "must_exist": True}})
        moved.append({"add": {"index": target, "alias": alias, **kept}})
    return moved


def change_aliases(cluster: Cluster, actions: Sequence[Mapping[str, Any]], index: str) -> None:
    """Carry out alias actions, all in one step or none; ``index`` is the one that an error is about.

    Raises: IndexNotFound; OpenSearchError where an alias is not where an action expects it.
    """
    cluster.ask("change_aliases", Request("POST", "/_aliases", encode_json({"actions": list(actions)})), index)
