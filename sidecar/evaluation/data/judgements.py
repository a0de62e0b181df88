"""Queries, and which documents answer them."""

from __future__ import annotations

from pathlib import Path

from sidecar.errors import InvalidArgument
from sidecar.evaluation.data.collection import Judgements
from sidecar.evaluation.data.rows import Row, read_rows

QUERY_COLUMNS = ("query-id", "query_id")
DOCUMENT_COLUMNS = ("corpus-id", "corpus_id", "document_id", "document-id", "relevant", "_id", "id")
GRADE_COLUMNS = ("score", "relevance", "grade")


class Grades:
    """Grades by queries and documents, each pair once."""

    def __init__(self) -> None:
        self.by_query: dict[str, dict[str, int]] = {}

    def add(self, row: Row, query_id: str, document_id: str) -> None:
        """Note what a row says. Raises: InvalidArgument where an earlier one has said it."""
        grades = self.by_query.setdefault(query_id, {})
        if document_id in grades:
            raise InvalidArgument(f"{row.where}: the document {document_id!r} was judged for this query before.")
        grades[document_id] = row.grade(*GRADE_COLUMNS)


def read_judgements(judged: Path, queries: Path) -> Judgements:
    """BEIR's two files: a table of query, document and score, and the texts of the queries.

    Queries without judgements are left out. Raises: InvalidArgument, naming file and line.
    """
    texts: dict[str, str] = {}
    for row in read_rows(queries):
        query_id = row.text("_id")
        if query_id in texts:
            raise InvalidArgument(f"{row.where}: the query {query_id!r} was there before.")
        texts[query_id] = row.text("text")
    grades = Grades()
    for row in read_rows(judged):
        query_id = row.text(*QUERY_COLUMNS)
        if query_id not in texts:
            raise InvalidArgument(f"{row.where}: the query {query_id!r} is not in {queries}.")
        grades.add(row, query_id, row.text(*DOCUMENT_COLUMNS))
    return Judgements({query_id: texts[query_id] for query_id in grades.by_query}, grades.by_query)


def read_pairs(path: Path) -> Judgements:
    """A table of the columns ``query``, its text, ``id``, that of a document that answers it, and perhaps ``score``; a
    query that several documents answer has a row for each.

    Queries are numbered in their order. Raises: InvalidArgument, naming file and line.
    """
    grades, ids = Grades(), dict[str, str]()
    for row in read_rows(path):
        text = row.text("query").strip()
        grades.add(row, ids.setdefault(text, str(len(ids) + 1)), row.text(*DOCUMENT_COLUMNS))
    return Judgements({query_id: text for text, query_id in ids.items()}, grades.by_query)
