"""A ``neural`` query in the cluster's own words: ``knn``, in ``nested`` where the vectors lie in nested entries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import orjson

from sidecar.native.declarations.declaration import VectorField
from sidecar.native.errors import PARSING, Refused
from sidecar.native.json.edits import Edit, cut
from sidecar.native.json.spans import Member
from sidecar.native.queries.clause import FILTER, IMAGE, MODEL, OUTER, TEXT, NeuralClause
from sidecar.native.queries.fields import SearchedField
from sidecar.native.queries.grammar import NEURAL
from sidecar.opensearch.client import Version

DEFAULT_K: Final = b'"k":10'
"""Of a query that limits its hits in no way, as the neural-search plugin has it."""
IGNORE_UNMAPPED: Final = b'"ignore_unmapped":true'
_SINCE: Final[dict[str, Version]] = {
    "method_parameters": (2, 16, 0),
    "rescore": (2, 17, 0),
    "expand_nested_docs": (2, 19, 0),
}
"""Parameters of ``knn`` that only change how it searches, and the first version that has each."""
_RADIAL: Final = ("min_score", "max_distance")
_RADIAL_SINCE: Final[Version] = (2, 14, 0)
_IGNORE_UNMAPPED_SINCE: Final[Version] = (2, 11, 0)


@dataclass(frozen=True, slots=True)
class KnnWriter:
    """Writes ``knn`` queries for a cluster of that version."""

    version: Version

    def member(
        self, read: NeuralClause, searched: SearchedField, vector: bytes, *, data: bytes, inner: Sequence[Edit]
    ) -> bytes:
        """The member of a query object that stands in place of the ``neural`` one; ``inner`` changes its filter.

        Every parameter that is kept keeps its bytes. Raises: Refused for a parameter that the cluster is too old for
        and that can't be left out.
        """
        forms = [_Form(field, _is_inside(read.clause.nested, field.nested)) for field in searched.vectors]
        is_wrapped = len(forms) > 1 or not forms[0].is_plain
        parameters = self._parameters(read, vector, data=data, inner=inner, keeps_outer=not is_wrapped)
        outer = [_bytes(member, data) for member in read.parameters.members if is_wrapped and member.key in OUTER]
        ignores = not searched.is_everywhere and self.version >= _IGNORE_UNMAPPED_SINCE
        extra = [IGNORE_UNMAPPED] if ignores else []
        if len(forms) == 1:
            return forms[0].text([*parameters, *extra], [*outer, *extra])
        queries = b",".join(b"{%b}" % form.text([*parameters, *extra], extra) for form in forms)
        return b'"dis_max":{%b}' % b",".join([b'"queries":[%b]' % queries, *outer])

    def _parameters(
        self, read: NeuralClause, vector: bytes, *, data: bytes, inner: Sequence[Edit], keeps_outer: bool
    ) -> list[bytes]:
        """The members of the ``knn`` query's own object, the vector where the text or image stood."""
        texts = []
        has_vector = False
        for member in read.parameters.members:
            if member.key in (TEXT, IMAGE):
                texts += [] if has_vector else [b'"vector":' + vector]
                has_vector = True
            elif member.key == FILTER:
                texts.append(
                    data[member.key_start : member.value.start] + cut(data, inner, member.value.start, member.value.end)
                )
            elif keeps_outer if member.key in OUTER else self._is_kept(member):
                texts.append(_bytes(member, data))
        return texts if read.has_limit else [*texts, DEFAULT_K]

    def _is_kept(self, member: Member) -> bool:
        if member.key in _RADIAL and self.version < _RADIAL_SINCE:
            raise Refused(PARSING, f"[{NEURAL}] query does not support [{member.key}]")
        return member.key != MODEL and self.version >= _SINCE.get(member.key, (0, 0, 0))


@dataclass(frozen=True, slots=True)
class _Form:
    """One way to search: the field, and whether a query around it enters its nested entries already."""

    field: VectorField
    is_inside: bool

    @property
    def is_plain(self) -> bool:
        return self.field.nested is None or self.is_inside

    def text(self, parameters: Sequence[bytes], outer: Sequence[bytes]) -> bytes:
        knn = b'"knn":{%b:{%b}}' % (orjson.dumps(self.field.path), b",".join(parameters))
        if self.is_plain:
            return knn
        head = [b'"path":' + orjson.dumps(self.field.nested), b'"score_mode":"max"', *outer]
        return b'"nested":{%b}' % b",".join([*head, b'"query":{%b}' % knn])


def _bytes(member: Member, data: bytes) -> bytes:
    return data[member.key_start : member.value.end]


def _is_inside(around: str | None, nested: str | None) -> bool:
    """True where what stands in the entries of the nested path ``around`` is in those of ``nested`` already."""
    return around is not None and nested is not None and (around == nested or around.startswith(f"{nested}."))
