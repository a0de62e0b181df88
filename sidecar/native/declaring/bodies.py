"""The bodies of requests that may declare fields: read where they can be, and sent on with edits or as they came."""

from __future__ import annotations

from collections.abc import Iterable

from sidecar.native.bodies import Body, is_analysed, read_body
from sidecar.native.forwarding import forward, send
from sidecar.native.json.edits import Edit, apply
from sidecar.native.json.spans import Object, read_object
from sidecar.native.parts import NativeCall
from sidecar.native.request import NativeAnswer


class DeclaringBody:
    """A request's body as an object, or why it passes as it is (``root`` is None)."""

    def __init__(self, call: NativeCall) -> None:
        self._call = call
        self._body: Body | None = None
        self.root: Object | None = None
        if not is_analysed(call.request):
            return
        self._body = read_body(call.request)
        self.root = read_object(self._body.text)

    @property
    def text(self) -> bytes:
        """The body, decoded; ranges of ``root`` are its own."""
        return b"" if self._body is None else self._body.text

    def send_as_it_came(self) -> NativeAnswer:
        """Pass the request with every byte that the client sent."""
        if self._body is None:
            return forward(self._call.parts, self._call.request)
        return send(self._call.parts, self._call.request.as_read(self._body.raw))

    def send_with(self, edits: Iterable[Edit]) -> NativeAnswer:
        """Pass the request with a body that is changed there; as it came where nothing is."""
        changed = list(edits)
        if not changed:
            return self.send_as_it_came()
        return send(self._call.parts, self._call.request.with_body(apply(self.text, changed)))


def object_at(node: Object | None, *keys: str) -> Object | None:
    """The object under these keys; None where one is missing or is something else."""
    for key in keys:
        found = None if node is None else node.get(key)
        node = found if isinstance(found, Object) else None
    return node
