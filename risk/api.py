"""/risk/: a claim's risk of denial by the claim's id, the list of scores, what-if, and scrubbing an 837.

Scores are rows of scoring (risk.score) and only read here, but for `calculate`. What-if and scrubbing store nothing.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import django_filters
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from claims.models import Claim
from marb.access.answers import CachedViewSet
from marb.access.roles import Action, may
from marb.core.bulk import MOST_ID
from marb.core.filters import IdFilter, InstantFilter, RowFilterSet, TextFilter
from marb.core.parser import StrictParser
from marb.core.reads import note
from marb.core.viewsets import get_shape, select
from marb.edi.x12 import BadInterchange
from marb.pipeline.api import get_practice, uploaded
from marb.pipeline.body import FileParser, FormParser
from marb.pipeline.receive import NotReceived, pieces
from risk.models import RiskLevel, RiskScore
from risk.score import score_claims
from risk.scrub import MOST_BYTES, Scrubbed, TooMuch, scrub
from risk.whatif import NoSuchLine, Outcome, ask

PARTS = (
    *("payer_risk", "coding_risk", "documentation_risk", "timeliness_risk", "duplicate_risk"),
    *("authorization_risk", "coordination_risk", "pattern_risk", "historical_risk"),
)
FACTOR = {
    "type": "object",
    "properties": {
        "type": {"type": "string"},
        "severity": {"type": "string"},
        "code": {"type": "string"},
        "message": {"type": "string"},
        "points": {"type": "number"},
    },
}


@extend_schema_field({"type": "array", "items": FACTOR})
class FactorsField(serializers.JSONField):
    """The reasons, weightiest first."""


@extend_schema_field({"type": "array", "items": {"type": "string"}})
class SentencesField(serializers.JSONField):
    """Sentences."""


class RiskSerializer(serializers.ModelSerializer[RiskScore]):
    """`id` and `claim` are the claim's id: a claim has one score, its newest."""

    id = serializers.IntegerField(source="claim_id")
    patient_control_number = serializers.CharField(source="claim.patient_control_number")
    payer = serializers.IntegerField(source="claim.payer_id", allow_null=True)
    charge_amount = serializers.DecimalField(source="claim.charge_amount", max_digits=18, decimal_places=2)

    class Meta:
        model = RiskScore
        fields = [
            *("id", "practice", "claim", "overall_score", "risk_level", "model_version", "rules_version"),
            *("calculated_at", "patient_control_number", "payer", "charge_amount"),
        ]


class RiskDetailSerializer(RiskSerializer):
    risk_factors = FactorsField()
    recommendations = SentencesField()

    class Meta(RiskSerializer.Meta):
        fields = [*RiskSerializer.Meta.fields, *PARTS, "model_confidence", "risk_factors", "recommendations"]


@extend_schema_field({"type": "number", "minimum": 0, "maximum": 100})
class ScoreFilter(django_filters.NumberFilter):
    """A score."""


class RiskFilterSet(RowFilterSet):
    """`min_score` is 0 to 100."""

    risk_level = django_filters.ChoiceFilter(choices=RiskLevel.choices)
    payer = IdFilter("claim__payer_id")
    min_score = ScoreFilter("overall_score", "gte", min_value=0, max_value=100)
    model_version = TextFilter()
    calculated_from = InstantFilter("calculated_at", "gte")
    calculated_to = InstantFilter("calculated_at", "lte")


CODE: dict[str, Any] = {"required": False, "allow_blank": True}


def amount_field() -> serializers.DecimalField:
    return serializers.DecimalField(
        max_digits=14, decimal_places=2, min_value=Decimal(0), required=False, coerce_to_string=False
    )


class LineChangeSerializer(serializers.Serializer[Any]):
    line_number = serializers.IntegerField(min_value=1, max_value=9999)
    procedure_code = serializers.CharField(max_length=48, **CODE)
    modifiers = serializers.ListField(child=serializers.CharField(max_length=2), max_length=4, required=False)
    diagnosis_code = serializers.CharField(max_length=12, **CODE)
    place_of_service_code = serializers.CharField(max_length=4, **CODE)
    charge_amount = amount_field()
    unit_count = serializers.FloatField(min_value=0, max_value=1e9, required=False)


