"""The work of `sidecar doctor`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import Console

from sidecar import __version__
from sidecar.cli.consoles import progress_console, result_console
from sidecar.cli.exit_statuses import ExitStatus
from sidecar.cli.json_output import JSON, echo_json
from sidecar.cli.printable import escape
from sidecar.doctor.finding import Finding, Level
from sidecar.doctor.registry import CHECKS, run_checks
from sidecar.doctor.sound_settings import sound_settings
from sidecar.doctor.surroundings import Surroundings
from sidecar.logs import configure_logging

_COLOURS = {Level.OK: "green", Level.WARNING: "yellow", Level.ERROR: "red"}
_NAME_WIDTH = max(map(len, CHECKS))
_LEVEL_WIDTH = max(len(level.value) for level in Level)
Results = list[tuple[str, list[Finding]]]
"""Of each check, in the order in which they were made."""


def doctor(given: Mapping[str, Any]) -> int:
    """Make the checks, and tell what they found; a `Work`."""
    names = given["checks"] or tuple(CHECKS)
    read = sound_settings(home=given["home"])
    configure_logging("debug" if read.settings.log_level == "debug" else "error", read.settings.log_format)
    console = result_console()
    results: Results = []
    for name, findings in _made(names, Surroundings(read)):
        results.append((name, findings))
        if not given[JSON]:
            _tell(name, findings, console)
    counts = Counter(finding.level for _, findings in results for finding in findings)
    if given[JSON]:
        echo_json(_as_json(results, counts))
    else:
        _tell_counts(counts, console)
    return ExitStatus.PROBLEMS if counts[Level.ERROR] else ExitStatus.DONE


def _made(names: Sequence[str], about: Surroundings) -> Iterator[tuple[str, list[Finding]]]:
    """The checks' results as they come, under a spinner that says which is made."""
    with progress_console().status("looking") as status:
        for name in names:
            status.update(f"looking: {name}")
            yield from run_checks([name], about)


def _tell(name: str, findings: Sequence[Finding], console: Console) -> None:
    for number, finding in enumerate(findings):
        shown = name if number == 0 else ""
        level = f"[{_COLOURS[finding.level]}]{finding.level.value:<{_LEVEL_WIDTH}}[/]"
        console.print(f"{shown:<{_NAME_WIDTH}}  {level}  {escape(finding.found)}")
        if finding.advice is not None:
            console.print(f"{'':<{_NAME_WIDTH + _LEVEL_WIDTH + 4}}[bold]->[/] {escape(finding.advice)}")


def _tell_counts(counts: Counter[Level], console: Console) -> None:
    levels = [level for level in (Level.ERROR, Level.WARNING) if counts[level]]
    told = [f"{counts[level]} {level.value}{'s' if counts[level] > 1 else ''}" for level in levels]
    console.print(f"\n{' and '.join(told)} in {counts.total()} findings." if told else "\nNothing is wrong.")


def _as_json(results: Results, counts: Counter[Level]) -> dict[str, Any]:
    return {
        "sidecar": __version__,
        "is_fine": not counts[Level.ERROR],
        "errors": counts[Level.ERROR],
        "warnings": counts[Level.WARNING],
        "findings": [
            {"check": name, "level": finding.level.value, "found": finding.found, "advice": finding.advice}
            for name, findings in results
            for finding in findings
        ],
    }
