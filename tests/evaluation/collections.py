"""Small test collections, as files and as what is read of them."""

from __future__ import annotations

import json
from pathlib import Path

from sidecar.evaluation.data.collection import Collection
from sidecar.evaluation.data.opening import DataWish, open_collection

TOPICS = ("rivers", "bridges", "violins", "glaciers", "engines", "orchards", "harbours")


def write_beir(folder: Path, documents: int = 30) -> Path:
    """A folder in the layout of BEIR: of seven topics, each with its documents and one query; every third document of a
    topic has grade 2, the others grade 1."""
    (folder / "qrels").mkdir(parents=True)
    lines, judged = [], ["query-id\tcorpus-id\tscore"]
    for number in range(documents):
        topic = number % len(TOPICS)
        text = f"Chapter {number} is on {TOPICS[topic]}. It has {number * 37 % 101} pages."
        lines.append({"_id": f"d{number}", "title": f"Notes {number}", "text": text})
        judged.append(f"q{topic}\td{number}\t{2 if number % 3 == 0 else 1}")
    queries = [{"_id": f"q{topic}", "text": f"what is known of {name}"} for topic, name in enumerate(TOPICS)]
    write_lines(folder / "corpus.jsonl", lines)
    write_lines(folder / "queries.jsonl", [*queries, {"_id": "unjudged", "text": "nothing"}])
    (folder / "qrels" / "test.tsv").write_text("\n".join(judged) + "\n")
    return folder


def write_lines(path: Path, rows: list[dict[str, object]]) -> Path:
    """The rows as JSONL."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def read_collection(location: Path, **wish: object) -> Collection:
    """The collection there, of files only."""
    return open_collection(DataWish(location, **wish), lambda index, fields: [])  # type: ignore[arg-type]
