"""Deletes all documents that a query finds, however long that takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sidecar.errors import OpenSearchError
from sidecar.opensearch.client import Cluster
from sidecar.opensearch.error_answers import error_from_cause, is_write_block
from sidecar.opensearch.index_state import IndexState
from sidecar.opensearch.index_states import IndexStates
from sidecar.opensearch.switching import Switches, read_place

WAIT_SECONDS = 20
"""How long one request waits for the end: less than any time limit on the way."""


@dataclass(frozen=True)
class Deletion:
    """What became of a deletion: how many documents the query found, how many of them are gone, how many were changed
    meanwhile and so stayed, and the cluster's objects about those that it failed to delete."""

    total: int
    deleted: int
    version_conflicts: int
    failures: list[Mapping[str, Any]]

    @property
    def is_blocked(self) -> bool:
        """True where it ended at a block of writes."""
        return any(is_write_block(failure.get("cause", {})) for failure in self.failures)


@dataclass(frozen=True, slots=True)
class Deleter:
    """Deletes what is found behind names, which may be switched to other indexes meanwhile; for any thread."""

    cluster: Cluster
    states: IndexStates
    switches: Switches

    def delete(self, name: str, query_of: Callable[[IndexState], Mapping[str, Any]], *, refresh: bool) -> Deletion:
        """As `delete_by_query`, by the query that ``query_of`` makes for the index that the name stands for now.

        Where that index is being switched to another, it waits, and goes on where the name leads then.
        """
        before = 0
        with self.switches.begin() as wait:
            while True:
                state = self.states.get(name, is_fresh=True)
                # Not by an alias, which may move to an index of other fields meanwhile.
                deletion = delete_by_query(self.cluster, state.name, query_of(state), refresh=refresh)
                is_over = not deletion.is_blocked
                if is_over or not wait.until_writable(name, lambda: read_place(self.cluster, name)):
                    return replace(deletion, total=before + deletion.total, deleted=before + deletion.deleted)
                before += deletion.deleted


def delete_by_query(cluster: Cluster, index: str, query: Mapping[str, Any], *, refresh: bool) -> Deletion:
    """Delete the documents that the query finds among all that were written before; `refresh` lets searches see it.

    It goes on in the cluster where this process ends.
    Raises: IndexNotFound; OpenSearchError where the cluster refuses the query, before anything is deleted, or gives up.
    """
    cluster.refresh(index)
    # A task tells little of why a query is bad; a search does.
    cluster.search(index, {"query": query, "size": 0, "terminate_after": 1})
    task = cluster.begin_delete_by_query(index, query, refresh=refresh)
    while (ended := _wait(cluster, task)) is None:
        continue
    if "error" in ended:
        raise error_from_cause(ended["error"], index)
    told = ended["response"]
    return Deletion(told["total"], told["deleted"], told["version_conflicts"], told["failures"])


def _wait(cluster: Cluster, task: str) -> dict[str, Any] | None:
    """The task's answer; None while it runs."""
    try:
        answer = cluster.read_task(task, wait_seconds=WAIT_SECONDS)
    except OpenSearchError as error:
        if error.upstream_type == "timeout_exception":
            return None
        raise
    return answer if answer.get("completed") else None
