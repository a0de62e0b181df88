from hypothesis import given
from hypothesis import strategies as st

from sidecar.ingest.ray_engine.batch_sizes import BatchSizes

SIZES = BatchSizes(first=100, least=50, most=300, at_once=4)


def batches_of(sizes: BatchSizes, documents: int, document_bytes: int = 1000) -> list[int]:
    """The batches in which a source of such documents is read, the last of them as long as what is left."""
    batches: list[int] = []
    while (read := sum(batches)) < documents:
        size = sizes.after(read, read * document_bytes, documents * document_bytes)
        batches.append(min(size, documents - read))
    return batches


def test_batches_grow_when_the_source_is_known_and_become_smaller_towards_its_end() -> None:
    batches = batches_of(SIZES, 5000)
    assert batches[:3] == [100, 300, 300]
    assert batches[1:] == sorted(batches[1:], reverse=True)
    assert max(batches[-5:]) == 50


def test_batches_of_one_size_stay_so() -> None:
    assert batches_of(BatchSizes.even(500), 2000) == [500] * 4


def test_nothing_is_concluded_from_sizes_that_are_not_known_or_too_small() -> None:
    assert SIZES.after(1000, 10_000, None) == 100
    assert SIZES.after(1000, 10_000, 9000) == 100
    assert SIZES.after(1000, 0, 9000) == 100


@given(
    sizes=st.builds(
        lambda small, more, most, at_once: BatchSizes(small + more, small, small + more + most, at_once),
        *[st.integers(1, 500) for _ in range(4)],
    ),
    documents=st.integers(1, 20_000),
)
def test_every_batch_has_as_many_documents_as_it_may(sizes: BatchSizes, documents: int) -> None:
    batches = batches_of(sizes, documents)
    assert sum(batches) == documents
    assert all(sizes.least <= each <= sizes.most for each in batches[:-1])
