"""Alerts: every rule is judged on schedule, fires and clears with hysteresis, and is told to the targets.

A rule's row is locked while it is judged, so that two evaluators at once count once each. Bad evaluations in a row
fire it, good ones clear it; in between nothing changes. A rule that cannot be read now is left as it is.
"""

import logging
from datetime import datetime
from typing import Any

from django.db import DatabaseError, transaction
from django.utils import timezone

from marb.core.cache import EVERYBODY, touch, touching
from marb.core.logs import plain_reason
from monitoring.metrics import METRICS
from monitoring.models import Alert, AlertRule, AlertTarget, Comparison, Notice, Severity
from monitoring.notices import ring

log = logging.getLogger(__name__)


def evaluate(now: datetime | None = None) -> list[Alert]:
    """Judge every enabled rule; answer the alerts that fired or cleared. What is disabled clears at once."""
    now = now or timezone.now()
    changed = [attempt(rule_id, now) for rule_id in AlertRule.objects.values_list("pk", flat=True)]
    return [alert for alert in changed if alert]


def attempt(rule_id: int, now: datetime) -> Alert | None:
    """Judge a rule; one that PostgreSQL cannot answer does not keep the others from being judged."""
    try:
        return judge(rule_id, now)
    except DatabaseError as error:
        log.error("rule %s cannot be judged: %s", rule_id, plain_reason(error))
        return None


def judge(rule_id: int, now: datetime) -> Alert | None:
    with transaction.atomic():
        rule = AlertRule.objects.select_for_update(of=("self",)).get(pk=rule_id)
        value = METRICS[rule.metric].read(rule.window_seconds) if is_judged(rule) else None
        count(rule, is_bad(rule, value))
        rule.last_value, rule.evaluated_at = value, now
        rule.save(update_fields=("bad_count", "good_count", "last_value", "evaluated_at"))
        return settle(rule, value, now)


def is_judged(rule: AlertRule) -> bool:
    """Say whether a rule is on, and names a metric that there is."""
    return rule.is_enabled and rule.metric in METRICS


def is_bad(rule: AlertRule, value: float | None) -> bool:
    if value is None:
        return False
    return value > rule.threshold if rule.comparison == Comparison.ABOVE else value < rule.threshold


def count(rule: AlertRule, bad: bool) -> None:
    rule.bad_count, rule.good_count = (rule.bad_count + 1, 0) if bad else (0, rule.good_count + 1)


def settle(rule: AlertRule, value: float | None, now: datetime) -> Alert | None:
    """Fire or clear a rule whose counts say so."""
    alert = Alert.objects.filter(rule=rule, cleared_at=None).first()
    if alert is None:
        return fire(rule, value, now) if value is not None and rule.bad_count >= rule.fire_after else None
    if rule.bad_count and value is not None:
        note_worst(alert, value)
    if rule.good_count >= rule.clear_after or not is_judged(rule):
        return clear(alert, now)
    return None


def fire(rule: AlertRule, value: float, now: datetime) -> Alert:
    alert = Alert.objects.create(rule=rule, fired_at=now, threshold=rule.threshold, value=value, worst=value)
    log.warning("alert fired: %s, %.1f against %.1f", rule.name, value, rule.threshold)
    touch(EVERYBODY, "alert")
    tell(alert, "fired")
    return alert


def note_worst(alert: Alert, value: float) -> None:
    worse = max if alert.rule.comparison == Comparison.ABOVE else min
    alert.worst = worse(alert.worst, value)
    alert.save(update_fields=("worst",))


def clear(alert: Alert, now: datetime) -> Alert:
    alert.cleared_at = now
    alert.save(update_fields=("cleared_at",))
    log.warning("alert cleared: %s", alert.rule.name)
    touch(EVERYBODY, "alert")
    tell(alert, "cleared")
    return alert


def tell(alert: Alert, event: str) -> None:
    """Write a notice for each target that wants this severity, and send them after the commit."""
    targets = AlertTarget.objects.filter(is_enabled=True)
    if alert.rule.severity != Severity.CRITICAL:
        targets = targets.exclude(severity=Severity.CRITICAL)
    notices = [Notice.objects.create(alert=alert, target=target, event=event) for target in targets]
    ring(notices)


def acknowledge(alert: Alert, user: Any, comment: str = "") -> bool:
    """Note that a person has seen an alert; the first one stands. Answers whether it was she."""
    mine = {"acknowledged_by": user, "acknowledged_at": timezone.now(), "comment": comment[:500]}
    with touching(EVERYBODY, "alert"):
        return bool(Alert.objects.filter(pk=alert.pk, acknowledged_at=None).update(**mine))


def firing() -> list[Alert]:
    """List the open alerts, critical first: the banner. One query."""
    return list(
        Alert.objects.filter(cleared_at=None).select_related("rule", "acknowledged_by").order_by("rule__severity", "pk")
    )
