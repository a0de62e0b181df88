from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import orjson
import pytest

from sidecar.errors import IndexNotFound, NotASidecarIndex, OpenSearchError, TooManyFields
from sidecar.opensearch.aliases import move_alias
from sidecar.opensearch.client import Cluster
from sidecar.opensearch.embedded_paths import vector_path
from sidecar.opensearch.index_settings import FieldModel, IndexSettings
from sidecar.opensearch.index_state import IndexState, parse_index_state
from sidecar.opensearch.index_states import IndexStates
from sidecar.opensearch.mapping_builder import build_index_body
from sidecar.opensearch.transport import Transport

SETTINGS = IndexSettings(model="x", model_properties={"dimensions": 2, "a": None}, number_of_shards=1)


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class CountedReads:
    """Counts the calls by operation."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        self._lock = threading.Lock()

    def __call__(self, operation: str, seconds: float) -> None:
        with self._lock:
            self.counts[operation] = self.counts.get(operation, 0) + 1


@pytest.fixture
def index(cluster: Cluster, index_name: str) -> str:
    cluster.create_index(index_name, build_index_body(SETTINGS, 2))
    return index_name


@pytest.fixture
def reads() -> CountedReads:
    return CountedReads()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def states(transport: Transport, reads: CountedReads, clock: Clock) -> IndexStates:
    return IndexStates(Cluster(transport, observe=reads), clock=clock)


def declared(cluster: Cluster, index: str) -> set[str]:
    """The source fields that the mapping's `_meta` declares."""
    own = orjson.loads(cluster.read_index(index))[index]["mappings"]["_meta"]["sidecar"]
    return {field["source"] for field in own["fields"].values()}


def test_state_holds_what_the_index_was_made_with(states: IndexStates, index: str) -> None:
    state = states.get(index)
    assert (state.name, state.settings, state.dimensions) == (index, SETTINGS, 2)
    assert (state.embedded_fields, dict(state.field_types)) == ((), {})


def test_state_knows_the_types_of_all_fields_but_those_of_embeddings(
    states: IndexStates, cluster: Cluster, index: str
) -> None:
    states.ensure_embedded_fields(index, ["s"])
    cluster.bulk(index, b'{"index":{"_id":"1"}}\n{"s":"a","n":1,"o":{"p":"q"}}\n')
    assert states.get(index, is_fresh=True).field_types == {
        "s": "text",
        "s.keyword": "keyword",
        "n": "long",
        "o.p": "text",
        "o.p.keyword": "keyword",
    }


def test_get_reads_again_only_when_the_state_is_old(
    states: IndexStates, reads: CountedReads, clock: Clock, index: str
) -> None:
    first = states.get(index)
    clock.now += 0.9
    assert states.get(index) is first
    assert reads.counts == {"read_index": 1}
    clock.now += 0.2
    assert states.get(index) is first, "an unchanged index keeps its state"
    assert reads.counts == {"read_index": 2}


def test_get_reads_again_after_invalidate_and_when_a_fresh_state_is_wanted(
    states: IndexStates, reads: CountedReads, clock: Clock, index: str
) -> None:
    states.get(index)
    clock.now += 0.1
    states.invalidate(index)
    states.get(index)
    clock.now += 0.1
    states.get(index, is_fresh=True)
    assert reads.counts == {"read_index": 3}


def test_many_callers_at_once_cost_one_read(states: IndexStates, reads: CountedReads, index: str) -> None:
    barrier = threading.Barrier(8)

    def get(_: int) -> Any:
        barrier.wait()
        return states.get(index)

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(get, range(8)))
    assert len({id(state) for state in found}) == 1
    assert reads.counts == {"read_index": 1}


def test_get_sees_that_an_index_was_deleted_and_made_anew(
    states: IndexStates, cluster: Cluster, clock: Clock, index: str
) -> None:
    first = states.get(index)
    cluster.delete_index(index)
    clock.now += 2
    with pytest.raises(IndexNotFound, match=index):
        states.get(index)
    cluster.create_index(index, build_index_body(SETTINGS, 7))
    second = states.get(index)
    assert (first.dimensions, second.dimensions) == (2, 7)
    assert first.uuid != second.uuid


