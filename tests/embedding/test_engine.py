from __future__ import annotations

import gc
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, ThreadPoolExecutor

import numpy as np
import pytest

from sidecar.embedding.engine import EmbeddingEngine, EngineLimits
from sidecar.embedding.loader import Loader
from sidecar.embedding.loaders.random import RandomLoader
from sidecar.embedding.model_cache import ModelCache
from sidecar.embedding.model_spec import ModelSpec
from sidecar.embedding.normalizing import normalized
from sidecar.errors import EndpointUnavailable, ModelFailed, ModelHangs, TooManyRequests
from sidecar.metrics import Metrics
from tests.embedding.faulty_loader import DIMENSIONS, POISON, FaultyLoader, spec_of

SPEC = spec_of("a")
RIGHT = RandomLoader(DIMENSIONS)
WAIT = 30


class Loaders:
    """The faulty loaders of an engine, by the model's name."""

    def __init__(self) -> None:
        self.by_name: dict[str, FaultyLoader] = {}

    def __call__(self, spec: ModelSpec) -> Loader:
        return self.by_name.setdefault(spec.name, FaultyLoader(spec.dimensions))

    def hold(self, name: str = "a") -> FaultyLoader:
        """The model's loader, whose runs wait."""
        loader = self.by_name.setdefault(name, FaultyLoader())
        loader.may_run.clear()
        return loader


class Made:
    """Engines of one test, closed at its end."""

    def __init__(self) -> None:
        self.loaders = Loaders()
        self.metrics = Metrics()
        self.engines: list[EmbeddingEngine] = []

    def engine(
        self, *, threads: int = 2, queue_texts: int = 1000, query_vectors: int = 8, run_seconds: float = 60.0
    ) -> EmbeddingEngine:
        limits = EngineLimits(threads, queue_texts, query_vectors, run_seconds)
        self.engines.append(EmbeddingEngine(ModelCache(self.loaders, 1), limits, self.metrics))
        return self.engines[-1]

    def sample(self, name: str) -> float:
        value = self.metrics.registry.get_sample_value(name)
        assert value is not None
        return value


@pytest.fixture
def made() -> Iterator[Made]:
    made = Made()
    yield made
    for loader in made.loaders.by_name.values():
        loader.may_run.set()
    for engine in made.engines:
        engine.close()


def test_many_threads_get_each_its_own_vectors(made: Made) -> None:
    engine = made.engine()

    def embed(number: int) -> None:
        texts = [f"{number} {'word ' * (row * 7 % 40)}{row}" for row in range(1 + number % 30)]
        vectors = engine.submit(SPEC, texts).result(timeout=WAIT)
        np.testing.assert_array_equal(vectors, RIGHT.encode_text(texts))

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(embed, range(80)))
    loader = made.loaders.by_name["a"]
    assert sum(map(len, loader.batches)) == sum(1 + number % 30 for number in range(80))
    assert made.sample("sidecar_queue_texts") == 0
    assert made.sample("sidecar_batch_texts_sum") == sum(map(len, loader.batches))


def test_texts_of_several_jobs_are_run_together(made: Made) -> None:
    engine, loader = made.engine(threads=1), made.loaders.hold()
    first = engine.submit(SPEC, ["held"])
    loader.wait_until_begun()
    jobs = [engine.submit(SPEC, [f"text {number}"]) for number in range(10)]
    loader.may_run.set()
    for job in [first, *jobs]:
        job.result(timeout=WAIT)
    assert [len(batch) for batch in loader.batches] == [1, 10]


def test_padding_and_tokens_are_counted(made: Made) -> None:
    made.engine(threads=1).submit(SPEC, ["one", "one two three"]).result(timeout=WAIT)
    assert made.sample("sidecar_tokens_total") == 3 + 5
    assert made.sample("sidecar_padding_tokens_total") == 2


