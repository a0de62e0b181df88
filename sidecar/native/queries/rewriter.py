"""From queries by meaning to queries by vectors: what must be embedded for a body, and how its text then changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sidecar.embedding.loader import Embeddings
from sidecar.errors import InvalidRequest
from sidecar.native.declarations.declaration import IndexFacts
from sidecar.native.declarations.processors import SearchPipeline
from sidecar.native.embedder import QueryContent
from sidecar.native.errors import ILLEGAL_ARGUMENT, Refused
from sidecar.native.json.edits import Edit, vector_text
from sidecar.native.json.spans import Object
from sidecar.native.parts import NEWEST, NativeParts, cluster_version
from sidecar.native.queries.clause import NeuralClause, field_of, model_of, read_clause
from sidecar.native.queries.fields import FieldResolver, NotServed, SearchedField
from sidecar.native.queries.grammar import HYBRID, QUERY, WRAPPED, Clause, find_clauses
from sidecar.native.queries.knn import KnnWriter
from sidecar.opensearch.client import Version


@dataclass(frozen=True, slots=True)
class RewritePlan:
    """The ``neural`` queries of one text, read and resolved: what to embed for them, and what becomes of them."""

    data: bytes
    clauses: tuple[NeuralClause, ...]
    searched: tuple[SearchedField, ...]
    version: Version

    @property
    def contents(self) -> list[QueryContent]:
        """What each query is made of, in the order of the text."""
        return [
            QueryContent(searched.model, read.text, read.image)
            for read, searched in zip(self.clauses, self.searched, strict=True)
        ]

    def edits(self, vectors: Sequence[Embeddings]) -> list[Edit]:
        """The changes, given the vectors of `contents`. Raises: Refused for what the cluster is too old for."""
        writer = KnnWriter(self.version)
        done: list[Edit] = []  # the first of the text last
        # From the last to the first: a query in another's filter is written before that one.
        for read, searched, vector in reversed(list(zip(self.clauses, self.searched, vectors, strict=True))):
            member = read.clause.member
            inner: list[Edit] = []
            while done and done[-1].start < member.value.end:
                inner.append(done.pop())
            text = writer.member(read, searched, vector_text(vector), data=self.data, inner=inner)
            done.append(Edit(member.key_start, member.value.end, text))
        return done[::-1]


class QueryRewriter:
    """Rewrites queries to the indexes of ``facts``; ``pipeline`` is the search pipeline that holds for the request.

    With ``has_remote`` indexes of other clusters are searched too.
    """

    def __init__(
        self,
        parts: NativeParts,
        facts: tuple[IndexFacts, ...],
        pipeline: SearchPipeline,
        *,
        has_remote: bool = False,
    ) -> None:
        self._parts = parts
        self._facts = facts
        self._fields = FieldResolver(parts.embedder, facts, pipeline, has_remote=has_remote)

    def edits(self, query: Object, data: bytes) -> list[Edit]:
        """The edits that make a query, an object of ``data`` that has its kind as its key, the cluster's.

        Raises: NotServed where a clause in it is none of ours, so that the whole body is the cluster's; Refused for
        what the client must change; ModelLoadError and its like.
        """
        return self.edits_of(find_clauses(query, QUERY, data), data)

    def edits_of(self, clauses: Sequence[Clause], data: bytes) -> list[Edit]:
        """As `edits`, for the clauses that were found in a text."""
        plan = self.plan(clauses, data)
        return plan.edits(self._parts.embedder.embed_queries(plan.contents))

    def check_served(self, clauses: Sequence[Clause], data: bytes) -> list[SearchedField]:
        """The fields of the ``neural`` queries among the clauses, in order.

        Raises: NotServed where a clause is none of ours; Refused as `edits`.
        """
        found: list[SearchedField] = []
        refused: InvalidRequest | None = None
        for clause in clauses:
            if clause.member.key == HYBRID:
                continue
            try:
                found.append(self._resolve(clause, data))
            except InvalidRequest as error:
                refused = refused or error
        if refused is not None:
            raise refused
        # Without a `neural` query in it, a hybrid one is ours where there are embedded fields.
        if clauses and not found and not any(facts.declarations for facts in self._facts):
            raise NotServed
        return found

    def plan(self, clauses: Sequence[Clause], data: bytes) -> RewritePlan:
        """The ``neural`` queries among the clauses of a text, read. Raises what `edits` raises, but for models."""
        searched = self.check_served(clauses, data)
        for clause in clauses:
            if clause.member.key == HYBRID:
                raise Refused(ILLEGAL_ARGUMENT, WRAPPED)
        read = tuple(read_clause(clause, data) for clause in clauses)
        return RewritePlan(data, read, tuple(searched), cluster_version(self._parts) if read else NEWEST)

    def _resolve(self, clause: Clause, data: bytes) -> SearchedField:
        field = field_of(clause)
        if field is None:
            raise NotServed
        return self._fields.resolve(field.key, model_of(clause, data))
