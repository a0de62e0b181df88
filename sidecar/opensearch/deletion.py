"""Deletes all documents that a query finds, however long that takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sidecar.errors import OpenSearchError
from sidecar.opensearch.client import Cluster
from sidecar.opensearch.error_answers import error_from_cause

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