def test_no_texts_are_no_work(made: Made) -> None:
    assert made.engine().submit(SPEC, []).result(timeout=WAIT).shape == (0, DIMENSIONS)


def test_a_cancelled_job_is_not_run(made: Made) -> None:
    engine, loader = made.engine(threads=1), made.loaders.hold()
    first = engine.submit(SPEC, ["held"])
    loader.wait_until_begun()
    dropped, kept = engine.submit(SPEC, ["dropped"] * 50), engine.submit(SPEC, ["kept"])
    assert made.sample("sidecar_queue_texts") == 51
    assert dropped.cancel()
    assert made.sample("sidecar_queue_texts") == 1
    loader.may_run.set()
    kept.result(timeout=WAIT)
    first.result(timeout=WAIT)
    assert loader.batches == [["held"], ["kept"]]
    with pytest.raises(CancelledError):
        dropped.result()


@pytest.mark.parametrize("text", ["held", POISON])
def test_a_job_that_is_cancelled_while_it_runs_does_no_harm(made: Made, text: str) -> None:
    engine, loader = made.engine(threads=1), made.loaders.hold()
    job = engine.submit(SPEC, [text])
    loader.wait_until_begun()
    assert job.cancel()
    loader.may_run.set()
    assert engine.submit(SPEC, ["next"]).result(timeout=WAIT).shape == (1, DIMENSIONS)


def test_a_query_does_not_wait_for_bulk_work(made: Made) -> None:
    engine, bulk_loader = made.engine(threads=1), made.loaders.hold()
    done = []
    bulk = engine.submit(SPEC, ["document"] * 500)
    bulk.add_done_callback(lambda _: done.append("bulk"))
    bulk_loader.wait_until_begun()

    def ask() -> None:
        engine.embed_query(SPEC, "query", normalize=True)
        done.append("query")

    asking = threading.Thread(target=ask)
    asking.start()
    bulk_loader.wait_until_begun()
    assert bulk_loader.batches[1] == ["query"], "the query runs while a batch of documents does"
    bulk_loader.may_run.set()
    asking.join(timeout=WAIT)
    bulk.result(timeout=WAIT)
    assert sorted(done) == ["bulk", "query"]
    assert len(bulk_loader.batches) > 2, "documents were still waiting"


def test_models_take_turns(made: Made) -> None:
    engine, first = made.engine(threads=1), made.loaders.hold("a")
    second = made.loaders.by_name.setdefault("b", FaultyLoader())
    order = []
    long = engine.submit(SPEC, ["word " * 200] * 20)
    long.add_done_callback(lambda _: order.append("a"))
    first.wait_until_begun()
    short = engine.submit(spec_of("b"), ["short"])
    short.add_done_callback(lambda _: order.append("b"))
    first.may_run.set()
    long.result(timeout=WAIT)
    assert order == ["b", "a"]
    assert second.batches == [["short"]]


def test_a_full_queue_refuses_new_work_and_says_when_to_come_back(made: Made) -> None:
    engine, loader = made.engine(threads=1, queue_texts=10), made.loaders.hold()
    engine.check_room()
    jobs = [engine.submit(SPEC, ["held"])]
    loader.wait_until_begun()
    jobs.append(engine.submit(SPEC, [f"text {number}" for number in range(10)]))
    with pytest.raises(TooManyRequests, match="10 texts wait to be embedded; the limit is 10") as refused:
        engine.check_room()
    assert refused.value.headers() == {"Retry-After": "1"}
    assert refused.value.status == 429
    loader.may_run.set()
    for job in jobs:
        job.result(timeout=WAIT)
    engine.check_room()


