"""The Grafana dashboard and the alerting rules ask Prometheus for what the sidecar has."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import promql_parser
import pytest
import yaml
from click.testing import CliRunner

from sidecar.cli import main
from sidecar.dashboards import grafana_dashboard, prometheus_alerts
from sidecar.metrics import Metrics
from tests.metrics_index.test_documents import used_metrics

DASHBOARD: dict[str, Any] = json.loads(grafana_dashboard())
ROWS = ["Traffic", "Latency by stage", "Embedding", "Cluster", "Models", "Errors"]
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
TARGETS = [(panel["title"], target) for panel in PANELS for target in panel["targets"]]
RULES: list[dict[str, Any]] = [
    rule for group in yaml.safe_load(prometheus_alerts())["groups"] for rule in group["rules"]
]
EXPRESSIONS = [target["expr"].replace("$__rate_interval", "5m") for _, target in TARGETS]
EXPRESSIONS += [rule["expr"] for rule in RULES]
OF_PROMETHEUS = {"instance", "job"}
"""Labels that Prometheus itself gives to all it scrapes."""
NOT_OURS = {"up"}
"""Metrics that Prometheus itself has."""


def series() -> dict[str, tuple[str, set[str]]]:
    """Every series that a used sidecar has: the kind of its metric, and its labels."""
    metrics: Metrics = used_metrics()
    metrics.in_progress.labels("indexes").inc()
    metrics.model_loads.labels("ok").observe(1)
    metrics.model_conversions.labels("ok").observe(1)
    found: dict[str, tuple[str, set[str]]] = {}
    for family in metrics.registry.collect():
        for sample in family.samples:
            found[sample.name] = (family.type, set(sample.labels))
    return found


SERIES = series()


def nodes(expression: Any) -> Iterator[Any]:
    """An expression and all within it."""
    yield expression
    for name in ("expr", "lhs", "rhs", "param", "vector_selector"):
        child = getattr(expression, name, None)
        if child is not None and not isinstance(child, str):
            yield from nodes(child)
    for child in getattr(expression, "args", None) or ():
        yield from nodes(child)


def selectors(expression: str) -> list[Any]:
    return [node for node in nodes(promql_parser.parse(expression)) if type(node).__name__ == "VectorSelector"]


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_expression_names_metrics_and_labels_that_there_are(expression: str) -> None:
    found = selectors(expression)
    assert found
    for selector in found:
        if selector.name in NOT_OURS:
            continue
        assert selector.name in SERIES
        named = {matcher.name for matcher in selector.matchers.matchers}
        assert named <= SERIES[selector.name][1] | OF_PROMETHEUS, selector.name


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_values_of_labels_match_some_that_there_are(expression: str) -> None:
    metrics = used_metrics()
    for work in ("search", "documents"):
        metrics.stages.labels(work, "embed").observe(1)
    metrics.model_loads.labels("ok").observe(1)
    metrics.model_loads.labels("failed").observe(1)
    known: dict[tuple[str, str], set[str]] = {}
    for family in metrics.registry.collect():
        for sample in family.samples:
            for label, value in sample.labels.items():
                known.setdefault((sample.name, label), set()).add(value)
    for selector in selectors(expression):
        for matcher in selector.matchers.matchers:
            if matcher.name in OF_PROMETHEUS or "!" in str(matcher.op) or "Not" in str(matcher.op):
                continue
            values = known[selector.name, matcher.name]
            assert any(re.fullmatch(matcher.value, value) for value in values), (selector.name, matcher.value)


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_rates_are_of_what_only_grows_and_quantiles_of_buckets(expression: str) -> None:
    for node in nodes(promql_parser.parse(expression)):
        if type(node).__name__ != "Call":
            continue
        (selector, *_) = [one for one in nodes(node) if type(one).__name__ == "VectorSelector"]
        if node.func.name in {"rate", "increase"}:
            assert SERIES[selector.name][0] in {"counter", "histogram"}
        if node.func.name == "histogram_quantile":
            assert selector.name.endswith("_bucket")
            (summed,) = [one for one in nodes(node) if type(one).__name__ == "AggregateExpr"]
            assert "le" in summed.modifier.labels


@pytest.mark.parametrize(("title", "target"), TARGETS, ids=[f"{title} {one['refId']}" for title, one in TARGETS])
def test_legend_names_labels_that_the_expression_keeps(title: str, target: dict[str, Any]) -> None:
    named = set(re.findall(r"{{(\w+)}}", target["legendFormat"]))
    kept: set[str] = set()
    for node in nodes(promql_parser.parse(target["expr"].replace("$__rate_interval", "5m"))):
        if type(node).__name__ == "AggregateExpr" and node.modifier is not None:
            kept |= set(node.modifier.labels)
    assert named <= kept


def test_every_metric_of_the_sidecar_is_drawn() -> None:
    drawn = {selector.name for expression in EXPRESSIONS for selector in selectors(expression)}
    metrics = Metrics()
    names = [family.name for family in metrics.registry.collect()]
    assert [name for name in names if not any(one.startswith(name) for one in drawn)] == []


def test_dashboard_has_its_rows_and_none_of_its_panels_lies_over_another() -> None:
    assert [panel["title"] for panel in DASHBOARD["panels"] if panel["type"] == "row"] == ROWS
    places = [panel["gridPos"] for panel in DASHBOARD["panels"]]
    cells = [(x, y) for p in places for x in range(p["x"], p["x"] + p["w"]) for y in range(p["y"], p["y"] + p["h"])]
    assert len(cells) == len(set(cells))
    assert all(0 <= x < 24 for x, _ in cells)
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(ids) == len(set(ids))


def test_dashboard_asks_the_data_source_and_the_sidecars_that_are_chosen() -> None:
    names = {variable["name"] for variable in DASHBOARD["templating"]["list"]}
    assert names == {"datasource", "instance"}
    for panel in PANELS:
        assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
        for target in panel["targets"]:
            assert target["datasource"] == panel["datasource"]
            for selector in selectors(target["expr"].replace("$__rate_interval", "5m")):
                asked = [(matcher.name, matcher.value) for matcher in selector.matchers.matchers]
                assert ("instance", "$instance") in asked


def test_the_variable_of_sidecars_asks_for_a_metric_that_there_is() -> None:
    (instance,) = (one for one in DASHBOARD["templating"]["list"] if one["name"] == "instance")
    found = re.fullmatch(r"label_values\((\w+), instance\)", instance["query"]["query"])
    assert found is not None
    assert found[1] in SERIES


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_alert_says_how_bad_it_is_and_what_to_do(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in {"critical", "warning"}
    assert rule["annotations"]["summary"]
    assert rule["annotations"]["action"]
    kept = {"instance", *re.findall(r"by \(([\w, ]+)\)", rule["expr"])}
    labels = {name for group in kept for name in group.split(", ")}
    assert set(re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"])) <= labels


@pytest.mark.parametrize(("command", "content"), [("grafana", grafana_dashboard()), ("alerts", prometheus_alerts())])
def test_command_writes_the_file(command: str, content: bytes) -> None:
    done = CliRunner().invoke(main, ["dashboards", command, "-"])
    assert (done.exit_code, done.stdout_bytes) == (0, content)
