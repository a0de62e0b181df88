"""What OpenSearch Dashboards asks of the cluster, replayed: through the sidecar the answers are the cluster's.

The requests are those of Dashboards' public source: the version check, the migration of saved objects (a first start,
and one that finds an index of an older release), the saved objects client, index patterns, Discover and visualizations,
Dev Tools. Dashboards lets its index be named, so that each replay has one of its own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from tests.fix_opensearch import request
from tests.fix_server import Sidecar

HEADERS = {
    "user-agent": "opensearch-js/3.5.1 (linux 6.1-x64; Node.js v20.18.3)",
    "x-opensearch-product-origin": "opensearch-dashboards",
    "x-opaque-id": "replay",
    "accept-encoding": "gzip, deflate, br",
}
VERSION_CHECK = "nodes.*.version%2Cnodes.*.http.publish_address%2Cnodes.*.ip"
_CHANGES = {"took", "_scroll_id", "task", "uuid", "creation_date", "index_uuid", "task_resource_usage"}
_UUID = re.compile(r"(?<=/)[\w-]{22}(?=\])")
_SERVERS_OWN = {"date", "server", "connection", "content-length", "transfer-encoding"}

Told = tuple[str, int, dict[str, str], Any]


@dataclass
class Replay:
    """Dashboards at one URL, with saved objects in its own index; ``told`` are the masked answers."""

    url: str
    index: str
    told: list[Told] = field(default_factory=list)
    session: requests.Session = field(default_factory=requests.Session)

    def __call__(self, method: str, target: str, body: Any = None, *, is_told: bool = True) -> Any:
        """One request; of the body's strings and the target ``{index}`` is this replay's own index."""
        text = body if isinstance(body, str) or body is None else json.dumps(body)
        content = "application/x-ndjson" if isinstance(body, str) else "application/json"
        prepared = self.session.prepare_request(
            requests.Request(
                method,
                self.url,
                headers=HEADERS | ({"content-type": content} if text else {}),
                data=text.replace("{index}", self.index).encode() if text else None,
            )
        )
        # As it is: the library would decode what needs no escape.
        prepared.url = self.url + target.replace("{index}", self.index)
        answer = self.session.send(prepared, timeout=60)
        parsed = json.loads(answer.content) if answer.content[:1] in {b"{", b"["} else answer.text
        if is_told:
            self._tell(f"{method} {target}", answer, parsed)
        return parsed

    def _tell(self, what: str, answer: requests.Response, body: Any) -> None:
        headers = {name.lower(): value for name, value in answer.headers.items() if name.lower() not in _SERVERS_OWN}
        self.told.append((what, answer.status_code, self._masked(headers), self._masked(body)))

    def _masked(self, value: Any) -> Any:
        if isinstance(value, Mapping):
            return {
                self._masked(key): "masked" if key in _CHANGES else self._masked(entry) for key, entry in value.items()
            }
        if isinstance(value, list):
            return [self._masked(entry) for entry in value]
        if isinstance(value, str):
            return _UUID.sub("uuid", value.replace(self.index, "{index}"))
        return value


MAPPING: dict[str, Any] = {
    "dynamic": "strict",
    "_meta": {"migrationMappingPropertyHashes": {"config": "c63748b75f39d0c54de12d12c1ccbc20", "type": "2f4316de"}},
    "properties": {
        "migrationVersion": {"dynamic": "true", "type": "object"},
        "type": {"type": "keyword"},
        "namespace": {"type": "keyword"},
        "updated_at": {"type": "date"},
        "references": {
            "type": "nested",
            "properties": {"name": {"type": "keyword"}, "type": {"type": "keyword"}, "id": {"type": "keyword"}},
        },
        "config": {"dynamic": "true", "properties": {"buildNum": {"type": "keyword"}}},
        "index-pattern": {"properties": {"title": {"type": "text"}, "timeFieldName": {"type": "keyword"}}},
        "visualization": {"properties": {"title": {"type": "text"}, "visState": {"type": "text", "index": False}}},
    },
}
SETTINGS = {"number_of_shards": 1, "auto_expand_replicas": "0-1", "refresh_interval": "50ms"}
"""Refreshed more often than Dashboards lets it be, since its writes wait for that."""
UP_TO_DATE = {
    "query": {
        "bool": {
            "should": [
                {
                    "bool": {
                        "must": [
                            {"exists": {"field": kind}},
                            {"bool": {"must_not": {"term": {f"migrationVersion.{kind}": version}}}},
                        ]
                    }
                }
                for kind, version in (("index-pattern", "7.6.0"), ("visualization", "7.10.0"))
            ]
        }
    }
}
CONFIG = {"config": {"buildNum": 9000}, "type": "config", "references": [], "updated_at": "2026-01-31T10:20:30.123Z"}
PATTERN = {
    "index-pattern": {"title": "logs*", "timeFieldName": "@timestamp"},
    "type": "index-pattern",
    "references": [],
    "migrationVersion": {"index-pattern": "7.6.0"},
    "updated_at": "2026-01-31T10:20:30.123Z",
}


def check_versions(ask: Replay) -> None:
    """What is polled every few seconds."""
    ask("GET", f"/_nodes?filter_path={VERSION_CHECK}")
    ask("GET", "/_cluster/state?filter_path=nodes.*.attributes.cluster_id")
    ask("GET", f"/_nodes/_local?filter_path={VERSION_CHECK}")


def claim_alias(ask: Replay, number: int, *actions: Mapping[str, Any]) -> None:
    ask("GET", "/_alias/{index}")
    add = {"add": {"index": f"{{index}}_{number}", "alias": "{index}"}}
    ask("POST", "/_aliases", {"actions": [*actions, add]})
    ask("POST", f"/{{index}}_{number}/_refresh")


def start_first(ask: Replay) -> None:
    """A cluster that Dashboards has not seen yet."""
    check_versions(ask)
    ask("GET", "/{index}")
    ask("GET", "/_cat/templates/opensearch_dashboards_index_template*?format=json")
    ask("PUT", "/{index}_1", {"mappings": MAPPING, "settings": SETTINGS})
    # A second instance that starts at the same time.
    ask("PUT", "/{index}_1", {"mappings": MAPPING, "settings": SETTINGS})
    claim_alias(ask, 1)
    ask("GET", "/{index}")
    ask("POST", "/{index}/_count", UP_TO_DATE)


def start_after_an_upgrade(ask: Replay) -> None:
    """A cluster with an index of saved objects from before there was an alias."""
    ask("PUT", "/{index}", {"mappings": MAPPING, "settings": SETTINGS})
    for number in range(3):
        ask("PUT", f"/{{index}}/_doc/index-pattern%3A{number}?refresh=true", {**PATTERN, "migrationVersion": {}})
    ask("GET", "/{index}")
    ask("POST", "/{index}/_count", UP_TO_DATE)
    ask("PUT", "/{index}_2", {"mappings": MAPPING, "settings": SETTINGS})
    ask("PUT", "/{index}_1", {"mappings": MAPPING, "settings": SETTINGS})
    copy = {"dest": {"index": "{index}_1"}, "source": {"index": "{index}", "size": 100}}
    task = ask("POST", "/_reindex?refresh=true&wait_for_completion=false", copy)["task"]
    while not ask("GET", f"/_tasks/{task}", is_told=False)["completed"]:
        continue
    assert ask("GET", f"/_tasks/{task}", is_told=False)["response"]["created"] == 3
    claim_alias(ask, 1, {"remove_index": {"index": "{index}"}})
    page = ask("POST", "/{index}_1/_search?scroll=15m", {"size": 2})
    while page["hits"]["hits"]:
        lines = [
            line
            for hit in page["hits"]["hits"]
            for line in ({"index": {"_id": hit["_id"], "_index": "{index}_2"}}, {**hit["_source"], **PATTERN})
        ]
        ask("POST", "/_bulk", "".join(json.dumps(line) + "\n" for line in lines))
        page = ask("POST", "/_search/scroll", {"scroll": "15m", "scroll_id": page["_scroll_id"]})
    ask("DELETE", "/_search/scroll", {"scroll_id": page["_scroll_id"]})
    claim_alias(ask, 2, {"remove": {"index": "{index}_1", "alias": "{index}"}})
    ask("POST", "/{index}/_count", UP_TO_DATE)


def keep_saved_objects(ask: Replay) -> None:
    """The saved objects client: settings of the user interface, an import, an edit, a list, a removal."""
    ask("GET", "/{index}/_doc/config%3A3.5.0")
    ask("PUT", "/{index}/_create/config%3A3.5.0?refresh=wait_for", CONFIG)
    ask("PUT", "/{index}/_create/config%3A3.5.0?refresh=wait_for", CONFIG)
    ask("GET", "/{index}/_doc/config%3A3.5.0")
    ask(
        "POST",
        "/{index}/_update/config%3A3.5.0?refresh=wait_for&_source_includes=namespace%2Cnamespaces%2CoriginId",
        {"doc": {"config": {"defaultIndex": "logs"}, "updated_at": "2026-01-31T10:21:30.123Z"}},
    )
    wanted = {"_id": "index-pattern:logs", "_index": "{index}", "_source": ["type", "namespaces"]}
    ask("POST", "/_mget", {"docs": [wanted]})
    meta = {"index": {"_id": "index-pattern:logs", "_index": "{index}"}}
    ask("POST", "/_bulk?refresh=wait_for", f"{json.dumps(meta)}\n{json.dumps(PATTERN)}\n")
    ask("POST", "/_mget", {"docs": [{**wanted, "_source": True}]})
    ask(
        "POST",
        "/{index}/_search?size=20&from=0&rest_total_hits_as_int=true&_source=index-pattern.title%2Cnamespace%2Ctype",
        {
            "seq_no_primary_term": True,
            "query": {
                "bool": {
                    "filter": [
                        {
                            "bool": {
                                "should": [
                                    {
                                        "bool": {
                                            "must": [{"term": {"type": "index-pattern"}}],
                                            "must_not": [{"exists": {"field": "namespace"}}],
                                        }
                                    }
                                ],
                                "minimum_should_match": 1,
                            }
                        }
                    ],
                    "must": [{"simple_query_string": {"query": "logs*", "fields": ["index-pattern.title"]}}],
                }
            },
        },
    )
    ask("DELETE", "/{index}/_doc/index-pattern%3Alogs?refresh=wait_for")
    ask("DELETE", "/{index}/_doc/index-pattern%3Alogs?refresh=wait_for")


def look_at_data(ask: Replay, name: str) -> None:
    """Index patterns, Discover, visualizations and filters on an index."""
    ask("GET", f"/_resolve/index/{name}*")
    ask("GET", f"/_resolve/index/{name}%2Cother?expand_wildcards=all")
    ask("GET", f"/{name}*/_field_caps?fields=*&ignore_unavailable=true&allow_no_indices=false")
    ask("GET", "/no-such-*/_field_caps?fields=*&ignore_unavailable=true&allow_no_indices=false")
    ask("GET", f"/{name}/_alias?ignore_unavailable=true&allow_no_indices=false")
    during = {"range": {"@timestamp": {"gte": "2026-01-01T00:00:00.000Z", "lte": "2026-02-01T00:00:00.000Z"}}}
    query = {"bool": {"must": [], "filter": [{"match_all": {}}, during], "should": [], "must_not": []}}
    histogram = {
        "date_histogram": {
            "field": "@timestamp",
            "calendar_interval": "1d",
            "time_zone": "Europe/Berlin",
            "min_doc_count": 1,
        }
    }
    discover = {
        "version": True,
        "size": 500,
        "sort": [{"@timestamp": {"order": "desc", "unmapped_type": "boolean"}}],
        "aggs": {"2": histogram},
        "stored_fields": ["*"],
        "script_fields": {},
        "docvalue_fields": [{"field": "@timestamp", "format": "date_time"}],
        "_source": {"excludes": []},
        "query": query,
        "highlight": {"pre_tags": ["@hl@"], "post_tags": ["@/hl@"], "fields": {"*": {}}, "fragment_size": 2147483647},
    }
    parameters = "ignore_unavailable=true&track_total_hits=true&timeout=30000ms&preference=1769854830123"
    ask("POST", f"/{name}*/_search?{parameters}&max_concurrent_shard_requests=5", discover)
    ask("POST", f"/{name}*/_search?{parameters}", {**discover, "query": {"match": {}}})
    bars = {"size": 0, "aggs": {"2": {**histogram, "aggs": {"1": {"percentiles": {"field": "n"}}}}}, "query": query}
    header = {"index": f"{name}*", "ignore_unavailable": True, "preference": 1769854830123}
    lines = [header, bars, {"index": "no-such-index"}, bars, header, {"query": {"neural": "x"}}]
    ask("POST", "/_msearch?rest_total_hits_as_int=true", "".join(json.dumps(line) + "\n" for line in lines))
    suggest = {"size": 0, "timeout": "1000ms", "terminate_after": 100000, "query": {"bool": {"filter": [during]}}}
    terms = {"suggestions": {"terms": {"field": "level", "include": "er.*", "execution_hint": "map"}}}
    ask("POST", f"/{name}*/_search", {**suggest, "aggs": terms})
    ask("GET", f"/{name}/_doc/1")


def use_dev_tools(ask: Replay, name: str) -> None:
    """What Dev Tools asks to complete names, and what people type there."""
    ask("GET", f"/{name}/_mapping")
    ask("GET", f"/_alias/{name}")
    ask("GET", "/_template/none*")
    ask("GET", f"/_cat/indices/{name}?format=json&h=index,docs.count&s=index")
    ask("GET", f"/{name}/_search?pretty", {"query": {"match_all": {}}, "sort": "n"})
    ask("POST", f"/{name}/_search", '{"query": {"match_all": {}}')
    ask("GET", "/_cluster/settings?include_defaults=false&flat_settings=true")
    ask("HEAD", f"/{name}")


@pytest.fixture
def replays(node: str, sidecar: Sidecar, index_name: str) -> Iterator[tuple[Replay, Replay]]:
    """One Dashboards that asks the cluster, and one that asks the sidecar."""
    made = Replay(node, f".{index_name}-straight"), Replay(sidecar.native_url, f".{index_name}-sidecar-")
    yield made
    for one in made:
        for name in (one.index, f"{one.index}_1", f"{one.index}_2"):
            request(node, "DELETE", f"/{name}?ignore_unavailable=true")


@pytest.fixture
def logs(node: str, index_name: str) -> str:
    """An index of a few log lines."""
    fields = {"@timestamp": {"type": "date"}, "level": {"type": "keyword"}, "n": {"type": "long"}}
    body = {"mappings": {"properties": fields}, "settings": {"number_of_shards": 1, "number_of_replicas": 0}}
    assert request(node, "PUT", f"/{index_name}", json.dumps(body))[0] == 200
    for number, level in enumerate(("error", "info", "error"), start=1):
        line = {"@timestamp": f"2026-01-{number:02}T10:00:00Z", "level": level, "n": 10 ** (6 * number), "message": "x"}
        request(node, "PUT", f"/{index_name}/_doc/{number}", json.dumps(line))
    request(node, "POST", f"/{index_name}/_refresh")
    return index_name


def test_first_start_is_answered_as_by_the_cluster(replays: tuple[Replay, Replay]) -> None:
    for ask in replays:
        start_first(ask)
        keep_saved_objects(ask)
    compare(replays)


def test_start_after_an_upgrade_is_answered_as_by_the_cluster(replays: tuple[Replay, Replay]) -> None:
    for ask in replays:
        start_after_an_upgrade(ask)
    compare(replays)


def test_everyday_requests_are_answered_as_by_the_cluster(replays: tuple[Replay, Replay], logs: str) -> None:
    for ask in replays:
        look_at_data(ask, logs)
        use_dev_tools(ask, logs)
    compare(replays)


def compare(replays: tuple[Replay, Replay]) -> None:
    direct, through = replays
    assert urlsplit(direct.url).port != urlsplit(through.url).port
    assert len(direct.told) == len(through.told)
    for one, other in zip(direct.told, through.told, strict=True):
        assert other == one
