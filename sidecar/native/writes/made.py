"""Values that are put into documents: their text is known when the request's contents are embedded."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import orjson

from sidecar.embedding.byte_vectors import as_bytes
from sidecar.embedding.loader import Embeddings
from sidecar.errors import InvalidArgument
from sidecar.indexing.combinations import combine
from sidecar.indexing.distinct import distinct
from sidecar.native.json.additions import member_text
from sidecar.native.json.edits import vector_text
from sidecar.native.json.spans import Member, Node, Object
from sidecar.native.json.writing import quoted


class Vector(Protocol):
    """A content that is embedded with the request's others."""

    def vector(self) -> Embeddings:
        """float32, shape (dimensions,), of length 1, or 0. Raises: MediaError for an image that can't be had."""


class Made(Node, ABC):
    """A value that the document did not have; it stands nowhere in the text."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(-1, -1)

    @abstractmethod
    def text(self, data: bytes = b"") -> bytes:
        """The value as JSON text."""


class MadeObject(Object):
    """An object that the document did not have, around values that are put in."""

    __slots__ = ()

    @classmethod
    def around(cls, path: str, value: Made) -> MadeObject:
        """Nested objects, one for each dot of the path and one more, with the value innermost."""
        key, _, rest = path.partition(".")
        inner = cls.around(rest, value) if rest else value
        return cls(-1, -1, [Member(key, -1, -1, inner)])

    def text(self, data: bytes = b"") -> bytes:
        """The object as JSON text."""
        return b"{%b}" % b",".join(member_text(each.key, each.value.text(data)) for each in self.members)


class MadeConstant(Made):
    """A value that is known already."""

    __slots__ = ("_text",)

    def __init__(self, text: bytes) -> None:
        super().__init__()
        self._text = text

    def text(self, data: bytes = b"") -> bytes:
        return self._text


class MadeStrings(Made):
    """A list of strings, as of a text's chunks."""

    __slots__ = ("strings",)

    def __init__(self, strings: Sequence[str]) -> None:
        super().__init__()
        self.strings = strings

    def text(self, data: bytes = b"") -> bytes:
        return b"[%b]" % b",".join(map(quoted, self.strings))


@dataclass(frozen=True, slots=True)
class Weighted:
    """One content of a vector and its weight among the others."""

    content: Vector
    weight: float = 1.0


class MadeVector(Made):
    """The vector of one content, or of several as one; whole numbers where ``is_byte``.

    One that ``is_optional`` is null where its contents are at fault.
    """

    __slots__ = ("contents", "document_id", "is_byte", "is_optional")

    def __init__(
        self, contents: Sequence[Weighted], document_id: str, *, is_byte: bool = False, is_optional: bool = False
    ) -> None:
        super().__init__()
        self.contents = contents
        self.document_id = document_id
        self.is_byte = is_byte
        self.is_optional = is_optional

    def text(self, data: bytes = b"") -> bytes:
        """Raises: InvalidArgument where several vectors cancel each other out, and what `Vector.vector` raises."""
        try:
            return stored_text(self._vector(), self.document_id, is_byte=self.is_byte)
        except InvalidArgument:
            if not self.is_optional:
                raise
            return b"null"

    def _vector(self) -> Embeddings:
        vectors = [each.content.vector() for each in self.contents]
        vector = vectors[0]
        if len(vectors) > 1:
            vector = combine(np.stack(vectors), [each.weight for each in self.contents], normalize=True)
            if not vector.any():
                raise InvalidArgument("the weighted vectors of the sources cancel each other out")
        return vector


@dataclass(frozen=True, slots=True)
class MadeEntry:
    """What stands in one entry of a list beside its vector, and the vector's key, which may be a path."""

    content: Vector
    beside: Mapping[str, str]


class MadeEntries(Made):
    """A list with an object for each content: its vector under ``key``, a path, and strings beside it."""

    __slots__ = ("document_id", "entries", "is_byte", "key")

    def __init__(self, entries: Sequence[MadeEntry], key: str, document_id: str, *, is_byte: bool = False) -> None:
        super().__init__()
        self.entries = entries
        self.key = key
        self.document_id = document_id
        self.is_byte = is_byte

    def text(self, data: bytes = b"") -> bytes:
        """Raises what `Vector.vector` raises."""
        return b"[%b]" % b",".join(self._entry(number, entry) for number, entry in enumerate(self.entries))

    def _entry(self, number: int, entry: MadeEntry) -> bytes:
        members = [member_text(key, text) for key, text in entry.beside.items()]
        vector = stored_text(entry.content.vector(), f"{self.document_id}#{number}", is_byte=self.is_byte)
        keys = self.key.split(".")
        opening = b":{".join(map(quoted, keys))
        return b"{%b}" % b",".join([*members, b"%b:%b%b" % (opening, vector, b"}" * (len(keys) - 1))])


class MadeMembers(Made):
    """An object of values that are made, as the one beside a ``semantic`` field."""

    __slots__ = ("members",)

    def __init__(self, members: Mapping[str, Made]) -> None:
        super().__init__()
        self.members = members

    def text(self, data: bytes = b"") -> bytes:
        """Raises what the members' text raises."""
        return b"{%b}" % b",".join(member_text(key, made.text()) for key, made in self.members.items())


def stored_text(vector: Embeddings, document_id: str, *, is_byte: bool = False) -> bytes:
    """A vector as it is stored: apart from those of equal contents in other documents (`distinct`)."""
    if is_byte:
        return bytes(orjson.dumps(as_bytes(vector).astype(np.int8), option=orjson.OPT_SERIALIZE_NUMPY))
    return vector_text(distinct(vector, document_id))
