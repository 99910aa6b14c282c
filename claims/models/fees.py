"""Fee schedules as CMS publishes them, and the contracts that say which payer pays by which of them.

A schedule is public and belongs to no practice; a contract is a practice's own. Rows come from `manage.py
load_fee_schedule`; `version` goes up with each load and is what the price tables in memory are checked against.
"""

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from claims.modifiers import ALLOWED, INDICATORS, PORTIONS
from claims.ranking import RANKED, STANDARD_REDUCTIONS
from marb.access.models import Scoped
from marb.parties.models import Payer


class FeeSchedule(models.Model):
    """One release of Medicare's physician fee schedule for a period; 2026 has two, by qualifier (QP, nonQP)."""

    name = models.CharField(max_length=80, unique=True)
    year = models.PositiveSmallIntegerField()
    qualifier = models.CharField(max_length=10, blank=True)
    effective_from_date = models.DateField()
    effective_to_date = models.DateField()
    version = models.PositiveIntegerField(default=1)
    loaded_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["-effective_from_date", "name"]
        constraints = [
            models.CheckConstraint(
                condition=Q(effective_to_date__gte=F("effective_from_date")), name="feeschedule_period_in_order"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Fee(models.Model):
    """One row of PPRRVU: a code (with modifier 26, TC or 53, else "") and its RVUs and indicators."""

    schedule = models.ForeignKey(FeeSchedule, models.CASCADE, related_name="fees", db_index=False)
    procedure_code = models.CharField(max_length=5)
    modifier = models.CharField(max_length=2, blank=True)
    status_code = models.CharField(max_length=1)
    work = models.DecimalField(max_digits=9, decimal_places=4)
    nonfacility_pe = models.DecimalField(max_digits=9, decimal_places=4)
    facility_pe = models.DecimalField(max_digits=9, decimal_places=4)
    malpractice = models.DecimalField(max_digits=9, decimal_places=4)
    conversion_factor = models.DecimalField(max_digits=9, decimal_places=4)
    multiple_procedure = models.CharField(max_length=1, blank=True)
    bilateral = models.CharField(max_length=1, blank=True)
    assistant = models.CharField(max_length=1, blank=True)
    cosurgeon = models.CharField(max_length=1, blank=True)
    team = models.CharField(max_length=1, blank=True)
    endoscopy_base = models.CharField(max_length=5, blank=True)
    preoperative = models.DecimalField(max_digits=5, decimal_places=4)
    intraoperative = models.DecimalField(max_digits=5, decimal_places=4)
    postoperative = models.DecimalField(max_digits=5, decimal_places=4)

    class Meta:
        ordering = ["schedule_id", "procedure_code", "modifier"]
        constraints = [
            models.UniqueConstraint(fields=["schedule", "procedure_code", "modifier"], name="fee_once"),
        ]

    def __str__(self) -> str:
        return f"{self.procedure_code} {self.modifier}".strip()


class Locality(models.Model):
    """One row of GPCI: a contractor's locality and its three indices in a year's schedule."""

    schedule = models.ForeignKey(FeeSchedule, models.CASCADE, related_name="localities", db_index=False)
    contractor = models.CharField(max_length=5)
    locality = models.CharField(max_length=2)
    state = models.CharField(max_length=2)
    name = models.CharField(max_length=120)
    work = models.DecimalField(max_digits=6, decimal_places=4)
    practice_expense = models.DecimalField(max_digits=6, decimal_places=4)
    malpractice = models.DecimalField(max_digits=6, decimal_places=4)

    class Meta:
        verbose_name_plural = "localities"
        ordering = ["schedule_id", "contractor", "locality"]
        constraints = [
            models.UniqueConstraint(fields=["schedule", "contractor", "locality"], name="locality_once"),
        ]

    def __str__(self) -> str:
        return f"{self.contractor}-{self.locality} {self.name}"


class FeeCap(models.Model):
    """One row of OPPSCAP: the most that a code may cost at a locality."""

    schedule = models.ForeignKey(FeeSchedule, models.CASCADE, related_name="caps", db_index=False)
    contractor = models.CharField(max_length=5)
    locality = models.CharField(max_length=2)
    procedure_code = models.CharField(max_length=5)
    modifier = models.CharField(max_length=2, blank=True)
    facility_amount = models.DecimalField(max_digits=12, decimal_places=2)
    nonfacility_amount = models.DecimalField(max_digits=12, decimal_places=2)

    class Meta:
        constraints = [
            # a locality's caps together, and each once
            models.UniqueConstraint(
                fields=["schedule", "contractor", "locality", "procedure_code", "modifier"], name="feecap_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.procedure_code} {self.modifier}".strip()


class LocalityZip(models.Model):
    """The ZIP crosswalk of a schedule: which locality a ZIP code is in."""

    schedule = models.ForeignKey(FeeSchedule, models.CASCADE, related_name="zips", db_index=False)
    zip_code = models.CharField(max_length=5)
    contractor = models.CharField(max_length=5)
    locality = models.CharField(max_length=2)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["schedule", "zip_code"], name="localityzip_once")]

    def __str__(self) -> str:
        return self.zip_code


class Effect(models.TextChoices):
    PERCENT = "percent", "Percent of the price"
    PORTION = "portion", "Portion of the global package"
    ROW = "row", "Price row of its own, else the percent"
    RANK = "rank", "Ranked among multiple procedures"
    BY_REPORT = "by_report", "Paid by report"
    NONE = "none", "No effect"


class FeeModifier(models.Model):
    """What a modifier does to a price (claims.rvu.ModifierRule); a contract's own row comes before the general one."""

    contract = models.ForeignKey("Contract", models.CASCADE, related_name="modifiers", null=True, blank=True)
    modifier = models.CharField(max_length=2)
    effect = models.CharField(max_length=10, choices=Effect.choices)
    percent = models.DecimalField(max_digits=6, decimal_places=2, default=100)
    indicator = models.CharField(max_length=40, blank=True)
    allowed = models.CharField(max_length=40, blank=True)

    class Meta:
        ordering = ["contract_id", "modifier"]
        constraints = [
            models.UniqueConstraint(fields=["contract", "modifier"], name="feemodifier_once", nulls_distinct=False),
            models.CheckConstraint(condition=Q(effect__in=Effect.values), name="feemodifier_effect_known"),
            models.CheckConstraint(condition=Q(percent__gte=0), name="feemodifier_percent_not_negative"),
        ]

    def __str__(self) -> str:
        return f"{self.modifier} {self.effect}"

    def clean(self) -> None:
        """Hold a rule to what claims.modifiers understands."""
        names = self.indicator.split()
        known = PORTIONS if self.effect == Effect.PORTION else INDICATORS
        if self.effect == Effect.PORTION and not names:
            raise ValidationError({"indicator": f"Name the portions: {', '.join(PORTIONS)}."})
        if (len(names) > 1 and self.effect != Effect.PORTION) or set(names) - set(known):
            raise ValidationError({"indicator": f"Known are: {', '.join(known)}."})
        if ALLOWED.sub("", self.allowed).strip():
            raise ValidationError({"allowed": "Write values of the indicator as `1 2`, with a percent as `3=200`."})


class Basis(models.TextChoices):
    MEDICARE = "medicare", "Percent of Medicare"
    OWN = "own", "Fees of its own"


class Contract(Scoped):
    """What a payer pays a practice in a period: a percent of Medicare's schedule at a locality, or fees of its own.

    `reductions` are the percents of several procedures, by rule (claims.ranking) or a list of those of ranked ones:
    the highest first, the last one holds for all that follow.
    """

    payer = models.ForeignKey(Payer, models.CASCADE, related_name="+", db_index=False)
    name = models.CharField(max_length=80)
    basis = models.CharField(max_length=10, choices=Basis.choices, default=Basis.MEDICARE)
    percent = models.DecimalField(max_digits=6, decimal_places=2, default=100)
    qualifier = models.CharField(max_length=10, blank=True)
    contractor = models.CharField(max_length=5, blank=True)
    locality = models.CharField(max_length=2, blank=True)
    reductions = models.JSONField(default=list, blank=True)
    effective_from_date = models.DateField()
    effective_to_date = models.DateField(null=True, blank=True)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        ordering = ["payer_id", "-effective_from_date"]
        constraints = [
            models.UniqueConstraint(fields=["practice", "payer", "effective_from_date"], name="contract_once"),
            models.CheckConstraint(condition=Q(basis__in=Basis.values), name="contract_basis_known"),
            models.CheckConstraint(condition=Q(percent__gt=0), name="contract_percent_positive"),
            models.CheckConstraint(
                condition=Q(effective_to_date__isnull=True) | Q(effective_to_date__gte=F("effective_from_date")),
                name="contract_period_in_order",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Hold a contract to its practice's payer, to a period of its own, and to reductions that are percents."""
        if self.payer_id and self.practice_id and self.payer.practice_id != self.practice_id:
            raise ValidationError({"payer": "This payer belongs to another practice."})
        if self.payer_id and self.practice_id and self.effective_from_date and overlapping(self).exists():
            raise ValidationError(
                {"effective_from_date": "Another contract with this payer holds on some of these days."}
            )
        given = self.reductions if isinstance(self.reductions, dict) else {RANKED: self.reductions}
        if set(given) - set(STANDARD_REDUCTIONS) or not all(map(is_percents, given.values())):
            rules = ", ".join(STANDARD_REDUCTIONS)
            raise ValidationError({"reductions": f"Write [100, 50], or lists of percents by rule ({rules})."})


def overlapping(contract: Contract) -> models.QuerySet[Contract]:
    """Find the other contracts with the same payer that hold on a day on which this one does."""
    ends = Q(effective_to_date__isnull=True) | Q(effective_to_date__gte=contract.effective_from_date)
    found = Contract.objects.filter(ends, practice=contract.practice_id, payer=contract.payer_id).exclude(
        pk=contract.pk
    )
    return found.filter(effective_from_date__lte=contract.effective_to_date) if contract.effective_to_date else found


def is_percents(given: object) -> bool:
    """Say whether a value is a list of percents: up to twenty numbers from 0 to 100."""
    if not isinstance(given, list) or len(given) > 20:
        return False
    return all(isinstance(one, int | float) and not isinstance(one, bool) and 0 <= one <= 100 for one in given)


class ContractFee(models.Model):
    """One fee that a contract has of its own: what it allows for a unit of a code, whatever Medicare does."""

    contract = models.ForeignKey(Contract, models.CASCADE, related_name="fees", db_index=False)
    procedure_code = models.CharField(max_length=5)
    modifier = models.CharField(max_length=2, blank=True)
    amount = models.DecimalField(max_digits=12, decimal_places=2)
    facility_amount = models.DecimalField(max_digits=12, decimal_places=2, null=True, blank=True)

    class Meta:
        ordering = ["contract_id", "procedure_code", "modifier"]
        constraints = [
            models.UniqueConstraint(fields=["contract", "procedure_code", "modifier"], name="contractfee_once"),
            models.CheckConstraint(condition=Q(amount__gte=0), name="contractfee_not_negative"),
        ]

    def __str__(self) -> str:
        return f"{self.procedure_code} {self.modifier}".strip()


class FeeVersion(models.Model):
    """One row: a number that goes up with every change of schedules, contracts or modifier rules."""

    number = models.BigIntegerField(default=0)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="feeversion_one_row")]

    def __str__(self) -> str:
        return str(self.number)
