"""What is done to the documents of each target of a request, made up once for each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sidecar.embedding.model_table import first_prefix
from sidecar.native.addressing import concrete_index
from sidecar.native.declarations.declaration import IndexFacts
from sidecar.native.declarations.processors import IngestProcessor
from sidecar.native.declarations.stored import is_of_other_face
from sidecar.native.parts import NativeCall
from sidecar.native.targets import is_clusters_own
from sidecar.native.writes.declared import DocumentModel, declared_step
from sidecar.native.writes.other_face import chunked_fields
from sidecar.native.writes.processing import processor_step
from sidecar.native.writes.steps import WriteStep

NO_PIPELINE = "_none"
_REQUIRE_ALIAS = "require_alias"


@dataclass(frozen=True, slots=True)
class Recipe:
    """The steps for documents of one target, in order. ``index`` is the concrete index that they are written to."""

    index: str
    steps: Sequence[WriteStep]

    @property
    def vectors(self) -> list[str]:
        """The paths of all vectors that are computed."""
        return [path for step in self.steps for path in step.vectors]


class Recipes:
    """Finds the recipes of one request; for one thread."""

    def __init__(self, call: NativeCall) -> None:
        self._parts = call.parts
        self._request = call.request
        self._found: dict[tuple[str, str | None], Recipe | None] = {}
        self._facts: dict[str, IndexFacts | None] = {}

    def address(self, target: str) -> str | None:
        """The index that a write is to name in place of a target, which may lead elsewhere by then; None where it is to
        stay as it is."""
        facts = self._facts_of(target)
        return None if facts is None or _REQUIRE_ALIAS in self._request.parameters else concrete_index(target, facts)

    def are_current(self) -> bool:
        """False where a target that was an index's own name is an alias by now: then recipes are to be found anew."""
        for target, facts in self._facts.items():
            if facts is not None and facts.name == target:
                now = self._parts.metadata.write_target(target, self._request)
                if now is not None and now.name != target:
                    return False
        return True

    def of(self, target: str, pipeline: str | None) -> Recipe | None:
        """The recipe for an index, alias or data stream, and the pipeline that an action or a request names.

        None where nothing is computed there. Raises: UnknownModel where the model of a declaration is not served any
        more, what loading a model of the other face raises, what the cluster's calls raise.
        """
        key = (target, pipeline)
        if key not in self._found:
            self._found[key] = self._read(target, pipeline)
        return self._found[key]

    def _read(self, target: str, pipeline: str | None) -> Recipe | None:
        facts = self._facts_of(target)
        processors = self.processors(facts, pipeline)
        steps = self.steps_of(processors)
        if facts is not None:
            if facts.state is not None:
                steps += chunked_fields(facts, facts.state, self._parts.embedder.document_parts())
            for declaration in facts.declarations:
                if not is_of_other_face(declaration.vector):
                    field = facts.vector_fields.get(declaration.vector)
                    is_byte = field is not None and field.data_type == "byte"
                    steps.append(declared_step(declaration, self._model(declaration.model, is_byte=is_byte)))
        if not steps:
            return None
        return Recipe(target if facts is None else facts.name, steps)

    def _facts_of(self, target: str) -> IndexFacts | None:
        if target not in self._facts:
            is_own = is_clusters_own(target)
            self._facts[target] = None if is_own else self._parts.metadata.write_target(target, self._request)
        return self._facts[target]

    def processors(self, facts: IndexFacts | None, pipeline: str | None) -> list[IngestProcessor]:
        """The sidecar's own processors of the pipelines that hold: the one that is named, else the index's default;
        then the index's final one."""
        default, final = (None, None) if facts is None else (facts.default_pipeline, facts.final_pipeline)
        names = [default if pipeline is None else pipeline, final]
        return [
            processor
            for name in names
            if name and name != NO_PIPELINE
            for processor in self._parts.pipelines.ingest(name, self._request)
        ]

    def steps_of(self, processors: Iterable[IngestProcessor]) -> list[WriteStep]:
        """The steps that carry out processors. Raises: UnknownModel where a model is not served any more."""
        return [processor_step(processor, self._model) for processor in processors]

    def _model(self, name: str, *, is_byte: bool = False) -> DocumentModel:
        spec = self._parts.embedder.spec(name)
        return DocumentModel(spec, first_prefix(spec.text_chunk_prefix), is_byte)
