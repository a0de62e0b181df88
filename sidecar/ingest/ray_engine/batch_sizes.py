"""How many documents a batch has that one of several workers loads."""

from __future__ import annotations

from dataclasses import dataclass

_ROUNDS_LEFT = 2
"""Of batches for all hands, that what is left must always be enough for: a half of the rest is given out at a time."""


@dataclass(frozen=True, slots=True)
class BatchSizes:
    """``first`` documents where nothing is known of the source, then ``least`` to ``most``. So many batches are
    loaded ``at_once``.

    The more texts a batch has, the more alike are those that the model is given together. But the last batch of one
    worker is what all others wait for at the end. So batches become smaller with what is left of the source (guided
    self-scheduling: Polychronopoulos and Kuck, IEEE Transactions on Computers C-36, 1987).
    """

    first: int
    least: int
    most: int
    at_once: int

    @classmethod
    def even(cls, documents: int) -> BatchSizes:
        """Always the same."""
        return cls(documents, documents, documents, at_once=1)

    def after(self, documents: int, read_bytes: int, total_bytes: int | None) -> int:
        """The documents of the next batch behind so many, of so many bytes of the source's; None where its size is not
        known."""
        left_bytes = 0 if total_bytes is None else total_bytes - read_bytes
        if not read_bytes or left_bytes <= 0:
            # Nothing can be told of the rest; of a packed file, it is of more bytes than the file.
            return self.first
        left = left_bytes * documents / read_bytes
        return max(self.least, min(self.most, int(left / (_ROUNDS_LEFT * self.at_once))))


class TaskSizes:
    """The sizes of the batches of one task, as it is read. They become smaller towards its own end: it does not know of
    other tasks."""

    def __init__(self, sizes: BatchSizes, total_bytes: int | None) -> None:
        self._sizes = sizes
        self._total_bytes = total_bytes
        self._documents = 0
        self._read_bytes = 0
        self._next = sizes.after(0, 0, total_bytes)

    def next(self) -> int:
        """The documents of the batch that is being read."""
        return self._next

    def add(self, documents: int, read_bytes: int) -> None:
        """Go on to the batch behind one of so many documents, and bytes of the source's."""
        self._documents += documents
        self._read_bytes += read_bytes
        self._next = self._sizes.after(self._documents, self._read_bytes, self._total_bytes)
