"""Evaluations in this process, of sidecars in processes of their own."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sidecar.cli.evaluate_served import served_sidecar
from sidecar.embedding.model_table import ModelTable
from sidecar.evaluation.choices import Grid, complete_all, expand
from sidecar.evaluation.data.collection import Collection
from sidecar.evaluation.models import Models
from sidecar.evaluation.output_folder import OutputFolder
from sidecar.evaluation.parts import EvaluationParts, read_cluster_uuid
from sidecar.evaluation.results import Evaluation, Outcome
from sidecar.evaluation.run import RunOptions, run_evaluation
from sidecar.evaluation.sidecar_http import ServedSidecar
from sidecar.given_settings import load_settings
from sidecar.opensearch.bulk_writer import BulkWriter
from sidecar.opensearch.client import Cluster
from sidecar.opensearch.index_states import IndexStates

SMALL = "random/small"


@dataclass
class Told:
    """An `EvaluationProgress` that remembers. ``interrupt_at`` names a stage, in which the evaluation is stopped as by
    Ctrl-C at its first step that is done."""

    notes: list[str] = field(default_factory=list)
    stages: list[str] = field(default_factory=list)
    interrupt_at: str | None = None

    def stage(self, title: str, total: int | None = None) -> None:
        self.stages.append(title)

    def done(self, steps: int) -> None:
        if steps and self.interrupt_at is not None and self.stages[-1].startswith(self.interrupt_at):
            raise KeyboardInterrupt

    def note(self, text: str) -> None:
        self.notes.append(text)


class Evaluations:
    """Evaluates on one cluster with one home folder."""

    def __init__(self, cluster: Cluster, url: str, home: Path, properties: Mapping[str, Any] | None = None) -> None:
        self.cluster = cluster
        self.home = home
        self.models = Models(ModelTable(), properties or {})
        self._settings = load_settings(opensearch_url=url, home=home)

    def run(
        self,
        collection: Collection,
        grid: Grid,
        output: Path,
        *,
        told: Told | None = None,
        options: RunOptions | None = None,
    ) -> Evaluation:
        """One evaluation, as the command does it."""
        choices = complete_all(expand(grid), self.models, collection.kind)
        parts = self.parts(collection, told or Told())
        return run_evaluation(parts, collection, choices, OutputFolder(output), options or RunOptions())

    def parts(self, collection: Collection, told: Told) -> EvaluationParts:
        """What the command would hand to it."""
        folder = self.home / "evaluation"
        folder.mkdir(parents=True, exist_ok=True)
        cluster_uuid = read_cluster_uuid(self.cluster)

        def serve() -> AbstractContextManager[ServedSidecar]:
            return served_sidecar(self._settings, folder, collection.folder)

        return EvaluationParts(
            cluster=self.cluster,
            states=IndexStates(self.cluster),
            bulk=BulkWriter(self.cluster),
            models=self.models,
            serve=serve,
            progress=told,
            folder=folder,
            runtime="test",
            owner=f"{self.home} {cluster_uuid}",
            cluster_uuid=cluster_uuid,
        )

    def indexes(self) -> list[str]:
        """Those of evaluations that are in the cluster."""
        return [name for name in self.cluster.list_indexes() if name.startswith("evaluation-")]


def outcome(evaluation: Evaluation, name: str) -> Outcome:
    """The outcome of the choice of that name."""
    (found,) = [one for one in evaluation.outcomes if one.choice.name == name]
    return found
