"""A run of a job from its beginning to its end, whichever engine does what is between."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from sidecar.errors import InvalidArgument, SidecarError
from sidecar.ingest.load_settings import tuned_for_load
from sidecar.ingest.loading.beginning import Met, changed_part
from sidecar.ingest.loading.counts import Ending, LoadCounts, Summary
from sidecar.ingest.loading.job import Job, fingerprints_of, identity_of
from sidecar.ingest.loading.parts import LoadParts
from sidecar.ingest.loading.plan import LoadPlan
from sidecar.ingest.loading.reading import SampledPart
from sidecar.ingest.loading.target_index import IndexWish, ensure_index
from sidecar.ingest.sources.locations import INDEX_SCHEMES, STANDARD_INPUT, scheme_of
from sidecar.ingest.sources.registry import open_source
from sidecar.ingest.sources.source import Part, Record, Source
from sidecar.opensearch.load_settings import REFRESH_SECONDS, SLOW_REFRESH_SECONDS

logger = logging.getLogger(__name__)

Engine = Callable[[Sequence[Part]], Summary]
"""Loads what is left of the parts into the index, and notes it in the job; does not finish the job."""


@dataclass(frozen=True)
class Beginning:
    """How a run begins: ``is_going_on`` where an earlier one of its job has done something, ``is_done`` where nothing
    is left. ``parts`` are the source's."""

    parts: Sequence[Part]
    index_is_new: bool
    is_going_on: bool
    is_done: bool


def begin(parts: LoadParts, plan: LoadPlan, wish: IndexWish, source: Source, job: Job) -> Beginning:
    """Have the index ready, and the job begun or taken up.

    Raises: as `ensure_index` and `Job.begin`, and what the source raises; nothing was loaded then.
    """
    is_repeatable = plan.source.location != STANDARD_INPUT
    read: Sequence[Part] = source.parts()
    if not read:
        raise InvalidArgument(f"There is nothing to load in {source.location}")
    if is_repeatable:
        sample: Iterator[Record] = chain.from_iterable(part.records() for part in read)
    else:
        piped = SampledPart(read[0])
        read, sample = [piped], piped.sample()
    state, index_is_new = ensure_index(parts, plan, wish, sample)
    fingerprints = {part.name: part.fingerprint for part in read}
    met = Met(identity_of(plan), state.uuid, index_is_new, fingerprints, is_repeatable)
    is_going_on = job.begin(plan.existing, met)
    return Beginning(read, index_is_new, is_going_on, is_going_on and job.is_done)


def run(parts: LoadParts, plan: LoadPlan, job: Job, beginning: Beginning, engine: Engine) -> Summary:
    """Have the engine load what is left, with the index tuned meanwhile, and finish the job where all is done.

    Raises: as `tuned_for_load`, and the engine; the job can be taken up then.
    """
    if beginning.is_done:
        return Summary(Ending.ALREADY_DONE, job.counts, LoadCounts(), 0.0)
    seconds = SLOW_REFRESH_SECONDS if plan.shape.needs_model else REFRESH_SECONDS
    with tuned_for_load(parts.cluster, plan.index, job.name, refresh_seconds=seconds):
        summary = engine(beginning.parts)
    _refresh(parts, plan.index)
    if summary.ending is not Ending.DONE:
        return summary
    change = _change_meanwhile(plan, beginning.parts)
    if change is not None:
        return replace(summary, ending=Ending.STOPPED, reason=f"the source has changed while it was read: {change}")
    job.finish()
    return summary


def _refresh(parts: LoadParts, index: str) -> None:
    try:
        parts.cluster.refresh(index)
    except SidecarError as error:
        logger.warning("index '%s' is not refreshed, so that searches see it later: %s", index, error.message)


def _change_meanwhile(plan: LoadPlan, read: Sequence[Part]) -> str | None:
    """As `changed_part`, of what was read and what is there now."""
    if plan.source.location == STANDARD_INPUT or scheme_of(plan.source.location) in INDEX_SCHEMES:
        # An index is read as it was at one moment, whatever is written to it meanwhile.
        return None
    before = {part.name: part.fingerprint for part in read}
    return changed_part(before, fingerprints_of(open_source(plan.source)))
