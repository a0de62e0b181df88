"""``sidecar evaluate``: which model, precision, chunking and way of searching suit a user's data."""

from __future__ import annotations

from sidecar.cli.deferred import Deferred
from sidecar.cli.evaluate_options import options
from sidecar.cli.exit_statuses import ExitStatus

evaluate = Deferred(
    "evaluate",
    "sidecar.cli.evaluate_run:evaluate",
    params=options(),
    short_help="Compare models and ways of searching on your own data.",
    help="Measure how well, how fast and at what cost configurations find what they should.\n\nDATA is a folder in the "
    "layout of BEIR (corpus.jsonl, queries.jsonl, qrels/), a table of query and id beside --corpus or --index, or a "
    "folder of pictures beside --captions. Every combination of the models and values given is a choice, or those that "
    "--plan lists. The results are a table, and JSON, CSV and an HTML report in --output.\n\nIt can be stopped and "
    f"killed at any time: the same command goes on. Ends with status {ExitStatus.REFUSED} where it can't begin, "
    f"{ExitStatus.FAILED} where it fails, {ExitStatus.STOPPED} where it was stopped.",
)
