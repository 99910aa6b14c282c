"""Published code lists, as `manage.py load_codes` reads them. Public: they belong to no practice.

No list is shipped: their texts are their committees'. What the product says of a code without one are its own short
words (remits.words, claims.words).
"""

from django.db import models
from django.db.models.functions import Now


class CodeKind(models.TextChoices):
    CARC = "carc", "Claim adjustment reasons (CARC)"
    RARC = "rarc", "Remittance advice remarks (RARC)"
    CLAIM_STATUS = "claim_status", "Claim statuses"
    CLAIM_STATUS_CATEGORY = "claim_status_category", "Claim status categories"
    PLACE_OF_SERVICE = "place_of_service", "Places of service"
    ADJUSTMENT_GROUP = "adjustment_group", "Adjustment groups"
    PROVIDER_ADJUSTMENT = "provider_adjustment", "Provider adjustment reasons (PLB)"


class CodeList(models.Model):
    """One code of a list: what it means, and from when to when it may be used."""

    kind = models.CharField(max_length=30, choices=CodeKind.choices)
    code = models.CharField(max_length=10)
    description = models.TextField()
    start_date = models.DateField(null=True, blank=True)
    end_date = models.DateField(null=True, blank=True)
    loaded_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["kind", "code"]
        verbose_name = "code"
        constraints = [models.UniqueConstraint(fields=["kind", "code"], name="codelist_once")]

    def __str__(self) -> str:
        return f"{self.code} ({self.get_kind_display()})"
