"""The names under which telemetry tells of a search's stages."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

from sidecar import telemetry
from sidecar.searching.request import SearchMethod


@dataclass(frozen=True, slots=True)
class Stages:
    """``scope`` and ``kind`` are what clients know the parts of a name by."""

    scope: str
    kind: str
    call: str

    @classmethod
    def of_one(cls, method: SearchMethod) -> Stages:
        """The stages of a single search."""
        if method is SearchMethod.LEXICAL:
            return cls("search", "lexical", "search.opensearch._search")
        return cls("search", "vector", "search.opensearch._msearch")

    @classmethod
    def of_many(cls) -> Stages:
        """The stages of several searches in one request."""
        return cls("bulk_search", "vector", "search.opensearch._msearch")

    def inference(self) -> AbstractContextManager[None]:
        """While the query vectors are made, which a search by words has none of."""
        if self.kind == "lexical":
            return nullcontext()
        return telemetry.timed(f"{self.scope}.{self.kind}_inference_full_pipeline")

    def before_cluster(self) -> AbstractContextManager[None]:
        """While the queries are built."""
        return telemetry.timed(f"{self.scope}.{self.kind}.processing_before_opensearch")

    def cluster(self) -> AbstractContextManager[None]:
        """While the cluster searches."""
        return telemetry.timed(self.call)

    def after_cluster(self) -> AbstractContextManager[None]:
        """While the hits are read."""
        return telemetry.timed(f"{self.scope}.{self.kind}.postprocess")

    def rerank(self) -> AbstractContextManager[None]:
        """While another model orders the hits anew."""
        return telemetry.timed(f"{self.scope}.rerank")

    def add_took(self, ms: float) -> None:
        """The time that the cluster says it took, in milliseconds."""
        telemetry.add_ms(f"{self.call}.internal", ms)
