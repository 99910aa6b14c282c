"""/episodes/: a claim's chain with all of its remittances; and /claims/unlinked/, the claims still without one.

How a remittance was linked, how sure that is and by whom, stands with each link. Nothing is changed but a person's own
word (episodes.stages). The claim that an episode may need next is written from them (episodes.rebill), for those who
may see identifiers.
"""

from typing import Any

import django_filters
from django.db.models import Exists, OuterRef, QuerySet
from django.http import Http404, HttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from claims.api import ClaimFilterSet, ClaimSerializer, ClaimViewSet
from claims.models import Claim
from claims.write837 import Unwritable
from episodes.hand import Refused
from episodes.linkapi import ReasonSerializer
from episodes.models import (
    Episode,
    EpisodeClaim,
    EpisodeRemittance,
    EpisodeStage,
    EpisodeStatus,
    HandStage,
    StageChange,
    Takeback,
)
from episodes.rebill import write_next
from episodes.stages import set_stage
from marb.access.answers import CachedViewSet
from marb.access.idempotency import idempotent
from marb.access.roles import Action, may
from marb.core.bulk import TextField
from marb.core.download import send_edi
from marb.core.errors import body
from marb.core.filters import IdFilter, InstantFilter, RowFilterSet, TextFilter
from marb.core.parser import StrictParser
from marb.core.reads import note_objects
from marb.core.renderer import EdiRenderer, OrjsonRenderer
from remits.api import BOOLEAN

EDI = [EdiRenderer, OrjsonRenderer]
EPISODE_FIELDS = [
    *("id", "practice", "claim", "status", "stage", "hand_stage", "charge_amount", "allowed_amount", "paid_amount"),
    *("adjustment_amount", "contractual_amount", "payer_reduction_amount", "other_adjustment_amount"),
    *("patient_responsibility_amount", "open_amount", "takeback_amount", "interest_amount", "is_secondary_due"),
    *("held_count", "claim_count", "remittance_count", "denial_count", "adjustment_count"),
    *("created_at", "linked_at", "updated_at", "patient_control_number", "payer", "payer_name", "service_from_date"),
]


class EpisodeSerializer(serializers.ModelSerializer[Episode]):
    patient_control_number = serializers.CharField(source="claim.patient_control_number")
    payer = serializers.IntegerField(source="claim.payer_id", allow_null=True)
    payer_name = serializers.CharField(source="claim.payer.name", allow_null=True)
    service_from_date = serializers.DateField(source="claim.service_from_date", allow_null=True)

    class Meta:
        model = Episode
        fields = EPISODE_FIELDS


class ChainSerializer(serializers.ModelSerializer[EpisodeClaim]):
    """One submission of the chain, oldest first."""

    patient_control_number = serializers.CharField(source="claim.patient_control_number")
    frequency_code = serializers.CharField(source="claim.frequency_code")
    charge_amount = serializers.DecimalField(source="claim.charge_amount", max_digits=18, decimal_places=2)
    status = serializers.CharField(source="claim.status")
    service_from_date = serializers.DateField(source="claim.service_from_date", allow_null=True)
    created_at = serializers.DateTimeField(source="claim.created_at")

    class Meta:
        model = EpisodeClaim
        fields = [
            *("claim", "patient_control_number", "frequency_code", "charge_amount", "status"),
            *("service_from_date", "created_at"),
        ]


