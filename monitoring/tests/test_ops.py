"""ops/: the Grafana dashboard and Prometheus's rules speak of metrics that there are, with labels that those have."""

import json
import re
from typing import Any

import pytest
import yaml
from django.conf import settings

from monitoring.prometheus.families import collect
from monitoring.prometheus.names import COUNTED, GAUGES, GROWING, TIMED

OPS = settings.BASE_DIR / "ops"
METRIC = re.compile(r"\bmarb_[a-z0-9_]+")
LABEL = re.compile(r"(?:\bby \(([^)]*)\)|\{([a-z_]+)=|\{\{ *(?:\$labels\.)?([a-z]+) *\}\})")


def expressions(found: Any) -> list[str]:
    """Every value of a key `expr`, at any depth."""
    if isinstance(found, list):
        return [text for each in found for text in expressions(each)]
    if not isinstance(found, dict):
        return []
    own = [found["expr"]] if "expr" in found else []
    return own + [text for each in found.values() for text in expressions(each)]


@pytest.fixture
def names(db: None) -> set[str]:
    """Every name that a sample of /metrics may have."""
    known = {metric.name: metric.type for metric in collect()}
    suffixes = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count"), "summary": ("_sum", "_count")}
    return {name + suffix for name, kind in known.items() for suffix in suffixes.get(kind, ("",))} | {
        "marb_database_up"
    }


@pytest.fixture
def labels() -> set[str]:
    shown = {each.label for table in (COUNTED, GAUGES, GROWING) for each in table.values()}
    return {"le", "role", "severity", "kind"} | shown | {timed.label for timed in TIMED.values()}


def test_every_panel_asks_for_what_there_is(names: set[str], labels: set[str]) -> None:
    text = (OPS / "grafana" / "marb.json").read_text()
    board = json.loads(text)
    asked = expressions(board)
    assert len(asked) > 50
    assert {name for expr in asked for name in METRIC.findall(expr)} <= names
    assert find_labels(text.replace('\\"', '"')) <= labels
    places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in board["panels"]]
    assert len(set(places)) == len({panel["id"] for panel in board["panels"]}) == len(places)


def test_every_metric_of_ours_is_on_a_panel(names: set[str]) -> None:
    shown = set(METRIC.findall((OPS / "grafana" / "marb.json").read_text()))
    unseen = {shown_.name for table in (COUNTED, GAUGES, GROWING) for shown_ in table.values()}
    assert {name for name in unseen if not any(each.startswith(name) for each in shown)} == {"marb_process_threads"}


def test_every_rule_asks_for_what_there_is(names: set[str], labels: set[str]) -> None:
    text = (OPS / "prometheus" / "rules.yml").read_text()
    rules = [rule for group in yaml.safe_load(text)["groups"] for rule in group["rules"]]
    assert len({rule["alert"] for rule in rules}) == len(rules) > 10
    for rule in rules:
        assert set(METRIC.findall(rule["expr"])) <= names, rule["alert"]
        assert rule["labels"]["severity"] in ("warning", "critical")
        assert rule["annotations"]["summary"]
    assert find_labels(text) <= labels


def find_labels(text: str) -> set[str]:
    found = LABEL.findall(text)
    return {label.strip() for each in found for part in each for label in part.split(",") if label.strip()}
