"""Searches whose query is ``hybrid``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sidecar.native.bodies import Body
from sidecar.native.declarations.processors import SearchPipeline
from sidecar.native.errors import ILLEGAL_ARGUMENT, Refused
from sidecar.native.json.spans import Object
from sidecar.native.parts import NativeCall
from sidecar.native.queries.rewriter import QueryRewriter
from sidecar.native.request import NativeAnswer


@dataclass(frozen=True, slots=True)
class HybridLine:
    """One hybrid search of an `_msearch`: the texts of its header (without an index, where that is the path's) and
    body, and what `hybrid_search` is given."""

    header: bytes
    body: bytes
    root: Object
    rewriter: QueryRewriter
    pipeline: SearchPipeline


def hybrid_search(
    call: NativeCall, body: Body, root: Object, rewriter: QueryRewriter, pipeline: SearchPipeline
) -> NativeAnswer:
    """The answer to a search whose top-level query is ``hybrid``; all clauses in it are served."""
    raise Refused(ILLEGAL_ARGUMENT, "hybrid queries are not served")


def hybrid_lines(call: NativeCall, lines: Sequence[HybridLine]) -> list[bytes | Refused]:
    """For each hybrid line of an `_msearch` the JSON text of its response, or why there is none."""
    return [Refused(ILLEGAL_ARGUMENT, "hybrid queries are not served") for _ in lines]
