"""Texts on which a model fails."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future

import numpy as np
import pytest

from sidecar.embedding.isolation import embed_isolated, is_of_a_text
from sidecar.embedding.loader import Embeddings
from sidecar.embedding.loaders.random import RandomLoader
from sidecar.embedding.model_cache import ModelCache
from sidecar.embedding.model_spec import ModelSpec
from sidecar.errors import EndpointError, EndpointUnavailable, ModelFailed, ModelHangs, ModelLoadError, SidecarError
from tests.embedding.faulty_loader import DIMENSIONS, spec_of

SPEC = spec_of("a")
RIGHT = RandomLoader(DIMENSIONS)
FAILED = ModelFailed("model 'a' failed: RuntimeError: token 7 is out of range")


def texts(count: int) -> list[str]:
    return [f"text {number}" for number in range(count)]


class Engine:
    """Embeds texts, but fails as a whole where it meets a bad one."""

    def __init__(self, bad: set[int], error: SidecarError) -> None:
        self.bad = {f"text {number}" for number in bad}
        self.error = error
        self.calls = 0
        self.models = ModelCache(lambda _: RIGHT, 1)

    def check_room(self) -> None:
        """There is always room."""

    def wait_for_room(self) -> None:
        """There is always room."""

    def submit(self, spec: ModelSpec, texts: Sequence[str]) -> Future[Embeddings]:
        self.calls += 1
        done: Future[Embeddings] = Future()
        if self.bad.intersection(texts):
            done.set_exception(self.error)
        else:
            done.set_result(RIGHT.encode_text(texts))
        return done


@pytest.mark.parametrize("bad", [{0}, {63}, {17, 18}, {0, 31, 32, 63}])
def test_only_the_texts_on_which_the_model_fails_fail(bad: set[int]) -> None:
    engine = Engine(bad, FAILED)
    found = embed_isolated(engine, SPEC, texts(64), FAILED)
    assert set(found.failures) == bad
    assert all(error is FAILED for error in found.failures.values())
    good = [number for number in range(64) if number not in bad]
    np.testing.assert_array_equal(found.vectors[good], RIGHT.encode_text([f"text {number}" for number in good]))
    assert not found.vectors[sorted(bad)].any()
    assert engine.calls <= 14 * len(bad)


def test_an_endpoints_refusal_is_the_texts_own() -> None:
    error = EndpointError("the text is too long")
    found = embed_isolated(Engine({1}, error), SPEC, texts(3), error)
    assert set(found.failures) == {1}
    assert found.failures[1].message == error.message


def test_a_text_that_is_alone_fails_alone() -> None:
    engine = Engine({0}, FAILED)
    assert embed_isolated(engine, SPEC, texts(1), FAILED).failures == {0: FAILED}
    assert engine.calls == 0


def test_where_the_model_fails_on_every_text_it_is_the_models_fault() -> None:
    engine = Engine(set(range(500)), FAILED)
    with pytest.raises(ModelFailed, match="out of range"):
        embed_isolated(engine, SPEC, texts(500), FAILED)
    assert engine.calls < 40


def test_what_no_text_is_at_fault_for_ends_the_search() -> None:
    engine = Engine({1}, EndpointUnavailable("it is away"))
    with pytest.raises(EndpointUnavailable):
        embed_isolated(engine, SPEC, texts(4), FAILED)
    assert engine.calls == 1


@pytest.mark.parametrize(
    ("error", "is_of_text"),
    [
        (FAILED, True),
        (EndpointError("too long"), True),
        (EndpointUnavailable("away"), False),
        (ModelLoadError("no files"), False),
        (ModelHangs("still at it"), False),
        (RuntimeError("a fault of ours"), False),
    ],
)
def test_whose_fault_an_error_is(error: Exception, *, is_of_text: bool) -> None:
    assert is_of_a_text(error) is is_of_text
