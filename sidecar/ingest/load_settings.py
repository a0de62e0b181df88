"""Holds the settings of an index at what makes a load fast, for as long as a job runs."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from sidecar.errors import OpenSearchError, SidecarError
from sidecar.opensearch.client import Cluster
from sidecar.opensearch.load_settings import REFRESH_SECONDS, LoadedIndex, LoadSettings

logger = logging.getLogger(__name__)

RENEWAL_SECONDS = 20.0
"""Between two signs of life, well within `LEASE_SECONDS`."""
_FORBIDDEN = frozenset({401, 403})


@contextmanager
def tuned_for_load(
    cluster: Cluster,
    index: str,
    job_name: str,
    *,
    refresh_seconds: int = REFRESH_SECONDS,
    renewal_seconds: float = RENEWAL_SECONDS,
) -> Iterator[None]:
    """Tune the index, or the one behind an alias, while the block runs; restore it after, if no other job loads then.

    Also restores what dead jobs have left tuned elsewhere. A user who may not change settings loads without. Where the
    restoring fails, a warning says so: the next load, or the next start of a sidecar, does it.
    Raises: IndexNotFound, and what the cluster's calls raise, before the block begins.
    """
    settings = LoadSettings(cluster, refresh_seconds=refresh_seconds)
    loaded = _join(settings, index, job_name)
    if loaded is None:
        yield
        return
    ended = threading.Event()
    beat = threading.Thread(
        target=_renew, args=(settings, loaded, job_name, ended, renewal_seconds), name="load lease", daemon=True
    )
    beat.start()
    try:
        yield
    finally:
        ended.set()
        beat.join()
        _leave(settings, loaded, job_name)


def _join(settings: LoadSettings, index: str, job_name: str) -> LoadedIndex | None:
    try:
        loaded = settings.join(index, job_name)
        # Not before: of this job's own index, that a dead run has left tuned, nothing is to be undone.
        for restored in settings.restore_abandoned():
            logger.info("the settings of an index that a dead job had loaded into are restored index=%s", restored)
    except OpenSearchError as error:
        if error.upstream_status not in _FORBIDDEN:
            raise
        logger.warning("index '%s' is not tuned for the load: %s", index, error.message)
        return None
    return loaded


def _renew(
    settings: LoadSettings, loaded: LoadedIndex, job_name: str, ended: threading.Event, renewal_seconds: float
) -> None:
    while not ended.wait(renewal_seconds):
        try:
            settings.renew(loaded, job_name)
        except SidecarError as error:
            logger.warning("the cluster was not told that the load goes on: %s", error.message)


def _leave(settings: LoadSettings, loaded: LoadedIndex, job_name: str) -> None:
    try:
        settings.leave(loaded, job_name)
    except SidecarError as error:
        logger.warning(
            "the settings of index '%s' are not restored; the next load or start of a sidecar does it: %s",
            loaded.name,
            error.message,
        )