def test_a_failing_run_fails_its_job_alone(made: Made) -> None:
    engine, loader = made.engine(threads=1), made.loaders.hold()
    first = engine.submit(SPEC, ["held"])
    loader.wait_until_begun()
    good, bad, better = (engine.submit(SPEC, [text, "more"]) for text in ("good", POISON, "better"))
    loader.may_run.set()
    with pytest.raises(ModelFailed, match="model 'a' failed: RuntimeError: the model choked"):
        bad.result(timeout=WAIT)
    for job, text in ((good, "good"), (better, "better")):
        np.testing.assert_array_equal(job.result(timeout=WAIT), RIGHT.encode_text([text, "more"]))
    assert first.result(timeout=WAIT).shape == (1, DIMENSIONS)
    assert engine.submit(SPEC, ["next"]).result(timeout=WAIT).shape == (1, DIMENSIONS)
    assert len(loader.batches[1]) == 6, "they were one batch"


def test_endpoint_that_is_away_is_asked_once_for_all_jobs_of_a_batch(made: Made) -> None:
    engine, loader = made.engine(threads=1), made.loaders.hold()
    loader.error = EndpointUnavailable("away")
    first = engine.submit(SPEC, ["held"])
    loader.wait_until_begun()
    jobs = [engine.submit(SPEC, [POISON, "more"]) for _ in range(3)]
    loader.may_run.set()
    for job in jobs:
        with pytest.raises(EndpointUnavailable, match="away"):
            job.result(timeout=WAIT)
    assert first.result(timeout=WAIT).shape == (1, DIMENSIONS)
    assert [len(batch) for batch in loader.batches] == [1, 6]


def test_of_a_failed_job_nothing_more_is_run(made: Made) -> None:
    engine = made.engine(threads=1)
    texts = [f"{POISON} {'word ' * 300}", *(f"short {number}" for number in range(100))]
    with pytest.raises(ModelFailed, match="choked"):
        engine.submit(SPEC, texts).result(timeout=WAIT)
    engine.submit(SPEC, ["next"]).result(timeout=WAIT)
    assert [len(batch) for batch in made.loaders.by_name["a"].batches] == [1, 1]
    assert made.sample("sidecar_queue_texts") == 0


def test_a_job_whose_batches_fail_on_all_threads_fails_once_and_the_threads_live(made: Made) -> None:
    engine, loader = made.engine(threads=4), made.loaders.hold()
    job = engine.submit(SPEC, [f"{POISON} {'word ' * 300}"] * 4)
    loader.wait_until_begun(4)
    loader.may_run.set()
    with pytest.raises(ModelFailed, match="choked"):
        job.result(timeout=WAIT)
    loader.may_run.clear()
    jobs = [engine.submit(SPEC, ["word " * 300]) for _ in range(4)]
    loader.wait_until_begun(4)
    loader.may_run.set()
    assert [job.result(timeout=WAIT).shape for job in jobs] == [(1, DIMENSIONS)] * 4


def test_a_model_that_gives_too_few_vectors_fails_the_job_and_not_the_thread(made: Made) -> None:
    engine = made.engine(threads=1)
    loader = made.loaders.by_name.setdefault("a", FaultyLoader())
    loader.short_by = 1
    with pytest.raises(ModelFailed, match="shorter"):
        engine.submit(SPEC, ["a", "b"]).result(timeout=WAIT)
    loader.short_by = 0
    assert engine.submit(SPEC, ["a", "b"]).result(timeout=WAIT).shape == (2, DIMENSIONS)


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_none_fail_the_text_and_are_told(made: Made, number: float) -> None:
    engine, loader = made.engine(), made.loaders.by_name.setdefault("a", FaultyLoader())
    loader.spoilt_by = number
    for embed in (
        lambda: engine.submit(SPEC, ["a", "b"]).result(timeout=WAIT),
        lambda: engine.embed_query(SPEC, "a", normalize=True),
    ):
        with pytest.raises(ModelFailed, match=r"model 'a' failed: .*infinite or none"):
            embed()
    loader.spoilt_by = 0.0
    np.testing.assert_array_equal(engine.embed_query(SPEC, "a", normalize=False), RIGHT.encode_text(["a"])[0])


