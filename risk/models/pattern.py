"""Denial patterns of payers: the rows; detection writes them."""

from django.db import models
from django.db.models import Q

from marb.access.models import Scoped
from marb.parties.models import Payer


class DenialPattern(Scoped):
    """What a payer keeps denying, how often and how sure that is."""

    payer = models.ForeignKey(Payer, models.CASCADE, related_name="+", db_index=False)
    pattern_type = models.CharField(max_length=50)
    pattern_description = models.TextField()
    denial_reason_code = models.CharField(max_length=10, blank=True)
    occurrence_count = models.PositiveIntegerField()
    frequency = models.DecimalField(max_digits=6, decimal_places=5)
    confidence_score = models.DecimalField(max_digits=6, decimal_places=5)
    conditions = models.JSONField(default=dict)
    first_seen_date = models.DateField()
    last_seen_date = models.DateField()

    class Meta:
        ordering = ["-occurrence_count", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(frequency__gte=0) & Q(frequency__lte=1), name="denialpattern_frequency_share"
            ),
            models.CheckConstraint(
                condition=Q(confidence_score__gte=0) & Q(confidence_score__lte=1),
                name="denialpattern_confidence_share",
            ),
        ]
        indexes = [
            # a payer's patterns, most frequent first ([001] denial_patterns.payer_id)
            models.Index(fields=["payer", "-occurrence_count"], name="denialpattern_of_payer"),
        ]

    def __str__(self) -> str:
        return f"{self.pattern_type} {self.denial_reason_code}"
