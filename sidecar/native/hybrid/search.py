"""`_search` with a ``hybrid`` query: one multi-search as the caller, whose answers become one."""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from sidecar.native.bodies import Body
from sidecar.native.declarations.processors import SearchPipeline
from sidecar.native.hybrid.answers import SearchAnswer, read_answers
from sidecar.native.hybrid.lines import plan_line
from sidecar.native.hybrid.merging import failed, merged
from sidecar.native.hybrid.parameters import SearchParameters, multi_search_target, read_parameters
from sidecar.native.hybrid.plan import HybridPlan
from sidecar.native.json.filter_path import filtered
from sidecar.native.json.layout import laid_out
from sidecar.native.json.spans import Object
from sidecar.native.parts import NativeCall
from sidecar.native.queries.rewriter import QueryRewriter
from sidecar.native.request import MERGED_WITHOUT, NativeAnswer
from sidecar.opensearch.decoding import read_as
from sidecar.opensearch.passthrough import Header, RawAnswer, RawRequest

_REMADE = frozenset({"content-length", "content-encoding"})


def hybrid_search(
    call: NativeCall, body: Body, root: Object, rewriter: QueryRewriter, pipeline: SearchPipeline
) -> NativeAnswer:
    """The answer to a search whose query is hybrid. ``root`` is its body, which is an object of ``body.text``.

    Where one of its searches fails, the answer is that one's error.
    Raises: Refused for what no hybrid search can have; what `QueryRewriter.edits` and `Passthrough.send` raise;
    OpenSearchError for an answer that can't be read.
    """
    parameters = read_parameters(call.request)
    plan = plan_line(body.text, root, rewriter, pipeline, parameters=parameters)
    answer = call.parts.upstream.send(_multi_search(call, plan, parameters))
    text = answer.read()
    if answer.status != 200:
        return _answer(answer, answer.status, text)
    with read_as("a multi-search"):
        status, text = _merged(plan, list(read_answers(text.decode("latin-1"))))
    if parameters.filter_path is not None:
        text = filtered(text, parameters.filter_path)
    return _answer(answer, status, laid_out(text) if parameters.is_pretty else text)


def _multi_search(call: NativeCall, plan: HybridPlan, parameters: SearchParameters) -> RawRequest:
    header = orjson.dumps(parameters.header)
    body = b"".join(b"%b\n%b\n" % (header, line) for line in plan.bodies)
    target = multi_search_target(call.request, parameters)
    return call.request.without_headers(MERGED_WITHOUT).with_body(body, target=target)


def _merged(plan: HybridPlan, answers: Sequence[SearchAnswer]) -> tuple[int, bytes]:
    error = failed(answers)
    if error is not None:
        return int(error.values["status"]), error.text[error.start : error.end].encode("latin-1")
    return 200, merged(plan, answers).encode("latin-1")


def _answer(answer: RawAnswer, status: int, text: bytes) -> NativeAnswer:
    headers: list[Header] = [header for header in answer.headers if header[0].lower() not in _REMADE]
    return NativeAnswer(status, [*headers, ("content-length", str(len(text)))], [text])
