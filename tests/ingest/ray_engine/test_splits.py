from hypothesis import given
from hypothesis import strategies as st

from sidecar.ingest.loading.row_ranges import DoneRows, Gap, PartProgress
from sidecar.ingest.ray_engine.splits import (
    BYTES_OF_A_TASK,
    LARGE_BYTES,
    ROWS_OF_A_PIECE,
    SPLITS_OF_A_TASK,
    Split,
    grouped,
    splits_of,
)
from sidecar.ingest.sources.source import Place
from tests.ingest.ray_engine.listed_parts import ListedPart

ALL = [Gap(Place(), None)]


def rows_of(split: Split) -> list[int]:
    return [record.row for record in split.part.records(split.start, stop=split.stop)]


def test_a_part_is_one_split() -> None:
    part = ListedPart("a", 200_000, size_bytes=1000)
    assert list(splits_of(part, ALL)) == [Split(part, Place(), None)]


def test_a_large_part_is_read_in_pieces_and_to_its_end() -> None:
    part = ListedPart("a", 2 * ROWS_OF_A_PIECE + 1, size_bytes=LARGE_BYTES)
    splits = list(splits_of(part, ALL))
    assert [(split.start.row, split.stop) for split in splits] == [
        (0, ROWS_OF_A_PIECE),
        (ROWS_OF_A_PIECE, 2 * ROWS_OF_A_PIECE),
        (2 * ROWS_OF_A_PIECE, None),
    ]


def test_a_large_part_that_knows_no_number_of_rows_is_one_split() -> None:
    part = ListedPart("a", 2 * ROWS_OF_A_PIECE, size_bytes=LARGE_BYTES, is_counted=False)
    assert list(splits_of(part, ALL)) == [Split(part, Place(), None)]


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=6))
def test_the_splits_of_a_part_have_the_rows_that_are_not_done_and_no_others(done: list[tuple[int, int]]) -> None:
    part, progress = ListedPart("a", 30), PartProgress("one")
    for first, last in done:
        progress.add(DoneRows("a", min(first, last), max(first, last)))
    expected = set(range(30)) - {row for first, last in done for row in range(min(first, last), max(first, last))}
    rows = [row for split in splits_of(part, progress.gaps()) for row in rows_of(split)]
    assert rows == sorted(expected)


def test_small_parts_share_a_task_and_large_ones_have_their_own() -> None:
    sizes = [10, 10, BYTES_OF_A_TASK, 10, None, 10]
    splits = [Split(ListedPart(str(n), 1, size), Place(), None) for n, size in enumerate(sizes)]
    assert [[split.part.name for split in group] for group in grouped(splits)] == [
        ["0", "1"],
        ["2"],
        ["3"],
        ["4"],
        ["5"],
    ]


def test_a_task_has_no_more_than_so_many_splits() -> None:
    splits = [Split(ListedPart("a", 1, 0), Place(), None)] * (SPLITS_OF_A_TASK + 1)
    assert [len(group) for group in grouped(splits)] == [SPLITS_OF_A_TASK, 1]
