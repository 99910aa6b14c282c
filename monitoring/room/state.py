"""Healthy or degraded, and every reason for it: servers away, nobody at work, open alerts, parts that are missing."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any, NamedTuple

from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from monitoring.api import is_broker_up, is_cache_up
from monitoring.metrics import METRICS
from monitoring.models import Alert, Severity
from monitoring.room import words
from monitoring.room.reading import Reading, is_silent
from monitoring.room.table import Cell, Column, Table, numbers

# rules are judged every half minute
UNJUDGED = timedelta(minutes=3)
TONES = {Severity.CRITICAL.value: "bad", Severity.WARNING.value: "warn"}


class Reason(NamedTuple):
    text: str
    tone: str = "bad"
    url: str = ""


def servers(reading: Reading) -> Iterator[Reason]:
    if not is_broker_up():
        yield Reason("The broker does not answer: nothing new is worked on until it does.")
    if not is_cache_up():
        yield Reason("The cache does not answer: everything is read from PostgreSQL.", "warn")


def hands(reading: Reading) -> Iterator[Reason]:
    """Say whether anybody works: workers for the belt, the scheduler for everything that runs by the clock."""
    if not settings.MONITORING:
        yield Reason("MONITORING is off: nothing is measured.", "warn")
        return
    alive = {process.role for process in reading.processes if not is_silent(process)}
    if "worker" not in alive:
        yield Reason("No worker is alive: files wait.")
    if "scheduler" not in alive:
        yield Reason("No scheduler is alive: nothing runs on schedule.", "warn")


def judging(reading: Reading) -> Iterator[Reason]:
    """Say whether the alerts can be believed: a rule that nobody judges never fires."""
    judged = [rule.evaluated_at for rule in reading.rules if rule.evaluated_at]
    if settings.MONITORING and (not judged or max(judged) < timezone.now() - UNJUDGED):
        since = f" since {max(judged):%m/%d %H:%M} UTC" if judged else ""
        url = reverse("admin:monitoring_alertrule_changelist")
        yield Reason(f"Alert rules have not been judged{since}.", "warn", url)


def alerts(reading: Reading) -> Iterator[Reason]:
    for alert in reading.alerts:
        url = reverse("admin:monitoring_alert_change", args=[alert.pk])
        yield Reason(f"{alert.rule.name}: {measured(alert)}.", TONES.get(alert.rule.severity, "warn"), url)


Check = Callable[[Reading], Iterator[Reason]]
CHECKS: dict[str, Check] = {"servers": servers, "hands": hands, "judging": judging, "alerts": alerts}


def state_of(reasons: list[Reason]) -> dict[str, Any]:
    """Write the state as JSON: a warning degrades too, as nobody looks for it elsewhere."""
    tone = "bad" if any(each.tone == "bad" for each in reasons) else "warn" if reasons else "good"
    return {
        "word": "Degraded" if reasons else "Healthy",
        "tone": tone,
        "reasons": [reason._asdict() for reason in reasons],
    }


def measured(alert: Alert) -> str:
    """Write what an alert measured against its threshold: "96 %, above 90 %"."""
    metric = METRICS.get(alert.rule.metric)
    unit = metric.unit if metric else ""
    return f"{amount(alert.worst, unit)}, {alert.rule.comparison} {amount(alert.threshold, unit)}"


def amount(number: float, unit: str) -> str:
    """Write a number of a metric's unit: 0.5 %, 12,345 ms, 3 messages."""
    text = f"{number:,.0f}" if abs(number) >= 100 or number == int(number) else f"{number:.3g}"
    return f"{text} {unit}".strip()


ALERT_COLUMNS = [
    *(Column("Alert"), Column("Severity")),
    *numbers(["At first", "Worst", "Threshold", "Open for"]),
    *(Column("Acknowledged"), Column("What to do")),
]


def alerts_table(reading: Reading) -> Table:
    """The open alerts, critical first."""
    return Table(ALERT_COLUMNS, [alert_row(alert) for alert in reading.alerts], "No alert is open.")


def alert_row(alert: Alert) -> list[Cell]:
    rule, metric = alert.rule, METRICS.get(alert.rule.metric)
    unit = metric.unit if metric else ""
    open_for = (timezone.now() - alert.fired_at).total_seconds()
    by = alert.acknowledged_by.get_username() if alert.acknowledged_by else "no"
    return [
        Cell(rule.name, url=reverse("admin:monitoring_alert_change", args=[alert.pk])),
        Cell(rule.get_severity_display(), rule.severity, TONES.get(rule.severity, "warn")),
        *(Cell(amount(each, unit), each) for each in (alert.value, alert.worst, alert.threshold)),
        Cell(words.seconds(open_for), open_for),
        Cell(by),
        Cell(rule.advice or words.NONE),
    ]
