"""Risk scores of claims: the rows; scoring writes them."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from claims.models import Claim
from marb.access.models import Scoped


class RiskLevel(models.TextChoices):
    LOW = "low", "Low"
    MEDIUM = "medium", "Medium"
    HIGH = "high", "High"
    CRITICAL = "critical", "Critical"


class RiskScore(Scoped):
    """One claim's risk of denial at one time, 0 to 100, with its parts and its reasons."""

    claim = models.ForeignKey(Claim, models.CASCADE, related_name="+", db_index=False)
    overall_score = models.DecimalField(max_digits=5, decimal_places=2)
    risk_level = models.CharField(max_length=10, choices=RiskLevel.choices)
    coding_risk = models.DecimalField(max_digits=5, decimal_places=2)
    documentation_risk = models.DecimalField(max_digits=5, decimal_places=2)
    payer_risk = models.DecimalField(max_digits=5, decimal_places=2)
    historical_risk = models.DecimalField(max_digits=5, decimal_places=2)
    # [{type, severity, message}]
    risk_factors = models.JSONField(default=list)
    recommendations = models.JSONField(default=list)
    model_version = models.CharField(max_length=40)
    model_confidence = models.DecimalField(max_digits=4, decimal_places=3, null=True)
    calculated_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["-calculated_at", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(overall_score__gte=0) & Q(overall_score__lte=100), name="riskscore_within_0_100"
            ),
            models.CheckConstraint(condition=Q(risk_level__in=RiskLevel.values), name="riskscore_level_known"),
        ]
        indexes = [
            # a claim's newest score ([001] risk_scores.claim_id)
            models.Index(fields=["claim", "-calculated_at"], name="riskscore_of_claim"),
            # scores by date ([001] risk_scores.calculated_at)
            models.Index(fields=["practice", "-calculated_at"], name="riskscore_newest"),
        ]

    def __str__(self) -> str:
        return f"Score of claim {self.claim_id}"
