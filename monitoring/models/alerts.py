"""Alerts: rules with thresholds, what fired, who acknowledged it, and what was sent to whom. No row holds PHI.

A rule fires after `fire_after` bad evaluations in a row and clears after `clear_after` good ones; between the two
nothing changes. monitoring.alerts evaluates, monitoring.notices sends. Defaults come by data migration.
"""

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q


class Severity(models.TextChoices):
    WARNING = "warning", "Warning"
    CRITICAL = "critical", "Critical"


class Comparison(models.TextChoices):
    ABOVE = "above", "Above"
    BELOW = "below", "Below"


class AlertRule(models.Model):
    """A threshold on a metric (monitoring.metrics), with its state."""

    name = models.CharField(max_length=60, unique=True)
    metric = models.CharField(max_length=40)
    comparison = models.CharField(max_length=5, choices=Comparison.choices)
    threshold = models.FloatField()
    severity = models.CharField(max_length=8, choices=Severity.choices, default=Severity.WARNING)
    window_seconds = models.PositiveIntegerField(default=300, validators=[MinValueValidator(60)])
    fire_after = models.PositiveSmallIntegerField(default=2, validators=[MinValueValidator(1)])
    clear_after = models.PositiveSmallIntegerField(default=2, validators=[MinValueValidator(1)])
    is_enabled = models.BooleanField(default=True)
    advice = models.CharField(max_length=200, blank=True)

    # state: evaluations in a row, and the last value (None where there was nothing to judge)
    bad_count = models.PositiveIntegerField(default=0, editable=False)
    good_count = models.PositiveIntegerField(default=0, editable=False)
    last_value = models.FloatField(null=True, blank=True, editable=False)
    evaluated_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(condition=Q(comparison__in=Comparison.values), name="alertrule_comparison_known"),
            models.CheckConstraint(condition=Q(severity__in=Severity.values), name="alertrule_severity_known"),
            models.CheckConstraint(
                condition=Q(fire_after__gte=1, clear_after__gte=1), name="alertrule_counts_from_one"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Alert(models.Model):
    """Something that was wrong from `fired_at` to `cleared_at`; kept as history."""

    rule = models.ForeignKey(AlertRule, models.CASCADE, related_name="alerts", db_index=False)
    fired_at = models.DateTimeField()
    cleared_at = models.DateTimeField(null=True, blank=True)
    # the rule's threshold at that time, the value that fired it, and the worst since
    threshold = models.FloatField()
    value = models.FloatField()
    worst = models.FloatField()
    acknowledged_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", db_index=False
    )
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    comment = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ["-fired_at"]
        constraints = [
            # one open alert of a rule, however many evaluate it
            models.UniqueConstraint(fields=["rule"], condition=Q(cleared_at__isnull=True), name="alert_open_once"),
        ]
        indexes = [
            # history, newest first
            models.Index(fields=["-fired_at"], name="alert_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.rule} {self.fired_at:%m/%d/%Y %H:%M}"


class AlertTarget(models.Model):
    """Who is told: an e-mail address or a webhook (https, an allow-listed or public host, no redirects)."""

    class Kind(models.TextChoices):
        MAIL = "mail", "E-mail"
        WEBHOOK = "webhook", "Webhook"

    kind = models.CharField(max_length=7, choices=Kind.choices)
    address = models.CharField(max_length=300)
    # a target for critical alerts is not told of warnings
    severity = models.CharField(max_length=8, choices=Severity.choices, default=Severity.WARNING)
    is_enabled = models.BooleanField(default=True)

    class Meta:
        ordering = ["kind", "address"]
        constraints = [
            models.UniqueConstraint(fields=["kind", "address"], name="alerttarget_once"),
            models.CheckConstraint(condition=Q(severity__in=Severity.values), name="alerttarget_severity_known"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.pk}"


class Notice(models.Model):
    """One thing told to one target: that an alert fired or cleared. Attempts are bounded."""

    alert = models.ForeignKey(Alert, models.CASCADE, related_name="notices", db_index=False)
    target = models.ForeignKey(AlertTarget, models.CASCADE, db_index=False)
    event = models.CharField(max_length=7, choices=[("fired", "Fired"), ("cleared", "Cleared")])
    attempts = models.PositiveSmallIntegerField(default=0)
    sent_at = models.DateTimeField(null=True, blank=True)
    reason = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["alert", "target", "event"], name="notice_once")]

    def __str__(self) -> str:
        return f"{self.event} {self.target}"
