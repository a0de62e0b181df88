"""Whether an answer is what is printed: the same but for times, last digits, and what the print leaves out by ``…``."""

from __future__ import annotations

import re
from typing import Any

SCORE_TOLERANCE = 0.002
"""Sums of float32 differ in their last digits from one processor to the next."""
TIMES = {"processingTimeMs", "timesMs", "took"}
MORE = "…"


def differences(printed: Any, answer: Any, place: str = "") -> list[str]:
    """Where an answer is not as printed.

    A ``…`` stands for more: at the end of a text for its rest, as a key for further keys, as the last entry of a list
    for further entries. Times may be any number.
    """
    if isinstance(printed, dict) and isinstance(answer, dict) and _same_keys(printed, answer):
        keys = [key for key in printed if key != MORE and not _are_times(key, printed[key], answer[key])]
        return [line for key in keys for line in differences(printed[key], answer[key], f"{place}.{key}")]
    if isinstance(printed, list) and isinstance(answer, list) and _same_length(printed, answer):
        shown = printed[:-1] if printed[-1:] == [MORE] else printed
        pairs = enumerate(zip(shown, answer, strict=False))
        return [line for number, pair in pairs for line in differences(*pair, f"{place}[{number}]")]
    return [] if _is_equal(printed, answer) else [f"{place or 'answer'}: printed {printed!r}, answered {answer!r}"]


def missing_line(printed: str, output: str) -> str | None:
    """The first line of what is printed that the output has not, in the order of the print; ``None`` if it has all.

    Further lines of the output may stand between; ``…`` in a line stands for anything; blanks at its ends do not count.
    """
    lines = iter(line.strip() for line in output.splitlines())
    for wanted in filter(None, (line.strip() for line in printed.splitlines())):
        pattern = ".*".join(map(re.escape, wanted.split(MORE)))
        if not any(re.fullmatch(pattern, line) for line in lines):
            return wanted
    return None


def _same_keys(printed: dict[str, Any], answer: dict[str, Any]) -> bool:
    shown = printed.keys() - {MORE}
    return shown <= answer.keys() if MORE in printed else shown == answer.keys()


def _same_length(printed: list[Any], answer: list[Any]) -> bool:
    return len(answer) >= len(printed) - 1 if printed[-1:] == [MORE] else len(answer) == len(printed)


def _are_times(key: str, printed: Any, answer: Any) -> bool:
    """Numbers of milliseconds under a key for them, or the same names with one each."""
    if key not in TIMES:
        return False
    if isinstance(printed, dict) and isinstance(answer, dict):
        return printed.keys() == answer.keys() and all(isinstance(value, int | float) for value in answer.values())
    return isinstance(answer, int | float)


def _is_equal(printed: Any, answer: Any) -> bool:
    if isinstance(printed, str) and isinstance(answer, str) and printed.endswith(MORE):
        return answer.startswith(printed[:-1]) and len(answer) >= len(printed)
    if isinstance(printed, float) and isinstance(answer, float):
        return abs(printed - answer) <= SCORE_TOLERANCE
    return bool(printed == answer)
