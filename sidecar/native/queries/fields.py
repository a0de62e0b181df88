"""What the name in a ``neural`` query stands for in the indexes that are searched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sidecar.native.declarations.declaration import Declaration, IndexFacts, VectorField
from sidecar.native.declarations.processors import SearchPipeline
from sidecar.native.embedder import NativeEmbedder, QueryModel
from sidecar.native.errors import ILLEGAL_ARGUMENT, Refused
from sidecar.native.queries.grammar import NEURAL


class NotServed(Exception):
    """A ``neural`` or ``hybrid`` query is none of the sidecar's, so that the body is the cluster's as it is."""


@dataclass(frozen=True, slots=True)
class SearchedField:
    """The vectors that a name stands for, several where indexes differ, and what embeds queries of them.

    ``is_everywhere`` is False where an index has none of them.
    """

    vectors: tuple[VectorField, ...]
    model: QueryModel
    is_everywhere: bool


class FieldResolver:
    """Finds the vectors and the model behind names in one request's indexes.

    With ``has_remote`` there are indexes in other clusters too, of which nothing is known: then only queries that name
    their model are served.
    """

    def __init__(
        self, embedder: NativeEmbedder, facts: Sequence[IndexFacts], pipeline: SearchPipeline, *, has_remote: bool
    ) -> None:
        self._embedder = embedder
        self._facts = facts
        self._pipeline = pipeline
        self._has_remote = has_remote

    def resolve(self, name: str, model_id: str | None) -> SearchedField:
        """What a name stands for, as a vector's own path or as the field that one is computed from.

        Raises: NotServed; Refused where the indexes have different models, or where the model asked for is not known.
        """
        declared = {} if self._has_remote else self._declared(name)
        if declared:
            return self._of_declarations(name, model_id, declared)
        return self._of_model(name, model_id)

    def _declared(self, name: str) -> dict[str, Declaration]:
        """The declaration of each index that has one behind the name; none where one index has several."""
        found: dict[str, Declaration] = {}
        for facts in self._facts:
            own = [one for one in facts.declarations if one.vector == name] or [
                one for one in facts.declarations if any(source.field == name for source in one.sources)
            ]
            if len(own) > 1:
                return {}
            for one in own:
                found[facts.name] = one
        return found

    def _of_declarations(self, name: str, model_id: str | None, declared: Mapping[str, Declaration]) -> SearchedField:
        asked = model_id or (self._pipeline.model_of_field or {}).get(name)
        if asked is not None:
            if not self._embedder.serves(asked):
                raise Refused(ILLEGAL_ARGUMENT, f"[{NEURAL}] query on [{name}] names an unknown model_id [{asked}]")
            first = next(iter(declared.values()))
            model = replace(self._embedder.query_model(asked), normalize=first.normalize, as_bytes=first.as_bytes)
        else:
            model = self._one_model(name, declared)
        vectors = dict.fromkeys(VectorField(one.vector, one.dimensions, one.nested) for one in declared.values())
        return self._searched(tuple(vectors), model)

    def _one_model(self, name: str, declared: Mapping[str, Declaration]) -> QueryModel:
        models: dict[QueryModel, str] = {}
        for index, declaration in declared.items():
            models.setdefault(self._embedder.query_model_of(declaration), index)
        if len(models) > 1:
            told = ", ".join(f"[{model.spec.name}] in [{index}]" for model, index in models.items())
            raise Refused(ILLEGAL_ARGUMENT, f"[{NEURAL}] query on [{name}] meets different models: {told}")
        return next(iter(models))

    def _of_model(self, name: str, model_id: str | None) -> SearchedField:
        asked = model_id or (self._pipeline.model_of_field or {}).get(name) or self._pipeline.default_model
        if asked is None or not self._embedder.serves(asked):
            raise NotServed
        model = self._embedder.query_model(asked)
        mapped = (facts.vector_fields[name] for facts in self._facts if name in facts.vector_fields)
        vectors = tuple(dict.fromkeys(mapped))
        if self._has_remote and not vectors:
            vectors = (VectorField(name, model.spec.dimensions),)
        if not vectors or any(field.dimensions != model.spec.dimensions for field in vectors):
            raise NotServed
        return self._searched(vectors, replace(model, as_bytes=vectors[0].data_type == "byte"))

    def _searched(self, vectors: tuple[VectorField, ...], model: QueryModel) -> SearchedField:
        is_everywhere = len(vectors) == 1 and all(vectors[0].path in facts.vector_fields for facts in self._facts)
        return SearchedField(vectors, model, is_everywhere)
