"""Claims and their service lines, as the 837 says them (005010X222, X223, X224 and their 4010 forebears).

Columns hold what screens, linking, pricing and risk ask for; the JSON columns hold the rest of the loop whole, so that
an 837 can be written back. A claim's natural key is its place: file and byte offset of its CLM. CLM01 repeats legally.
Rows come only from claims.load, by COPY.
"""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now, Upper

from marb.access.models import Loaded
from marb.parties.models import Payer, Plan, Provider
from marb.pipeline.models import Chunk, EdiFile


class ClaimType(models.TextChoices):
    PROFESSIONAL = "P", "Professional"
    INSTITUTIONAL = "I", "Institutional"
    DENTAL = "D", "Dental"


class ClaimStatus(models.TextChoices):
    PENDING = "pending", "Pending"
    PROCESSED = "processed", "Clean"
    INCOMPLETE = "incomplete", "Not clean"
    ERROR = "error", "Error"


class Claim(Loaded):
    """One CLM (loop 2300) with its subscriber (2000B), patient (2000C) and billing provider (2000A)."""

    cached_as = ("claim",)
    file = models.ForeignKey(EdiFile, models.PROTECT, related_name="+", db_index=False, db_constraint=False)
    chunk = models.ForeignKey(Chunk, models.PROTECT, related_name="+", db_index=False, db_constraint=False)
    byte_offset = models.BigIntegerField()
    byte_end = models.BigIntegerField()
    segment_position = models.PositiveIntegerField()
    set_control = models.CharField(max_length=20)
    claim_type = models.CharField(max_length=1, choices=ClaimType.choices)
    guide = models.CharField(max_length=35)
    status = models.CharField(max_length=10, choices=ClaimStatus.choices)
    finding_count = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(db_default=Now())

    patient_control_number = models.CharField("control number", max_length=60)
    charge_amount = models.DecimalField(max_digits=18, decimal_places=2)
    # what the payer's contract or fee schedule should allow; null while a line of it has no price
    expected_amount = models.DecimalField(max_digits=18, decimal_places=2, null=True)
    line_count = models.PositiveIntegerField()
    place_of_service_code = models.CharField("place of service", max_length=4)
    facility_code_qualifier = models.CharField(max_length=2)
    frequency_code = models.CharField(max_length=1)
    assignment_code = models.CharField(max_length=2)
    payer_claim_control_number = models.CharField(max_length=80)
    prior_authorization_number = models.CharField(max_length=80)
    referral_number = models.CharField(max_length=80)

    payer = models.ForeignKey(Payer, models.PROTECT, related_name="+", null=True, db_index=False)
    plan = models.ForeignKey(Plan, models.SET_NULL, related_name="+", null=True, db_index=False)
    billing_provider = models.ForeignKey(Provider, models.PROTECT, related_name="+", null=True, db_index=False)
    rendering_provider = models.ForeignKey(Provider, models.PROTECT, related_name="+", null=True, db_index=False)
    attending_npi = models.CharField(max_length=80)
    operating_npi = models.CharField(max_length=80)
    referring_npi = models.CharField(max_length=80)

    payer_sequence_code = models.CharField(max_length=1)
    filing_indicator_code = models.CharField(max_length=2)
    group_number = models.CharField(max_length=80)
    subscriber_member_id = models.CharField(max_length=80)
    subscriber_last_name = models.CharField(max_length=80)
    subscriber_first_name = models.CharField(max_length=60)
    subscriber_birth_date = models.DateField(null=True)
    subscriber_gender_code = models.CharField(max_length=1)
    patient_relationship_code = models.CharField(max_length=2)
    patient_last_name = models.CharField(max_length=80)
    patient_first_name = models.CharField(max_length=60)
    patient_birth_date = models.DateField(null=True)
    patient_gender_code = models.CharField(max_length=1)

    service_from_date = models.DateField(null=True)
    service_to_date = models.DateField(null=True)
    admission_date = models.DateField(null=True)
    discharge_date = models.DateField(null=True)
    # the day the claim was sent: BHT04, else GS04
    submitted_date = models.DateField(null=True)
    principal_diagnosis_code = models.CharField(max_length=30)
    diagnosis_codes = ArrayField(models.CharField(max_length=30), default=list)

    # [{qualifier, code, present_on_admission, date, amount}] of every HI, in order
    diagnoses = models.JSONField(default=list)
    # [{loop, role (NM101), last_name, first_name, npi, taxonomy_code, address, references}] of every NM1 but payers
    providers = models.JSONField(default=list)
    # [{sequence, payer, member_id, paid_amount, adjustments: [], amounts: [], ...}] of every 2320
    other_payers = models.JSONField(default=list)
    # {references: [], dates: [], notes: [], amounts: [], subscriber: {}, patient: {}, ...} what has no column
    detail = models.JSONField(default=dict)

    class Meta:
        ordering = ["-id"]
        constraints = [
            # exactly once: a claim is its place
            models.UniqueConstraint(fields=["file", "byte_offset"], name="claim_once"),
            models.CheckConstraint(condition=Q(byte_end__gt=F("byte_offset")), name="claim_has_extent"),
            models.CheckConstraint(condition=Q(claim_type__in=ClaimType.values), name="claim_type_known"),
            models.CheckConstraint(condition=Q(status__in=ClaimStatus.values), name="claim_status_known"),
            models.CheckConstraint(
                condition=Q(service_from_date__isnull=True)
                | Q(service_to_date__isnull=True)
                | Q(service_to_date__gte=F("service_from_date")),
                name="claim_service_dates_in_order",
            ),
        ]
        indexes = [
            # linking a remittance (CLP01 = CLM01), and the search by control number
            models.Index(fields=["practice", "patient_control_number"], name="claim_by_control_number"),
            # the claim list, newest first, and date-based queries ([001] practice_id, created_at)
            models.Index(fields=["practice", "-created_at", "-id"], name="claim_newest"),
            # a payer's claims by status; its prefix serves the filter by payer ([001] payer_id, payer_id + status)
            models.Index(fields=["payer", "status"], name="claim_by_payer_status"),
            # a provider's claims ([001] provider_id)
            models.Index(fields=["billing_provider"], name="claim_by_billing_provider"),
            # claims by date of service, with what the list shows of the sums
            models.Index(
                fields=["practice", "-service_from_date"],
                include=["charge_amount", "status"],
                name="claim_by_service_date",
            ),
            # the work list: claims that are not clean
            models.Index(fields=["practice", "-id"], condition=Q(status="incomplete"), name="claim_not_clean"),
            # search by patient and by member id, prefix without regard to case
            models.Index(F("practice"), Upper("patient_last_name"), name="claim_by_patient_name"),
            models.Index(fields=["practice", "subscriber_member_id"], name="claim_by_member_id"),
            # a chain's later submissions by the payer's number (REF*F8); most claims have none
            models.Index(
                fields=["practice", "payer_claim_control_number"],
                condition=~Q(payer_claim_control_number=""),
                name="claim_by_payer_number",
            ),
        ]

    def __str__(self) -> str:
        return f"Claim {self.pk}"

    @property
    def is_clean(self) -> bool:
        return self.status == ClaimStatus.PROCESSED


