"""What the key figures are summed from: a row per chain and per remittance, and their sums by month and by day.

A row says all that its chain or remittance adds to the sums, and where: its practice, payer, billing provider and days.
So a change knows the sums that it was in before, and every sum is only ever the sum of its rows (episodes.roll). Months
are their first days. A missing payer or provider is a place of its own.
"""

from typing import Any

from django.db import models

from claims.models import Claim
from marb.access.models import Loaded
from marb.parties.models import Payer, Provider
from remits.models import Remittance


def amount(**options: Any) -> Any:
    return models.DecimalField(max_digits=18, decimal_places=2, default=0, **options)


class Counted(Loaded):
    """Whose sums a row is in."""

    payer = models.ForeignKey(Payer, models.CASCADE, related_name="+", null=True, db_index=False, db_constraint=False)
    provider = models.ForeignKey(
        Provider, models.CASCADE, related_name="+", null=True, db_index=False, db_constraint=False
    )

    class Meta:
        abstract = True


class CountedChain(Counted):
    """A chain of submissions by its first claim.

    `net_amount` is what the payers should come to: charge less contractual adjustments, or, without an answer, what the
    contract allows (the charge where no contract says). `due_amount` is the payers' part of it, where they answered.
    """

    claim = models.OneToOneField(Claim, models.CASCADE, primary_key=True, related_name="+", db_constraint=False)
    submitted_on = models.DateField()
    submitted_month = models.DateField()
    # the first adjudication; null until there is one
    answered_month = models.DateField(null=True)
    is_clean = models.BooleanField()
    is_denied_first = models.BooleanField()
    is_first_pass = models.BooleanField()
    line_count = models.IntegerField()
    # from submission to the first adjudication
    lag_days = models.IntegerField(null=True)
    charge_amount, net_amount, due_amount = amount(), amount(), amount()
    paid_amount, open_amount, net_open_amount = amount(), amount(), amount()

    class Meta:
        indexes = [
            # the sums of a month, those of a month of answers, and the balances of a day
            models.Index(fields=["practice", "submitted_month", "payer", "provider"], name="countedchain_by_month"),
            models.Index(fields=["practice", "answered_month", "payer", "provider"], name="countedchain_by_answer"),
            models.Index(fields=["practice", "submitted_on", "payer", "provider"], name="countedchain_by_day"),
        ]

    def __str__(self) -> str:
        return f"Chain of claim {self.claim_id}"


class CountedRemittance(Counted):
    """A remittance by the month of its payment. The provider is that of the claim it answers, else the payee."""

    remittance = models.OneToOneField(
        Remittance, models.CASCADE, primary_key=True, related_name="+", db_constraint=False
    )
    month = models.DateField()
    is_adjudication = models.BooleanField()
    is_denied = models.BooleanField()
    is_linked = models.BooleanField()
    is_balanced = models.BooleanField()
    # linked by the machine, and the remittance and its payment balance: nobody need look at it
    is_posted = models.BooleanField()

    class Meta:
        indexes = [
            models.Index(fields=["practice", "month", "payer", "provider"], name="countedremittance_by_month"),
        ]

    def __str__(self) -> str:
        return f"Remittance {self.remittance_id}"


class MonthSum(Counted):
    """The sums of a month. What is counted by which of a chain's or remittance's days is said in episodes.kpis."""

    month = models.DateField()
    # by the month of submission
    claim_count, clean_count, line_count = (models.BigIntegerField(default=0) for _ in range(3))
    charge_amount, net_amount, due_amount, paid_amount = amount(), amount(), amount(), amount()
    # by the month of the first answer
    answered_count, first_denied_count, first_pass_count = (models.BigIntegerField(default=0) for _ in range(3))
    first_denied_amount = amount()
    lag_days = models.BigIntegerField(default=0)
    # by the month of the payment
    remittance_count, adjudicated_count, denied_count = (models.BigIntegerField(default=0) for _ in range(3))
    linked_count, posted_count, unbalanced_count = (models.BigIntegerField(default=0) for _ in range(3))
    underpaid_count = models.BigIntegerField(default=0)
    underpaid_amount = amount()

    class Meta:
        verbose_name = "key figure"
        constraints = [
            models.UniqueConstraint(
                fields=["practice", "month", "payer", "provider"], name="monthsum_once", nulls_distinct=False
            ),
        ]

    def __str__(self) -> str:
        return f"{self.month:%Y-%m}"


class DayBalance(Counted):
    """What is open of the chains that were submitted on a day."""

    day = models.DateField()
    open_amount, net_open_amount = amount(), amount()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["practice", "day", "payer", "provider"], name="daybalance_once", nulls_distinct=False
            ),
        ]

    def __str__(self) -> str:
        return f"{self.day}"
