"""Answers to several searches, of which the sidecar made some itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from sidecar.native.errors import json_answer
from sidecar.native.json.edits import Edit, apply
from sidecar.native.json.spans import Array, NotJson, Object, read
from sidecar.native.queries.incoming import Incoming
from sidecar.native.request import NativeAnswer


def merged_answer(incoming: Incoming, text: bytes | None, own: Mapping[int, bytes], lines: int) -> NativeAnswer:
    """The answer to an `_msearch` of that many lines, with ``own`` responses of the sidecar's at their numbers.

    ``text`` has the other lines; None where there are none, so that nothing is sent. An answer of the cluster that is
    no list of responses is the answer.
    """
    if text is None:
        return json_answer(200, b'{"took":0,"responses":[%b]}' % b",".join(own[number] for number in range(lines)))
    sent = incoming.with_text(text)
    # The answer is read here, so it must not be compressed.
    headers = [header for header in sent.headers if header[0] != "accept-encoding"]
    answer = incoming.call.parts.upstream.send(replace(sent, headers=headers))
    body = answer.read()
    merged = _merged(body, own, lines) if answer.status == 200 else None
    body = body if merged is None else merged
    told = [(name, value) for name, value in answer.headers if name.lower() != "content-length"]
    return NativeAnswer(answer.status, [*told, ("content-length", str(len(body)))], [body], answer.reason)


def _merged(body: bytes, own: Mapping[int, bytes], lines: int) -> bytes | None:
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
