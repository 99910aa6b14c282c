"""Denial patterns of payers, who looks after them and what became of them; risk.patterns writes what was found."""

import secrets

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from marb.access.models import Scoped
from marb.parties.models import Payer

MOST_REASON = 300


class PatternKind(models.TextChoices):
    CARC = "carc", "Reason"
    PROCEDURE = "procedure", "Procedure"
    MODIFIER = "modifier", "Modifier"
    DIAGNOSIS_PROCEDURE = "diagnosis_procedure", "Diagnosis with procedure"
    PROVIDER = "provider", "Provider"
    PLACE = "place", "Place of service"
    AUTHORIZATION = "authorization", "Missing authorization"
    TIMELY_FILING = "timely_filing", "Timely filing"
    DUPLICATE = "duplicate", "Duplicate"
    BUNDLING = "bundling", "Bundled procedures"
    CHARGE_BAND = "charge_band", "Charge"
    WEEKDAY = "weekday", "Day of the week"
    DRIFT = "drift", "Change over time"
    NEW_CODE = "new_code", "New procedure"


class PatternStatus(models.TextChoices):
    NEW = "new", "New"
    CONFIRMED = "confirmed", "Confirmed"
    DISMISSED = "dismissed", "Dismissed"
    RESOLVED = "resolved", "Resolved"


def draw_key() -> str:
    return secrets.token_hex(16)


class DenialPattern(Scoped):
    """What a payer keeps denying: how often, against its own rate without it, and how sure that is.

    `frequency` is the share of adjudicated lines that are denied, `confidence_score` its lower bound (Wilson, 95 %),
    `base_rate` the share of the payer's lines that no pattern meets. `key` is the same cause in every search.
    """

    cached_as = ("pattern",)
    payer = models.ForeignKey(Payer, models.CASCADE, related_name="+", db_index=False)
    key = models.CharField(max_length=40, default=draw_key, editable=False)
    pattern_type = models.CharField("kind", max_length=50)
    pattern_description = models.TextField("pattern")
    denial_reason_code = models.CharField("reason", max_length=10, blank=True)
    # lines that meet the conditions, and those of them that are denied
    line_count = models.PositiveIntegerField("lines", default=0)
    occurrence_count = models.PositiveIntegerField("denied")
    frequency = models.DecimalField("rate", max_digits=6, decimal_places=5)
    base_rate = models.DecimalField(max_digits=6, decimal_places=5, default=0)
    # null where the payer denies nothing else
    lift = models.DecimalField(max_digits=8, decimal_places=2, null=True)
    confidence_score = models.DecimalField("lower bound", max_digits=6, decimal_places=5)
    p_value = models.FloatField(default=1)
    q_value = models.FloatField(default=1)
    denied_amount = models.DecimalField(max_digits=18, decimal_places=2, default=0)
    conditions = models.JSONField(default=dict)
    # [{carc, lines}], the most frequent first; [{month, lines, denied}] in order
    carcs = models.JSONField(default=list)
    trend = models.JSONField(default=list)
    # CCYY-MM, empty where the rate has not changed
    changed_month = models.CharField(max_length=7, blank=True, default="")
    first_seen_date = models.DateField("first seen")
    last_seen_date = models.DateField("last seen")
    # found by the last search of its payer
    is_current = models.BooleanField(default=True)
    detected_at = models.DateTimeField(db_default=Now())
    status = models.CharField(max_length=10, choices=PatternStatus.choices, default=PatternStatus.NEW)
    status_changed_at = models.DateTimeField(null=True)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", db_index=False
    )
    # the denied lines when it was dismissed: raised again when they have grown materially
    dismissed_count = models.PositiveIntegerField(null=True)
    # {before: {lines, denied, amount}, after: {...}} of lines sent before and after it was resolved
    effect = models.JSONField(default=dict)

    class Meta:
        ordering = ["-occurrence_count", "id"]
        constraints = [
            models.UniqueConstraint(fields=["practice", "key"], name="denialpattern_once"),
            models.CheckConstraint(
                condition=Q(frequency__gte=0) & Q(frequency__lte=1), name="denialpattern_frequency_share"
            ),
            models.CheckConstraint(
                condition=Q(confidence_score__gte=0) & Q(confidence_score__lte=1),
                name="denialpattern_confidence_share",
            ),
            models.CheckConstraint(condition=Q(status__in=PatternStatus.values), name="denialpattern_status_known"),
        ]
        indexes = [
            # a payer's patterns, most frequent first ([001] denial_patterns.payer_id)
            models.Index(fields=["payer", "-occurrence_count"], name="denialpattern_of_payer"),
            # the list, dearest first
            models.Index(fields=["practice", "-denied_amount", "-id"], name="denialpattern_dearest"),
        ]

    def __str__(self) -> str:
        return self.pattern_description or f"{self.pattern_type} {self.denial_reason_code}"

    @property
    def kind(self) -> str:
        """Its kind in words."""
        return str(dict(PatternKind.choices).get(self.pattern_type, self.pattern_type))

    @property
    def percent(self) -> str:
        return f"{float(self.frequency):.1%}"

    @property
    def base_percent(self) -> str:
        return f"{float(self.base_rate):.1%}"


class PatternChange(Scoped):
    """What a person, or a search, made of a pattern's status, and why. Rows are only added."""

    cached_as = ("pattern",)
    pattern = models.ForeignKey(DenialPattern, models.CASCADE, related_name="changes", db_index=False)
    previous_status = models.CharField(max_length=10, choices=PatternStatus.choices)
    status = models.CharField(max_length=10, choices=PatternStatus.choices)
    reason = models.CharField(max_length=MOST_REASON)
    # null: the search itself
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", db_index=False
    )
    changed_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["pattern", "-id"], name="patternchange_of_pattern")]

    def __str__(self) -> str:
        return f"{self.get_status_display()}: pattern {self.pattern_id}"


class PatternSearch(Scoped):
    """The last search of a whole practice: a payer searched alone uses its threshold, for its tests are not all."""

    practice = models.OneToOneField("access.Practice", models.CASCADE, primary_key=True, related_name="+")
    critical_value = models.FloatField()
    test_count = models.PositiveIntegerField()
    line_count = models.PositiveIntegerField()
    pattern_count = models.PositiveIntegerField()
    days_back = models.PositiveSmallIntegerField(null=True)
    searched_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["practice_id"]

    def __str__(self) -> str:
        return f"Search of practice {self.practice_id}"


class DuePayer(Scoped):
    """A payer whose adjudicated lines have changed since its patterns were searched."""

    payer = models.OneToOneField(Payer, models.CASCADE, primary_key=True, related_name="+")
    due_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["due_at"]

    def __str__(self) -> str:
        return f"Payer {self.payer_id} is due"
