"""Batches of what is left of a source."""

from __future__ import annotations

import pytest

from sidecar.errors import InvalidArgument
from sidecar.ingest.loading.reading import BATCH_BYTES, ReadBatch, SampledPart, read_batches
from sidecar.ingest.loading.row_ranges import PartProgress, RowRange
from sidecar.ingest.sources.source import Place
from tests.ingest.loading.memory_source import MemoryPart


def part(name: str, rows: int) -> MemoryPart:
    return MemoryPart(name, [{"n": number} for number in range(rows)])


def read(parts: list[MemoryPart], done: list[RowRange], *, most: int = 4) -> list[ReadBatch]:
    progress = {part.name: PartProgress("1") for part in parts}
    for each in done:
        progress[each.part].add(each)
    return list(read_batches(parts, progress.__getitem__, most_records=lambda: most))


def numbers(batches: list[ReadBatch]) -> list[list[tuple[str, int]]]:
    return [[(record.part, record.row) for record in batch.records] for batch in batches]


def test_batches_go_over_the_ends_of_parts_and_say_which_rows_they_end() -> None:
    batches = read([part("a", 5), part("b", 2)], [])
    assert numbers(batches) == [[("a", row) for row in range(4)], [("a", 4), ("b", 0), ("b", 1)]]
    assert [batch.rows for batch in batches] == [
        [RowRange("a", 0, 4, 40)],
        [RowRange("a", 4, 5, 50, is_end=True), RowRange("b", 0, 2, 20, is_end=True)],
    ]


def test_what_is_done_is_not_read_again() -> None:
    first, second = part("a", 9), part("b", 3)
    done = [RowRange("a", 2, 4, 40), RowRange("a", 6, 7, 70), RowRange("b", 0, 3, 30, is_end=True)]
    batches = read([first, second], done, most=100)
    assert numbers(batches) == [[("a", row) for row in (0, 1, 4, 5, 7, 8)]]
    assert first.reads == [Place(), Place(4, 40), Place(7, 70)]
    assert second.reads == []
    progress = PartProgress("1")
    for rows in [*done[:2], *batches[0].rows]:
        progress.add(rows)
    assert progress.is_done


def test_a_part_whose_end_falls_together_with_a_batchs_is_done_with_the_next() -> None:
    batches = read([part("a", 4)], [])
    assert numbers(batches) == [[("a", row) for row in range(4)], []]
    assert batches[1].rows == [RowRange("a", 4, 4, 40, is_end=True)]


def test_what_could_be_read_before_a_fault_is_given_first() -> None:
    broken = MemoryPart("a", [{"n": 0}, {"n": 1}, InvalidArgument("the disk is gone")])
    batches = read_batches([broken], {"a": PartProgress("1")}.__getitem__, most_records=lambda: 100)
    assert next(batches).rows == [RowRange("a", 0, 2, 20)]
    with pytest.raises(InvalidArgument, match="the disk is gone"):
        next(batches)


def test_large_records_make_small_batches() -> None:
    large = MemoryPart("a", [{"n": number} for number in range(5)], record_bytes=BATCH_BYTES // 2)
    assert numbers(read([large], [], most=100)) == [[("a", 0), ("a", 1)], [("a", 2), ("a", 3)], [("a", 4)]]


def test_records_that_were_looked_at_are_read_again_though_the_part_can_be_read_once_only() -> None:
    once = part("a", 6)
    sampled = SampledPart(once)
    sample = sampled.sample()
    assert [next(sample).row, next(sample).row] == [0, 1]
    assert [record.row for record in sampled.records()] == list(range(6))
    assert once.reads == [Place()]
