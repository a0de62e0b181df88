"""Writes that were turned away because their index is being switched to another: what is done again, and how."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sidecar.opensearch.bulk_actions import ItemResult
from sidecar.opensearch.client import Cluster
from sidecar.opensearch.switching import Switches, SwitchWait, read_place

LATE = 503
"""The status of a document that waited in vain for the end of a write block."""

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Written(Generic[Item]):
    """What became of a write: an item for each document, and the places of those that are to be written again."""

    items: Sequence[Item]
    turned_away: Sequence[int] = ()


def places_turned_away(results: Sequence[ItemResult]) -> list[int]:
    """The places of what was turned away, and of all behind it on the same documents: else the older one would win."""
    documents: set[str] = set()
    places = []
    for place, result in enumerate(results):
        if result.is_turned_away or result.document_id in documents:
            documents.add(result.document_id)
            places.append(place)
    return places


class Repeats:
    """Repeats writes that were turned away; safe to use from any thread."""

    def __init__(self, cluster: Cluster, switches: Switches) -> None:
        self._cluster = cluster
        self._switches = switches

    def finish(
        self,
        index: str,
        first: Written[Item],
        write: Callable[[Sequence[int]], Written[Item]],
        *,
        late: Callable[[Item, Mapping[str, Any]], Item],
    ) -> list[Item]:
        """The items of a write to what the name ``index`` stands for, once all that was turned away was done again.

        ``write`` does it again for some places. ``late`` makes the item of a document that waited in vain, given its
        last one and the error. Where there is nothing to wait for, items stay as they are.
        Raises: what ``write`` raises, and reading where the name leads.
        """
        if not first.turned_away:
            return list(first.items)
        with self._switches.begin() as wait:
            last = self._repeated(index, first, write, wait)
            if wait.reason is None:
                return list(last.items)
            error = {"type": "cluster_block_exception", "reason": wait.reason}
        places = set(last.turned_away)
        return [late(item, error) if place in places else item for place, item in enumerate(last.items)]

    def _repeated(
        self, index: str, first: Written[Item], write: Callable[[Sequence[int]], Written[Item]], wait: SwitchWait
    ) -> Written[Item]:
        items = list(first.items)
        places = list(first.turned_away)
        while places and wait.until_writable(index, lambda: read_place(self._cluster, index)):
            written = write(places)
            for place, item in zip(places, written.items, strict=True):
                items[place] = item
            places = [places[number] for number in written.turned_away]
        return Written(items, places)
