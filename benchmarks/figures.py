"""A measured figure, its target, and the table that shows them."""

from __future__ import annotations

import platform
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True)
class Figure:
    """One line of the table: ``value`` must be at least, or at most, ``target``; ``detail`` says what it is made of."""

    name: str
    value: float
    target: float
    at_most: bool = False
    unit: str = ""
    detail: str = ""

    @property
    def holds(self) -> bool:
        return self.value <= self.target if self.at_most else self.value >= self.target


def median_ms(seconds: Sequence[float]) -> float:
    """The median of durations, in milliseconds."""
    return statistics.median(seconds) * 1000


def has_avx512() -> bool:
    """True where the processor says that it has AVX-512."""
    cpu_info = Path("/proc/cpuinfo")
    return cpu_info.is_file() and "avx512f" in cpu_info.read_text(encoding="utf-8")


def print_table(figures: Sequence[Figure], *, processors: int) -> None:
    """Print all figures."""
    title = f"{platform.machine()}, {processors} processors, AVX-512 {'yes' if has_avx512() else 'no'}"
    table = Table(title=title, title_justify="left")
    for column in ("figure", "measured", "target", "holds", "made of"):
        table.add_column(column)
    for figure in figures:
        sign = "<=" if figure.at_most else ">="
        table.add_row(
            figure.name,
            f"{figure.value:.2f}{figure.unit}",
            f"{sign} {figure.target:g}{figure.unit}",
            "yes" if figure.holds else "NO",
            figure.detail,
        )
    Console(width=150).print(table)
