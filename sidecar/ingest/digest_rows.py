"""Which row of a store has the value of a digest: a table whose memory is known before, and small."""

from __future__ import annotations

from array import array

DIGEST_BYTES = 16
_FREE = -1


class DigestRows:
    """Gives digests of `DIGEST_BYTES` random bytes rows, one after another; the newest ``capacity`` digests are known.

    A row that is given again takes the place of its digest before. For one thread. It takes 24 to 32 bytes a row, all
    at once; a dict of bytes and numbers comes to 140.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._digests = bytearray(DIGEST_BYTES * capacity)
        self._given = 0
        # Open addressing. What is known fills half of the slots at most; those of rows given anew stay until
        # `_rebuild`, which leaves no more than three quarters in use: a search ends at a free one.
        self._mask = (1 << max(2, (2 * capacity - 1).bit_length())) - 1
        self._slots = self._no_slots()
        self._used = 0

    def __len__(self) -> int:
        return min(self._given, self._capacity)

    def find(self, digest: bytes) -> int | None:
        """The digest's row; None where it is not known, or not any more."""
        slot = int.from_bytes(digest[:8], "little") & self._mask
        while (row := self._slots[slot]) != _FREE:
            if self._digest_of(row) == digest:
                return row
            slot = (slot + 1) & self._mask
        return None

    def add(self, digest: bytes) -> int:
        """A row for a digest that is not known."""
        row = self._given % self._capacity
        self._given += 1
        self._digests[row * DIGEST_BYTES : (row + 1) * DIGEST_BYTES] = digest
        if self._used * 4 >= len(self._slots) * 3:
            self._rebuild()
        else:
            self._place(digest, row)
        return row

    def _place(self, digest: bytes, row: int) -> None:
        slot = int.from_bytes(digest[:8], "little") & self._mask
        while self._slots[slot] != _FREE:
            slot = (slot + 1) & self._mask
        self._slots[slot] = row
        self._used += 1

    def _rebuild(self) -> None:
        self._slots = self._no_slots()
        self._used = 0
        for row in range(len(self)):
            self._place(self._digest_of(row), row)

    def _digest_of(self, row: int) -> bytes:
        return bytes(self._digests[row * DIGEST_BYTES : (row + 1) * DIGEST_BYTES])

    def _no_slots(self) -> array[int]:
        return array("i", [_FREE]) * (self._mask + 1)
