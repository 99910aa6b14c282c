"""Risk scores of claims: the rows; scoring writes them."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from claims.models import Claim
from marb.access.models import Practice, Scoped


class RiskLevel(models.TextChoices):
    LOW = "low", "Low"
    MEDIUM = "medium", "Medium"
    HIGH = "high", "High"
    CRITICAL = "critical", "Critical"


class RiskScore(Scoped):
    """One claim's risk of denial at one time, 0 to 100, with its parts and its reasons.

    A claim has one row that `is_newest`; the older ones are its history. The claims are read in the transaction that
    writes their scores, so PostgreSQL is not asked once more for each row whether they are there.
    """

    cached_as = ("risk_score",)
    practice = models.ForeignKey(Practice, models.PROTECT, related_name="+", db_index=False, db_constraint=False)
    claim = models.ForeignKey(Claim, models.CASCADE, related_name="+", db_index=False, db_constraint=False)
    overall_score = models.DecimalField(max_digits=5, decimal_places=2)
    risk_level = models.CharField(max_length=10, choices=RiskLevel.choices)
    payer_risk = models.DecimalField(max_digits=5, decimal_places=2)
    coding_risk = models.DecimalField(max_digits=5, decimal_places=2)
    documentation_risk = models.DecimalField(max_digits=5, decimal_places=2)
    timeliness_risk = models.DecimalField(max_digits=5, decimal_places=2, default=0)
    duplicate_risk = models.DecimalField(max_digits=5, decimal_places=2, default=0)
    authorization_risk = models.DecimalField(max_digits=5, decimal_places=2, default=0)
    coordination_risk = models.DecimalField(max_digits=5, decimal_places=2, default=0)
    pattern_risk = models.DecimalField(max_digits=5, decimal_places=2, default=0)
    # the model's calibrated probability, 0 to 100; null where no model was in use
    historical_risk = models.DecimalField(max_digits=5, decimal_places=2, null=True)
    # [{type, severity, code, message, points}], weightiest first
    risk_factors = models.JSONField(default=list)
    recommendations = models.JSONField(default=list)
    # "unavailable" where no model was in use
    model_version = models.CharField(max_length=40)
    # how far the probability is from undecided, 0.5 to 1
    model_confidence = models.DecimalField(max_digits=4, decimal_places=3, null=True)
    rules_version = models.CharField(max_length=40, default="")
    # of all that the row says but when: the same again is not written again
    digest = models.BigIntegerField(default=0)
    is_newest = models.BooleanField(default=True)
    calculated_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["-calculated_at", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(overall_score__gte=0) & Q(overall_score__lte=100), name="riskscore_within_0_100"
            ),
            models.CheckConstraint(condition=Q(risk_level__in=RiskLevel.values), name="riskscore_level_known"),
            # also finds a claim's score
            models.UniqueConstraint(fields=["claim"], condition=Q(is_newest=True), name="riskscore_one_newest"),
        ]
        indexes = [
            # a claim's history, newest first ([001] risk_scores.claim_id)
            models.Index(fields=["claim", "-calculated_at"], name="riskscore_of_claim"),
            # scores by date ([001] risk_scores.calculated_at)
            models.Index(fields=["practice", "-calculated_at"], name="riskscore_newest"),
            # the work list: what to look at first
            models.Index(
                fields=["practice", "-overall_score", "-id"], condition=Q(is_newest=True), name="riskscore_highest"
            ),
        ]

    def __str__(self) -> str:
        return f"Score of claim {self.claim_id}"
