"""/holds/: what is not posted to episodes and why, what posting would do, and what people rule.

The rules are those of episodes.holds; what cannot be done is a 409 with a sentence.
"""

from typing import Any

import django_filters
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from episodes.hand import Refused
from episodes.holds import DryRun, Standing, rule, try_posting
from episodes.linkapi import ReasonSerializer
from episodes.models import Hold, HoldChange, HoldReason, HoldState
from marb.access.idempotency import idempotent
from marb.access.roles import Action, may
from marb.core.bulk import BulkViewSet
from marb.core.errors import body
from marb.core.filters import IdFilter, InstantFilter, RowFilterSet, TextFilter
from marb.core.parser import StrictParser
from marb.core.reads import note_objects

MONEY: dict[str, Any] = {"max_digits": 18, "decimal_places": 2}
HOLD_FIELDS = [
    *("id", "practice", "payment", "remittance", "reason", "state", "sentence", "held_at", "payer", "payer_name"),
    *("trace_number", "payment_amount", "payment_date", "difference_amount", "claim_difference_amount"),
    *("line_difference_amount", "patient_control_number"),
]


class HoldSerializer(serializers.ModelSerializer[Hold]):
    """A hold with its payment; the three differences are those of the set, its claims and its lines."""

    payer = serializers.IntegerField(source="payment.payer_id", allow_null=True)
    payer_name = serializers.CharField(source="payment.payer_name")
    trace_number = serializers.CharField(source="payment.trace_number")
    payment_amount = serializers.DecimalField(source="payment.payment_amount", **MONEY)
    payment_date = serializers.DateField(source="payment.payment_date", allow_null=True)
    difference_amount = serializers.DecimalField(source="payment.difference_amount", allow_null=True, **MONEY)
    claim_difference_amount = serializers.DecimalField(
        source="payment.claim_difference_amount", allow_null=True, **MONEY
    )
    line_difference_amount = serializers.DecimalField(source="payment.line_difference_amount", allow_null=True, **MONEY)
    patient_control_number = serializers.CharField(source="remittance.patient_control_number", allow_null=True)

    class Meta:
        model = Hold
        fields = HOLD_FIELDS


class HoldChangeSerializer(serializers.ModelSerializer[HoldChange]):
    changed_by = serializers.CharField(source="changed_by.username", allow_null=True)

    class Meta:
        model = HoldChange
        fields = ["id", "from_state", "to_state", "reason", "changed_by", "changed_at"]


class HoldDetailSerializer(HoldSerializer):
    changes = HoldChangeSerializer(many=True)

    class Meta(HoldSerializer.Meta):
        fields = [*HOLD_FIELDS, "changes"]


class StandingSerializer(serializers.Serializer[Any]):
    """An episode's figures at one moment."""

    status = serializers.CharField()
    stage = serializers.CharField()
    paid_amount = serializers.DecimalField(**MONEY)
    adjustment_amount = serializers.DecimalField(**MONEY)
    patient_responsibility_amount = serializers.DecimalField(**MONEY)
    open_amount = serializers.DecimalField(**MONEY)
    takeback_amount = serializers.DecimalField(**MONEY)


class StepSerializer(serializers.Serializer[Any]):
    episode = serializers.IntegerField()
    patient_control_number = serializers.CharField()
    before = StandingSerializer()
    after = StandingSerializer()


class DryRunSerializer(serializers.Serializer[Any]):
    """What posting would do: the episodes that change (the first hundred), and the sums over all that do."""

    episode_count = serializers.IntegerField()
    unlinked_count = serializers.IntegerField()
    before = serializers.DictField(child=serializers.DecimalField(**MONEY))
    after = serializers.DictField(child=serializers.DecimalField(**MONEY))
    episodes = StepSerializer(many=True)


class HoldFilterSet(RowFilterSet):
    state = django_filters.ChoiceFilter(choices=HoldState.choices)
    reason = django_filters.ChoiceFilter(choices=HoldReason.choices)
    payment = IdFilter("payment_id")
    remittance = IdFilter("remittance_id")
    payer = IdFilter("payment__payer_id")
    trace_number = TextFilter("payment__trace_number")
    held_from = InstantFilter("held_at", "gte")
    held_to = InstantFilter("held_at", "lte")


class HoldViewSet(BulkViewSet):
    """What is held, and what people ruled."""

    queryset = Hold.objects.all()
    serializer_class = HoldSerializer
    detail_class = HoldDetailSerializer
    filterset_class = HoldFilterSet
    parser_classes = (StrictParser,)
    kind = "hold"
    write_action = Action.LINK

    def find_changes(self, row: dict[str, Any]) -> QuerySet[HoldChange]:
        return HoldChange.objects.filter(hold_id=row["id"])

    @extend_schema(responses=DryRunSerializer)
    @action(detail=True, parameters=(), url_path="dry-run")
    def dry_run(self, request: Request, pk: str) -> Response:
        """Answer what releasing the hold would do to each episode; nothing is changed."""
        hold = self.get_hold()
        note_objects(request, [hold])
        return Response(shown(try_posting(hold)))

    @extend_schema(request=ReasonSerializer, responses=HoldSerializer)
    @action(detail=True, methods=["post"], parameters=())
    @idempotent
    def release(self, request: Request, pk: str) -> Response:
        """Post what is held, as it is. Said twice it changes nothing."""
        return self.rule("release")

    @extend_schema(request=ReasonSerializer, responses=HoldSerializer)
    @action(detail=True, methods=["post"], parameters=())
    @idempotent
    def keep(self, request: Request, pk: str) -> Response:
        """Leave it on hold, looked at."""
        return self.rule("keep")

    @extend_schema(request=ReasonSerializer, responses=HoldSerializer)
    @action(detail=True, methods=["post"], parameters=())
    @idempotent
    def discard(self, request: Request, pk: str) -> Response:
        """Never post it."""
        return self.rule("discard")

    @extend_schema(request=ReasonSerializer, responses=HoldSerializer)
    @action(detail=True, methods=["post"], parameters=())
    @idempotent
    def reopen(self, request: Request, pk: str) -> Response:
        """Forget what was ruled: it is held as at first."""
        return self.rule("reopen")

    def rule(self, ruling: str) -> Response:
        hold = self.get_hold()
        if not may(self.request.user, hold.practice_id, Action.LINK):
            raise PermissionDenied
        serializer = ReasonSerializer(data=self.request.data)
        serializer.is_valid(raise_exception=True)
        note_objects(self.request, [hold])
        try:
            rule(self.request.user, hold, ruling, serializer.validated_data["reason"])
        except Refused as refusal:
            return Response(body(409, "not_changed", refusal.sentence, {}), 409)
        return self.retrieve(self.request, pk=hold.pk)

    def get_hold(self) -> Hold:
        hold: Hold | None = self.get_queryset().filter(pk=self.kwargs["pk"]).first()
        if hold is None:
            raise Http404
        return hold


def shown(run: DryRun) -> dict[str, Any]:
    """Write a dry run as DryRunSerializer says it."""
    return {
        "episode_count": run.episode_count,
        "unlinked_count": run.unlinked,
        "before": run.before,
        "after": run.after,
        "episodes": [
            {
                "episode": step.episode_id,
                "patient_control_number": step.control_number,
                "before": standing(step.before),
                "after": standing(step.after),
            }
            for step in run.steps
        ],
    }


def standing(figures: Standing) -> dict[str, Any]:
    return figures._asdict()
