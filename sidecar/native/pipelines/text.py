"""The text of pipelines without the sidecar's processors, for the cluster, and with them again, for clients."""

from __future__ import annotations

import json
from collections.abc import Callable

from sidecar.native.declarations.description import Kept, line_of, split_description, with_line
from sidecar.native.declarations.own_processors import TakenOut
from sidecar.native.embedder import NativeEmbedder
from sidecar.native.json.additions import member_text
from sidecar.native.json.edits import Edit, apply
from sidecar.native.json.spans import Node, NotJson, Object, read
from sidecar.native.json.writing import Value, quoted

Take = Callable[[Object, bytes, NativeEmbedder], TakenOut | None]
DESCRIPTION = "description"


def without_own(body: bytes, take: Take, embedder: NativeEmbedder) -> bytes | None:
    """A pipeline as the cluster is to have it: the processors that ``take`` finds are kept in the description.

    None where there are none, or the body is the cluster's to refuse. Raises: Refused, as ``take`` does.
    """
    try:
        pipeline = read(body)
        taken = take(pipeline, body, embedder) if isinstance(pipeline, Object) else None
        if taken is None:
            return None
        assert isinstance(pipeline, Object)
        edit = _description_edit(pipeline, body, line_of(taken.kept))
    except NotJson:
        return None
    return None if edit is None else apply(body, [*taken.edits, edit])


def put_back(pipeline: Value) -> bool:
    """Put the kept processors back into a pipeline as the cluster gives it; False where it has none."""
    text = pipeline.get(DESCRIPTION) if isinstance(pipeline, dict) else None
    if not isinstance(pipeline, dict) or not isinstance(text, bytes):
        return False
    description = Node(0, len(text)).value(text)
    split = split_description(description) if isinstance(description, str) else None
    if split is None:
        return False
    before, kept = split
    if before is None:
        del pipeline[DESCRIPTION]
    else:
        pipeline[DESCRIPTION] = quoted(before)
    _put_back(pipeline, kept)
    return True


def _put_back(pipeline: dict[str, Value], kept: Kept) -> None:
    for name, processors in kept.items():
        items = pipeline.setdefault(name, [])
        if isinstance(items, list):
            for one in processors:
                items.insert(one.at, dict(one.value))


def _description_edit(pipeline: Object, body: bytes, line: str) -> Edit | None:
    node = pipeline.get(DESCRIPTION)
    if node is None:
        start = pipeline.start + 1
        member = member_text(DESCRIPTION, with_line(None, line))
        return Edit(start, start, member + (b"," if pipeline.members else b""))
    value = node.value(body)
    if value is None:
        return Edit(node.start, node.end, quoted(with_line(None, line)))
    if not isinstance(value, str):
        return None
    end = node.end - 1
    return Edit(end, end, json.dumps(with_line("", line), ensure_ascii=False)[1:-1].encode())
