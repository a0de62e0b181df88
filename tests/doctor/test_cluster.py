"""What is wrong with a cluster: the run's own node where it can be made so, a stand-in where not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from sidecar.doctor import cluster, cluster_scripts, cluster_writes
from sidecar.doctor.finding import Finding, Level
from sidecar.doctor.registry import run_checks
from tests.doctor.looking import NOBODY, about, answering, levels, worst
from tests.fix_opensearch import request

KNN = [{"name": "opensearch-knn"}]


def root(number: str = "3.5.0") -> dict[str, Any]:
    return {"cluster_name": "c", "version": {"number": number, "distribution": "opensearch"}}


def answers(**more: Any) -> dict[str, Any]:
    """Those of a cluster with which all is right, but for what is given."""
    nodes = {"a": {"name": "node-1", "roles": ["data"], "plugins": more.get("plugins", KNN)}}
    health = {"status": "green", "number_of_data_nodes": 1, "active_shards": more.get("shards", 3)}
    return {
        "/": root(more.get("number", "3.5.0")),
        "/_nodes/plugins": {"nodes": nodes},
        "/_cluster/health": health | more.get("health", {}),
        "/_cluster/settings": {"persistent": more.get("settings", {})},
        "/_plugins/_knn/stats/circuit_breaker_triggered": {"circuit_breaker_triggered": more.get("triggered", False)},
    }


def look(url: str, **settings: Any) -> list[Finding]:
    return list(cluster.check(about(opensearch_url=url, **settings)))


def told(url: str) -> set[tuple[Level, str]]:
    """What is said of a cluster. Other tests' indexes may have something said of them too."""
    return {(finding.level, finding.found) for finding in look(url)}


@pytest.fixture
def settings(node: str) -> Iterator[Any]:
    """Sets a setting of the run's cluster, and takes it back."""
    given: list[str] = []

    def put(name: str, value: Any) -> None:
        given.append(name)
        assert request(node, "PUT", "/_cluster/settings", json.dumps({"persistent": {name: value}}))[0] == 200

    yield put
    for name in list(given):
        put(name, None)


def test_a_real_cluster_is_fine(node: str) -> None:
    findings = look(node)
    words = "\n".join(finding.found for finding in findings)
    assert not [finding for finding in findings if finding.level is Level.ERROR]
    assert "is OpenSearch 3.5.0; engines of k-NN: lucene only" in words
    assert "the k-NN plugin is on every data node" in words
    assert "without the security plugin" in words
    assert "scripts are allowed" in words


def test_an_index_that_is_blocked_is_told_by_its_name(node: str, index_name: str) -> None:
    body = {"settings": {"number_of_replicas": 0, "index.blocks.read_only_allow_delete": True}}
    assert request(node, "PUT", f"/{index_name}", json.dumps(body))[0] == 200
    assert (Level.ERROR, f"read-only, as a full disk leaves them: {index_name}.") in told(node)
    for block, value in (("read_only_allow_delete", None), ("write", True)):
        assert request(node, "PUT", f"/{index_name}/_settings", json.dumps({f"index.blocks.{block}": value}))[0] == 200
    assert (Level.WARNING, f"index.blocks.write is set on {index_name}.") in told(node)


def test_a_replica_without_a_place_is_told(node: str, index_name: str) -> None:
    assert request(node, "PUT", f"/{index_name}", '{"settings": {"number_of_replicas": 1}}')[0] == 200
    assert any("shards have no place" in finding.found for finding in look(node))


def test_shards_that_run_out_are_told(node: str, index_name: str, settings: Any) -> None:
    assert request(node, "PUT", f"/{index_name}", '{"settings": {"number_of_replicas": 0}}')[0] == 200
    settings("cluster.max_shards_per_node", 1)
    assert any(
        level is Level.ERROR and "of 1 shards are used: no index can be made" in words for level, words in told(node)
    )