class RemittanceLinkSerializer(serializers.ModelSerializer[EpisodeRemittance]):
    """One remittance of the episode with how it was linked, and what it says."""

    linked_by = serializers.CharField(source="linked_by.username", allow_null=True)
    claim_status_code = serializers.CharField(source="remittance.claim_status_code")
    charge_amount = serializers.DecimalField(source="remittance.charge_amount", max_digits=18, decimal_places=2)
    paid_amount = serializers.DecimalField(source="remittance.paid_amount", max_digits=18, decimal_places=2)
    adjustment_amount = serializers.DecimalField(source="remittance.adjustment_amount", max_digits=18, decimal_places=2)
    patient_responsibility_amount = serializers.DecimalField(
        source="remittance.patient_responsibility_amount", max_digits=18, decimal_places=2
    )
    payer_name = serializers.CharField(source="remittance.payer.name", allow_null=True)
    payment = serializers.IntegerField(source="remittance.payment_id")
    payment_date = serializers.DateField(source="remittance.payment.payment_date", allow_null=True)
    trace_number = serializers.CharField(source="remittance.payment.trace_number")

    class Meta:
        model = EpisodeRemittance
        fields = [
            *("remittance", "claim", "method", "confidence", "evidence", "linked_at", "linked_by"),
            *("claim_status_code", "charge_amount", "paid_amount", "adjustment_amount"),
            *("patient_responsibility_amount", "payer_name", "payment", "payment_date", "trace_number"),
        ]


class TakebackSerializer(serializers.ModelSerializer[Takeback]):
    """A provider adjustment (PLB) that names the episode; a positive amount lowers its payment."""

    payment = serializers.IntegerField(source="provider_adjustment.payment_id")
    reason_code = serializers.CharField(source="provider_adjustment.reason_code")
    reference_number = serializers.CharField(source="provider_adjustment.reference_number")
    amount = serializers.DecimalField(source="provider_adjustment.amount", max_digits=18, decimal_places=2)
    payment_date = serializers.DateField(source="provider_adjustment.payment.payment_date", allow_null=True)

    class Meta:
        model = Takeback
        fields = ["provider_adjustment", "payment", "reason_code", "reference_number", "amount", "payment_date"]


class StageChangeSerializer(serializers.ModelSerializer[StageChange]):
    """A step of the history, the last first: by a file, or by a person with her reason."""

    changed_by = serializers.CharField(source="changed_by.username", allow_null=True)

    class Meta:
        model = StageChange
        fields = ["id", "from_stage", "to_stage", "file", "changed_by", "reason", "changed_at"]


class EpisodeDetailSerializer(EpisodeSerializer):
    chain = ChainSerializer(many=True)
    remittances = RemittanceLinkSerializer(many=True)
    takebacks = TakebackSerializer(many=True)
    history = StageChangeSerializer(many=True)

    class Meta(EpisodeSerializer.Meta):
        fields = [*EPISODE_FIELDS, "chain", "remittances", "takebacks", "history"]


class StageSerializer(ReasonSerializer):
    """What a person says of an episode, and why; an empty `status` takes it back."""

    status = TextField(max_length=12, allow_blank=True)


class EpisodeFilterSet(RowFilterSet):
    """`claim_id` finds the episode of any claim of its chain."""

    status = django_filters.ChoiceFilter(choices=EpisodeStatus.choices)
    stage = django_filters.ChoiceFilter(choices=EpisodeStage.choices)
    hand_stage = django_filters.ChoiceFilter(choices=HandStage.choices)
    is_secondary_due = django_filters.ChoiceFilter(choices=BOOLEAN, method="filter_secondary")
    claim_id = IdFilter("claim_links__claim_id")
    remittance_id = IdFilter("remittance_links__remittance_id")
    payer = IdFilter("claim__payer_id")
    control_number = TextFilter("claim__patient_control_number")
    created_from = InstantFilter("created_at", "gte")
    created_to = InstantFilter("created_at", "lte")

    def filter_secondary(self, queryset: QuerySet[Episode], name: str, value: str) -> QuerySet[Episode]:
        return queryset.filter(is_secondary_due=value == "true")


