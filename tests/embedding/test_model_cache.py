from __future__ import annotations

import gc
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from sidecar.embedding.loader import Loader
from sidecar.embedding.model_cache import ModelCache
from sidecar.embedding.model_spec import CPU, ModelSpec
from sidecar.errors import ModelCacheManagementError, ModelLoadError, ModelNotInCache
from tests.embedding.faulty_loader import FaultyLoader, spec_of


class Loading:
    """Loads faulty loaders, and remembers which."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.may_load = threading.Event()
        self.may_load.set()
        self.begun = threading.Event()
        self.error: Exception | None = None

    def __call__(self, spec: ModelSpec) -> Loader:
        self.names.append(spec.name)
        self.begun.set()
        assert self.may_load.wait(timeout=30)
        if self.error is not None:
            raise self.error
        return FaultyLoader(spec.dimensions)


@pytest.fixture
def loading() -> Loading:
    return Loading()


def names(cache: ModelCache) -> list[str]:
    return [name for name, _ in cache.loaded()]


def test_a_model_is_loaded_once_for_16_threads(loading: Loading) -> None:
    cache = ModelCache(loading, 1)
    loading.may_load.clear()
    with ThreadPoolExecutor(16) as pool:
        futures = [pool.submit(cache.get, spec_of("a")) for _ in range(16)]
        assert loading.begun.wait(timeout=30)
        loading.may_load.set()
        loaders = {id(future.result(timeout=30)) for future in futures}
    assert len(loaders) == 1
    assert loading.names == ["a"]


def test_each_device_has_a_budget_of_its_own(loading: Loading) -> None:
    cache = ModelCache(loading, 1)
    for name, device in (("a", CPU), ("b", "cuda:0"), ("c", CPU), ("d", "cuda:0")):
        cache.get(replace(spec_of(name, gigabytes=0.6), device=device))
    assert cache.loaded() == [("c", CPU), ("d", "cuda:0")]


def test_cuda_devices_have_a_budget_of_their_own(loading: Loading) -> None:
    cache = ModelCache(loading, 1, cuda_gigabytes=0.5)
    cache.get(spec_of("a", gigabytes=0.6))
    with pytest.raises(ModelCacheManagementError, match=r"0.60 GB; .* 0.50 GB. Raise SIDECAR_CUDA_MODEL_MEMORY"):
        cache.get(replace(spec_of("b", gigabytes=0.6), device="cuda:1"))


def test_a_failed_load_fails_for_all_who_wait_and_the_next_try_loads(loading: Loading) -> None:
    cache = ModelCache(loading, 1)
    loading.may_load.clear()
    loading.error = ModelLoadError("no such file")
    with ThreadPoolExecutor(4) as pool:
        first = pool.submit(cache.get, spec_of("a"))
        assert loading.begun.wait(timeout=30)
        others = [pool.submit(cache.get, spec_of("a")) for _ in range(3)]
        loading.may_load.set()
        for future in [first, *others]:
            with pytest.raises(ModelLoadError, match="no such file"):
                future.result(timeout=30)
    assert cache.loaded() == []
    loading.error = None
    assert cache.get(spec_of("a")).dimensions == 8


def test_of_three_models_the_least_recently_used_makes_room(loading: Loading) -> None:
    cache = ModelCache(loading, 1)
    for name in ("a", "b", "a", "c"):
        cache.get(spec_of(name, gigabytes=0.4))
    assert names(cache) == ["a", "c"]
    assert cache.used_bytes() == 2 * int(0.4 * 1024**3)
    cache.get(spec_of("b", gigabytes=0.4))
    assert names(cache) == ["c", "b"]
    assert loading.names == ["a", "b", "c", "b"]


def test_a_large_model_makes_several_go(loading: Loading) -> None:
    cache = ModelCache(loading, 1)
    for name in ("a", "b"):
        cache.get(spec_of(name, gigabytes=0.4))
    cache.get(spec_of("c", gigabytes=0.9))
    assert names(cache) == ["c"]


def test_a_model_beyond_the_budget_is_refused_and_the_others_stay(loading: Loading) -> None:
    cache = ModelCache(loading, 1)
    cache.get(spec_of("a", gigabytes=0.4))
    with pytest.raises(ModelCacheManagementError, match=r"'b' needs 1.50 GB; .* 1.00 GB. Raise SIDECAR_MODEL_MEMORY"):
        cache.get(spec_of("b", gigabytes=1.5))
    assert names(cache) == ["a"]


def test_an_evicted_model_leaves_memory(loading: Loading) -> None:
    cache = ModelCache(loading, 1)
    loader = weakref.ref(cache.get(spec_of("a", gigabytes=0.6)))
    cache.get(spec_of("b", gigabytes=0.6))
    gc.collect()
    assert loader() is None


def test_models_that_give_the_same_vectors_are_one_under_all_their_names(loading: Loading) -> None:
    cache = ModelCache(loading, 1)
    other = ModelSpec("other name", "random", "a", 8, 128, text_query_prefix="q: ")
    assert cache.get(spec_of("a")) is cache.get(other)
    assert cache.loaded() == [("a", CPU), ("other name", CPU)]


def test_ejected_models_are_loaded_anew(loading: Loading) -> None:
    cache = ModelCache(loading, 1)
    cache.get(spec_of("a"))
    cache.eject("a", CPU)
    assert cache.loaded() == []
    for name, device in (("a", CPU), ("b", CPU)):
        with pytest.raises(ModelNotInCache, match=f"'{name}' is not loaded"):
            cache.eject(name, device)
    cache.get(spec_of("a"))
    with pytest.raises(ModelNotInCache, match="'cuda'"):
        cache.eject("a", "cuda")
    assert loading.names == ["a", "a"]
