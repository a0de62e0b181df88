"""Answers to several searches, of which the sidecar made some itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from sidecar.native.errors import json_answer
from sidecar.native.json.edits import Edit, apply
from sidecar.native.json.filter_path import filtered
from sidecar.native.json.spans import Array, NotJson, Object, read
from sidecar.native.queries.incoming import Incoming, without_parameters
from sidecar.native.request import NativeAnswer

_FILTER: Final = "filter_path"


def merged_answer(incoming: Incoming, text: bytes | None, own: Mapping[int, bytes], lines: int) -> NativeAnswer:
    """The answer to an `_msearch` of that many lines, with ``own`` responses of the sidecar's at their numbers.

    ``text`` has the other lines; None where there are none, so that nothing is sent. An answer of the cluster that is
    no list of responses is the answer.
    """
    wanted = incoming.call.request.parameters.get(_FILTER)
    if text is None:
        body = b'{"took":0,"responses":[%b]}' % b",".join(own[number] for number in range(lines))
        return json_answer(200, filtered(body, wanted) if wanted else body)
    # The answer is put together here, so it must be whole, and not compressed.
    call = incoming.call
    request = without_parameters(call.request, (_FILTER,))
    request = replace(request, headers=[header for header in request.headers if header[0] != "accept-encoding"])
    sent = replace(incoming, call=replace(call, request=request)).with_text(text)
    answer = call.parts.upstream.send(sent)
    body = answer.read()
    if answer.status == 200 and (merged := _merged(body, own, lines)) is not None:
        body = filtered(merged, wanted) if wanted else merged
    told = [(name, value) for name, value in answer.headers if name.lower() != "content-length"]
    return NativeAnswer(answer.status, [*told, ("content-length", str(len(body)))], [body], answer.reason)


def _merged(body: bytes, own: Mapping[int, bytes], lines: int) -> bytes | None:
    """The cluster's answer with own responses among its; None where it has no list of them."""
    try:
        root = read(body)
    except NotJson:
        return None
    responses = root.get("responses") if isinstance(root, Object) else None
    if not isinstance(responses, Array):
        return None
    theirs = iter(responses.items)
    texts = [own[number] if number in own else next(theirs).text(body) for number in range(lines)]
    return apply(body, [Edit(responses.start, responses.end, b"[%b]" % b",".join(texts))])
