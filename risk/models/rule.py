"""Rules of risk that an administrator edits, and the versions of a practice's set of rules."""

from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from marb.access.models import Scoped
from marb.parties.models import Payer
from risk.conditions import BadCondition
from risk.rules import COMPONENTS, Rule, check_rule

EPOCH_ORDINAL = 719_163


class RiskRule(Scoped):
    """One rule of a practice: what it looks at, what it gives, what it says. A practice without any has the shipped."""

    payer = models.ForeignKey(
        Payer, models.CASCADE, related_name="+", null=True, blank=True, help_text="Empty: for all payers."
    )
    component = models.CharField(max_length=20, choices=[(name, name.capitalize()) for name in COMPONENTS])
    code = models.SlugField(max_length=60, help_text="A payer's rule stands in place of the general one of its code.")
    condition = models.JSONField(
        help_text='Such as {"all": [{"fact": "has_authorization", "op": "eq", "value": false}]}'
    )
    points = models.DecimalField(
        max_digits=5, decimal_places=2, validators=[MinValueValidator(0), MaxValueValidator(100)]
    )
    per = models.CharField(
        max_length=40, blank=True, help_text="A count that multiplies the points, such as unnamed_line_count."
    )
    is_critical = models.BooleanField(
        default=False, help_text="The claim is critical where this is met, whatever else speaks for it."
    )
    message = models.CharField(max_length=300)
    recommendation = models.CharField(max_length=300)
    effective_from = models.DateField(null=True, blank=True)
    effective_to = models.DateField(null=True, blank=True)
    is_active = models.BooleanField(default=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = "risk rule"
        ordering = ["component", "code", "id"]
        constraints = [
            models.UniqueConstraint(fields=["practice", "payer", "code"], nulls_distinct=False, name="riskrule_once"),
            models.CheckConstraint(condition=Q(points__gte=0) & Q(points__lte=100), name="riskrule_points_within"),
            models.CheckConstraint(condition=Q(component__in=COMPONENTS), name="riskrule_component_known"),
            models.CheckConstraint(
                condition=Q(effective_from__isnull=True)
                | Q(effective_to__isnull=True)
                | Q(effective_to__gte=F("effective_from")),
                name="riskrule_dates_in_order",
            ),
        ]

    def __str__(self) -> str:
        return self.code

    def clean(self) -> None:
        """Refuse, in a sentence at its field, what cannot be applied."""
        if self.effective_from and self.effective_to and self.effective_to < self.effective_from:
            raise ValidationError({"effective_to": "The last day lies before the first."})
        if self.payer is not None and self.payer.practice_id != self.practice_id:
            raise ValidationError({"payer": "The payer is another practice's."})
        try:
            check_rule(self.as_rule())
        except BadCondition as bad:
            raise ValidationError({"per" if "per" in bad.sentence[:15] else "condition": bad.sentence}) from bad

    def as_rule(self) -> Rule:
        """Get the row as what rules are applied by."""
        said = (self.message, self.recommendation, self.is_critical, self.payer_id, self.per)
        days = (day_of(self.effective_from), day_of(self.effective_to))
        return Rule(self.code, self.component, self.condition, float(self.points or 0), *said, *days)


def day_of(date: Any) -> int | None:
    return None if date is None else date.toordinal() - EPOCH_ORDINAL


class RuleSet(Scoped):
    """A practice's rules as they were at one time: what a score of that `digest` stood on. Never changed."""

    version = models.PositiveIntegerField()
    rules = models.JSONField()
    digest = models.CharField(max_length=64)
    is_shipped = models.BooleanField(default=False)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", db_index=False)
    made_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = "rules version"
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["practice", "version"], name="ruleset_once")]

    def __str__(self) -> str:
        return f"Rules version {self.version}"
