"""The models in this process's memory: each loaded once, however many ask; the least recently used goes first."""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, replace

from sidecar.embedding.loader import Loader
from sidecar.embedding.model_spec import ModelSpec
from sidecar.errors import ModelCacheManagementError, ModelNotInCache
from sidecar.metrics import ModelInMemory
from sidecar.observation.kinds import Stage
from sidecar.observation.stages import stage

logger = logging.getLogger(__name__)

GIGABYTE = 1024**3
_Identity = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A model in memory, the device it is on, and the names it was asked for by."""

    names: frozenset[str]
    device: str
    loader: Loader
    size_bytes: int


class ModelCache:
    """Loads models on first use and evicts within a memory budget, which each device has for itself."""

    def __init__(
        self, load: Callable[[ModelSpec], Loader], budget_gigabytes: float, *, cuda_gigabytes: float | None = None
    ) -> None:
        self._load = load
        self._budget_bytes = int(budget_gigabytes * GIGABYTE)
        self._cuda_bytes = self._budget_bytes if cuda_gigabytes is None else int(cuda_gigabytes * GIGABYTE)
        self._lock = threading.Lock()
        self._models: OrderedDict[_Identity, LoadedModel] = OrderedDict()
        self._loading: dict[_Identity, Future[Loader]] = {}

    def get(self, spec: ModelSpec) -> Loader:
        """The loaded model; the first caller loads it, the others wait for that.

        Raises: ModelLoadError and its like for all who wait; the next call tries again.
        """
        with self._lock:
            model = self._models.get(spec.identity)
            if model is not None:
                self._models.move_to_end(spec.identity)
                if spec.name not in model.names:
                    self._models[spec.identity] = replace(model, names=model.names | {spec.name})
                return model.loader
            future = self._loading.get(spec.identity)
            is_first = future is None
            if future is None:
                future = self._loading[spec.identity] = Future()
        with stage(Stage.LOAD, spec.name):
            if is_first:
                self._load_into(future, spec)
            return future.result()

    def loaded(self) -> list[tuple[str, str]]:
        """(model name, device) of every name whose model is in memory."""
        with self._lock:
            return [(name, model.device) for model in self._models.values() for name in sorted(model.names)]

    def in_memory(self) -> list[ModelInMemory]:
        """Every model in memory, by the first of its names."""
        with self._lock:
            return [ModelInMemory(min(one.names), one.device, one.size_bytes) for one in self._models.values()]

    def name_of(self, loader: Loader) -> str:
        """The name of a model in memory; empty where it is not there any more."""
        with self._lock:
            return next((min(one.names) for one in self._models.values() if one.loader is loader), "")

    @property
    def budgets(self) -> dict[str, int]:
        """The bytes that models may have on a device of each kind."""
        return {"cpu": self._budget_bytes, "cuda": self._cuda_bytes}

    def used_bytes(self) -> int:
        """Memory of all loaded models, as estimated by their loaders."""
        with self._lock:
            return sum(model.size_bytes for model in self._models.values())

    def eject(self, name: str, device: str) -> None:
        """Forget the model of that name; it is loaded again at its next use. Raises: ModelNotInCache."""
        with self._lock:
            for identity, model in self._models.items():
                if name in model.names and device == model.device:
                    del self._models[identity]
                    return
        raise ModelNotInCache(f"model {name!r} is not loaded on device {device!r}; GET /models lists what is")

    def _load_into(self, future: Future[Loader], spec: ModelSpec) -> None:
        started = time.monotonic()
        try:
            loader = self._load(spec)
            size = int(spec.size_gigabytes * GIGABYTE) if spec.size_gigabytes else loader.memory_bytes
            with self._lock:
                self._make_room_locked(spec, size)
                self._models[spec.identity] = LoadedModel(frozenset({spec.name}), spec.device, loader, size)
                del self._loading[spec.identity]
        except BaseException as error:
            with self._lock:
                self._loading.pop(spec.identity, None)
            future.set_exception(error)
            return
        seconds = time.monotonic() - started
        logger.info("loaded model name=%s backend=%s seconds=%.2f", spec.name, loader.backend, seconds)
        future.set_result(loader)

    def _make_room_locked(self, spec: ModelSpec, size_bytes: int) -> None:
        is_cuda = spec.device.startswith("cuda")
        budget = self._cuda_bytes if is_cuda else self._budget_bytes
        if size_bytes > budget:
            setting = "SIDECAR_CUDA_MODEL_MEMORY" if is_cuda else "SIDECAR_MODEL_MEMORY"
            raise ModelCacheManagementError(
                f"model {spec.name!r} needs {size_bytes / GIGABYTE:.2f} GB; all models together may have "
                f"{budget / GIGABYTE:.2f} GB. Raise {setting} or choose a smaller model"
            )
        # The least recently used first.
        beside = [(identity, model) for identity, model in self._models.items() if model.device == spec.device]
        room = budget - sum(model.size_bytes for _, model in beside)
        for identity, evicted in beside:
            if room >= size_bytes:
                return
            room += evicted.size_bytes
            del self._models[identity]
            logger.info("evicted model names=%s", ",".join(sorted(evicted.names)))
