import pytest

from sidecar.cli.load_parts import open_load_parts
from sidecar.given_settings import load_settings
from sidecar.ingest.loading.plan import LoadPlan
from sidecar.ingest.ray_engine.crew import Crew, CrewWish
from sidecar.ingest.ray_engine.machines import Machine
from sidecar.ingest.shaping.shape import DocumentShape
from sidecar.ingest.sources.options import SourceOptions

TEXTS = DocumentShape(tensor_fields=("title",))
VECTORS = DocumentShape(precomputed={"vector": "title"})


def crew(
    *machines: Machine, workers: int | None = None, device: str = "", shape: DocumentShape = TEXTS, streams: int = 4
) -> Crew:
    wish = CrewWish(load_settings(device=device), open_load_parts, workers)
    return Crew.on(machines, wish, LoadPlan(SourceOptions("rows.jsonl"), "rows", shape, streams=streams))


def test_a_worker_runs_its_model_on_its_share_of_the_processors() -> None:
    settings = crew(Machine(16), workers=3).worker_settings
    assert (settings.embedding_threads, settings.device) == (5, "cpu")


def test_a_worker_runs_its_model_on_the_one_gpu_that_it_sees() -> None:
    found = crew(Machine(16, 2), device="cuda:1")
    assert (found.workers, found.size.gpus, found.worker_settings.device) == (2, 1, "cuda")


@pytest.mark.parametrize(("streams", "workers", "each"), [(8, 2, 4), (4, 2, 2), (4, 16, 2)])
def test_streams_are_shared_out_and_each_worker_has_two_at_least(streams: int, workers: int, each: int) -> None:
    assert crew(Machine(16), workers=workers, streams=streams).streams == each


def test_batches_are_small_where_a_model_embeds_them_on_processors() -> None:
    assert crew(Machine(16)).batch_documents == 100
    assert crew(Machine(16, 1)).batch_documents == 500
    assert crew(Machine(16), shape=VECTORS).batch_documents == 500
