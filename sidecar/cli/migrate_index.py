"""``sidecar migrate NAME``: builds an index anew beside the one that is in use, and lets it take over."""

from __future__ import annotations

from pathlib import Path

import click

from sidecar.cli.completing import complete_indexes, complete_models
from sidecar.cli.deferred import Deferred
from sidecar.cli.exit_statuses import ExitStatus
from sidecar.embedding.model_spec import PRECISIONS
from sidecar.ingest.defaults import LEAST_RECALL


def _number(least: int) -> click.IntRange:
    return click.IntRange(min=least)


_PARAMETERS: list[click.Parameter] = [
    click.Argument(["name"], shell_complete=complete_indexes),
    click.Option(
        ["--model"], metavar="NAME", shell_complete=complete_models, help="The new model; it embeds queries too."
    ),
    click.Option(["--model-properties"], metavar="JSON|FILE", help="What the model is, where it is not in the table."),
    click.Option(["--precision"], type=click.Choice(PRECISIONS), help="The precision that the model runs in."),
    click.Option(
        ["--settings"],
        type=click.Path(path_type=Path),
        help="JSON file of index settings, as POST /indexes/{index} takes them; what it leaves out stays as it is.",
    ),
    click.Option(["--shards"], type=_number(1), help="Number of shards."),
    click.Option(["--replicas"], type=_number(0), help="Number of replicas."),
    click.Option(["--ef-construction"], type=_number(1), help="HNSW: candidates when a vector is linked."),
    click.Option(["--m"], type=_number(2), help="HNSW: links of a vector."),
    click.Option(["--space-type"], metavar="NAME", help="How near two vectors are: cosinesimil, l2, innerproduct."),
    click.Option(["--split-length"], type=_number(1), help="Units of text in a chunk."),
    click.Option(["--split-overlap"], type=_number(0), help="Units that a chunk shares with the one before."),
    click.Option(["--split-method"], metavar="UNIT", help="The unit: sentence, word, character, passage."),
    click.Option(
        ["--add-tensor-field"],
        multiple=True,
        metavar="FIELD",
        help="A field that is embedded from now on, in the documents that are there too. May be repeated.",
    ),
    click.Option(
        ["--weights"],
        metavar="JSON|FILE",
        help="Weights of the sub-fields of each multimodal_combination field, which the index does not keep.",
    ),
    click.Option(
        ["--keep-unembeddable"],
        is_flag=True,
        help="Copy documents whose content can't be embedded, as of an image that is gone, without those vectors.",
    ),
    click.Option(["--rate"], type=click.FloatRange(min=0, min_open=True), help="Documents a second, at most."),
    click.Option(
        ["--sample-queries"], type=click.Path(path_type=Path), help="File of queries to compare before and after."
    ),
    click.Option(["--query"], multiple=True, metavar="TEXT", help="A query to compare. May be repeated."),
    click.Option(
        ["--min-overlap"],
        type=click.FloatRange(0, 1),
        help="Switch only where the first ten hits of the queries have so much in common, on average.",
    ),
    click.Option(
        ["--min-recall"],
        type=click.FloatRange(0, 1),
        default=LEAST_RECALL,
        show_default=True,
        help="Switch only where searches find so much of the ten nearest neighbours.",
    ),
    click.Option(["--yes"], is_flag=True, help="Switch without asking."),
    click.Option(["--no-switch"], is_flag=True, help="Stop before the switch; the same command goes on."),
    click.Option(["--resume"], is_flag=True, help="Go on with the migration that is under way, whatever it changes."),
    click.Option(["--json"], is_flag=True, help="Write the result as JSON to standard output."),
]

index = Deferred(
    "index",
    "sidecar.cli.migrate_run:migrate",
    params=_PARAMETERS,
    short_help="Build an index anew with another model or other settings, and let it take over.",
    help="Build an index anew with another model or other settings, and let it take over: the same as "
    "`sidecar migrate NAME`.\n\n"
    "Searches go on all the time. Writes go on too, and are brought over; at the switch they wait for a moment. It can "
    f"be stopped, or killed, at any time: the same command goes on. Ends with status {ExitStatus.PROBLEMS} where "
    f"something speaks against the switch, and {ExitStatus.STOPPED} where it was stopped.",
)
