"""How figures are written for people."""

from __future__ import annotations

NONE = "–"
"""Stands where a figure does not apply, or was not measured."""

_UNITS = ((1e9, "GB"), (1e6, "MB"), (1e3, "kB"))


def value(number: float) -> str:
    """A measure's value: four digits."""
    return f"{number:.4f}"


def signed(number: float) -> str:
    """A difference of a measure, with its sign; no sign where it rounds to nothing."""
    text = f"{number:+.4f}"
    return text[1:] if float(text) == 0 else text.replace("-", "−")


def milliseconds(number: float) -> str:
    """A latency: three significant digits, without unit."""
    return f"{number:.2f}" if number < 10 else f"{number:.1f}" if number < 100 else f"{number:,.0f}"


def size(size_bytes: float) -> str:
    """A size in decimal units: 2.1 MB."""
    for factor, unit in _UNITS:
        if size_bytes >= factor:
            number = size_bytes / factor
            return f"{number:.3g} {unit}" if number < 999.5 else f"{number:,.0f} {unit}"
    return f"{size_bytes:.0f} B"


def rate(number: float | None) -> str:
    """Documents per second."""
    return NONE if number is None else f"{number:,.0f}" if number >= 10 else f"{number:.1f}"


def p_value(number: float | None) -> str:
    """A p value, with its sign of comparison: `= 0.042`, `< 0.001`."""
    if number is None:
        return NONE
    if number < 0.001:
        return "< 0.001"
    return f"= {number:.3f}" if number < 0.1 else f"= {number:.2f}"


def percent(part: float) -> str:
    """A relative change, with its sign."""
    text = f"{part * 100:+.1f}"
    return "0.0 %" if float(text) == 0 else f"{text} %".replace("-", "−")
