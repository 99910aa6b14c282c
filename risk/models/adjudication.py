"""What a payer first decided of each line of a claim: one flat row a line, from which patterns and labels are counted.

Rows are a function of claims, links and remittances (risk.adjudication writes them); nobody changes one by hand. Where
the remittance says something that no line of the claim takes, the claim has a row of its own, `service_line` null.
"""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from claims.models import Claim, ServiceLine
from marb.access.models import Loaded
from marb.parties.models import Payer, Provider
from remits.models import Remittance


class AdjudicatedLine(Loaded):
    """A claim line's first final adjudication by the claim's own payer: no reversal, no predetermination."""

    claim = models.ForeignKey(Claim, models.CASCADE, related_name="+", db_index=False, db_constraint=False)
    service_line = models.ForeignKey(
        ServiceLine, models.CASCADE, related_name="+", null=True, db_index=False, db_constraint=False
    )
    remittance = models.ForeignKey(Remittance, models.CASCADE, related_name="+", db_index=False, db_constraint=False)
    payer = models.ForeignKey(Payer, models.PROTECT, related_name="+", null=True, db_index=False, db_constraint=False)
    billing_provider = models.ForeignKey(
        Provider, models.PROTECT, related_name="+", null=True, db_index=False, db_constraint=False
    )
    rendering_provider = models.ForeignKey(
        Provider, models.PROTECT, related_name="+", null=True, db_index=False, db_constraint=False
    )
    procedure_code = models.CharField(max_length=48)
    modifiers = ArrayField(models.CharField(max_length=10), default=list)
    # the first that the line points to, else the claim's principal one
    diagnosis = models.CharField(max_length=30)
    place_of_service_code = models.CharField("place of service", max_length=4)
    claim_frequency = models.CharField(max_length=1)
    has_authorization = models.BooleanField()
    # the same patient, billing provider, day, procedure and charge in an earlier claim, all of frequency 1
    is_duplicate = models.BooleanField()
    days_to_submission = models.IntegerField(null=True)
    charge_amount = models.DecimalField(max_digits=18, decimal_places=2)
    service_date = models.DateField(null=True)
    submitted_date = models.DateField(null=True)
    # the payment's date
    adjudicated_date = models.DateField(null=True)
    is_denied = models.BooleanField()
    # the denial reasons, each once
    carcs = ArrayField(models.CharField(max_length=5), default=list)
    denied_amount = models.DecimalField(max_digits=18, decimal_places=2)

    class Meta:
        ordering = ["claim_id", "service_line_id"]
        constraints = [
            # also a claim's rows
            models.UniqueConstraint(
                fields=["claim", "service_line"], nulls_distinct=False, name="adjudicatedline_once"
            ),
            models.CheckConstraint(condition=Q(is_denied=True) | Q(denied_amount=0), name="adjudicatedline_money"),
        ]
        indexes = [
            # what a payer decided in the last days
            models.Index(fields=["payer", "adjudicated_date"], name="adjudicatedline_of_payer"),
            # similar denied lines, newest first
            models.Index(
                fields=["payer", "procedure_code", "-adjudicated_date"],
                condition=Q(is_denied=True),
                name="adjudicatedline_denied",
            ),
        ]

    def __str__(self) -> str:
        return f"Adjudication of line {self.service_line_id} of claim {self.claim_id}"