def test_forbidden_expensive_queries_are_told(node: str, settings: Any) -> None:
    settings("search.allow_expensive_queries", False)
    assert any("search.allow_expensive_queries is false" in finding.found for finding in look(node))


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"script.allowed_types": ["stored"]}, ["script.allowed_types forbids inline scripts"]),
        ({"script.allowed_types": "inline"}, []),
        ({"script.allowed_types": ["both"]}, []),
        ({"script.allowed_contexts": ["update", "ingest"]}, ["script.allowed_contexts has no score"]),
        ({"script.allowed_contexts": "none"}, ["script.allowed_contexts has no score and update"]),
        ({"script.allowed_contexts": []}, []),
    ],
)
def test_settings_of_scripts_are_read_in_all_their_forms(given: dict[str, Any], told: list[str]) -> None:
    defaults = dict.fromkeys((cluster_scripts.TYPES, cluster_scripts.CONTEXTS, cluster_scripts.EXPENSIVE))
    findings = list(cluster_scripts.judge(defaults | given))
    assert [finding.found.partition(". ")[0] for finding in findings if finding.advice] == told
    assert len(findings) == 1


def test_shards_are_told_before_they_run_out() -> None:
    assert [cluster_writes.judge_shards(used, 1000).level for used in (900, 901, 1000)] == [
        Level.OK,
        Level.WARNING,
        Level.ERROR,
    ]


def test_a_cluster_that_is_away_is_told_once() -> None:
    (found,) = look(NOBODY)
    assert found.level is Level.ERROR
    assert f"Nothing listens at {NOBODY}" in found.found


@pytest.mark.parametrize("url", ["http://no-such-host.invalid:9200", "not a url", "https://127.0.0.1:9"])
def test_a_wrong_address_is_an_error_and_no_failure(url: str) -> None:
    ((_, findings),) = run_checks(["cluster"], about(opensearch_url=url))
    assert levels(findings) == [Level.ERROR]
    assert "could not be looked at" not in findings[0].found


def test_what_is_no_opensearch_is_told() -> None:
    with answering({"/": {"version": "7"}}) as url:
        assert "is it OpenSearch?" in worst(look(url)).found


@pytest.mark.parametrize(
    ("more", "level", "told"),
    [
        ({"number": "2.10.0"}, Level.ERROR, "is OpenSearch 2.10.0, and 2.11.0 or later is needed"),
        ({"number": "4.0.0"}, Level.WARNING, "newer than this sidecar was tested with"),
        ({"plugins": []}, Level.ERROR, "the k-NN plugin is missing on node-1"),
        ({"settings": {"knn": {"plugin": {"enabled": "false"}}}}, Level.ERROR, "the k-NN plugin is switched off"),
        ({"triggered": True}, Level.WARNING, "its circuit breaker was triggered"),
        ({"health": {"status": "red", "unassigned_shards": 2}}, Level.ERROR, "shards are lost, 2 are unassigned"),
        ({"settings": {"cluster": {"blocks": {"read_only": "true"}}}}, Level.ERROR, "the whole cluster is blocked"),
        ({"shards": 950}, Level.WARNING, "950 of 1,000 shards are used"),
    ],
)
def test_what_is_wrong_with_a_cluster_is_told(more: dict[str, Any], level: Level, told: str) -> None:
    with answering(answers(**more)) as url:
        found = worst(look(url))
    assert found.level is level
    assert told in found.found


def test_with_the_stand_in_alone_all_is_right() -> None:
    with answering(answers()) as url:
        assert set(levels(look(url))) == {Level.OK}


def test_a_refused_user_is_told_without_the_password() -> None:
    with answering({}, status=401) as url:
        (found,) = look(url.replace("://", "://admin:hunter2@"))
    assert "401" in found.found
    assert "hunter2" not in found.found + (found.advice or "")


def test_a_password_on_an_open_network_is_told() -> None:
    connection = [*cluster.look_at_connection(about(opensearch_url="http://admin:hunter2@search.example:9200"))]
    assert levels(connection) == [Level.WARNING]
    assert "hunter2" not in connection[0].found
    unverified = about(opensearch_url="https://search.example:9200", opensearch_verify_tls=False)
    assert "is not verified" in worst(cluster.look_at_connection(unverified)).found
    assert not [*cluster.look_at_connection(about(opensearch_url="http://u:p@localhost:9200"))]
