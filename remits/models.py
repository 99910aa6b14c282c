"""Payments, remittances, their lines and adjustments, as the 835 says them (005010X221 and 004010X091).

A payment is one ST: a check or transfer (BPR, TRN). A remittance is one claim payment (CLP); a claim has many. Amounts
keep their sign as sent. The differences are stored, never mended: zero means balanced to the cent. Natural keys are
places (file and byte offset). Rows come only from remits.load, by COPY.
"""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now, Upper

from marb.access.models import Loaded, Scoped
from marb.parties.models import Payer, Provider
from marb.pipeline.models import Chunk, EdiFile


class Payment(Scoped):
    """One 835 transaction set: BPR, TRN, payer (1000A), payee (1000B) and its provider adjustments (PLB)."""

    cached_as = ("payment",)
    file = models.ForeignKey(EdiFile, models.PROTECT, related_name="+", db_index=False)
    byte_offset = models.BigIntegerField()
    set_control = models.CharField(max_length=20)
    guide = models.CharField(max_length=35)
    payer = models.ForeignKey(Payer, models.PROTECT, related_name="+", null=True, db_index=False)
    payee = models.ForeignKey(Provider, models.PROTECT, related_name="+", null=True, db_index=False)
    payer_name = models.CharField(max_length=120)
    payee_name = models.CharField(max_length=120)
    payee_npi = models.CharField(max_length=80)
    handling_code = models.CharField(max_length=2)
    payment_amount = models.DecimalField(max_digits=18, decimal_places=2)
    credit_debit_code = models.CharField(max_length=1)
    method_code = models.CharField(max_length=3)
    payment_date = models.DateField(null=True)
    trace_number = models.CharField(max_length=80)
    originator_code = models.CharField(max_length=20)
    production_date = models.DateField(null=True)
    # {references: [], contacts: [], payer address, payee address, currency, ...} what has no column
    detail = models.JSONField(default=dict)
    created_at = models.DateTimeField(db_default=Now())

    # set by remits.settle once every chunk of the file is in; null until then
    claim_paid_amount = models.DecimalField(max_digits=18, decimal_places=2, null=True)
    provider_adjustment_amount = models.DecimalField(max_digits=18, decimal_places=2, null=True)
    difference_amount = models.DecimalField(max_digits=18, decimal_places=2, null=True)
    # by how much its claims and its lines fail to balance, without sign so that two faults do not hide each other
    claim_difference_amount = models.DecimalField(max_digits=18, decimal_places=2, null=True)
    line_difference_amount = models.DecimalField(max_digits=18, decimal_places=2, null=True)
    unbalanced_count = models.PositiveIntegerField(db_default=0, default=0)

    class Meta:
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["file", "byte_offset"], name="payment_once")]
        indexes = [
            # the payment list, newest first
            models.Index(fields=["practice", "-payment_date", "-id"], name="payment_newest"),
            # the same payment in another file: payer, trace number, amount
            models.Index(fields=["practice", "trace_number"], name="payment_by_trace_number"),
            models.Index(fields=["payer"], name="payment_by_payer"),
            # the queue of payments that do not balance
            models.Index(
                fields=["practice", "-id"],
                condition=Q(difference_amount__isnull=False) & ~Q(difference_amount=0),
                name="payment_unbalanced",
            ),
        ]

    def __str__(self) -> str:
        return f"Payment {self.trace_number or self.pk}"

    @property
    def is_balanced(self) -> bool:
        return self.difference_amount == 0


class ProviderAdjustment(Loaded):
    """One reason and amount of a PLB. A positive amount lowers the payment."""

    cached_as = ("payment",)
    payment = models.ForeignKey(Payment, models.CASCADE, related_name="provider_adjustments", db_index=False)
    byte_offset = models.BigIntegerField()
    seq = models.PositiveSmallIntegerField()
    provider_code = models.CharField(max_length=80)
    fiscal_date = models.DateField(null=True)
    reason_code = models.CharField(max_length=10)
    reference_number = models.CharField(max_length=80)
    amount = models.DecimalField(max_digits=18, decimal_places=2)

    class Meta:
        ordering = ["payment_id", "byte_offset", "seq"]
        constraints = [
            models.UniqueConstraint(fields=["payment", "byte_offset", "seq"], name="provideradjustment_once")
        ]
        indexes = [
            # the takebacks of a claim: PLB03-2 names it by the payer's number or by the control number
            models.Index(
                fields=["practice", "reference_number"],
                condition=~Q(reference_number=""),
                name="provideradjustment_by_ref",
            ),
        ]

    def __str__(self) -> str:
        return f"PLB {self.reason_code} of payment {self.payment_id}"


