"""Other names of indexes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sidecar.errors import AliasNotFound, IndexAlreadyExists, IndexNotFound, OpenSearchError
from sidecar.opensearch.client import Cluster
from sidecar.opensearch.index_state import stands_for_several
from sidecar.opensearch.request_text import encode_json, index_path
from sidecar.opensearch.transport import Request

# Each round ends with the alias moved unless somebody else moved it between our reading and our writing.
_MAX_ROUNDS = 20


def list_aliases(cluster: Cluster, index: str) -> list[str]:
    """The aliases of an index, sorted; `index` is its own name. Raises: IndexNotFound."""
    answer = cluster.ask("list_aliases", Request("GET", f"{index_path(index)}/_alias"), index)
    return sorted(answer[index]["aliases"])


def move_alias(cluster: Cluster, alias: str, index: str) -> str | None:
    """Let the alias stand for the index; returns the index that it stood for before, None for no other.

    It changes in one step: whoever uses the alias finds the one index or the other. Of several that move it at once
    one is the last.
    Raises: IndexAlreadyExists where an index has that name, NotASidecarIndex where the alias stands for several
    indexes, IndexNotFound; nothing was changed.
    """
    holders = _holders(cluster, alias)
    if len(holders) > 1:
        raise stands_for_several(alias, holders)
    for _ in range(_MAX_ROUNDS):
        others = [holder for holder in holders if holder != index]
        if holders and not others:
            return None
        is_changed = _change(cluster, alias, index, others)
        if is_changed and others:
            return others[0]
        # Two that make an alias at once have both added it: the one that sees so takes it from the other.
        holders = _holders(cluster, alias)
        if is_changed and index not in holders:
            return None
    raise OpenSearchError(f"The alias '{alias}' could not be moved: others move it all the time. Try again.")


def remove_alias(cluster: Cluster, alias: str, index: str) -> None:
    """Take the alias from the index. Raises: AliasNotFound, IndexNotFound."""
    try:
        index_path(alias)  # a pattern is no alias
        _send(cluster, index, [{"remove": {"index": index, "alias": alias, "must_exist": True}}])
    except (IndexNotFound, OpenSearchError) as error:
        if isinstance(error, OpenSearchError) and error.upstream_type != "aliases_not_found_exception":
            raise
        list_aliases(cluster, index)
        raise AliasNotFound(f"Index '{index}' has no alias '{alias}'. Look at GET /indexes/{index}/aliases.") from error


def _holders(cluster: Cluster, alias: str) -> list[str]:
    try:
        return sorted(cluster.ask("read_alias", Request("GET", f"/_alias{index_path(alias)}")))
    except OpenSearchError as error:
        if error.upstream_status == 404:
            return []
        raise


def _change(cluster: Cluster, alias: str, index: str, others: Sequence[str]) -> bool:
    """Add the alias to the index and take it from the others; False where one of them has it no more."""
    actions: list[dict[str, Any]] = [
        {"remove": {"index": other, "alias": alias, "must_exist": True}} for other in others
    ]
    try:
        _send(cluster, index, [*actions, {"add": {"index": index, "alias": alias}}])
    except IndexNotFound:
        # Either the index itself is gone, which the next call tells, or one of the others.
        list_aliases(cluster, index)
        return False
    except OpenSearchError as error:
        if error.upstream_type == "invalid_alias_name_exception":
            raise IndexAlreadyExists(
                f"There is an index '{alias}' already. Choose another name for the alias."
            ) from error
        if error.upstream_type == "aliases_not_found_exception":
            return False
        raise
    return True


def _send(cluster: Cluster, index: str, actions: Sequence[dict[str, Any]]) -> None:
    cluster.ask("change_aliases", Request("POST", "/_aliases", encode_json({"actions": actions})), index)
