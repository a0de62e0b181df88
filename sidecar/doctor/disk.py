"""Whether there is room on the disks, and whether they may be written to."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sidecar.config import Settings
from sidecar.doctor.finding import Finding, error, ok, warning
from sidecar.doctor.sizes import told_bytes
from sidecar.doctor.surroundings import Surroundings
from sidecar.embedding.weights import hub_cache_folder
from sidecar.opensearch.node.account import node_account
from sidecar.opensearch.node.disk import HIGH_WATERMARK
from sidecar.opensearch.node.distribution import NEEDED_BYTES
from sidecar.opensearch.node.places import places_of

# OpenSearch's defaults of cluster.routing.allocation.disk.watermark.low and .flood_stage.
LOW_WATERMARK = 0.85
FLOOD_STAGE = 0.95
LITTLE_BYTES = 2_000_000_000
"""A converted model of medium size takes about 1 GB, and as much again while it is converted."""
LEAST_BYTES = 100_000_000
"""Less than the smallest model takes."""
LEAST_FREE_FILES = 0.01
"""Share of a disk's inodes."""


@dataclass(frozen=True)
class Usage:
    """Bytes of a disk, and the share of its files (inodes) that are free, 1 where it has no such limit."""

    total_bytes: int
    free_bytes: int
    free_files: float = 1.0

    @property
    def used(self) -> float:
        """Share of the bytes that others than root can't use any more."""
        return 1 - self.free_bytes / self.total_bytes if self.total_bytes else 1.0


def check(about: Surroundings) -> Iterator[Finding]:
    """The folders that the sidecar writes to."""
    settings = about.settings
    yield judge_folder("SIDECAR_HOME", settings.home, usage_of(settings.home), least_bytes=_needed(settings))
    models = hub_cache_folder()
    yield judge_folder("HF_HOME", models, usage_of(models))
    if settings.uses_embedded_node:
        data = places_of(settings, node_account()).node.data
        yield judge_data(data, usage_of(data))


def usage_of(folder: Path) -> Usage:
    """The use of the disk that the folder lies on, or would. Raises: OSError."""
    place = _existing(folder)
    space, files = shutil.disk_usage(place), os.statvfs(place)
    return Usage(space.total, space.free, files.f_favail / files.f_files if files.f_files else 1.0)


def judge_folder(variable: str, folder: Path, usage: Usage, *, least_bytes: int = 0) -> Finding:
    """A folder that models and downloads go to, which the variable names; ``least_bytes`` are needed at the next
    start."""
    told = f"{variable} {folder}: {told_bytes(usage.free_bytes)} of {told_bytes(usage.total_bytes)} free"
    advice = f"Make room, or name a folder on another disk in {variable}."
    place = _existing(folder)
    if not place.is_dir():
        return error(f"{variable}: {place} is no folder.", f"Move that file away, or set {variable}.")
    if not os.access(place, os.W_OK | os.X_OK):
        return error(f"{variable}: {place} may not be written to.", f"Give it to your user, or set {variable}.")
    full = _fullness(usage, least_bytes)
    if full is not None:
        return error(f"{told}{full}.", advice)
    if usage.free_bytes < LITTLE_BYTES:
        return warning(f"{told}: little for models.", advice)
    return ok(told)


def _fullness(usage: Usage, least_bytes: int) -> str | None:
    """What can't be done for want of room, as the end of a sentence; None where there is enough."""
    if usage.free_files < LEAST_FREE_FILES:
        return ", but hardly a file more can be made there (inodes)"
    if usage.free_bytes < least_bytes:
        return f", and {told_bytes(least_bytes)} are needed at the first start"
    return ": hardly anything can be written there" if usage.free_bytes < LEAST_BYTES else None


def judge_data(folder: Path, usage: Usage) -> Finding:
    """The data of the embedded node, by OpenSearch's own watermarks."""
    told = f"data of the node {folder}: the disk is {usage.used:.0%} full, {told_bytes(usage.free_bytes)} are free"
    more = (usage.used - LOW_WATERMARK) * usage.total_bytes
    advice = f"Free {told_bytes(more)}, or set SIDECAR_NODE_DATA to a folder on another disk."
    if usage.used > FLOOD_STAGE:
        return error(f"{told}; above {FLOOD_STAGE:.0%} OpenSearch makes indexes read-only.", advice)
    if usage.used > HIGH_WATERMARK:
        return error(f"{told}; above {HIGH_WATERMARK:.0%} OpenSearch takes no new index.", advice)
    if usage.used > LOW_WATERMARK:
        return warning(f"{told}; at {HIGH_WATERMARK:.0%} OpenSearch takes no new index.", advice)
    return ok(told)


def _needed(settings: Settings) -> int:
    """Bytes that the first start of the embedded node downloads and unpacks."""
    if not settings.uses_embedded_node:
        return 0
    places = places_of(settings, node_account())
    return 0 if places.distribution(settings.node_version).is_dir() else NEEDED_BYTES


def _existing(folder: Path) -> Path:
    """The folder, or the nearest above it that is there."""
    return next(place for place in (folder, *folder.parents) if place.exists())
