from __future__ import annotations

import hashlib
from collections import OrderedDict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.ingest.digest_rows import DIGEST_BYTES, DigestRows


def digest(number: int) -> bytes:
    return hashlib.blake2b(str(number).encode(), digest_size=DIGEST_BYTES).digest()


@given(st.integers(1, 9), st.lists(st.integers(0, 30), max_size=300))
def test_the_newest_digests_are_known_each_by_a_row_of_its_own(capacity: int, numbers: list[int]) -> None:
    rows = DigestRows(capacity)
    newest: OrderedDict[int, int] = OrderedDict()
    for number in numbers:
        assert rows.find(digest(number)) == newest.get(number)
        if number not in newest:
            newest[number] = rows.add(digest(number))
        if len(newest) > capacity:
            newest.popitem(last=False)
        assert len(rows) == len(newest)
        assert all(rows.find(digest(known)) == row for known, row in newest.items())
    assert len(set(newest.values())) == len(newest)
    assert all(0 <= row < capacity for row in newest.values())


def test_digests_that_begin_alike_are_told_apart() -> None:
    rows = DigestRows(3)
    same = bytes(8)
    first, second = same + b"1" * 8, same + b"2" * 8
    assert rows.add(first) != rows.add(second)
    assert rows.find(first) == 0
    assert rows.find(second) == 1
    assert rows.find(same + b"3" * 8) is None


@pytest.mark.parametrize("capacity", [1, 1000])
def test_a_table_stays_usable_however_often_its_rows_are_given_anew(capacity: int) -> None:
    rows = DigestRows(capacity)
    for number in range(20_000):
        assert rows.add(digest(number)) == number % capacity
    assert rows.find(digest(19_999)) == 19_999 % capacity
    assert rows.find(digest(20_000 - capacity - 1)) is None
