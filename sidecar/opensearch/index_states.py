"""The states of the indexes in use, kept for a moment and read again when they may be out of date."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from sidecar.errors import IndexNotFound, OpenSearchError, SidecarError, TooManyFields
from sidecar.opensearch.client import Cluster
from sidecar.opensearch.embedded_paths import vector_path
from sidecar.opensearch.error_answers import are_shards_gone
from sidecar.opensearch.index_state import IndexState, etag_of, parse_index_state
from sidecar.opensearch.mapping_builder import META_KEY, build_embedded_fields, declare_fields

MAX_AGE_SECONDS = 1.0
# Each round ends with all declared unless another sidecar wrote between our reading and our writing.
_MAX_ROUNDS = 20
_LOOKS = 10
_LOOK_SECONDS = 0.05

_Result = TypeVar("_Result")


@dataclass(frozen=True)
class _Kept:
    state: IndexState
    read_at: float
    read_number: int


@dataclass
class _Entry:
    """One index's place in the cache. Reads are numbered, so that it is plain which began before what."""

    reading: threading.Lock = field(default_factory=threading.Lock)
    declaring: threading.Lock = field(default_factory=threading.Lock)
    # One object, so that a reader without the lock sees parts that belong together.
    kept: _Kept | None = None
    reads_begun: int = 0
    invalid_up_to: int = 0

    def usable(self, *, not_before: float, after_read: int) -> IndexState | None:
        """The kept state, if it was read at that time or later, and after that read and the invalid ones."""
        kept = self.kept
        after_read = max(after_read, self.invalid_up_to)
        if kept is None or kept.read_at < not_before or kept.read_number <= after_read:
            return None
        return kept.state


class _Moved(Exception):
    """A name leads to another index than it did when work for it began."""


