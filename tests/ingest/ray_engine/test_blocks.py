from datetime import datetime, timezone

from sidecar.ingest.loading.reading import ReadBatch
from sidecar.ingest.loading.row_ranges import Gap
from sidecar.ingest.ray_engine.blocks import SplitsDatasource, block_of, values_of
from sidecar.ingest.ray_engine.report import Fault
from sidecar.ingest.ray_engine.splits import Split
from sidecar.ingest.sources.source import Place, Record
from tests.ingest.ray_engine.listed_parts import ListedPart


def read(*parts: ListedPart) -> list[ReadBatch | Fault]:
    splits = [Split(part, Gap(Place(), None)) for part in parts]
    (task,) = SplitsDatasource([splits], batch_documents=2, is_local=True).get_read_tasks(200)
    blocks = list(task())
    assert [block.num_rows for block in blocks] == [1] * len(blocks)
    return [value for block in blocks for value in values_of(block)]


def test_a_value_comes_out_of_a_block_as_it_went_in() -> None:
    document = {"when": datetime(2026, 1, 31, tzinfo=timezone.utc), "number": 2**70, "text": "half of a pair \ud83d"}
    batch = ReadBatch([Record("a", 0, document, 10)], [], 10)
    assert list(values_of(block_of(batch))) == [batch]


def test_a_task_reads_its_splits_in_batches() -> None:
    batches = read(ListedPart("a", 3), ListedPart("b", 1))
    # One that has no records may tell of a part's end.
    assert [[(record.part, record.row) for record in batch.records] for batch in batches if batch.records] == [
        [("a", 0), ("a", 1)],
        [("a", 2), ("b", 0)],
    ]


def test_what_was_read_before_a_fault_comes_before_it() -> None:
    *batches, fault = read(ListedPart("a", 5, broken_at=3), ListedPart("b", 1))
    assert [len(batch.records) for batch in batches] == [2, 1]
    assert fault == Fault("a can't be read from row 3 on")


def test_an_error_that_is_not_ours_is_told_in_one_line() -> None:
    assert Fault.of(OSError("the disk is away\nand much more")) == Fault("OSError: the disk is away")


def test_a_source_of_this_machine_is_read_on_it() -> None:
    assert not SplitsDatasource([], batch_documents=2, is_local=True).supports_distributed_reads
    assert SplitsDatasource([], batch_documents=2, is_local=False).supports_distributed_reads
