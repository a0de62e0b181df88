"""Loading models, with each load counted and timed, whether a request asked for it or not."""

from __future__ import annotations

import time
from collections.abc import Callable

from sidecar.embedding.loader import Loader
from sidecar.embedding.model_spec import ModelSpec
from sidecar.metrics import Metrics
from sidecar.observation.request import counted_in

LoadModel = Callable[[ModelSpec], Loader]


def counted_loading(load: LoadModel, metrics: Metrics) -> LoadModel:
    """``load``, whose loads these metrics count; what it converts meanwhile, they count too."""

    def counted(spec: ModelSpec) -> Loader:
        started = time.monotonic()
        outcome = "failed"
        try:
            with counted_in(metrics):
                loader = load(spec)
            outcome = "ok"
            return loader
        finally:
            metrics.model_loads.labels(outcome).observe(time.monotonic() - started)

    return counted
