import pytest

from sidecar.errors import HardwareUnavailable
from sidecar.ingest.ray_engine.worker_size import Machine, WorkerSize, default_workers, worker_size


@pytest.mark.parametrize(
    ("processors", "workers", "threads", "counted"),
    [
        ([2], 2, 1, 1),
        ([2], 1, 2, 2),
        ([16], 3, 5, 5),
        ([8, 8], 3, 4, 4),
        ([8, 0, 2], 2, 4, 4),
        ([2], 3, 1, 0.5),
        ([1], 3, 1, 1 / 3),
    ],
)
def test_workers_are_as_large_as_fits(processors: list[int], workers: int, threads: int, counted: float) -> None:
    machines = [Machine(each) for each in processors]
    assert worker_size(machines, workers, "") == WorkerSize(threads, counted, 0)


@pytest.mark.parametrize(("gpus", "workers", "each"), [(2, 2, 1), (4, 2, 1), (1, 2, 0.5), (2, 3, 0.5)])
@pytest.mark.parametrize("device", ["", "cuda", "cuda:1"])
def test_workers_get_gpus_where_there_are_any(gpus: int, workers: int, each: float, device: str) -> None:
    assert worker_size([Machine(8, gpus)], workers, device).gpus == each


def test_workers_get_no_gpus_where_the_device_is_the_processor() -> None:
    assert worker_size([Machine(8, 2)], 2, "cpu").gpus == 0


def test_cuda_without_a_gpu_is_refused() -> None:
    with pytest.raises(HardwareUnavailable, match="no GPU"):
        worker_size([Machine(8)], 2, "cuda")


@pytest.mark.parametrize(
    ("machines", "device", "workers"),
    [
        ([Machine(2)], "", 1),
        ([Machine(9), Machine(16), Machine(0)], "", 6),
        ([Machine(16, 2), Machine(16, 1)], "", 3),
        ([Machine(16, 2)], "cpu", 4),
    ],
)
def test_without_a_number_there_is_a_worker_for_each_gpu_or_every_four_processors(
    machines: list[Machine], device: str, workers: int
) -> None:
    assert default_workers(machines, device) == workers