def test_get_refuses_an_index_that_the_sidecar_did_not_make(
    states: IndexStates, cluster: Cluster, index_name: str
) -> None:
    cluster.create_index(index_name, {"mappings": {"_meta": {"sidecar": {"fields": {}}}}})
    with pytest.raises(NotASidecarIndex, match=index_name):
        states.get(index_name)


@pytest.fixture
def other(cluster: Cluster, index: str) -> Iterator[str]:
    """An index of five dimensions."""
    name = f"{index}-2"
    cluster.create_index(name, build_index_body(SETTINGS, 5))
    yield name
    with contextlib.suppress(IndexNotFound):
        cluster.delete_index(name)


def test_state_follows_an_alias_and_has_the_index_s_own_name(states: IndexStates, cluster: Cluster, other: str) -> None:
    alias = f"{other}-alias"
    move_alias(cluster, alias, other)
    state = states.get(alias)
    assert (state.dimensions, state.name, state.index) == (5, other, other)
    assert states.ensure_embedded_fields(alias, ["f"]).embedded_fields == ("f",)


@pytest.mark.parametrize("narrowed", [{"filter": {"term": {"a": 1}}}, {"routing": "x"}, {"search_routing": "x"}])
def test_an_alias_with_a_filter_or_a_routing_is_called_by_its_name(
    states: IndexStates, cluster: Cluster, index_name: str, narrowed: dict[str, Any]
) -> None:
    alias = f"{index_name}-alias"
    cluster.create_index(index_name, {**build_index_body(SETTINGS, 2), "aliases": {alias: narrowed, "x": {}}})
    assert (states.get(alias).name, states.get(alias).index) == (alias, index_name)
    assert states.get(index_name).name == index_name
    assert states.get("x").name == index_name


def test_what_is_out_of_date_is_so_by_every_name(states: IndexStates, cluster: Cluster, index: str, other: str) -> None:
    alias = f"{index}-alias"
    move_alias(cluster, alias, index)
    for changed, seen in ((index, alias), (alias, index)):
        for name in (index, alias, other):
            states.get(name)
        states.ensure_embedded_fields(changed, [f"by {changed}"])
        assert f"by {changed}" in states.get(seen).embedded_fields
    before = states.get(other)
    move_alias(cluster, alias, other)
    assert states.get(alias).index == index, "known for a second"
    states.invalidate(alias)
    assert states.get(alias).index == other
    assert states.get(other) is before


def test_work_is_done_again_where_an_alias_has_moved_from_an_index_that_is_gone(
    states: IndexStates, cluster: Cluster, index: str, other: str
) -> None:
    alias = f"{index}-alias"
    move_alias(cluster, alias, other)
    seen = []

    def read(found: list[IndexState]) -> list[Any]:
        seen.append([state.index for state in found])
        return [cluster.count(state.name, []) for state in found]

    assert states.use([index, alias], read) == [(0, 0), (0, 0)]
    move_alias(cluster, alias, index)
    cluster.delete_index(other)
    assert states.use([index, alias], read) == [(0, 0), (0, 0)]
    assert seen == [[index, other], [index, other], [index, index]]


def test_work_that_fails_for_other_reasons_is_done_once(states: IndexStates, cluster: Cluster, index: str) -> None:
    alias = f"{index}-alias"
    move_alias(cluster, alias, index)
    names: list[str] = []

    def fail(error: Exception, name: str) -> None:
        def work(found: list[IndexState]) -> None:
            names.append(name)
            raise error

        states.use([name], work)

    with pytest.raises(OpenSearchError):
        fail(OpenSearchError("x"), alias)
    with pytest.raises(IndexNotFound):
        fail(IndexNotFound("x"), index)
    assert names == [alias, index]
    with pytest.raises(IndexNotFound):
        fail(IndexNotFound("x"), alias)
    assert names == [alias, index, alias, alias]


