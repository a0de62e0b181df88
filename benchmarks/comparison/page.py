"""The tables of ``docs/comparison.md``, made from the recorded comparison."""

from __future__ import annotations

import re
import statistics
from collections.abc import Iterable, Sequence
from pathlib import Path

from benchmarks.comparison.environments import ROOT
from benchmarks.comparison.results import Comparison, Outcome

PAGE = ROOT / "docs" / "comparison.md"
RECORD = ROOT / "docs" / "reports" / "comparison.json"

_SECTION = re.compile(r"(<!-- made: ([\w-]+) -->\n).*?(<!-- end -->)", re.DOTALL)
_MEGABYTE = 1024 * 1024


def rewritten(page: str, comparison: Comparison) -> str:
    """The page with its tables as the comparison has them. Raises: KeyError for a table that nothing makes."""
    made = {
        "figures": _figures(comparison),
        "batches": _batches(comparison.outcomes),
        "versions": _versions(comparison.outcomes),
        "machine": _machine(comparison),
        "not-run": _not_run(comparison),
    }
    return _SECTION.sub(lambda found: f"{found[1]}{made[found[2]]}{found[3]}", page)


def bring_up_to_date(comparison: Comparison, page: Path = PAGE) -> None:
    """Write the page's tables anew."""
    page.write_text(rewritten(page.read_text("utf-8"), comparison), "utf-8")


def _figures(comparison: Comparison) -> str:
    head = (
        *("", "documents/s", "search p50", "search p95", f"searches/s, {comparison.clients} clients"),
        *("memory", "lines of code", "nearest ten kept", "least cosine"),
    )
    return _table(head, (_figures_of(outcome) for outcome in comparison.outcomes))


def _figures_of(outcome: Outcome) -> Sequence[str]:
    failed = f", {outcome.failed_searches} failed" if outcome.failed_searches else ""
    return (
        outcome.title,
        f"{statistics.median(outcome.documents_per_second):.0f}",
        f"{outcome.p50_ms:.1f} ms",
        f"{outcome.p95_ms:.1f} ms",
        f"{statistics.median(outcome.searches_per_second):.0f}{failed}",
        f"{max(outcome.resident_bytes) / _MEGABYTE:,.0f} MB",
        str(outcome.lines),
        f"{outcome.overlap_at_10:.3f}",
        "" if outcome.least_cosine is None else f"{outcome.least_cosine:.5f}",
    )


def _batches(outcomes: Sequence[Outcome]) -> str:
    tuned = [outcome for outcome in outcomes if outcome.batch is not None]
    sizes = list(dict.fromkeys(size for outcome in tuned for size in outcome.tried))
    rows = [(outcome.title, *(f"{outcome.tried[size]:.0f}" for size in sizes), str(outcome.batch)) for outcome in tuned]
    return _table(("documents/s by size of batches", *sizes, "taken"), rows)


def _versions(outcomes: Sequence[Outcome]) -> str:
    rows = [
        (outcome.title, ", ".join(f"{name} {version}" for name, version in outcome.versions.items()))
        for outcome in outcomes
    ]
    return _table(("", "versions"), rows, numbers=False)


def _machine(comparison: Comparison) -> str:
    facts = comparison.machine
    return (
        f"Recorded on {comparison.recorded} by `{comparison.command}` on {facts['processors']} processors "
        f"({facts['processor']}) with {facts['memory']} of memory, OpenSearch {facts['OpenSearch']} on the same ones: "
        f"{comparison.documents:,} documents, {comparison.rounds} rounds, {comparison.searches} searches by one client "
        f"and {comparison.seconds:g} seconds of searches by {comparison.clients} in each.\n"
    )


def _not_run(comparison: Comparison) -> str:
    if not comparison.not_run:
        return "All of them ran.\n"
    return "".join(f"- **{title}** did not run: {_one_line(reason)}\n" for title, reason in comparison.not_run.items())


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _table(head: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: bool = True) -> str:
    rule = ["---", *(["---:" if numbers else "---"] * (len(head) - 1))]
    return "".join(f"| {' | '.join(line)} |\n" for line in (head, rule, *rows))
