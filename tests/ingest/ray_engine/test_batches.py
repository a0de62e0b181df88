from sidecar.errors import InvalidArgument
from sidecar.ingest.loading.row_ranges import DoneRows
from sidecar.ingest.ray_engine.batches import MOST_BYTES, Batch, read_batches
from sidecar.ingest.ray_engine.splits import Split
from sidecar.ingest.sources.source import Place
from tests.ingest.ray_engine.listed_parts import ListedPart


def whole(part: ListedPart) -> Split:
    return Split(part, Place(), None)


def shown(batch: Batch) -> tuple[list[tuple[str, int]], list[DoneRows]]:
    return [(record.part, record.row) for record in batch.records], list(batch.rows)


def test_batches_have_so_many_records_and_tell_the_rows_that_they_end() -> None:
    found = [shown(batch) for batch in read_batches([whole(ListedPart("a", 5))], most_records=2)]
    assert found == [
        ([("a", 0), ("a", 1)], [DoneRows("a", 0, 2, resume=10)]),
        ([("a", 2), ("a", 3)], [DoneRows("a", 2, 4, resume=30)]),
        ([("a", 4)], [DoneRows("a", 4, 5, resume=40, is_end=True)]),
    ]


def test_records_of_several_parts_share_a_batch() -> None:
    parts = [ListedPart("a", 1), ListedPart("b", 0), ListedPart("c", 2)]
    found = [shown(batch) for batch in read_batches([whole(part) for part in parts], most_records=2)]
    assert found == [
        (
            [("a", 0), ("c", 0)],
            [DoneRows("a", 0, 1, 0, is_end=True), DoneRows("b", 0, 0, is_end=True), DoneRows("c", 0, 1, 0)],
        ),
        ([("c", 1)], [DoneRows("c", 1, 2, 10, is_end=True)]),
    ]


def test_the_end_of_a_part_is_told_where_its_last_record_filled_a_batch() -> None:
    found = [shown(batch) for batch in read_batches([whole(ListedPart("a", 2))], most_records=2)]
    assert found == [
        ([("a", 0), ("a", 1)], [DoneRows("a", 0, 2, 10)]),
        ([], [DoneRows("a", 2, 2, 10, is_end=True)]),
    ]


def test_a_piece_of_a_part_does_not_tell_its_end() -> None:
    split = Split(ListedPart("a", 9), Place(3, 20), 6)
    found = [shown(batch) for batch in read_batches([split], most_records=9)]
    assert found == [([("a", 3), ("a", 4), ("a", 5)], [DoneRows("a", 3, 6, 50)])]


def test_a_batch_of_large_records_has_few() -> None:
    large = ListedPart("a", 5, record_bytes=MOST_BYTES // 2)
    assert [len(batch.records) for batch in read_batches([whole(large)], most_records=100)] == [2, 2, 1]


def test_what_was_read_before_an_error_is_loaded() -> None:
    found = list(read_batches([whole(ListedPart("a", 5, broken_at=3)), whole(ListedPart("b", 1))], most_records=2))
    assert [shown(batch) for batch in found[:2]] == [
        ([("a", 0), ("a", 1)], [DoneRows("a", 0, 2, 10)]),
        ([("a", 2)], [DoneRows("a", 2, 3, 20)]),
    ]
    assert isinstance(found[2].error, InvalidArgument)
    assert "a can't be read from row 3 on" in found[2].error.message
    assert len(found) == 3
