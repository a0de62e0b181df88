"""What is piped in."""

from __future__ import annotations

import subprocess
import sys

READ = """
import json
from sidecar.ingest.sources.options import Format, SourceOptions
from sidecar.ingest.sources.registry import open_source
from sidecar.ingest.sources.source import Place
[part] = open_source(SourceOptions("-", Format({format!r}))).parts()
found = list(part.records(Place({row})))
print(json.dumps([part.name, part.fingerprint, part.size_bytes, part.count()]))
print(json.dumps([[record.row, record.document, record.error, record.resume] for record in found]))
"""


def read(format: str, content: bytes, row: int = 0) -> list[str]:
    program = READ.format(format=format, row=row)
    done = subprocess.run([sys.executable, "-c", program], input=content, capture_output=True, check=True)
    return done.stdout.decode().splitlines()


def test_rows_are_read_from_it_and_counted() -> None:
    facts, found = read("jsonl", b'{"a":1}\nbroken\n{"a":2}\n', row=1)
    assert facts == '["stdin", "", null, null]'
    assert found.startswith('[[1, null, "not JSON')
    assert found.endswith('[2, {"a": 2}, null, null]]')


def test_values_between_commas_are_read_from_it_behind_a_row() -> None:
    assert read("csv", b"a,b\n1,2\n3,4\n", row=1)[1] == '[[1, {"a": "3", "b": "4"}, null, null]]'
