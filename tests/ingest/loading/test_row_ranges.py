"""Which rows of a part are done, and which are left."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sidecar.ingest.loading.row_ranges import Gap, PartProgress, RowRange
from sidecar.ingest.sources.source import Place

ROWS = 30


def left(progress: PartProgress) -> set[int]:
    """The rows of the gaps, of a part of ROWS rows."""
    rows: list[int] = []
    for gap in progress.gaps():
        rows += range(gap.start.row, ROWS if gap.stop is None else gap.stop)
    assert len(rows) == len(set(rows))
    return set(rows)


@given(st.lists(st.tuples(st.integers(0, ROWS), st.integers(0, ROWS)).map(sorted)), st.booleans())
def test_gaps_are_the_rows_that_no_range_has(ranges: list[list[int]], is_end_known: bool) -> None:
    progress = PartProgress("")
    if is_end_known:
        progress.add(RowRange("p", ROWS, ROWS, is_end=True))
    for start, stop in ranges:
        progress.add(RowRange("p", start, stop, 10 * stop))
    done = {row for start, stop in ranges for row in range(start, stop)}
    assert left(progress) == set(range(ROWS)) - done
    assert all(gap.start.resume == (10 * gap.start.row or None) for gap in progress.gaps())
    assert progress.is_done == (is_end_known and len(done) == ROWS)
    again = PartProgress.from_json("p", progress.to_json())
    assert again == progress


def test_a_part_without_rows_is_done_once_its_end_was_seen() -> None:
    progress = PartProgress("")
    assert list(progress.gaps()) == [Gap(Place(), None)]
    progress.add(RowRange("p", 0, 0, is_end=True))
    assert progress.is_done