@pytest.mark.parametrize(
    ("own", "error", "told"),
    [
        ({"format": 3, "settings": {}}, OpenSearchError, "has format 3; this sidecar reads formats 1 and 2"),
        ({"format": 1, "settings": {}}, OpenSearchError, "spoilt"),
        ({"format": 1, "settings": None}, OpenSearchError, "spoilt"),
        ({"format": 1, "settings": SETTINGS.to_wire()}, OpenSearchError, "spoilt"),
        ({}, NotASidecarIndex, "not made by this API"),
        (None, NotASidecarIndex, "not made by this API"),
    ],
)
def test_state_refuses_what_it_can_not_read(own: Any, error: type[Exception], told: str) -> None:
    answer = {"a": {"mappings": {"_meta": {"sidecar": own}}, "settings": {"index": {"uuid": "u"}}}}
    with pytest.raises(error, match=told):
        parse_index_state("a", orjson.dumps(answer))


@pytest.mark.parametrize(
    ("settings", "stores_vectors"),
    [
        ({"version": {"created": "136407927"}}, True),
        ({"version": {"created": "137267827"}}, False),
        ({"version": {"created": "136407927"}, "knn.derived_source": {"enabled": "true"}}, False),
        ({"version": {"created": "137267827"}, "knn.derived_source": {"enabled": "false"}}, True),
        ({}, False),
    ],
)
def test_vectors_are_stored_unless_the_index_or_its_version_derives_them(
    settings: dict[str, Any], stores_vectors: bool
) -> None:
    own = {"format": 1, "settings": SETTINGS.to_wire(), "dimensions": 2}
    index = {"mappings": {"_meta": {"sidecar": own}}, "settings": {"index": {"uuid": "u", **settings}}}
    assert parse_index_state("a", orjson.dumps({"a": index})).stores_vectors is stores_vectors


def test_state_refuses_an_alias_of_several_indexes() -> None:
    with pytest.raises(NotASidecarIndex, match="stands for 2 indexes"):
        parse_index_state("a", b'{"b":{},"c":{}}')


def test_ensure_adds_and_declares_the_fields_that_are_missing(
    states: IndexStates, cluster: Cluster, index: str
) -> None:
    state = states.ensure_embedded_fields(index, ["title", "my text", "title"])
    assert state.embedded_fields == ("my text", "title")
    assert state.meta["sidecar"]["fields"][vector_path("my text")] == {
        "source": "my text",
        "model": "x",
        "kind": "text",
        "dimension": 2,
    }
    assert states.get(index, is_fresh=True).settings == SETTINGS
    assert declared(cluster, index) == {"title", "my text"}


def test_ensure_asks_nothing_when_nothing_is_missing(states: IndexStates, reads: CountedReads, index: str) -> None:
    states.ensure_embedded_fields(index, ["title"])
    before = dict(reads.counts)
    states.ensure_embedded_fields(index, ["title"])
    states.ensure_embedded_fields(index, [])
    assert reads.counts == before


def test_ensure_keeps_what_others_have_put_into_meta(states: IndexStates, cluster: Cluster, index: str) -> None:
    meta = states.get(index).meta
    cluster.put_mapping(index, {"_meta": {**meta, "other": {"a": 1}}})
    state = states.ensure_embedded_fields(index, ["title"])
    assert state.meta["other"] == {"a": 1}


def test_ensure_repairs_a_declaration_that_another_writer_has_lost(
    states: IndexStates, cluster: Cluster, index: str
) -> None:
    meta = states.get(index).meta
    states.ensure_embedded_fields(index, ["a"])
    cluster.put_mapping(index, {"_meta": meta})
    assert declared(cluster, index) == set()
    states.invalidate(index)
    states.ensure_embedded_fields(index, ["b"])
    assert declared(cluster, index) == {"a", "b"}


