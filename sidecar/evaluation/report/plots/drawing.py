"""How plots are drawn: as SVG whose colours the page's style sheet chooses."""

from __future__ import annotations

import html
import io
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from sidecar.errors import InvalidArgument
from sidecar.evaluation.report.standing import Verdict

try:
    import matplotlib
    from matplotlib.figure import Figure
except ModuleNotFoundError as error:
    raise InvalidArgument(
        f"the page of an evaluation needs {error.name}; install the extra: pip install 'vector-sidecar[evaluate]'"
    ) from error

WIDTH_INCHES = 5.2
"""Narrow, so that the letters are legible where a plot is squeezed into a telephone's width."""


class Colour(str, Enum):
    """Colours by their part. The values mark places in the SVG, where `as_svg` puts the variable of the same name."""

    INK = "#010101"
    MUTED = "#010102"
    GRID = "#010103"
    PAPER = "#010104"
    ACCENT = "#010105"
    BEST = "#010106"
    GOOD = "#010107"
    UNSURE = "#010108"
    WORSE = "#010109"
    SERIES_1 = "#010111"
    SERIES_2 = "#010112"
    SERIES_3 = "#010113"
    SERIES_4 = "#010114"
    SERIES_5 = "#010115"
    SERIES_6 = "#010116"

    @property
    def variable(self) -> str:
        """The variable of the style sheet."""
        return f"var(--{self.name.lower().replace('_', '-')})"


OF_VERDICT = {
    Verdict.BEST: Colour.BEST,
    Verdict.AS_GOOD: Colour.GOOD,
    Verdict.UNSURE: Colour.UNSURE,
    Verdict.WORSE: Colour.WORSE,
}

SERIES = tuple(colour for colour in Colour if colour.name.startswith("SERIES"))

_SETTINGS: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "sidecar",
    # Names are a user's: a $ in them begins no formula.
    "text.parse_math": False,
    "font.size": 10,
    "axes.edgecolor": Colour.MUTED.value,
    "axes.labelcolor": Colour.INK.value,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "grid.color": Colour.GRID.value,
    "grid.linewidth": 0.6,
    "text.color": Colour.INK.value,
    "xtick.color": Colour.MUTED.value,
    "ytick.color": Colour.MUTED.value,
    "xtick.labelcolor": Colour.INK.value,
    "ytick.labelcolor": Colour.INK.value,
    "legend.frameon": False,
    "legend.fontsize": 9,
}


@dataclass
class Plot:
    """A figure in the making. `name` is part of its elements' ids; `tips` are texts by the id of what they explain."""

    name: str
    title: str
    description: str
    figure: Figure
    tips: dict[str, str] = field(default_factory=dict)

    def tip(self, text: str) -> str:
        """Keep a text that appears where the pointer rests on an element; returns the id that the element must get."""
        key = f"tip{len(self.tips)}"
        self.tips[key] = text
        return key


@contextmanager
def drawing() -> Iterator[None]:
    """The settings under which figures are made and written."""
    with matplotlib.rc_context(_SETTINGS), warnings.catch_warnings():
        # The browser has the letters that matplotlib's own font lacks; only widths are guessed.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        yield


def new_figure(height_inches: float) -> Figure:
    """An empty figure as wide as all are."""
    return Figure(figsize=(WIDTH_INCHES, height_inches), layout="constrained")


def shortened(name: str, letters: int = 28) -> str:
    """A name that fits beside a plot: its beginning, where it is too long."""
    return name if len(name) <= letters else name[: letters - 1] + "…"


def as_svg(plot: Plot) -> str:
    """The figure as an `svg` element for a page: titled, without outside references, its ids begin with its name."""
    text = io.StringIO()
    plot.figure.savefig(text, format="svg", transparent=True, metadata={"Date": None})
    svg = text.getvalue()
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg[svg.index("<svg") :], flags=re.DOTALL)
    svg = svg.replace("xlink:href=", "href=")
    svg = re.sub(r'(id="|href="#|url\(#)', rf"\g<1>{plot.name}-", svg)
    for colour in Colour:
        svg = svg.replace(colour.value, colour.variable)
    for key, tip in plot.tips.items():
        element = f'<g id="{plot.name}-{key}">'
        svg = svg.replace(element, f"{element}<title>{html.escape(tip)}</title>", 1)
    return _head(plot, svg) + svg[svg.index(">") + 1 :]


def _head(plot: Plot, svg: str) -> str:
    """The opening tag, and what a screen reader reads."""
    size = re.search(r'viewBox="[^"]*"', svg)
    assert size is not None
    name = plot.name
    return (
        f'<svg {size.group()} role="img" aria-labelledby="{name}-title {name}-description">'
        f'<title id="{name}-title">{html.escape(plot.title)}</title>'
        f'<desc id="{name}-description">{html.escape(plot.description)}</desc>'
    )
