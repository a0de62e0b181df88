"""What a job on documents tells while it runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class Progress:
    """Tells how far the job is: called with the documents that are found to be worked on, and with those that are done;
    a number below 0 takes back, where the work begins anew."""

    found: Callable[[int], object] = field(default=lambda documents: None)
    done: Callable[[int], object] = field(default=lambda documents: None)
