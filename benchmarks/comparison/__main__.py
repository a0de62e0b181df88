"""Measures all contestants on a node of their own, records what it finds, and brings the page's tables up to date."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from urllib.request import urlopen

import click
import psutil

from benchmarks.comparison import texts
from benchmarks.comparison.entries import ENTRIES
from benchmarks.comparison.measuring import Measuring, Plan
from benchmarks.comparison.page import PAGE, RECORD, bring_up_to_date
from benchmarks.comparison.results import Comparison
from benchmarks.raw import Reference
from sidecar.embedding.loader import Embeddings
from sidecar.embedding.processors import available_processors, processor_name
from sidecar.given_settings import load_settings
from sidecar.opensearch.node import ensure_running

_GIGABYTE = 1024**3


@click.command()
@click.option(
    "--only", multiple=True, type=click.Choice([entry.name for entry in ENTRIES]), help="Measure these alone."
)
@click.option("--documents", default=1500, show_default=True, help="Documents to index.")
@click.option("--rounds", default=Plan.rounds, show_default=True, help="Turns of each.")
@click.option("--record", default=RECORD, type=click.Path(path_type=Path), help="The file of JSON to write.")
@click.option(
    "--page", default=PAGE, type=click.Path(path_type=Path), help="The page whose tables to bring up to date."
)
def main(only: tuple[str, ...], documents: int, rounds: int, record: Path, page: Path) -> None:
    """Measure every contestant; with all defaults that takes about a quarter of an hour, environments not counted."""
    if only and (record == RECORD or page == PAGE):
        raise click.UsageError("a part is no whole comparison: give other files by --record and --page.")
    plan = Plan(sample=min(documents, Plan.sample), rounds=rounds)
    entries = [entry for entry in ENTRIES if not only or entry.name in only]
    with ensure_running(load_settings(), ephemeral=True) as node:
        measuring = Measuring(node.url, texts.documents(documents), plan, click.echo)
        outcomes = measuring.run(entries, _encode)
        machine = _machine(node.url)
    found = Comparison(
        command="make bench-compare",
        recorded=time.strftime("%Y-%m-%d", time.gmtime()),
        machine=machine,
        documents=documents,
        rounds=plan.rounds,
        searches=plan.searches,
        clients=plan.clients,
        seconds=plan.seconds,
        outcomes=outcomes,
        not_run=measuring.not_run,
    )
    found.write(record)
    bring_up_to_date(found, page)


@lru_cache
def _reference() -> Reference:
    return Reference()


def _encode(found: Sequence[str]) -> Embeddings:
    # Loaded when all have been measured, and not before.
    return _reference().encode(found)


def _machine(cluster_url: str) -> dict[str, str]:
    with urlopen(cluster_url) as answer:
        version = json.load(answer)["version"]["number"]
    return {
        "processors": str(available_processors()),
        "processor": processor_name(),
        "memory": f"{psutil.virtual_memory().total / _GIGABYTE:.0f} GB",
        "OpenSearch": version,
    }


if __name__ == "__main__":
    main()