def test_ensure_loses_no_field_when_many_sidecars_declare_at_once(
    transport: Transport, cluster: Cluster, index: str
) -> None:
    sidecars = [IndexStates(Cluster(transport)) for _ in range(4)]
    barrier = threading.Barrier(4)

    def declare(number: int) -> None:
        barrier.wait()
        for field in range(3):
            state = sidecars[number].ensure_embedded_fields(index, [f"f{number}-{field}"])
            assert f"f{number}-{field}" in state.embedded_fields

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(declare, range(4)))
    every = {f"f{number}-{field}" for number in range(4) for field in range(3)}
    assert set(IndexStates(cluster).get(index).embedded_fields) == every
    # Each writer looks again after its last write, so that none leaves another's declarations overwritten.
    assert declared(cluster, index) == every


def test_ensure_names_the_fields_that_do_not_fit(states: IndexStates, cluster: Cluster, index_name: str) -> None:
    body = build_index_body(SETTINGS, 2)
    body["settings"]["index.mapping.nested_fields.limit"] = 2
    cluster.create_index(index_name, body)
    states.ensure_embedded_fields(index_name, ["a", "b"])
    with pytest.raises(TooManyFields, match=rf"'c' don't fit into index '{index_name}'.* nested fields \[2\]"):
        states.ensure_embedded_fields(index_name, ["a", "c"])
    assert states.get(index_name, is_fresh=True).embedded_fields == ("a", "b")


def test_an_index_has_room_for_200_embedded_fields(states: IndexStates, index: str) -> None:
    fields = [f"f{number}" for number in range(200)]
    assert len(states.ensure_embedded_fields(index, fields).embedded_fields) == 200
    with pytest.raises(TooManyFields, match="'one more'"):
        states.ensure_embedded_fields(index, ["one more"])


def test_ensure_says_that_the_index_is_gone(states: IndexStates, cluster: Cluster, index: str) -> None:
    states.get(index)
    cluster.delete_index(index)
    with pytest.raises(IndexNotFound):
        states.ensure_embedded_fields(index, ["a"])


def test_fields_get_the_dimensions_and_the_name_of_their_own_model(
    states: IndexStates, cluster: Cluster, index_name: str
) -> None:
    settings = IndexSettings(model="x", field_models={"small": FieldModel("y")}, number_of_shards=1)
    cluster.create_index(index_name, build_index_body(settings, 4, field_dimensions={"small": 2}))
    state = states.ensure_embedded_fields(index_name, ["small", "other"])
    assert [state.dimensions_of(field) for field in ("small", "other", "not yet there")] == [2, 4, 4]
    fields = {entry["source"]: entry for entry in state.meta["sidecar"]["fields"].values()}
    assert fields["small"] == {"source": "small", "model": "y", "kind": "text", "dimension": 2}
    assert fields["other"] == {"source": "other", "model": "x", "kind": "text", "dimension": 4}
    mapping = orjson.loads(cluster.read_index(index_name))[index_name]["mappings"]["properties"]["__embeddings"]
    paths = mapping["properties"]
    assert {name: path["properties"]["vector"]["dimension"] for name, path in paths.items()} == {"small": 2, "other": 4}


def test_fields_are_declared_by_what_is_embedded_and_keep_it(
    states: IndexStates, cluster: Cluster, index_name: str
) -> None:
    settings = IndexSettings(treat_urls_and_pointers_as_images=True, number_of_shards=1)
    cluster.create_index(index_name, build_index_body(settings, 2))
    states.ensure_embedded_fields(index_name, ["picture", "both"], kinds={"both": "multimodal_combination"})
    state = states.ensure_embedded_fields(index_name, ["both", "own"], kinds={"own": "custom_vector"})
    kinds = {entry["source"]: entry["kind"] for entry in state.meta["sidecar"]["fields"].values()}
    assert kinds == {"picture": "image", "both": "multimodal_combination", "own": "custom_vector"}
