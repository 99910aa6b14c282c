"""Payers, plans and providers: what claims and remittances both name.

Rows are made by the loaders from what the files say (NM1*PR, N1*PR, NM1*85 and the rest) and enriched by staff.
`payer_code` is the identifier the files use (NM109, N104, REF*2U); without one, the name in capitals.
"""

from django.db import models
from django.db.models.functions import Now

from marb.access.models import Scoped


class PayerType(models.TextChoices):
    MEDICARE = "medicare", "Medicare"
    MEDICAID = "medicaid", "Medicaid"
    COMMERCIAL = "commercial", "Commercial"
    OTHER = "other", "Other"


class Payer(Scoped):
    cached_as = ("party",)
    payer_code = models.CharField(max_length=80)
    name = models.CharField(max_length=120)
    payer_type = models.CharField(max_length=20, choices=PayerType.choices, default=PayerType.OTHER)
    rules = models.JSONField(default=dict, blank=True)
    timely_filing_days = models.PositiveSmallIntegerField(null=True, blank=True)
    appeal_days = models.PositiveSmallIntegerField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ["name", "id"]
        constraints = [models.UniqueConstraint(fields=["practice", "payer_code"], name="payer_once")]
        indexes = [
            # the payer list and its search by name
            models.Index(fields=["practice", "name"], name="payer_by_name"),
        ]

    def __str__(self) -> str:
        return self.name or self.payer_code


class Plan(Scoped):
    cached_as = ("party",)
    payer = models.ForeignKey(Payer, models.CASCADE, related_name="plans")
    plan_code = models.CharField(max_length=50)
    plan_name = models.CharField(max_length=120)
    plan_type = models.CharField(max_length=20, blank=True)
    benefit_rules = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["plan_name", "id"]
        constraints = [models.UniqueConstraint(fields=["practice", "payer", "plan_code"], name="plan_once")]

    def __str__(self) -> str:
        return self.plan_name or self.plan_code


class Provider(Scoped):
    """A person or organisation by NPI. One that a file names without an NPI keeps its name as its code."""

    cached_as = ("party",)
    provider_code = models.CharField(max_length=80)
    npi = models.CharField(max_length=10, blank=True)
    name = models.CharField(max_length=160)
    specialty = models.CharField(max_length=80, blank=True)
    taxonomy_code = models.CharField(max_length=10, blank=True)
    tax_number = models.CharField(max_length=20, blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ["name", "id"]
        constraints = [models.UniqueConstraint(fields=["practice", "provider_code"], name="provider_once")]
        indexes = [
            # the provider list and its search by name or NPI
            models.Index(fields=["practice", "name"], name="provider_by_name"),
            models.Index(fields=["practice", "npi"], name="provider_by_npi"),
        ]

    def __str__(self) -> str:
        return self.name or self.npi or self.provider_code
