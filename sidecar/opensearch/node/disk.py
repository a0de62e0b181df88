"""Telling at start that a disk is too full for OpenSearch; itself it fails at the first new index."""

from __future__ import annotations

import shutil
from pathlib import Path

from sidecar.errors import EmbeddedNodeError

# OpenSearch's default cluster.routing.allocation.disk.watermark.high: above it a new index gets no shards.
HIGH_WATERMARK = 0.90


def check_disk(data: Path) -> None:
    """Raises: EmbeddedNodeError where the disk of the data folder is above OpenSearch's high watermark."""
    usage = shutil.disk_usage(data)
    used = 1 - usage.free / usage.total
    if used > HIGH_WATERMARK:
        needed_bytes = (used - HIGH_WATERMARK) * usage.total
        raise EmbeddedNodeError(
            f"The disk of {data} is {used:.1%} full ({usage.free / 1e9:.1f} GB left), and above "
            f"{HIGH_WATERMARK:.0%} OpenSearch takes no new index: free {needed_bytes / 1e9:.1f} GB, or set "
            "SIDECAR_NODE_DATA to a folder on another disk."
        )