class ChangeSerializer(serializers.Serializer[Any]):
    """What would be other than it is; what is left out stays."""

    prior_authorization_number = serializers.CharField(max_length=80, **CODE)
    referral_number = serializers.CharField(max_length=80, **CODE)
    payer_claim_control_number = serializers.CharField(max_length=80, **CODE)
    attending_npi = serializers.CharField(max_length=80, **CODE)
    assignment_code = serializers.CharField(max_length=2, **CODE)
    subscriber_member_id = serializers.CharField(max_length=80, **CODE)
    frequency_code = serializers.CharField(max_length=1, **CODE)
    place_of_service_code = serializers.CharField(max_length=4, **CODE)
    filing_indicator_code = serializers.CharField(max_length=2, **CODE)
    payer_sequence_code = serializers.CharField(max_length=1, **CODE)
    principal_diagnosis_code = serializers.CharField(max_length=12, **CODE)
    charge_amount = amount_field()
    submitted_date = serializers.DateField(required=False)
    lines = LineChangeSerializer(many=True, required=False)


class WhatIfSerializer(serializers.Serializer[Any]):
    change = ChangeSerializer()


class RiskReasonSerializer(serializers.Serializer[Any]):
    part = serializers.CharField()
    severity = serializers.CharField()
    code = serializers.CharField()
    message = serializers.CharField()
    points = serializers.FloatField()
    recommendation = serializers.CharField()


class OutcomeSerializer(serializers.Serializer[Any]):
    overall_score = serializers.FloatField()
    risk_level = serializers.CharField()
    components = serializers.DictField(child=serializers.FloatField())
    historical_risk = serializers.FloatField(allow_null=True)
    reasons = RiskReasonSerializer(many=True)


class WhatIfAnswerSerializer(serializers.Serializer[Any]):
    claim = serializers.IntegerField()
    before = OutcomeSerializer()
    after = OutcomeSerializer()
    model_version = serializers.CharField()
    rules_version = serializers.CharField()


class ScrubFindingSerializer(serializers.Serializer[Any]):
    level = serializers.CharField()
    code_set = serializers.CharField()
    code = serializers.CharField()
    message = serializers.CharField()
    byte_offset = serializers.IntegerField()
    segment_id = serializers.CharField()
    loop = serializers.CharField()


class ScrubbedClaimSerializer(serializers.Serializer[Any]):
    """`risk` is null where the claim cannot be read; its findings say why."""

    patient_control_number = serializers.CharField()
    byte_offset = serializers.IntegerField()
    findings = ScrubFindingSerializer(many=True)
    risk = OutcomeSerializer(allow_null=True)


class ScrubSerializer(serializers.Serializer[Any]):
    claims = ScrubbedClaimSerializer(many=True)
    findings = ScrubFindingSerializer(many=True)
    model_version = serializers.CharField()
    rules_version = serializers.CharField()


