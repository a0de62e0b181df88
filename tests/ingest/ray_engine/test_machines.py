import pytest

from sidecar.errors import ConfigurationError, HardwareUnavailable
from sidecar.ingest.ray_engine.machines import Machine, WorkerSize, check_reach, default_workers, worker_size


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


def test_an_address_of_each_machine_itself_is_refused_where_there_are_several() -> None:
    check_reach([Machine(2)], "http://127.0.0.1:9200")
    check_reach([Machine(2), Machine(2)], "http://user:pass@search.example:9200")
    with pytest.raises(ConfigurationError, match=r"OpenSearch is at 127\.0\.0\.1, .* Ray's 2 machines"):
        check_reach([Machine(2), Machine(2)], "http://user:secret@127.0.0.1:9200")
