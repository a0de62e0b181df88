"""Names beside points, where there is room for them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from sidecar.evaluation.report.plots.drawing import shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Point = tuple[float, float]
Box = tuple[float, float, float, float]

_GAP = 11
_POINT_RADIUS = 7

_PLACES = (
    (_GAP, 0, "left", "center"),
    (-_GAP, 0, "right", "center"),
    (0, _GAP, "center", "bottom"),
    (0, -_GAP, "center", "top"),
    (_GAP, _GAP, "left", "bottom"),
    (-_GAP, _GAP, "right", "bottom"),
    (_GAP, -_GAP, "left", "top"),
    (-_GAP, -_GAP, "right", "top"),
)
"""Offsets in points from a point's middle, and how the text lies there, in the order of preference."""


def label_points(axes: Axes, points: Sequence[Point], names: Sequence[str], corners: Sequence[Point]) -> None:
    """Write each name beside its point, in the order given; one that would cover something is left out.

    To be left free are points, names, and the steps between `corners`, from left to right.
    """
    axes.figure.draw_without_rendering()  # type: ignore[union-attr]
    pixels = axes.transData.transform(list(points))
    scale = axes.figure.dpi / 72 * _POINT_RADIUS
    covered: list[Box] = [(x - scale, y - scale, x + scale, y + scale) for x, y in pixels]
    covered += _steps([(x, y) for x, y in axes.transData.transform(list(corners))])
    for point, name in zip(points, names, strict=True):
        for place in _PLACES:
            text = _write(axes, point, shortened(name), place)
            box = text.get_window_extent()
            extent = (box.x0, box.y0, box.x1, box.y1)
            if _is_inside(axes, extent) and not any(_overlap(extent, other) for other in covered):
                covered.append(extent)
                break
            text.remove()


def _steps(corners: Sequence[Point]) -> list[Box]:
    """The lines of a stair through its corners: to the right, then up."""
    boxes: list[Box] = []
    for (x, y), (next_x, next_y) in pairwise(corners):
        boxes += [(x, y - 1, next_x, y + 1), (next_x - 1, y, next_x + 1, next_y)]
    return boxes


def _write(axes: Axes, point: Point, name: str, place: tuple[int, int, str, str]) -> Any:
    right, up, horizontal, vertical = place
    text = axes.annotate(name, point, (right, up), textcoords="offset points", ha=horizontal, va=vertical, fontsize=8.5)
    text.set_in_layout(False)
    return text


def _is_inside(axes: Axes, extent: Box) -> bool:
    frame = axes.get_window_extent()
    is_across = frame.x0 <= extent[0] and extent[2] <= frame.x1
    return bool(is_across and frame.y0 <= extent[1] and extent[3] <= frame.y1)


def _overlap(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