def test_a_model_that_hangs_fails_what_waits_for_it_and_holds_up_no_other(made: Made) -> None:
    engine, loader = made.engine(threads=2, run_seconds=0.2), made.loaders.hold()
    jobs = [engine.submit(SPEC, [f"{number} {'word ' * 300}"]) for number in range(5)]
    loader.wait_until_begun(2)
    for job in jobs:
        with pytest.raises(ModelHangs, match=r"model 'a' has not come back .* within 0\.2 seconds"):
            job.result(timeout=WAIT)
    assert engine.hanging_models() == ["a"]
    assert len(loader.batches) == 2
    for refused in (
        lambda: engine.submit(SPEC, ["more"]),
        lambda: engine.embed_query(SPEC, "more", normalize=True),
    ):
        with pytest.raises(ModelHangs):
            refused()
    other = spec_of("b")
    assert engine.submit(other, ["text"] * 100).result(timeout=WAIT).shape == (100, DIMENSIONS)
    assert engine.embed_query(other, "query", normalize=True).shape == (DIMENSIONS,)
    assert engine.running_threads() == (2, 2)


def test_a_model_that_hung_is_used_again_when_it_is_back(made: Made) -> None:
    engine, loader = made.engine(threads=1, run_seconds=0.2), made.loaders.hold()
    held = engine.submit(SPEC, ["held"])
    with pytest.raises(ModelHangs):
        held.result(timeout=WAIT)
    loader.may_run.set()
    wait_until(lambda: not engine.hanging_models())
    np.testing.assert_array_equal(engine.submit(SPEC, ["next"]).result(timeout=WAIT), RIGHT.encode_text(["next"]))
    assert engine.running_threads() == (1, 1)
    assert made.sample("sidecar_queue_texts") == 0


def test_queries_that_wait_for_a_model_that_hangs_are_let_go(made: Made) -> None:
    engine, loader = made.engine(threads=1, run_seconds=0.2), made.loaders.hold()
    with ThreadPoolExecutor(4) as pool:
        running = pool.submit(engine.embed_query, SPEC, "first", normalize=True)
        loader.wait_until_begun()
        waiting = [pool.submit(engine.embed_query, SPEC, f"q{number}", normalize=True) for number in range(3)]
        for query in waiting:
            with pytest.raises(ModelHangs):
                query.result(timeout=WAIT)
        assert not running.done()
        loader.may_run.set()
        with pytest.raises(ModelHangs):
            running.result(timeout=WAIT)
    wait_until(lambda: not engine.hanging_models())
    assert engine.embed_query(SPEC, "later", normalize=True).shape == (DIMENSIONS,)


def wait_until(is_so: Callable[[], bool]) -> None:
    until = time.monotonic() + WAIT
    while not is_so():
        assert time.monotonic() < until
        time.sleep(0.01)


def test_a_repeated_query_is_not_run_again(made: Made) -> None:
    engine = made.engine()
    first = engine.embed_query(SPEC, "query", normalize=True)
    np.testing.assert_array_equal(engine.embed_query(SPEC, "query", normalize=True), first)
    assert made.loaders.by_name["a"].batches == [["query"]]
    assert made.sample("sidecar_query_cache_hits_total") == 1
    assert made.sample("sidecar_query_embedding_seconds_count") == 1
    with pytest.raises(ValueError, match="read-only"):
        first[0] = 1


def test_the_query_cache_knows_models_and_normalisation_apart(made: Made) -> None:
    engine = made.engine()
    for spec in (SPEC, spec_of("b")):
        for normalize in (True, False):
            engine.embed_query(spec, "query", normalize=normalize)
    assert [len(made.loaders.by_name[name].batches) for name in "ab"] == [2, 2]


def test_the_query_cache_keeps_the_latest(made: Made) -> None:
    engine = made.engine(query_vectors=2)
    for text in ("a", "b", "c", "b", "a"):
        engine.embed_query(SPEC, text, normalize=True)
    assert made.loaders.by_name["a"].batches == [["a"], ["b"], ["c"], ["a"]]