class IndexStates:
    """Gives the state of an index; safe to use from any thread.

    A state is at most `max_age_seconds` old, so that a change made elsewhere is seen soon. Of callers that
    want the same index at once, one reads and the others wait for it. An answer equal to the last one gives
    the same object.
    """

    def __init__(
        self,
        cluster: Cluster,
        *,
        max_age_seconds: float = MAX_AGE_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._cluster = cluster
        self._max_age_seconds = max_age_seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._entries: dict[str, _Entry] = {}

    def get(self, index: str, *, is_fresh: bool = False) -> IndexState:
        """The state of an index; `is_fresh` asks for one that was read after this call began.

        Raises: IndexNotFound, NotASidecarIndex, and what the cluster's calls raise.
        """
        entry = self._entry(index)
        not_before = self._clock() - self._max_age_seconds
        after_read = entry.reads_begun if is_fresh else 0
        state = entry.usable(not_before=not_before, after_read=after_read)
        if state is not None:
            return state
        with entry.reading:
            state = entry.usable(not_before=not_before, after_read=after_read)
            return state or self._read_locked(index, entry)

    def use(self, names: Sequence[str], work: Callable[[list[IndexState]], _Result]) -> _Result:
        """The work, given the states of these indexes.

        Done a second time, from the start, where an index or its shards are gone and one of the names is an alias:
        another sidecar may have moved that from an index that is deleted. So it is where `ensure_current` says that a
        name leads elsewhere by now, or where the shards are gone of an index that is giving its name away.
        """
        is_looking_again = False
        while True:
            states = [self.get(name) for name in names]
            try:
                return work(states)
            except _Moved:
                continue
            except (IndexNotFound, OpenSearchError) as error:
                if not (isinstance(error, IndexNotFound) or are_shards_gone(error)):
                    raise
                aliases = [name for name, state in zip(names, states, strict=True) if state.index != name]
                if aliases and not is_looking_again:
                    is_looking_again = True
                    for alias in aliases:
                        self.invalidate(alias)
                elif isinstance(error, IndexNotFound) or not self._are_moving(names, states):
                    raise

    def ensure_current(self, names: Sequence[str], states: Sequence[IndexState]) -> None:
        """To be called by the work of `use` before it sends what it made of the states, which may have taken long.

        An alias may move meanwhile, for its index is named by its own name; but a name that was an index's own may have
        become an alias, which leads to an index of another model.
        """
        for name, state in zip(names, states, strict=True):
            if state.name == name and self.get(name).uuid != state.uuid:
                raise _Moved

    def _are_moving(self, names: Sequence[str], states: Sequence[IndexState]) -> bool:
        """True where one of the indexes gives its own name away: a node closes its shards before it tells of that."""
        own = {name: state.uuid for name, state in zip(names, states, strict=True) if state.index == name}
        for _ in range(_LOOKS if own else 0):
            if any(self.get(name, is_fresh=True).uuid != uuid for name, uuid in own.items()):
                return True
            time.sleep(_LOOK_SECONDS)
        return False

    def invalidate(self, name: str) -> None:
        """Let the next `get` of the index read anew, by whatever name; to be called when its state is out of date."""
        with self._lock:
            named = self._entries.get(name)
            index = name if named is None or named.kept is None else named.kept.state.index
            for key, entry in self._entries.items():
                if key == name or entry.kept is None or entry.kept.state.index == index:
                    entry.invalid_up_to = entry.reads_begun

    def ensure_embedded_fields(
        self, index: str, fields: Iterable[str], *, kinds: Mapping[str, str] | None = None
    ) -> IndexState:
        """Make room for the embeddings of these fields, and declare them; returns the state with them.

        `kinds` has the fields that are declared as another kind than text, or image in an image index:
        `multimodal_combination` or `custom_vector`. A field that is declared already keeps its kind.
        Other sidecars may do the same at once: `PUT _mapping` replaces all of `_meta`, so it is read again
        and repaired until nothing is missing. The mapping's properties are the truth.
        Raises: TooManyFields, which names the fields; then none of the missing ones was added.
        """
        wanted = list(dict.fromkeys(fields))
        state = self.get(index)
        if not _missing_from(state, wanted):
            return state
        entry = self._entry(index)
        with entry.declaring:
            for _ in range(_MAX_ROUNDS):
                state = self.get(index, is_fresh=True)
                if not _missing_from(state, wanted):
                    return state
                self._declare(state, wanted, kinds or {})
                self.invalidate(index)
        raise OpenSearchError(
            f"The fields {_listed(wanted)} of index '{index}' could not be declared: other writers change "
            "the mapping all the time. Try again."
        )

    def _declare(self, state: IndexState, wanted: list[str], kinds: Mapping[str, str]) -> None:
        added = [field for field in wanted if field not in state.embedded_fields]
        declared = [*state.embedded_fields, *added]
        body = {
            "_meta": declare_fields(state.meta, [state.embedded_field(field, kinds.get(field)) for field in declared]),
            "properties": build_embedded_fields({field: state.dimensions_of(field) for field in added}, state.settings),
        }
        try:
            self._cluster.put_mapping(state.name, body)
        except TooManyFields as error:
            raise TooManyFields(
                f"The embeddings of {_listed(added)} don't fit into index '{state.name}', which has those of "
                f"{len(state.embedded_fields)} fields already. {error.message} Embed fewer fields, or raise "
                "the limit in the settings of the index."
            ) from error

    def _entry(self, index: str) -> _Entry:
        with self._lock:
            return self._entries.setdefault(index, _Entry())

    def _read_locked(self, index: str, entry: _Entry) -> IndexState:
        entry.reads_begun += 1
        read_number, read_at = entry.reads_begun, self._clock()
        try:
            answer = self._cluster.read_index(index)
            kept = entry.kept
            is_same = kept is not None and kept.state.etag == etag_of(answer)
            state = kept.state if kept is not None and is_same else parse_index_state(index, answer)
        except SidecarError:
            # Names that clients make up, or that are gone, must not pile up here.
            with self._lock:
                if self._entries.get(index) is entry:
                    del self._entries[index]
            raise
        entry.kept = _Kept(state, read_at, read_number)
        return state


def _missing_from(state: IndexState, wanted: Iterable[str]) -> list[str]:
    """The wanted fields without a nested path, and any embedded field that `_meta` does not declare."""
    declared = state.meta[META_KEY].get("fields", {})
    without_path = [field for field in wanted if field not in state.embedded_fields]
    return without_path + [field for field in state.embedded_fields if vector_path(field) not in declared]


def _listed(fields: list[str]) -> str:
    quoted = [f"'{field}'" for field in fields]
    return ", ".join(quoted[:10]) + (f" and {len(quoted) - 10} more" if len(quoted) > 10 else "")
