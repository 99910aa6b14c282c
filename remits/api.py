"""/payments/ (835 transaction sets) and /remits/ (their claim payments), read only.

A payment's remittances are a list of their own (`/remits/?payment=`): an 835 may hold a hundred thousand.
"""

from typing import Any

import django_filters
from django.db.models import Exists, OuterRef, Q, QuerySet
from rest_framework import serializers

from marb.access.answers import CachedViewSet
from marb.access.masking import MaskedDocumentField, MaskedField
from marb.core.filters import IdFilter, InstantFilter, RowFilterSet, TextFilter
from marb.pipeline.models import Finding
from marb.pipeline.serializers import FindingSerializer
from remits.models import Adjustment, Payment, ProviderAdjustment, Remittance, RemittanceLine, RemittanceStatus

PAYMENT_FIELDS = [
    *("id", "practice", "file", "payer", "payer_name", "payee", "payee_name", "payee_npi", "handling_code"),
    *("payment_amount", "credit_debit_code", "method_code", "payment_date", "trace_number", "production_date"),
    *("claim_paid_amount", "provider_adjustment_amount", "difference_amount", "created_at"),
]
REMITTANCE_FIELDS = [
    *("id", "practice", "file", "payment", "status", "finding_count", "created_at", "payer", "payer_name"),
    *("patient_control_number", "claim_status_code", "charge_amount", "paid_amount", "allowed_amount"),
    *("patient_responsibility_amount", "adjustment_amount", "payer_claim_control_number", "patient_last_name"),
    *("patient_first_name", "member_id", "service_from_date", "service_to_date", "received_date", "line_count"),
    *("payment_date", "trace_number"),
]
REMITTANCE_DETAIL_FIELDS = [
    *("byte_offset", "byte_end", "segment_position", "rendering_provider", "rendering_provider_name"),
    *("filing_indicator_code", "facility_type_code", "frequency_code", "drg_code", "crossover_payer_name"),
    *("remark_codes", "claim_difference_amount", "line_difference_amount", "parties", "detail"),
    *("lines", "adjustments", "findings"),
]
LINE_FIELDS = [
    *("id", "line_number", "byte_offset", "procedure_qualifier", "procedure_code", "modifiers"),
    *("submitted_procedure_code", "revenue_code", "charge_amount", "paid_amount", "allowed_amount", "unit_count"),
    *("submitted_unit_count", "service_from_date", "service_to_date", "line_control_number"),
    *("difference_amount", "remark_codes", "detail"),
]


class PaymentSerializer(serializers.ModelSerializer[Payment]):
    class Meta:
        model = Payment
        fields = PAYMENT_FIELDS


class ProviderAdjustmentSerializer(serializers.ModelSerializer[ProviderAdjustment]):
    class Meta:
        model = ProviderAdjustment
        fields = ["id", "seq", "provider_code", "fiscal_date", "reason_code", "reference_number", "amount"]


class PaymentDetailSerializer(PaymentSerializer):
    detail = MaskedDocumentField()
    provider_adjustments = ProviderAdjustmentSerializer(many=True)

    class Meta(PaymentSerializer.Meta):
        fields = [
            *PAYMENT_FIELDS,
            *("byte_offset", "set_control", "guide", "originator_code", "detail", "provider_adjustments"),
        ]


class RemittanceSerializer(serializers.ModelSerializer[Remittance]):
    payer_name = serializers.CharField(source="payer.name", allow_null=True)
    payment_date = serializers.DateField(source="payment.payment_date", allow_null=True)
    trace_number = serializers.CharField(source="payment.trace_number")
    member_id = MaskedField()

    class Meta:
        model = Remittance
        fields = REMITTANCE_FIELDS


class RemittanceLineSerializer(serializers.ModelSerializer[RemittanceLine]):
    detail = MaskedDocumentField()

    class Meta:
        model = RemittanceLine
        fields = LINE_FIELDS


