"""/claims/: the list with its filters, and one claim with its lines, diagnoses, providers, other payers and findings.

Rows come from files and are only read here. Rooms above add their parts by `expand=` (episode, risk).
"""

from typing import Any, ClassVar

import django_filters
from django.db.models import Exists, OuterRef, QuerySet
from rest_framework import serializers

from claims.models import AnswerVerdict, Claim, ClaimAnswer, ClaimStatus, ClaimType, ServiceLine
from marb.access.answers import CachedViewSet
from marb.access.masking import MaskedDocumentField, MaskedField, mask_birth_date
from marb.core.filters import IdFilter, InstantFilter, RowFilterSet, TextFilter
from marb.pipeline.models import Finding
from marb.pipeline.serializers import FindingSerializer

LIST_FIELDS = [
    *("id", "practice", "file", "claim_type", "status", "finding_count", "created_at", "patient_control_number"),
    *(
        "charge_amount",
        "expected_amount",
        "line_count",
        "place_of_service_code",
        "frequency_code",
        "payer_claim_control_number",
    ),
    *("payer", "payer_name", "billing_provider", "billing_provider_name", "subscriber_member_id"),
    *("patient_last_name", "patient_first_name", "patient_birth_date"),
    *("service_from_date", "service_to_date", "principal_diagnosis_code"),
]
DETAIL_FIELDS = [
    *("byte_offset", "byte_end", "segment_position", "set_control", "guide", "facility_code_qualifier"),
    *("assignment_code", "prior_authorization_number", "referral_number", "plan", "plan_name", "payer_code"),
    *("billing_npi", "rendering_provider", "rendering_provider_name", "rendering_npi"),
    *("attending_npi", "operating_npi", "referring_npi", "payer_sequence_code", "filing_indicator_code"),
    *("group_number", "subscriber_last_name", "subscriber_first_name", "subscriber_birth_date"),
    *("subscriber_gender_code", "patient_relationship_code", "patient_gender_code", "admission_date"),
    *("discharge_date", "diagnosis_codes", "diagnoses", "providers", "other_payers", "detail", "lines", "findings"),
    *("answers", "submitted_date"),
]
LINE_FIELDS = [
    *("id", "line_number", "byte_offset", "revenue_code", "procedure_qualifier", "procedure_code", "modifiers"),
    *("charge_amount", "expected_amount", "expected_reason"),
    *("unit_code", "unit_count", "place_of_service_code", "diagnosis_pointers"),
    *("service_from_date", "service_to_date", "line_control_number", "drug_code", "drug_unit_count"),
    *("drug_unit_code", "adjudications", "detail"),
]


class ClaimSerializer(serializers.ModelSerializer[Claim]):
    payer_name = serializers.CharField(source="payer.name", allow_null=True)
    billing_provider_name = serializers.CharField(source="billing_provider.name", allow_null=True)
    subscriber_member_id = MaskedField()
    patient_birth_date = MaskedField(mask_birth_date, allow_null=True)

    class Meta:
        model = Claim
        fields = LIST_FIELDS
        read_only_fields = fields


class LineSerializer(serializers.ModelSerializer[ServiceLine]):
    adjudications = MaskedDocumentField()
    detail = MaskedDocumentField()

    class Meta:
        model = ServiceLine
        fields = LINE_FIELDS


class ClaimAnswerSerializer(serializers.ModelSerializer[ClaimAnswer]):
    """What a receiver answered (TA1, 999, 277CA) that is about the claim; one of them is current."""

    file = serializers.IntegerField(source="answer.file_id")
    level = serializers.CharField(source="answer.level")
    said_at = serializers.DateTimeField(source="answer.said_at")
    sender_code = serializers.CharField(source="answer.sender_code")
    payer_claim_control_number = serializers.CharField(source="answer.payer_claim_control_number")
    codes = serializers.JSONField(source="answer.codes")

    class Meta:
        model = ClaimAnswer
        fields = [
            *("level", "verdict", "is_current", "said_at", "sender_code", "payer_claim_control_number", "codes"),
            "file",
        ]


