"""Threads that work for requests in the background log and count under the request that they work for."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator

import pytest

from sidecar.embedding.engine import EmbeddingEngine, EngineLimits
from sidecar.embedding.loader import Modality
from sidecar.embedding.model_cache import ModelCache
from sidecar.embedding.model_table import ModelTable
from sidecar.errors import ModelFailed
from sidecar.metrics import Metrics
from sidecar.observation.kinds import Asked, SlowLimits, Work
from sidecar.observation.request import Observation, Observer
from tests.embedding.faulty_loader import POISON, FaultyLoader

SPEC = ModelTable().resolve("random/small")


class Engine:
    """An engine whose model can be held up, and requests to it."""

    def __init__(self) -> None:
        self.metrics = Metrics()
        self.loader = FaultyLoader()
        limits = EngineLimits(threads=1, queue_texts=100, query_vectors=0)
        self.engine = EmbeddingEngine(ModelCache(lambda spec: self.loader, 1.0), limits, self.metrics)
        self._observer = Observer(self.metrics, slow_limits=SlowLimits({}))

    def begin(self, number: str) -> Observation:
        asked = Asked("indexes", "/indexes/<index>/documents", "POST", "/", Work.DOCUMENTS)
        return self._observer.begin(asked, number, lambda name: None)

    def seconds(self, stage: str) -> float:
        labels = {"work": "documents", "stage": stage}
        return self.metrics.registry.get_sample_value("sidecar_stage_seconds_sum", labels) or 0.0


@pytest.fixture
def held() -> Iterator[Engine]:
    made = Engine()
    yield made
    made.loader.may_run.set()
    made.engine.close()


def test_a_batch_that_fails_is_logged_under_each_request_that_it_was_for(held: Engine, logged: io.StringIO) -> None:
    futures = []
    for number in ("first", "second"):
        observation = held.begin(number)
        futures.append(held.engine.submit(SPEC, [POISON]))
        observation.leave()
    for future in futures:
        with pytest.raises(ModelFailed, match="the model choked"):
            future.result(30)
    found = re.findall(r"ERROR sidecar\.embedding\.engine a batch failed texts=\d+ request_id=(\w+)", logged.getvalue())
    assert sorted(found) == ["first", "second"]


def test_time_in_the_queue_is_not_time_of_the_model(held: Engine) -> None:
    held.loader.may_run.clear()
    before = held.begin("before")
    first = held.engine.submit(SPEC, ["a"])
    held.loader.wait_until_begun()
    before.leave()
    behind = held.begin("behind")
    second = held.engine.submit_prepared(held.loader, Modality.TEXT, held.loader.prepare_text(["b " * 40]))
    behind.leave()
    with pytest.raises(TimeoutError):
        second.result(0.2)
    held.loader.may_run.set()
    first.result(30)
    second.result(30)
    assert held.seconds("queue") > 0.19
    assert held.seconds("embed") > 0.19, "the first was held up by the model"
    assert held.seconds("queue") + held.seconds("embed") < 2
