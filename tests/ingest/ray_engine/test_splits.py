from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from sidecar.ingest.loading.row_ranges import Gap, PartProgress, RowRange
from sidecar.ingest.ray_engine.splits import (
    BYTES_OF_A_TASK,
    LARGE_BYTES,
    ROWS_OF_A_PIECE,
    SPLITS_OF_A_TASK,
    Split,
    splits_of,
    tasks_of,
)
from sidecar.ingest.sources.source import Place
from tests.ingest.ray_engine.listed_parts import ListedPart

WHOLE = Gap(Place(), None)


def nothing_done(part: str) -> PartProgress:
    return PartProgress("one")


def only(progress: PartProgress) -> Callable[[str], PartProgress]:
    return lambda part: progress


def test_a_part_is_one_split() -> None:
    parts = [ListedPart("a", 200_000, size_bytes=1000), ListedPart("b", 1)]
    assert list(splits_of(parts, nothing_done)) == [Split(part, WHOLE) for part in parts]


def test_a_large_part_is_read_in_pieces_and_to_its_end() -> None:
    part = ListedPart("a", 2 * ROWS_OF_A_PIECE + 1, size_bytes=LARGE_BYTES)
    assert [split.gap for split in splits_of([part], nothing_done)] == [
        Gap(Place(), ROWS_OF_A_PIECE),
        Gap(Place(ROWS_OF_A_PIECE), 2 * ROWS_OF_A_PIECE),
        Gap(Place(2 * ROWS_OF_A_PIECE), None),
    ]


def test_a_large_part_that_knows_no_number_of_rows_is_one_split() -> None:
    part = ListedPart("a", 2 * ROWS_OF_A_PIECE, size_bytes=LARGE_BYTES, is_counted=False)
    assert list(splits_of([part], nothing_done)) == [Split(part, WHOLE)]


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=6))
def test_the_splits_of_a_part_have_the_rows_that_are_not_done_and_no_others(done: list[tuple[int, int]]) -> None:
    part, progress = ListedPart("a", 30), PartProgress("one")
    for first, last in done:
        progress.add(RowRange("a", min(first, last), max(first, last)))
    expected = set(range(30)) - {row for first, last in done for row in range(min(first, last), max(first, last))}
    splits = splits_of([part], only(progress))
    rows = [record.row for split in splits for record in part.records(split.gap.start, stop=split.gap.stop)]
    assert rows == sorted(expected)


def test_a_part_that_is_done_to_its_end_is_not_read() -> None:
    progress = PartProgress("one")
    progress.add(RowRange("a", 0, 30, is_end=True))
    assert list(splits_of([ListedPart("a", 30)], only(progress))) == []


def test_small_parts_share_a_task_and_large_ones_have_their_own() -> None:
    sizes = [10, 10, BYTES_OF_A_TASK, 10, None, 10]
    splits = [Split(ListedPart(str(number), 1, size), WHOLE) for number, size in enumerate(sizes)]
    names = [[split.part.name for split in task] for task in tasks_of(splits)]
    assert names == [["0", "1"], ["2"], ["3"], ["4"], ["5"]]


def test_a_task_has_no_more_than_so_many_splits() -> None:
    splits = [Split(ListedPart("a", 1, 0), WHOLE)] * (SPLITS_OF_A_TASK + 1)
    assert [len(task) for task in tasks_of(splits)] == [SPLITS_OF_A_TASK, 1]