class AdjustmentSerializer(serializers.ModelSerializer[Adjustment]):
    """One reason of a CAS; `line_number` is null for one of the claim."""

    line_number = serializers.IntegerField(source="line.line_number", allow_null=True)

    class Meta:
        model = Adjustment
        fields = ["id", "seq", "line_number", "group_code", "carc", "amount", "quantity"]


class RemittanceDetailSerializer(RemittanceSerializer):
    rendering_provider_name = serializers.CharField(source="rendering_provider.name", allow_null=True)
    parties = MaskedDocumentField()
    detail = MaskedDocumentField()
    lines = RemittanceLineSerializer(many=True)
    adjustments = AdjustmentSerializer(many=True)
    findings = FindingSerializer(many=True)

    class Meta(RemittanceSerializer.Meta):
        fields = [*REMITTANCE_FIELDS, *REMITTANCE_DETAIL_FIELDS]


BOOLEAN = [("true", "Yes"), ("false", "No")]


class PaymentFilterSet(RowFilterSet):
    payer = IdFilter("payer_id")
    file = IdFilter("file_id")
    trace_number = TextFilter()
    payment_from = django_filters.DateFilter("payment_date", "gte")
    payment_to = django_filters.DateFilter("payment_date", "lte")
    is_balanced = django_filters.ChoiceFilter(choices=BOOLEAN, method="filter_balanced")

    def filter_balanced(self, queryset: QuerySet[Payment], name: str, value: str) -> QuerySet[Payment]:
        if value == "true":
            return queryset.filter(difference_amount=0)
        # in the words of the partial index payment_unbalanced
        return queryset.filter(Q(difference_amount__isnull=False) & ~Q(difference_amount=0))


class RemittanceFilterSet(RowFilterSet):
    status = django_filters.ChoiceFilter(choices=RemittanceStatus.choices)
    payment = IdFilter("payment_id")
    payer = IdFilter("payer_id")
    file = IdFilter("file_id")
    claim_status_code = TextFilter(max_length=2)
    control_number = TextFilter("patient_control_number")
    payer_claim_control_number = TextFilter()
    created_from = InstantFilter("created_at", "gte")
    created_to = InstantFilter("created_at", "lte")
    carc = TextFilter(method="filter_carc", max_length=5)

    def filter_carc(self, queryset: QuerySet[Remittance], name: str, value: str) -> QuerySet[Remittance]:
        reasons = Adjustment.objects.filter(
            remittance=OuterRef("pk"), practice=OuterRef("practice"), carc=value.upper()
        )
        return queryset.filter(Exists(reasons))


class PaymentViewSet(CachedViewSet):
    """Payments: checks and transfers."""

    queryset = Payment.objects.all()
    serializer_class = PaymentSerializer
    detail_class = PaymentDetailSerializer
    filterset_class = PaymentFilterSet
    orderings = ("-id", "id", "-payment_date", "payment_date")
    kind = "payment"
    stamp, depends = "payment", ("party",)

    def find_provider_adjustments(self, row: dict[str, Any]) -> QuerySet[ProviderAdjustment]:
        return ProviderAdjustment.objects.filter(payment_id=row["id"])


class RemittanceViewSet(CachedViewSet):
    """Remittances: what a payer said about a claim."""

    queryset = Remittance.objects.all()
    serializer_class = RemittanceSerializer
    detail_class = RemittanceDetailSerializer
    filterset_class = RemittanceFilterSet
    kind = "remittance"
    stamp, depends = "remittance", ("payment", "party")

    def find_lines(self, row: dict[str, Any]) -> QuerySet[RemittanceLine]:
        return RemittanceLine.objects.filter(remittance_id=row["id"])

    def find_adjustments(self, row: dict[str, Any]) -> QuerySet[Adjustment]:
        return Adjustment.objects.filter(remittance_id=row["id"])

    def find_findings(self, row: dict[str, Any]) -> QuerySet[Finding]:
        return Finding.objects.filter(file_id=row["file"], claim_offset=row["byte_offset"])
