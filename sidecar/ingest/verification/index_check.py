"""What is looked at in one index, from all that it declares."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sidecar.errors import InvalidArgument, UnknownModel
from sidecar.indexing.field_rules import rules_of_texts
from sidecar.ingest.backfill import names_of
from sidecar.ingest.stored_documents import StoredDocument
from sidecar.ingest.targets import BackfillTarget, pipeline_declarations
from sidecar.ingest.verification.declared import DeclaredCheck
from sidecar.ingest.verification.embeddings import EmbeddingsCheck
from sidecar.ingest.verification.options import VerificationOptions
from sidecar.ingest.verification.parts import VerificationParts
from sidecar.ingest.verification.problems import Finding, Problem
from sidecar.native.declarations.declaration import IndexFacts
from sidecar.native.declarations.facts import index_facts
from sidecar.native.declarations.stored import FIELDS_KEY, is_of_other_face, own_meta
from sidecar.native.targets import index_target
from sidecar.opensearch.embedded_paths import field_of_key, vector_path
from sidecar.opensearch.index_state import IndexState, stores_vectors
from sidecar.opensearch.mapping_builder import CUSTOM_VECTOR
from sidecar.opensearch.transport import Request


@dataclass(frozen=True)
class IndexCheck:
    """One concrete index. ``of_fields`` are problems of its mapping. Where it ``stores_vectors``, a document is read
    as it was sent."""

    facts: IndexFacts
    shards: int
    stores_vectors: bool
    of_fields: tuple[Finding, ...]
    embeddings: EmbeddingsCheck | None
    declared: DeclaredCheck | None

    @property
    def patterns(self) -> list[str]:
        """What must be read of a document; empty where the index has no vectors of the sidecar."""
        return sorted({path for check in (self.embeddings, self.declared) if check for path in check.patterns})

    def findings(self, document: StoredDocument) -> list[Finding]:
        """What is wrong with the document."""
        return [finding for check in (self.embeddings, self.declared) if check for finding in check.findings(document)]

    def lines(self, document: StoredDocument, fields: Collection[str]) -> bytes:
        """The bulk lines by which the native face mends these fields of the document."""
        members, sent = [], frozenset[str]()
        if self.declared is not None:
            members, sent = self.declared.members(document, fields), names_of(self.declared.target)
        if self.embeddings is not None:
            own = [field for field in fields if field in self.embeddings.fields]
            members += self.embeddings.members(document, own, sent=sent)
        return document.update_of(self.facts.name, members)


def read_checks(parts: VerificationParts, options: VerificationOptions) -> list[IndexCheck]:
    """What is to be checked of each concrete index behind the name.

    Raises: IndexNotFound; InvalidArgument where nothing there is embedded, or no index embeds a field that is asked
    for; UnknownModel, and what loading a model raises, where its rules decide what vectors must be like.
    """
    answer = parts.cluster.ask("read_index", Request("GET", index_target(options.index)), options.index)
    checks = [_read_check(parts, name, told, options.fields) for name, told in answer.items()]
    checks = [check for check in checks if check.patterns or check.of_fields]
    known = {field for check in checks for field in _names(check)}
    missing = [field for field in options.fields if field not in known]
    if missing or not checks:
        wanted = f"embedded field '{missing[0]}'" if missing else "field of which there are vectors"
        all_names = {field for name, told in answer.items() for field in _names(_read_check(parts, name, told, ()))}
        there = f". There are: {', '.join(sorted(all_names))}" if all_names else ""
        raise InvalidArgument(f"'{options.index}' has no {wanted}: nothing can be verified{there}.")
    return checks


def _names(check: IndexCheck) -> Iterator[str]:
    yield from (finding.field for finding in check.of_fields)
    if check.embeddings is not None:
        yield from check.embeddings.fields
    if check.declared is not None:
        yield from (one.vector for one in check.declared.target.chosen)


def _read_check(parts: VerificationParts, name: str, told: Mapping[str, Any], fields: Collection[str]) -> IndexCheck:
    facts = index_facts(name, told)
    mapping = told.get("mappings") or {}
    settings = told["settings"]["index"]
    return IndexCheck(
        facts,
        int(settings["number_of_shards"]),
        stores_vectors(settings),
        tuple(one for one in _of_fields(parts, facts, mapping) if not fields or one.field in fields),
        None if facts.state is None else _embeddings(parts, facts, facts.state, fields),
        _declared(parts, facts, BackfillTarget(name, settings["uuid"], mapping, (), ()), fields),
    )


def _of_fields(parts: VerificationParts, facts: IndexFacts, mapping: Mapping[str, Any]) -> Iterator[Finding]:
    for path in own_meta(mapping).get(FIELDS_KEY, {}):
        if path not in facts.vector_fields:
            yield Finding(_field_of(path), Problem.UNMAPPED, is_of_other_face(path) and facts.state is not None)
    if facts.state is not None:
        yield from (Finding(field, Problem.MAPPED_OTHERWISE) for field in _misfits(facts, facts.state))
    for declaration in facts.declarations:
        if not is_of_other_face(declaration.vector):
            try:
                dimensions = parts.embedder.spec(declaration.model).dimensions
            except UnknownModel:
                continue
            if dimensions != declaration.dimensions:
                yield Finding(declaration.vector, Problem.MAPPED_OTHERWISE)


def _field_of(path: str) -> str:
    """The field of the other face whose vectors have that path; any other path itself."""
    return field_of_key(path.split(".")[1]) if is_of_other_face(path) else path


def _misfits(facts: IndexFacts, state: IndexState) -> list[str]:
    paths = {field: facts.vector_fields.get(vector_path(field)) for field in state.embedded_fields}
    return [field for field, one in paths.items() if one is not None and one.dimensions != state.dimensions_of(field)]


def _embeddings(
    parts: VerificationParts, facts: IndexFacts, state: IndexState, fields: Collection[str]
) -> EmbeddingsCheck | None:
    chosen = tuple(field for field in state.embedded_fields if not fields or field in fields)
    if not chosen:
        return None
    documents = parts.embedder.document_parts()
    embedded = [field for field in chosen if state.kind_of(field) != CUSTOM_VECTOR]
    rules = rules_of_texts(
        state.settings, documents.table, embedded, device=documents.device, load=documents.engine.models.get
    )
    return EmbeddingsCheck(state, chosen, rules.of, frozenset(_misfits(facts, state)))


def _declared(
    parts: VerificationParts, facts: IndexFacts, target: BackfillTarget, fields: Collection[str]
) -> DeclaredCheck | None:
    declared = (*facts.declarations, *pipeline_declarations(parts.cluster, facts))
    chosen = tuple(one for one in declared if not is_of_other_face(one.vector) and (not fields or one.vector in fields))
    if not chosen:
        return None
    return DeclaredCheck(
        BackfillTarget(target.name, target.uuid, target.mapping, declared, chosen), facts.vector_fields
    )
