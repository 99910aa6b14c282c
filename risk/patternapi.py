"""/patterns/: what payers keep denying, searching it anew, claims held against it, and what people make of it."""

from typing import Any

import django_filters
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from claims.models import Claim
from marb.access.answers import CachedViewSet
from marb.access.roles import Action, find_practices, may
from marb.core.errors import body
from marb.core.filters import IdFilter, RowFilterSet, TextFilter
from marb.core.parser import StrictParser
from marb.core.reads import note
from marb.parties.models import Payer
from risk.models import DenialPattern, PatternStatus
from risk.models.pattern import MOST_REASON
from risk.patterns import DEFAULT_DAYS, LEAST_DAYS, MOST_DAYS
from risk.patternsections import analyze
from risk.patternwords import recommend
from risk.status import Refused, change_status

DAYS = OpenApiParameter("days_back", int, description=f"{LEAST_DAYS} to {MOST_DAYS}, by default {DEFAULT_DAYS}.")


class PatternSerializer(serializers.ModelSerializer[DenialPattern]):
    class Meta:
        model = DenialPattern
        fields = [
            *("id", "practice", "payer", "pattern_type", "pattern_description", "denial_reason_code", "line_count"),
            *("occurrence_count", "frequency", "base_rate", "lift", "confidence_score", "q_value", "denied_amount"),
            *("first_seen_date", "last_seen_date", "changed_month", "is_current", "status", "detected_at"),
        ]


class PatternDetailSerializer(PatternSerializer):
    class Meta(PatternSerializer.Meta):
        fields = [*PatternSerializer.Meta.fields, "conditions", "carcs", "trend", "effect"]


class StatusSerializer(serializers.Serializer[Any]):
    """What a pattern becomes, why, and who looks after it."""

    status = serializers.ChoiceField(choices=PatternStatus.choices)
    reason = serializers.CharField(max_length=MOST_REASON)
    owner = serializers.CharField(max_length=150, required=False, default="")


class StartedSerializer(serializers.Serializer[Any]):
    """How many searches were started; they run as tasks."""

    started = serializers.IntegerField()


class MetSerializer(serializers.Serializer[Any]):
    pattern = serializers.IntegerField()
    pattern_type = serializers.CharField()
    description = serializers.CharField()
    score = serializers.FloatField()
    frequency = serializers.FloatField()
    base_rate = serializers.FloatField()
    denial_reason_code = serializers.CharField()
    recommendation = serializers.CharField()


class PatternFilterSet(RowFilterSet):
    payer = IdFilter("payer_id")
    status = django_filters.ChoiceFilter(choices=PatternStatus.choices)
    pattern_type = TextFilter()
    denial_reason_code = TextFilter()


class PatternViewSet(CachedViewSet):
    """Denial patterns of payers."""

    queryset = DenialPattern.objects.all()
    serializer_class = PatternSerializer
    detail_class = PatternDetailSerializer
    filterset_class = PatternFilterSet
    parser_classes = (StrictParser,)
    kind = "pattern"
    stamp, depends = "pattern", ("party",)
    write_action = Action.CHANGE_PARTIES

    @extend_schema(request=StatusSerializer, responses=PatternDetailSerializer)
    def partial_update(self, request: Request, pk: str) -> Response:
        """Confirm, dismiss or resolve a pattern, with a reason. 409 where it cannot be done."""
        pattern = self.get_queryset().filter(pk=pk).first()
        if pattern is None:
            raise Http404
        if not may(request.user, pattern.practice_id, Action.CHANGE_PARTIES):
            raise PermissionDenied
        asked = StatusSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        note(request, [(pattern.pk, pattern.practice_id)])
        try:
            change_status(
                request.user,
                pattern,
                **{("owner_name" if k == "owner" else k): v for k, v in asked.validated_data.items()},
            )
        except Refused as refusal:
            return Response(body(409, "not_changed", refusal.sentence, {}), 409)
        return self.read_row(request)


class PayerPatternViewSet(PatternViewSet):
    """One payer's patterns."""

    def get_queryset(self) -> QuerySet[DenialPattern]:
        return super().get_queryset().filter(payer_id=self.kwargs["pk"])

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Answer a payer's patterns as they are now; another practice's payer is not there."""
        if not Payer.objects.for_user(request.user).filter(pk=self.kwargs["pk"]).exists():
            raise Http404
        return super(CachedViewSet, self).list(request)


class SearchViewSet(PatternViewSet):
    """Searching, and holding claims against what was found."""

    parameters = ("days_back",)
    pagination_class = None

    @extend_schema(request=None, parameters=[DAYS], responses={202: StartedSerializer})
    def detect(self, request: Request, pk: str) -> Response:
        """Search one payer's patterns, as a task."""
        from risk.actors import detect_patterns

        payer = Payer.objects.for_user(request.user).filter(pk=pk).first()
        if payer is None:
            raise Http404
        if not may(request.user, payer.practice_id, Action.CHANGE_PARTIES):
            raise PermissionDenied
        detect_patterns.send(payer.practice_id, self.days_back(request), payer.pk)
        return Response({"started": 1}, 202)

    @extend_schema(request=None, parameters=[DAYS], responses={202: StartedSerializer})
    def detect_all(self, request: Request) -> Response:
        """Search the patterns of every practice where one may, as tasks."""
        from risk.actors import detect_patterns

        ids = list(find_practices(request.user, Action.CHANGE_PARTIES).values_list("pk", flat=True))
        for practice_id in ids:
            detect_patterns.send(practice_id, self.days_back(request))
        return Response({"started": len(ids)}, 202)

    @extend_schema(request=None, responses=MetSerializer(many=True))
    def analyze(self, request: Request, pk: str) -> Response:
        """Answer the patterns that a claim meets, the likeliest denial first."""
        claim = Claim.objects.for_user(request.user).filter(pk=pk).first()
        if claim is None:
            raise Http404
        note(request, [(claim.pk, claim.practice_id)])
        return Response(
            [
                {
                    "pattern": met.pattern.id, "pattern_type": met.pattern.kind,
                    "description": met.pattern.description, "score": met.pattern.score,
                    "frequency": met.pattern.rate, "base_rate": met.pattern.base_rate,
                    "denial_reason_code": met.pattern.carc, "recommendation": recommend(met.pattern.kind),
                }
                for met in analyze(claim)
            ]
        )  # fmt: skip

    def days_back(self, request: Request) -> int:
        text = request.query_params.get("days_back", str(DEFAULT_DAYS))
        if not text.isdecimal() or not LEAST_DAYS <= int(text[:4]) <= MOST_DAYS or len(text) > 4:
            raise serializers.ValidationError({"days_back": [f"It is {LEAST_DAYS} to {MOST_DAYS}."]})
        return int(text)
