"""Answers to several searches, of which the sidecar made some itself."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import Final

from sidecar.native.errors import json_answer
from sidecar.native.hybrid.lines import merge_line
from sidecar.native.hybrid.plan import HybridPlan
from sidecar.native.json.edits import Edit, apply
from sidecar.native.json.filter_path import filtered
from sidecar.native.json.layout import laid_out
from sidecar.native.json.spans import Array, NotJson, Object, read
from sidecar.native.queries.incoming import Incoming
from sidecar.native.request import MERGED_WITHOUT, NativeAnswer
from sidecar.opensearch.decoding import read_as

Response = bytes | HybridPlan | None
"""Of one line: its JSON text where the sidecar made it, the plan where it is made of several of the cluster's, None
where it is the cluster's."""

_FILTER: Final = "filter_path"
_FORMAT: Final = "format"


def merged_answer(incoming: Incoming, text: bytes, responses: Sequence[Response]) -> NativeAnswer:
    """The answer to an `_msearch` whose lines have such responses; ``text`` has those of them that are sent.

    An answer of the cluster that is no list of responses is the answer.
    """
    call = incoming.call
    if all(isinstance(response, bytes) for response in responses):
        body = _merged(b'{"took":0,"responses":[]}', responses)
        return json_answer(200, _as_asked(incoming, body or b""))
    # The answer is put together here, so it must be whole, JSON, and not compressed.
    whole = incoming.without_parameters({_FILTER, _FORMAT}).without_headers(MERGED_WITHOUT)
    answer = call.parts.upstream.send(whole.with_text(text))
    body = answer.read()
    merged = _merged(body, responses) if answer.status == 200 else None
    body = body if merged is None else _as_asked(incoming, merged)
    told = [(name, value) for name, value in answer.headers if name.lower() != "content-length"]
    return NativeAnswer(answer.status, [*told, ("content-length", str(len(body)))], [body], answer.reason)


def _merged(body: bytes, responses: Sequence[Response]) -> bytes | None:
    """The cluster's answer with own responses among its; None where it has no list of them.

    Raises: OpenSearchError where it has not as many as there were searches, or some that can't be read.
    """
    try:
        root = read(body)
    except NotJson:
        return None
    found = root.get("responses") if isinstance(root, Object) else None
    if not isinstance(found, Array):
        return None
    theirs = (item.text(body) for item in found.items)
    texts = []
    with read_as("a multi-search"):
        if len(found.items) != sum(map(_searches, responses)):
            raise ValueError(f"it has {len(found.items)} responses")
        for response in responses:
            if isinstance(response, HybridPlan):
                texts.append(merge_line(response, list(islice(theirs, len(response.bodies)))))
            else:
                texts.append(next(theirs) if response is None else response)
    return apply(body, [Edit(found.start, found.end, b"[%b]" % b",".join(texts))])


def _searches(response: Response) -> int:
    """How many searches were sent for a line."""
    if isinstance(response, HybridPlan):
        return len(response.bodies)
    return int(response is None)


def _as_asked(incoming: Incoming, body: bytes) -> bytes:
    """The answer's text with what the request's parameters want of it."""
    request = incoming.call.request
    wanted = request.parameters.get(_FILTER)
    text = filtered(body, wanted) if wanted else body
    return laid_out(text) if request.is_pretty else text
