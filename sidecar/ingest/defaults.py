"""What jobs take where they are not told; apart from the jobs, so that the commands' help can tell it at once."""

from __future__ import annotations

BATCH_DOCUMENTS = 200
"""Documents that a backfill reads and writes at a time."""
LEAST_RECALL = 0.9
"""Share of the nearest neighbours that searches of a new index must find before it takes over."""
