"""The demo's corpus, as many documents as are asked for, and the chunks that an index makes of them."""

from __future__ import annotations

from typing import Any

from sidecar.cli.demo_corpus import read_documents
from sidecar.embedding.texts.chunking import TextPreprocessing, split_text

MODEL = "sentence-transformers/all-MiniLM-L6-v2"
TENSOR_FIELDS = ("title", "body")

QUERIES = [
    f"{verb} {thing}"
    for verb in (
        "how do I read",
        "write to",
        "find a bug in",
        "close",
        "parse",
        "compare two of",
        "the size of",
        "sort",
    )
    for thing in (
        "a text file line by line",
        "json from a socket",
        "a date with a time zone",
        "an e-mail message",
        "a compressed archive",
        "a queue between threads",
        "a floating point number",
        "command line arguments",
        "a running process",
        "an xml tree",
        "a regular expression",
        "a directory",
    )
]


def documents(count: int) -> list[dict[str, Any]]:
    """The corpus, repeated as numbered editions (other ids, titles and bodies) where it has too few documents."""
    originals = read_documents()
    result = []
    for number in range(count):
        edition, place = divmod(number, len(originals))
        document = dict(originals[place])
        if edition:
            document["_id"] = f"{document['_id']} ({edition})"
            document["title"] = f"{document['title']}, edition {edition}"
            document["body"] = f"Edition {edition}. {document['body']}"
        result.append(document)
    return result


def chunk_texts(docs: list[dict[str, Any]]) -> list[str]:
    """All texts that a model must embed for the documents, by the default preprocessing."""
    rules = TextPreprocessing()
    return [chunk.text for doc in docs for field in TENSOR_FIELDS for chunk in split_text(doc[field], rules)]


def settings(shards: int = 1) -> dict[str, Any]:
    """The body that creates the benchmark's index."""
    return {"index_defaults": {"model": MODEL}, "number_of_shards": shards}
