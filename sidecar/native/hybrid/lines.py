"""One body with a ``hybrid`` query as several bodies, and their answers as one; for `_search` and for `_msearch`."""

from __future__ import annotations

from collections.abc import Sequence

from sidecar.native.declarations.processors import SearchPipeline
from sidecar.native.hybrid.answers import read_answer
from sidecar.native.hybrid.merging import failed, merged
from sidecar.native.hybrid.parameters import SearchParameters
from sidecar.native.hybrid.plan import HybridPlan, plan_hybrid
from sidecar.native.json.cursor import Cursor
from sidecar.native.json.edits import Edit
from sidecar.native.json.spans import Object
from sidecar.native.queries.grammar import HYBRID, SEARCH, find_clauses
from sidecar.native.queries.rewriter import QueryRewriter
from sidecar.native.queries.scope import without_own_processors


def plan_line(
    text: bytes,
    root: Object,
    rewriter: QueryRewriter,
    pipeline: SearchPipeline,
    *,
    parameters: SearchParameters | None = None,
) -> HybridPlan:
    """The plan of a body whose query is hybrid: its ``bodies`` are to follow one another in a multi-search, each behind
    the header that the body has. ``root`` is the object of ``text`` that the body is.

    Raises: Refused for what no hybrid search can have; what `QueryRewriter.edits` raises.
    """

    def rewrite(body: Object, data: bytes) -> list[Edit]:
        query = body.get("query")
        top = query.member(HYBRID) if isinstance(query, Object) else None
        clauses = [clause for clause in find_clauses(body, SEARCH, data) if clause.member is not top]
        return [*rewriter.edits_of(clauses, data), *without_own_processors(body, data)]

    return plan_hybrid(
        text, root, rewrite=rewrite, combination=pipeline.combination, parameters=parameters or SearchParameters()
    )


def merge_line(plan: HybridPlan, items: Sequence[bytes]) -> bytes:
    """The item of a multi-search's answer for a body, made of the items for the bodies of its plan, in their order.

    Where one of them is an error, it is that one.
    """
    answers = [read_answer(Cursor(item.decode("latin-1"))) for item in items]
    error = failed(answers)
    if error is not None:
        return error.text[error.start : error.end].encode("latin-1")
    return merged(plan, answers).encode("latin-1")[:-1] + b',"status":200}'