class EpisodeViewSet(CachedViewSet):
    """Episodes: what became of a claim."""

    queryset = Episode.objects.all()
    serializer_class = EpisodeSerializer
    detail_class = EpisodeDetailSerializer
    filterset_class = EpisodeFilterSet
    kind = "episode"
    stamp, depends = "episode", ("claim", "remittance", "payment", "party")

    def find_chain(self, row: dict[str, Any]) -> QuerySet[EpisodeClaim]:
        return EpisodeClaim.objects.filter(episode_id=row["id"])

    def find_remittances(self, row: dict[str, Any]) -> QuerySet[EpisodeRemittance]:
        return EpisodeRemittance.objects.filter(episode_id=row["id"])

    def find_takebacks(self, row: dict[str, Any]) -> QuerySet[Takeback]:
        return Takeback.objects.filter(episode_id=row["id"])

    def find_history(self, row: dict[str, Any]) -> QuerySet[StageChange]:
        return StageChange.objects.filter(episode_id=row["id"])

    @extend_schema(request=StageSerializer, responses=EpisodeDetailSerializer)
    @action(detail=True, methods=["patch"], parameters=(), parser_classes=(StrictParser,))
    def status(self, request: Request, pk: str) -> Response:
        """Say that an episode is appealed, written off or closed, or (empty) that it no longer is. 409 otherwise."""
        serializer = StageSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        return self.set_stage(serializer.validated_data["status"], serializer.validated_data["reason"])

    @extend_schema(request=ReasonSerializer, responses=EpisodeDetailSerializer)
    @action(detail=True, methods=["post"], parameters=(), parser_classes=(StrictParser,))
    @idempotent
    def complete(self, request: Request, pk: str) -> Response:
        """Close an episode: nobody works on it any more."""
        serializer = ReasonSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        return self.set_stage(HandStage.CLOSED, serializer.validated_data["reason"])

    def set_stage(self, stage: str, reason: str) -> Response:
        episode: Episode | None = self.get_queryset().filter(pk=self.kwargs["pk"]).first()
        if episode is None:
            raise Http404
        if not may(self.request.user, episode.practice_id, Action.LINK):
            raise PermissionDenied
        note_objects(self.request, [episode])
        try:
            set_stage(self.request.user, episode, stage, reason)
        except Refused as refusal:
            return Response(body(409, "not_changed", refusal.sentence, {}), 409)
        return self.read_row(self.request)

    @extend_schema(responses={(200, EdiRenderer.media_type): bytes})
    @action(detail=True, parameters=(), renderer_classes=EDI)
    def corrected(self, request: Request, pk: str) -> HttpResponse:
        """Answer the claim as its replacement (frequency 7, REF F8), as X12. 409 where it cannot be written."""
        return self.send_next("corrected")

    @extend_schema(responses={(200, EdiRenderer.media_type): bytes})
    @action(detail=True, parameters=(), renderer_classes=EDI)
    def void(self, request: Request, pk: str) -> HttpResponse:
        """Answer the claim as its void (frequency 8, REF F8), as X12. 409 where it cannot be written."""
        return self.send_next("void")

    @extend_schema(responses={(200, EdiRenderer.media_type): bytes})
    @action(detail=True, parameters=(), renderer_classes=EDI)
    def secondary(self, request: Request, pk: str) -> HttpResponse:
        """Answer the claim for the next payer, with what the first one paid and adjusted, as X12. 409 as above."""
        return self.send_next("secondary")

    def send_next(self, kind: str) -> HttpResponse:
        episode: Episode | None = self.get_queryset().filter(pk=self.kwargs["pk"]).first()
        if episode is None:
            raise Http404
        if not may(self.request.user, episode.practice_id, Action.SEE_IDENTIFIERS):
            raise PermissionDenied
        note_objects(self.request, [episode], "export")
        try:
            content = write_next(episode, kind, timezone.now())
        except Unwritable as refusal:
            return Response(body(409, "not_writable", refusal.sentence, {}), 409)
        return send_edi(content, f"episode-{episode.pk}-{kind}.x12")


class UnlinkedClaimViewSet(ClaimViewSet):
    """Claims that no remittance has answered yet."""

    serializer_class = ClaimSerializer
    filterset_class = ClaimFilterSet
    depends = ("party", "episode+")
    page_name = "unlinked"

    def get_queryset(self) -> QuerySet[Claim]:
        answered = EpisodeRemittance.objects.filter(claim=OuterRef("pk"))
        return super().get_queryset().filter(~Exists(answered))
