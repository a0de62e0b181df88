"""Whether a run goes on where the last one of its job was, or begins anew."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sidecar.errors import InvalidArgument
from sidecar.ingest.loading.checkpoint import Checkpoint
from sidecar.ingest.loading.plan import Existing

_BOTH_WAYS = (
    "Load it all again with --replace (documents with the same ids are replaced), or with --only-new (documents whose "
    "ids are in the index stay as they are)"
)


@dataclass(frozen=True)
class Met:
    """What a run meets at its start. ``index_is_new`` where the run itself has made the index. ``fingerprints`` are
    those of the source's parts, by name and in order. ``is_repeatable`` where the source can be read again from a
    place on, as standard input can't."""

    identity: Mapping[str, Any]
    index_uuid: str
    index_is_new: bool
    fingerprints: Mapping[str, str]
    is_repeatable: bool = True


def goes_on(kept: Checkpoint | None, existing: Existing, met: Met) -> bool:
    """True where the run goes on behind what the checkpoint says is done; False where it begins anew.

    Raises: InvalidArgument where the user must say which, for the source, the index or the way has changed.
    """
    if kept is None or met.index_is_new or not met.is_repeatable:
        return False
    is_same = kept.identity == met.identity and kept.index_uuid == met.index_uuid
    change = changed_part({name: part.fingerprint for name, part in kept.parts.items()}, met.fingerprints)
    if existing is not Existing.RESUME:
        # An unfinished run that was begun this way is what the same command is to go on with.
        return is_same and change is None and kept.existing is existing and not kept.is_done
    if kept.identity != met.identity:
        differing = next(key for key in {**kept.identity, **met.identity} if _differs(key, kept.identity, met.identity))
        raise InvalidArgument(
            f"the job of that name has another {differing}: {kept.identity.get(differing)!r}, and now "
            f"{met.identity.get(differing)!r}. Choose another name with --job, or begin it anew with --replace"
        )
    if kept.index_uuid != met.index_uuid:
        raise InvalidArgument(
            "the index is not the one that the job has loaded into: it was made anew, or another took its name. "
            + _BOTH_WAYS
        )
    if change is not None:
        raise InvalidArgument(f"the source has changed since the job began: {change}. {_BOTH_WAYS}")
    if kept.existing is Existing.ONLY_NEW and not kept.is_done:
        raise InvalidArgument(
            "the job was begun with --only-new. Give that again to go on with it, or --replace to load it all again"
        )
    return True


def changed_part(before: Mapping[str, str], now: Mapping[str, str]) -> str | None:
    """The first part that is not as it was, and how, as a clause; None where all are."""
    for name, fingerprint in now.items():
        if name not in before:
            return f"{name!r} is new"
        if before[name] != fingerprint:
            return f"{name!r} is not as it was"
    gone = [name for name in before if name not in now]
    return f"{gone[0]!r} is gone" if gone else None


def _differs(key: str, one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return bool(one.get(key) != other.get(key))