class ClaimDetailSerializer(ClaimSerializer):
    payer_code = serializers.CharField(source="payer.payer_code", allow_null=True)
    plan_name = serializers.CharField(source="plan.plan_name", allow_null=True)
    billing_npi = serializers.CharField(source="billing_provider.npi", allow_null=True)
    rendering_provider_name = serializers.CharField(source="rendering_provider.name", allow_null=True)
    rendering_npi = serializers.CharField(source="rendering_provider.npi", allow_null=True)
    subscriber_birth_date = MaskedField(mask_birth_date, allow_null=True)
    providers = MaskedDocumentField()
    other_payers = MaskedDocumentField()
    detail = MaskedDocumentField()
    lines = LineSerializer(many=True)
    findings = FindingSerializer(many=True)
    answers = ClaimAnswerSerializer(many=True)

    class Meta(ClaimSerializer.Meta):
        fields = [*LIST_FIELDS, *DETAIL_FIELDS]


class ClaimFilterSet(RowFilterSet):
    """Each filter has an index, or narrows what another one found."""

    status = django_filters.ChoiceFilter(choices=ClaimStatus.choices)
    payer = IdFilter("payer_id")
    provider = IdFilter("billing_provider_id")
    file = IdFilter("file_id")
    claim_type = django_filters.ChoiceFilter(choices=ClaimType.choices)
    frequency_code = TextFilter(max_length=1)
    control_number = TextFilter("patient_control_number")
    payer_claim_control_number = TextFilter()
    member_id = TextFilter("subscriber_member_id")
    service_from = django_filters.DateFilter("service_from_date", "gte")
    service_to = django_filters.DateFilter("service_from_date", "lte")
    created_from = InstantFilter("created_at", "gte")
    created_to = InstantFilter("created_at", "lte")
    procedure = TextFilter(method="filter_procedure")
    is_clean = django_filters.ChoiceFilter(choices=[("true", "Yes"), ("false", "No")], method="filter_clean")

    answer = django_filters.ChoiceFilter(choices=[*AnswerVerdict.choices, ("none", "None")], method="filter_answer")

    def filter_answer(self, queryset: QuerySet[Claim], name: str, value: str) -> QuerySet[Claim]:
        return find_answered(queryset, value)

    def filter_procedure(self, queryset: QuerySet[Claim], name: str, value: str) -> QuerySet[Claim]:
        lines = ServiceLine.objects.filter(
            claim=OuterRef("pk"), practice=OuterRef("practice"), procedure_code=value.upper()
        )
        return queryset.filter(Exists(lines))

    def filter_clean(self, queryset: QuerySet[Claim], name: str, value: str) -> QuerySet[Claim]:
        clean = {"status": ClaimStatus.PROCESSED}
        return queryset.filter(**clean) if value == "true" else queryset.exclude(**clean)


def find_answered(queryset: QuerySet[Claim], verdict: str) -> QuerySet[Claim]:
    """Narrow claims to those whose current answer has a verdict; `none` are those that have no answer."""
    answers = ClaimAnswer.objects.filter(claim=OuterRef("pk"), practice=OuterRef("practice"), is_current=True)
    if verdict == "none":
        return queryset.filter(~Exists(answers))
    return queryset.filter(Exists(answers.filter(verdict=verdict)))


class ClaimViewSet(CachedViewSet):
    """Claims. Names of patients are shown, identifiers only in a detail and to those who may see them."""

    queryset = Claim.objects.all()
    serializer_class = ClaimSerializer
    detail_class = ClaimDetailSerializer
    filterset_class = ClaimFilterSet
    orderings = ("-id", "id", "-service_from_date", "service_from_date")
    kind = "claim"
    stamp = "claim"
    depends: ClassVar[tuple[str, ...]] = ("party",)

    def find_lines(self, row: dict[str, Any]) -> QuerySet[ServiceLine]:
        return ServiceLine.objects.filter(claim_id=row["id"])

    def find_findings(self, row: dict[str, Any]) -> QuerySet[Finding]:
        return Finding.objects.filter(file_id=row["file"], claim_offset=row["byte_offset"])

    def find_answers(self, row: dict[str, Any]) -> QuerySet[ClaimAnswer]:
        return ClaimAnswer.objects.filter(claim_id=row["id"]).order_by("-answer__said_at", "answer_id")
