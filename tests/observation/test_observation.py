"""What is observed of a request: its stages, its end, and that it costs next to nothing."""

from __future__ import annotations

import io
import logging
import re
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from sidecar.errors import OpenSearchRejected, OpenSearchTimeout, TooManyRequests
from sidecar.logs import request_id
from sidecar.metrics import Metrics
from sidecar.observation.kinds import Asked, QueryNote, SlowLimits, Stage, Work, WriteNote
from sidecar.observation.request import Observation, Observer, carried, current, failed, observed_metrics, tell
from sidecar.observation.stages import add_stage, stage

SEARCH = Asked("indexes", "/indexes/<index>/search", "POST", "/indexes/a/search", Work.SEARCH)
SECOND_BUDGET = 50e-6
"""Of processor time, for all that is observed of a search."""


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
def observation(metrics: Metrics) -> Iterator[Observation]:
    begun = begin(metrics)
    yield begun
    begun.leave()


def begin(metrics: Metrics, asked: Asked = SEARCH, *, slow_ms: float | None = None) -> Observation:
    limits = {} if slow_ms is None else {Work.SEARCH: slow_ms, Work.DOCUMENTS: slow_ms}
    return Observer(metrics, slow_limits=SlowLimits(limits)).begin(asked, "some-id", lambda name: None)


def sample(metrics: Metrics, name: str, **labels: str) -> float:
    return metrics.registry.get_sample_value(name, labels) or 0.0


def stage_count(metrics: Metrics, of: Stage, work: str = "search") -> float:
    return sample(metrics, "sidecar_stage_seconds_count", stage=of.value, work=work)


def test_stages_of_a_request_are_counted_by_what_it_is_for(metrics: Metrics, observation: Observation) -> None:
    with stage(Stage.PARSE):
        time.perf_counter()
    add_stage(Stage.EMBED, 1.0, 1.5, dict)
    assert stage_count(metrics, Stage.PARSE) == 1
    assert sample(metrics, "sidecar_stage_seconds_sum", stage="embed", work="search") == 0.5
    assert stage_count(metrics, Stage.EMBED, "documents") == 0


def test_nothing_is_observed_outside_of_requests(metrics: Metrics, observation: Observation) -> None:
    observation.leave()
    with stage(Stage.CLUSTER, "search"):
        add_stage(Stage.QUEUE, 1.0, 2.0, dict)
    tell(WriteNote("a"))
    failed(ValueError())
    assert (current.get(), observed_metrics(), request_id.get()) == (None, None, "")
    assert all(stage_count(metrics, one) == 0 for one in Stage)


def test_threads_that_are_carried_work_for_the_request_and_others_do_not(
    metrics: Metrics, observation: Observation
) -> None:
    def work(number: int) -> str:
        with stage(Stage.MEDIA, "host"):
            return request_id.get()

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(carried(work), range(50))) == {"some-id"}
        assert stage_count(metrics, Stage.MEDIA) == 50
        assert set(pool.map(work, range(5))) == {""}
    assert stage_count(metrics, Stage.MEDIA) == 50


def test_a_call_of_the_cluster_without_an_answer_is_counted(metrics: Metrics, observation: Observation) -> None:
    with pytest.raises(OpenSearchTimeout), stage(Stage.CLUSTER, "search"):
        raise OpenSearchTimeout("too slow")
    with pytest.raises(OpenSearchRejected), stage(Stage.CLUSTER, "search"):
        raise OpenSearchRejected("an answer too")
    assert sample(metrics, "sidecar_opensearch_failures_total") == 1


def test_a_request_is_in_progress_until_its_end_and_ends_once(metrics: Metrics, observation: Observation) -> None:
    assert sample(metrics, "sidecar_requests_in_progress", face="indexes") == 1
    observation.end(200)
    observation.end(500)
    assert sample(metrics, "sidecar_requests_in_progress", face="indexes") == 0
    labels = {"route": SEARCH.route, "method": "POST"}
    assert sample(metrics, "sidecar_request_seconds_count", status="200", **labels) == 1
    assert sample(metrics, "sidecar_request_seconds_count", status="500", **labels) == 0


