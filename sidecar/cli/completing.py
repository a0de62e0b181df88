"""The values that a shell completes, looked up in the moment; nothing is said where they can't be."""

from __future__ import annotations

import csv
from importlib import resources
from typing import Any

import click
from click.shell_completion import CompletionItem

from sidecar.errors import SidecarError

PATIENCE_SECONDS = 1.0
"""For the cluster's answer; who types waits for it."""


def complete_models(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """Names of the table of models."""
    # By the reader of the table itself it takes a tenth of a second more: that knows what models are.
    text = resources.files("sidecar.embedding").joinpath("models.csv").read_text(encoding="utf-8")
    return sorted(row["name"] for row in csv.DictReader(text.splitlines()) if row["name"].startswith(incomplete))


def complete_indexes(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """Names of the cluster's indexes and aliases; none where it does not answer within a second."""
    return sorted(name for name in index_names() if name.startswith(incomplete))


def complete_files(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
    """Files and folders, by the shell itself."""
    return [CompletionItem(incomplete, type="file")]


def index_names() -> set[str]:
    """The indexes and aliases of the cluster, or of the embedded node where it runs, but for hidden ones."""
    from sidecar.given_settings import load_settings
    from sidecar.opensearch.address import ClusterAddress
    from sidecar.opensearch.client import Cluster
    from sidecar.opensearch.connections import TransportOptions
    from sidecar.opensearch.transport import Transport

    try:
        settings = load_settings()
        url = settings.opensearch_url or _node_url(settings)
        if url is None:
            return set()
        options = TransportOptions(
            timeout_seconds=PATIENCE_SECONDS,
            connect_timeout_seconds=PATIENCE_SECONDS,
            verify_tls=settings.opensearch_verify_tls,
            ca_file=settings.opensearch_ca_file,
        )
        cluster = Cluster(Transport(ClusterAddress(url), options))
        found = cluster.status_call("/_alias?expand_wildcards=open", timeout_seconds=PATIENCE_SECONDS)
    except SidecarError:
        return set()
    return {name for index, facts in found.items() if index[0] != "." for name in (index, *facts.get("aliases", {}))}


def _node_url(settings: Any) -> str | None:
    from sidecar.opensearch import node as nodes

    status = nodes.status(settings)
    return None if status is None or not status.ready else status.url
