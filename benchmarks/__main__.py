"""Runs all benchmarks on an embedded node of their own and prints one table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
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
from benchmarks.profiling import profiled
from benchmarks.server import Server
from sidecar.embedding.processors import available_processors
from sidecar.given_settings import load_settings
from sidecar.opensearch.node import ensure_running

Run = Callable[[str, Callable[[], list[Figure]]], None]
GROUPS = (
    *("embedding", "int8", "clip", "images", "indexing", "searching", "contract", "load", "native"),
    *("native-hybrid", "starting", "ingest", "migration", "ingest-memory"),
    "memory",
)


@click.command()
@click.option("--only", multiple=True, type=click.Choice(GROUPS), help="Measure these groups alone.")
@click.option("--memory-documents", default=50_000, show_default=True, help="Documents of the memory figure.")
@click.option("--profile", is_flag=True, help="Show where each group's time goes; the figures suffer.")
def main(only: tuple[str, ...], memory_documents: int, profile: bool) -> None:
    """Measure every figure; on two processors all of them take about 40 minutes."""
    wanted = only or GROUPS
    figures: list[Figure] = []

    def run(group: str, measure: Callable[[], list[Figure]]) -> None:
        with profiled(group) if profile else nullcontext():
            found = measure()
        figures.extend(found)
        for figure in found:
            click.echo(f"{group}: {figure.name}: {figure.value:.2f}{figure.unit} ({figure.detail})")

    if "embedding" in wanted:
        run("embedding", embedding.measure)
    if "int8" in wanted:
        run("int8", int8.measure)
    if "clip" in wanted:
        run("clip", clip.measure)
    if set(wanted) - {"embedding", "int8", "clip"}:
        with ensure_running(load_settings(), ephemeral=True) as node:
            _measure_served(node.url, wanted, memory_documents, run)
    print_table(figures, processors=available_processors())


def _measure_served(cluster_url: str, wanted: Sequence[str], memory_documents: int, run: Run) -> None:
    with Server(cluster_url) as server:
        if "indexing" in wanted:
            run("indexing", partial(indexing.measure, server))
        if {"searching", "contract", "load", "starting"} & set(wanted):
            searching.prepare(server)
        if "searching" in wanted:
            run("searching", partial(searching.measure, server, cluster_url))
        if "contract" in wanted:
            run("contract", partial(contract.measure, server))
        if "load" in wanted:
            run("load", partial(load.measure, server))
        if "native" in wanted:
            run("native", partial(native_queries.measure, server, cluster_url))
        if "native-hybrid" in wanted:
            run("native-hybrid", partial(native_hybrid.measure, server, cluster_url))
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
            run(group, partial(measure, cluster_url))


if __name__ == "__main__":
    main()