@pytest.mark.parametrize(
    ("error", "reason"),
    [(TooManyRequests("full"), "queue"), (OpenSearchRejected("busy"), "cluster"), (None, "cluster")],
)
def test_a_429_is_counted_by_its_reason(metrics: Metrics, error: Exception | None, reason: str) -> None:
    observation = begin(metrics)
    if error is not None:
        failed(error)
    observation.end(429)
    observation.leave()
    assert sample(metrics, "sidecar_rejected_total", reason=reason) == 1


def test_methods_that_clients_make_up_are_one_label(metrics: Metrics) -> None:
    for method in ("PURGE", "X" * 20):
        observation = begin(metrics, Asked("native", "native raw", method, "/"))
        observation.end(400)
        observation.leave()
    assert sample(metrics, "sidecar_request_seconds_count", route="native raw", method="other", status="400") == 2


def test_a_slow_search_is_told_in_one_line_with_its_stages(metrics: Metrics, logged: io.StringIO) -> None:
    observation = begin(metrics, slow_ms=0)
    tell(QueryNote("books", "TENSOR", 5, has_filter=True))
    add_stage(Stage.EMBED, 1.0, 1.25, dict)
    add_stage(Stage.CLUSTER, 1.0, 1.5, dict)
    add_stage(Stage.CLUSTER, 1.0, 2.0, dict)
    observation.end(200)
    observation.leave()
    (line,) = (one for one in logged.getvalue().splitlines() if "sidecar.slow" in one)
    assert re.search(
        r"WARNING sidecar\.slow a slow search request_id=some-id route=/indexes/<index>/search index=books queries=1 "
        r"search_method=TENSOR limit=5 has_filter=True status=200 ms=[\d.]+ embed_ms=250\.0 cluster_ms=1500\.0$",
        line,
    )


def test_what_is_fast_or_streamed_or_has_no_limit_is_not_slow(metrics: Metrics, logged: io.StringIO) -> None:
    streamed = begin(metrics, slow_ms=0)
    streamed.is_streamed = True
    other = begin(metrics, Asked("indexes", "/", "GET", "/"), slow_ms=0)
    for observation in (begin(metrics, slow_ms=60_000), begin(metrics), streamed, other):
        observation.end(200)
        observation.leave()
    assert "sidecar.slow" not in logged.getvalue()


def test_stages_from_many_threads_add_up(metrics: Metrics, observation: Observation) -> None:
    threads = [
        threading.Thread(
            target=carried(lambda _: [add_stage(Stage.EMBED, 0.0, 1.0, dict) for _ in range(200)]), args=(0,)
        )
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert observation._seconds[Stage.EMBED] == 1600


def observe_a_search(observer: Observer) -> None:
    """All that a search by one text tells of itself, on its way from the request to the answer."""
    observation = observer.begin(SEARCH, "some-id", lambda name: None)
    with stage(Stage.PARSE):
        tell(QueryNote("books", "TENSOR", 10))
    add_stage(Stage.QUEUE, 1.0, 1.0, dict)
    add_stage(Stage.EMBED, 1.0, 1.0, dict)
    with stage(Stage.CLUSTER, "search") as timed:
        timed.note("http.response.status_code", 200)
    observation.end(200)
    observation.leave()


def test_observing_a_search_costs_less_than_50_microseconds(metrics: Metrics) -> None:
    observer = Observer(metrics, slow_limits=SlowLimits({Work.SEARCH: 60_000}))
    package = logging.getLogger("sidecar")
    level, taken = package.level, []
    # The log line was there before, and is written for any request.
    package.setLevel(logging.WARNING)
    try:
        for _ in range(30):
            started = time.thread_time()
            for _ in range(200):
                observe_a_search(observer)
            taken.append((time.thread_time() - started) / 200)
    finally:
        package.setLevel(level)
    assert min(taken) < SECOND_BUDGET