class RiskViewSet(CachedViewSet):
    """Claims' newest scores, addressed by the claim's id."""

    queryset = RiskScore.objects.filter(is_newest=True)
    serializer_class = RiskSerializer
    detail_class = RiskDetailSerializer
    filterset_class = RiskFilterSet
    kind = "risk_score"
    stamp, depends = "risk_score", ("claim", "party")
    orderings = ("-id", "id", "-overall_score", "overall_score")
    write_action = Action.UPLOAD

    def get_row(self, shape: Any) -> dict[str, Any]:
        found = list(select(self.get_queryset().filter(claim_id=int(self.kwargs["pk"])), shape))
        if not found:
            raise Http404
        note(self.request, [(found[0]["claim_id"], found[0]["practice_id"])])
        return dict(found[0])

    def get_many(self, ids: Sequence[int]) -> dict[int, Any]:
        shape = self.chosen(get_shape(self.serializer_class))
        rows = select(self.get_queryset().filter(claim_id__in=ids), shape, ["claim_id"])
        found = {row["claim_id"]: row for row in rows}
        note(self.request, [(row["claim_id"], row["practice_id"]) for row in found.values()])
        return {number: self.show_row(found[number], shape) for number in ids if number in found}

    def get_claim(self) -> Claim:
        """Get the addressed claim, scored or not, or raise Http404."""
        number = int(self.kwargs["pk"])
        found: Claim | None = Claim.objects.for_user(self.request.user).filter(pk=number).first()
        if found is None or number > MOST_ID:
            raise Http404
        note(self.request, [(found.pk, found.practice_id)])
        return found

    @extend_schema(request=None, responses=RiskDetailSerializer)
    @action(detail=True, methods=["post"], parameters=(), parser_classes=[StrictParser])
    def calculate(self, request: Request, pk: str) -> Response:
        """Score a claim now, and answer its score. The same score again is not written again."""
        claim = self.get_claim()
        if not may(request.user, claim.practice_id, Action.UPLOAD):
            raise PermissionDenied
        score_claims(claim.practice_id, [claim.pk])
        shape = get_shape(RiskDetailSerializer)
        return Response(self.show_row(self.get_row(shape), shape))

    @extend_schema(request=WhatIfSerializer, responses=WhatIfAnswerSerializer)
    @action(
        detail=True,
        methods=["post"],
        url_path="what-if",
        parameters=(),
        parser_classes=[StrictParser],
        write_action=Action.READ,
    )
    def what_if(self, request: Request, pk: str) -> Response:
        """Score a claim as it is and as it would be with a change; nothing is stored."""
        claim = self.get_claim()
        serializer = WhatIfSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        change = check_known(request.data, serializer.validated_data["change"])
        try:
            found = ask(claim.practice_id, claim.pk, change)
        except NoSuchLine as refusal:
            raise ValidationError({"lines": [refusal.sentence]}) from refusal
        versions = {"model_version": found.model_version, "rules_version": found.rules_version}
        return Response({"claim": claim.pk, "before": show(found.before), "after": show(found.after)} | versions)

    @extend_schema(
        request={
            "multipart/form-data": {"type": "object", "properties": {"file": {"type": "string", "format": "binary"}}}
        },
        parameters=[OpenApiParameter("practice")],
        responses=ScrubSerializer,
    )
    @action(
        detail=False,
        methods=["post"],
        parameters=("practice", "name"),
        filterset_class=None,
        parser_classes=[FormParser, FileParser],
    )
    def scrub(self, request: Request) -> Response:
        """Score the claims of an 837 that is the body, or the field `file` of a form; nothing is stored."""
        practice = get_practice(request)
        stream, _ = uploaded(request)
        try:
            found = scrub(practice.pk, read_body(stream), timezone.localdate())
        except (BadInterchange, TooMuch, NotReceived) as refusal:
            raise ValidationError({"file": [getattr(refusal, "sentence", str(refusal))]}) from refusal
        return Response(
            {
                "claims": [show_claim(claim) for claim in found.claims],
                "findings": [show_finding(finding) for finding in found.findings],
                "model_version": found.model_version,
                "rules_version": found.rules_version,
            }
        )


def read_body(stream: Any) -> bytes:
    """Read an upload whole, up to the bound of scrubbing. Raises TooMuch."""
    content = bytearray()
    for piece in pieces(stream):
        content += piece
        if len(content) > MOST_BYTES:
            raise TooMuch
    return bytes(content)


def check_known(data: Any, change: Mapping[str, Any]) -> Mapping[str, Any]:
    """Refuse names that nobody reads: a change that is misspelt would score as none."""
    given = data["change"]
    unknown = sorted(set(given) - set(ChangeSerializer().fields))
    for line in given.get("lines", ()):
        unknown += sorted(set(line) - set(LineChangeSerializer().fields))
    if unknown:
        raise ValidationError({"change": [f"Unknown: {', '.join(map(str, unknown))[:200]}."]})
    return change


def show(outcome: Outcome) -> dict[str, Any]:
    return {**outcome._asdict(), "reasons": [reason._asdict() for reason in outcome.reasons]}


def show_claim(claim: Scrubbed) -> dict[str, Any]:
    return {
        "patient_control_number": claim.patient_control_number,
        "byte_offset": claim.byte_offset,
        "findings": [show_finding(finding) for finding in claim.findings],
        "risk": None if claim.outcome is None else show(claim.outcome),
    }


def show_finding(finding: Any) -> dict[str, Any]:
    said = {name: getattr(finding, name) for name in ("level", "code_set", "code", "message", "loop")}
    return said | {"byte_offset": finding.place.byte_offset, "segment_id": finding.place.segment_id}