class RemittanceStatus(models.TextChoices):
    PENDING = "pending", "Pending"
    PROCESSED = "processed", "Balanced"
    ERROR = "error", "Does not balance"


class Remittance(Loaded):
    """One CLP (loop 2100) with its adjustments and lines."""

    cached_as = ("remittance",)
    payment = models.ForeignKey(Payment, models.CASCADE, related_name="remittances", db_index=False)
    file = models.ForeignKey(EdiFile, models.PROTECT, related_name="+", db_index=False, db_constraint=False)
    chunk = models.ForeignKey(Chunk, models.PROTECT, related_name="+", db_index=False, db_constraint=False)
    byte_offset = models.BigIntegerField()
    byte_end = models.BigIntegerField()
    segment_position = models.PositiveIntegerField()
    status = models.CharField(max_length=10, choices=RemittanceStatus.choices)
    finding_count = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(db_default=Now())

    payer = models.ForeignKey(Payer, models.PROTECT, related_name="+", null=True, db_index=False)
    rendering_provider = models.ForeignKey(Provider, models.PROTECT, related_name="+", null=True, db_index=False)
    patient_control_number = models.CharField("control number", max_length=60)
    claim_status_code = models.CharField(max_length=2)
    charge_amount = models.DecimalField(max_digits=18, decimal_places=2)
    paid_amount = models.DecimalField(max_digits=18, decimal_places=2)
    patient_responsibility_amount = models.DecimalField(max_digits=18, decimal_places=2)
    filing_indicator_code = models.CharField(max_length=2)
    payer_claim_control_number = models.CharField(max_length=80)
    facility_type_code = models.CharField(max_length=4)
    frequency_code = models.CharField(max_length=1)
    drg_code = models.CharField(max_length=10)
    patient_last_name = models.CharField(max_length=80)
    patient_first_name = models.CharField(max_length=60)
    member_id = models.CharField(max_length=80)
    crossover_payer_name = models.CharField(max_length=120)
    service_from_date = models.DateField(null=True)
    service_to_date = models.DateField(null=True)
    received_date = models.DateField(null=True)
    line_count = models.PositiveIntegerField()
    remark_codes = ArrayField(models.CharField(max_length=50), default=list)

    # sums and differences of this CLP, in the sign of the file (DOMAIN: 2.3)
    allowed_amount = models.DecimalField(max_digits=18, decimal_places=2, null=True)
    adjustment_amount = models.DecimalField(max_digits=18, decimal_places=2)
    claim_difference_amount = models.DecimalField(max_digits=18, decimal_places=2)
    line_difference_amount = models.DecimalField(max_digits=18, decimal_places=2)

    # [{role (NM101), last_name, ...}] of every NM1
    parties = models.JSONField(default=list)
    # {references: [], dates: [], amounts: [], quantities: [], mia: {}, moa: {}, contacts: []} what has no column
    detail = models.JSONField(default=dict)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["file", "byte_offset"], name="remittance_once"),
            models.CheckConstraint(condition=Q(byte_end__gt=F("byte_offset")), name="remittance_has_extent"),
            models.CheckConstraint(condition=Q(status__in=RemittanceStatus.values), name="remittance_status_known"),
            # a balanced remittance has no difference, an unbalanced one is never called processed
            models.CheckConstraint(
                condition=~Q(status=RemittanceStatus.PROCESSED)
                | (Q(claim_difference_amount=0) & Q(line_difference_amount=0)),
                name="remittance_processed_balances",
            ),
        ]
        indexes = [
            # linking to a claim (CLP01 = CLM01), and the search by control number
            models.Index(fields=["practice", "patient_control_number"], name="remittance_by_control_number"),
            # earlier remittances of the same claim by the payer's number (CLP07)
            models.Index(
                fields=["practice", "payer_claim_control_number"],
                condition=~Q(payer_claim_control_number=""),
                name="remittance_by_payer_number",
            ),
            # the remittance list, newest first ([001] created_at)
            models.Index(fields=["practice", "-created_at", "-id"], name="remittance_newest"),
            # a payer's remittances ([001] payer_id)
            models.Index(fields=["payer", "claim_status_code"], name="remittance_by_payer"),
            # a payment's remittances in the order of the file
            models.Index(fields=["payment", "byte_offset"], name="remittance_of_payment"),
            # the queue of those that do not balance
            models.Index(fields=["practice", "-id"], condition=Q(status="error"), name="remittance_unbalanced"),
            models.Index(F("practice"), Upper("patient_last_name"), name="remittance_by_patient_name"),
        ]

    def __str__(self) -> str:
        return f"Remittance {self.pk}"

    @property
    def is_reversal(self) -> bool:
        return self.claim_status_code == "22"


