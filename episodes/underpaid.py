"""Lines that a payer allowed less for than its contract says, what people did about them, and what is tolerated.

A row is made and kept up by episodes.underpayment; its status, assignee and history are people's (episodes.recovery).
"""

from decimal import Decimal

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from claims.models import Claim, ServiceLine
from episodes.rollups import Counted
from marb.access.models import Scoped
from marb.parties.models import Payer
from remits.models import Remittance

DEFAULT_AMOUNT, DEFAULT_PERCENT = Decimal("1.00"), Decimal("1.00")


class UnderpaidStatus(models.TextChoices):
    OPEN = "open", "Open"
    DISPUTED = "disputed", "Disputed"
    RECOVERED = "recovered", "Recovered"
    ACCEPTED = "accepted", "Accepted"


# what counts as money that is still missing
MISSING = (UnderpaidStatus.OPEN, UnderpaidStatus.DISPUTED)


class Tolerance(Scoped):
    """How far below the expected amount a payer's contract may come to: both are exceeded by an underpayment."""

    payer = models.ForeignKey(
        Payer, models.CASCADE, related_name="+", null=True, blank=True, db_index=False, help_text="Empty: every payer."
    )
    amount = models.DecimalField("dollars of a line", max_digits=12, decimal_places=2, default=DEFAULT_AMOUNT)
    percent = models.DecimalField("percent of a line", max_digits=5, decimal_places=2, default=DEFAULT_PERCENT)

    class Meta:
        ordering = ["practice_id", "payer_id"]
        constraints = [
            models.UniqueConstraint(fields=["practice", "payer"], name="tolerance_once", nulls_distinct=False),
            models.CheckConstraint(condition=Q(amount__gte=0), name="tolerance_amount_not_negative"),
            models.CheckConstraint(condition=Q(percent__gte=0, percent__lte=100), name="tolerance_percent_share"),
        ]

    def __str__(self) -> str:
        return f"${self.amount} and {self.percent} % of {self.payer or 'every payer'}"

    def clean(self) -> None:
        """Hold a tolerance to its practice's payer, and a practice to one for every payer."""
        if self.payer and self.practice_id and self.payer.practice_id != self.practice_id:
            raise ValidationError({"payer": "This payer belongs to another practice."})


class UnderpaidLine(Counted):
    """A claim's line whose payer allowed less than expected, by the last remittance that answers it.

    `variance_amount` = expected - allowed. It is zero where the payer has made it good since somebody took it up.
    """

    cached_as = ("underpaid",)
    service_line = models.OneToOneField(ServiceLine, models.CASCADE, related_name="+", db_constraint=False)
    claim = models.ForeignKey(Claim, models.CASCADE, related_name="+", db_index=False, db_constraint=False)
    remittance = models.ForeignKey(Remittance, models.CASCADE, related_name="+", db_index=False, db_constraint=False)
    procedure_code = models.CharField("procedure", max_length=48)
    paid_on = models.DateField()
    month = models.DateField()
    charge_amount = models.DecimalField(max_digits=18, decimal_places=2)
    expected_amount = models.DecimalField(max_digits=18, decimal_places=2)
    allowed_amount = models.DecimalField(max_digits=18, decimal_places=2)
    paid_amount = models.DecimalField(max_digits=18, decimal_places=2)
    variance_amount = models.DecimalField(max_digits=18, decimal_places=2)
    status = models.CharField(
        max_length=10, choices=UnderpaidStatus.choices, default=UnderpaidStatus.OPEN, db_default=UnderpaidStatus.OPEN
    )
    assigned_to = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", db_index=False
    )
    found_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(status__in=UnderpaidStatus.values), name="underpaidline_status_known"),
            models.CheckConstraint(condition=Q(variance_amount__gte=0), name="underpaidline_variance_not_negative"),
        ]
        indexes = [
            # the queue: what is missing most first, and newest first
            models.Index(fields=["practice", "status", "-variance_amount", "-id"], name="underpaidline_queue"),
            models.Index(fields=["practice", "-id"], name="underpaidline_newest"),
            models.Index(fields=["practice", "month", "payer", "provider"], name="underpaidline_by_month"),
            # a procedure's, and what a claim has
            models.Index(fields=["practice", "procedure_code"], name="underpaidline_by_procedure"),
            models.Index(fields=["claim"], name="underpaidline_of_claim"),
        ]

    def __str__(self) -> str:
        return f"Underpaid line {self.pk}"


class UnderpaidChange(Scoped):
    """What a person did with an underpaid line, when and why. Rows are only added."""

    cached_as = ("underpaid",)
    line = models.ForeignKey(UnderpaidLine, models.CASCADE, related_name="changes", db_index=False)
    status = models.CharField(max_length=10, choices=UnderpaidStatus.choices)
    previous_status = models.CharField(max_length=10, choices=UnderpaidStatus.choices)
    assigned_to = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", db_index=False
    )
    reason = models.CharField(max_length=300)
    changed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", db_index=False)
    changed_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["-id"]
        constraints = [models.CheckConstraint(condition=~Q(reason=""), name="underpaidchange_says_why")]
        indexes = [models.Index(fields=["line", "-id"], name="underpaidchange_of_line")]

    def __str__(self) -> str:
        return f"{self.get_status_display()}: underpaid line {self.line_id}"