class ServiceLine(Loaded):
    """One LX with SV1, SV2 or SV3 (loop 2400)."""

    cached_as = ("claim",)
    claim = models.ForeignKey(Claim, models.CASCADE, related_name="lines", db_index=False, db_constraint=False)
    line_number = models.PositiveIntegerField()
    byte_offset = models.BigIntegerField()
    revenue_code = models.CharField(max_length=48)
    procedure_qualifier = models.CharField(max_length=2)
    procedure_code = models.CharField(max_length=48)
    modifiers = ArrayField(models.CharField(max_length=10), default=list)
    charge_amount = models.DecimalField(max_digits=18, decimal_places=2)
    # a price, or the reason why there is none
    expected_amount = models.DecimalField(max_digits=18, decimal_places=2, null=True)
    expected_reason = models.CharField(max_length=80, blank=True, default="")
    unit_code = models.CharField(max_length=2)
    unit_count = models.DecimalField(max_digits=18, decimal_places=6, null=True)
    place_of_service_code = models.CharField(max_length=4)
    diagnosis_pointers = ArrayField(models.PositiveSmallIntegerField(), default=list)
    service_from_date = models.DateField(null=True)
    service_to_date = models.DateField(null=True)
    line_control_number = models.CharField(max_length=80)
    drug_code = models.CharField(max_length=48)
    drug_unit_count = models.DecimalField(max_digits=18, decimal_places=6, null=True)
    drug_unit_code = models.CharField(max_length=2)
    # [{payer_code, paid_amount, procedure..., adjustments: [], date}] of every 2430
    adjudications = models.JSONField(default=list)
    # {references: [], dates: [], notes: [], providers: [], tooth: [], ...} what has no column
    detail = models.JSONField(default=dict)

    class Meta:
        ordering = ["claim_id", "line_number"]
        constraints = [
            # also serves a claim's lines in order ([001] claim_lines.claim_id)
            models.UniqueConstraint(fields=["claim", "line_number"], name="serviceline_once"),
        ]
        indexes = [
            # lines by procedure: denial patterns and the line filter of the claim list
            models.Index(fields=["practice", "procedure_code"], name="serviceline_by_procedure"),
        ]

    def __str__(self) -> str:
        return f"Line {self.line_number} of claim {self.claim_id}"