class RemittanceLine(Loaded):
    """One SVC (loop 2110). `difference_amount` = charge - adjustments - paid."""

    cached_as = ("remittance",)
    remittance = models.ForeignKey(
        Remittance, models.CASCADE, related_name="lines", db_index=False, db_constraint=False
    )
    line_number = models.PositiveIntegerField()
    byte_offset = models.BigIntegerField()
    procedure_qualifier = models.CharField(max_length=2)
    procedure_code = models.CharField(max_length=48)
    modifiers = ArrayField(models.CharField(max_length=10), default=list)
    submitted_procedure_code = models.CharField(max_length=48)
    revenue_code = models.CharField(max_length=48)
    charge_amount = models.DecimalField(max_digits=18, decimal_places=2)
    paid_amount = models.DecimalField(max_digits=18, decimal_places=2)
    allowed_amount = models.DecimalField(max_digits=18, decimal_places=2, null=True)
    unit_count = models.DecimalField(max_digits=18, decimal_places=6, null=True)
    submitted_unit_count = models.DecimalField(max_digits=18, decimal_places=6, null=True)
    service_from_date = models.DateField(null=True)
    service_to_date = models.DateField(null=True)
    line_control_number = models.CharField(max_length=80)
    difference_amount = models.DecimalField(max_digits=18, decimal_places=2)
    remark_codes = ArrayField(models.CharField(max_length=50), default=list)
    # {references: [], amounts: [], quantities: [], remark qualifiers: []} what has no column
    detail = models.JSONField(default=dict)

    class Meta:
        ordering = ["remittance_id", "line_number"]
        constraints = [
            models.UniqueConstraint(fields=["remittance", "line_number"], name="remittanceline_once"),
        ]

    def __str__(self) -> str:
        return f"Line {self.line_number} of remittance {self.remittance_id}"


class Adjustment(Loaded):
    """One reason of a CAS: of a line, or of the claim where `line` is null. A positive amount lowers the payment."""

    cached_as = ("remittance",)
    remittance = models.ForeignKey(
        Remittance, models.CASCADE, related_name="adjustments", db_index=False, db_constraint=False
    )
    line = models.ForeignKey(
        RemittanceLine, models.CASCADE, related_name="adjustments", null=True, db_index=False, db_constraint=False
    )
    seq = models.PositiveIntegerField()
    group_code = models.CharField(max_length=2)
    carc = models.CharField("reason code", max_length=5)
    amount = models.DecimalField(max_digits=18, decimal_places=2)
    quantity = models.DecimalField(max_digits=18, decimal_places=6, null=True)

    class Meta:
        ordering = ["remittance_id", "seq"]
        constraints = [
            # seq counts through the whole CLP, claim level first
            models.UniqueConstraint(fields=["remittance", "seq"], name="adjustment_once"),
        ]
        indexes = [
            # denials by reason
            models.Index(fields=["practice", "carc", "group_code"], include=["amount"], name="adjustment_by_reason"),
        ]

    def __str__(self) -> str:
        return f"{self.group_code}-{self.carc}"
