"""Runs all benchmarks on an embedded node of their own and prints one table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import click

from benchmarks import (
    clip,
    contract,
    embedding,
    images,
    indexing,
    ingest_memory,
    ingesting,
    int8,
    load,
    memory,
    migrating,
    native,
    native_hybrid,
    native_queries,
    searching,
    starting,
)
from benchmarks.figures import Figure, print_table
from benchmarks.server import Server
from sidecar.config import load_settings
from sidecar.embedding.processors import available_processors
from sidecar.opensearch.node import ensure_running

Show = Callable[[str, list[Figure]], None]
GROUPS = (
    *("embedding", "int8", "clip", "images", "indexing", "searching", "contract", "load", "native"),
    *("native-hybrid", "starting", "ingest", "migration", "ingest-memory"),
    "memory",
)


@click.command()
@click.option("--only", multiple=True, type=click.Choice(GROUPS), help="Measure these groups alone.")
@click.option("--memory-documents", default=50_000, show_default=True, help="Documents of the memory figure.")
def main(only: tuple[str, ...], memory_documents: int) -> None:
    """Measure every figure; on two processors all of them take about 40 minutes."""
    wanted = only or GROUPS
    figures: list[Figure] = []

    def show(group: str, found: list[Figure]) -> None:
        figures.extend(found)
        for figure in found:
            click.echo(f"{group}: {figure.name}: {figure.value:.2f}{figure.unit} ({figure.detail})")

    if "embedding" in wanted:
        show("embedding", embedding.measure())
    if "int8" in wanted:
        show("int8", int8.measure())
    if "clip" in wanted:
        show("clip", clip.measure())
    if set(wanted) - {"embedding", "int8", "clip"}:
        with ensure_running(load_settings(), ephemeral=True) as node:
            _measure_served(node.url, wanted, memory_documents, show)
    print_table(figures, processors=available_processors())


def _measure_served(cluster_url: str, wanted: Sequence[str], memory_documents: int, show: Show) -> None:
    with Server(cluster_url) as server:
        if "indexing" in wanted:
            show("indexing", indexing.measure(server))
        if {"searching", "contract", "load", "starting"} & set(wanted):
            searching.prepare(server)
        if "searching" in wanted:
            show("searching", searching.measure(server, cluster_url))
        if "contract" in wanted:
            show("contract", contract.measure(server))
        if "load" in wanted:
            show("load", load.measure(server))
        if "native" in wanted:
            show("native", native_queries.measure(server, cluster_url))
        if "native-hybrid" in wanted:
            show("native-hybrid", native_hybrid.measure(server, cluster_url))
    alone: dict[str, Callable[[str], list[Figure]]] = {
        "native": native.measure,
        "images": images.measure,
        "starting": starting.measure,
        "ingest": ingesting.measure,
        "migration": migrating.measure,
        "ingest-memory": ingest_memory.measure,
        "memory": partial(memory.measure, total=memory_documents),
    }
    for group, measure in alone.items():
        if group in wanted:
            show(group, measure(cluster_url))


if __name__ == "__main__":
    main()