def test_the_query_cache_can_be_switched_off(made: Made) -> None:
    engine = made.engine(query_vectors=0)
    for _ in range(2):
        engine.embed_query(SPEC, "query", normalize=True)
    assert made.loaders.by_name["a"].batches == [["query"]] * 2


def test_a_failed_query_is_not_remembered(made: Made) -> None:
    engine = made.engine()
    for _ in range(2):
        with pytest.raises(ModelFailed, match="choked"):
            engine.embed_query(SPEC, POISON, normalize=True)
    assert engine.embed_query(SPEC, "good", normalize=True).shape == (DIMENSIONS,)


def test_several_queries_are_one_run_and_those_that_are_known_are_none(made: Made) -> None:
    engine = made.engine()
    known = engine.embed_query(SPEC, "known", normalize=True)
    texts = ["b", "known", "a", "b"]
    vectors = engine.embed_queries(SPEC, texts, normalize=True)
    assert made.loaders.by_name["a"].batches == [["known"], ["b", "a"]]
    np.testing.assert_allclose(vectors, RIGHT.encode_text(texts), atol=1e-6)
    assert vectors[1] is known
    assert made.sample("sidecar_query_cache_hits_total") == 1
    assert engine.embed_queries(SPEC, [], normalize=True) == []
    engine.embed_queries(SPEC, texts, normalize=True)
    assert len(made.loaders.by_name["a"].batches) == 2


def test_of_several_queries_none_is_remembered_where_one_fails(made: Made) -> None:
    engine = made.engine()
    with pytest.raises(ModelFailed, match="choked"):
        engine.embed_queries(SPEC, ["good", POISON], normalize=True)
    made.loaders.by_name["a"].batches.clear()
    engine.embed_query(SPEC, "good", normalize=True)
    assert made.loaders.by_name["a"].batches == [["good"]]


def test_an_evicted_model_leaves_memory_though_it_answered_queries_and_bulk_work(made: Made) -> None:
    engine = made.engine()
    spec = spec_of("a", gigabytes=0.6)
    engine.embed_query(spec, "query", normalize=True)
    engine.submit(spec, ["document"]).result(timeout=WAIT)
    loader = weakref.ref(made.loaders.by_name.pop("a"))
    # The next model's work takes the place of what the threads still hold of this one's.
    other = spec_of("b", gigabytes=0.6)
    engine.embed_query(other, "query", normalize=True)
    for _ in range(20):
        engine.submit(other, ["document"]).result(timeout=WAIT)
    gc.collect()
    assert loader() is None


def test_closing_finishes_what_was_accepted_and_refuses_what_is_new(made: Made) -> None:
    engine, loader = made.engine(threads=1), made.loaders.hold()
    jobs = [engine.submit(SPEC, ["word " * 300]) for _ in range(5)]
    loader.wait_until_begun()
    closing = threading.Thread(target=engine.close)
    closing.start()
    loader.may_run.set()
    closing.join(timeout=WAIT)
    assert not closing.is_alive()
    assert [job.result(timeout=0).shape for job in jobs] == [(1, DIMENSIONS)] * 5
    with pytest.raises(TooManyRequests, match="stopping"):
        engine.submit(SPEC, ["late"])
    assert engine.embed_query(SPEC, "query", normalize=True).shape == (DIMENSIONS,)


def test_normalised_vectors_have_length_one_and_zero_ones_stay() -> None:
    vectors = np.array([[3, 4], [0, 0]], dtype=np.float32)
    np.testing.assert_allclose(normalized(vectors), [[0.6, 0.8], [0, 0]], atol=1e-7)
    np.testing.assert_allclose(normalized(vectors[0]), [0.6, 0.8], atol=1e-7)
    assert normalized(vectors).dtype == np.float32
