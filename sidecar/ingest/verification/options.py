"""What a verification is asked to do."""

from __future__ import annotations

from dataclasses import dataclass

EXAMPLES = 5
DEEP_DOCUMENTS = 200


@dataclass(frozen=True)
class VerificationOptions:
    """``index`` is an index or alias, or a list or pattern of these. ``fields`` are the embedded fields, or paths of
    declared vectors, to look at; none for all. ``sample`` is about how many documents of each index are looked at, None
    for all. Of about ``deep_documents`` vectors are computed anew, and compared. What is wrong is mended where ``fix``.
    ``examples`` ids are kept of each problem.
    """

    index: str
    fields: tuple[str, ...] = ()
    sample: int | None = None
    deep_documents: int = 0
    fix: bool = False
    examples: int = EXAMPLES
