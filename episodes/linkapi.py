"""Linking by the API: the remittances that wait, their candidates, links made by people, and who made them.

The rules are those of episodes.hand; what cannot be done is a 409 with a sentence. Another practice's remittance, claim
or episode is not there.
"""

from collections.abc import Callable
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import connection
from django.db.models import Exists, OuterRef, QuerySet
from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from claims.models import Claim
from episodes.candidates import weigh_claims
from episodes.hand import MOST_REASON, Refused, link_by_hand, release, unlink_by_hand
from episodes.models import Episode, EpisodeRemittance, LinkChange, OpenRemittance
from marb.access.idempotency import idempotent
from marb.access.roles import Action, may
from marb.core.bulk import TextField, WholeNumberField
from marb.core.errors import body
from marb.core.paginator import MOST_ID
from marb.core.parser import StrictParser
from marb.core.reads import note
from marb.core.viewsets import ReadOnlyViewSet, get_shape, select
from remits.api import RemittanceFilterSet, RemittanceSerializer, RemittanceViewSet
from remits.models import Remittance


class ReasonSerializer(serializers.Serializer[Any]):
    """Why a link is changed."""

    reason = TextField(max_length=MOST_REASON)


class LinkSerializer(ReasonSerializer):
    """A remittance's claim, and why it is this one."""

    claim = WholeNumberField(min_value=1, max_value=MOST_ID)


class EpisodeLinkSerializer(ReasonSerializer):
    """The remittance that an episode's first claim is answered by, and why."""

    remittance = WholeNumberField(min_value=1, max_value=MOST_ID)


class LinkStateSerializer(serializers.Serializer[Any]):
    """How a remittance stands after a change."""

    remittance = serializers.IntegerField()
    state = serializers.ChoiceField(choices=["linked", "open", "apart"])
    claim = serializers.IntegerField(allow_null=True)
    episode = serializers.IntegerField(allow_null=True)
    method = serializers.CharField(allow_null=True)
    confidence = serializers.DecimalField(max_digits=4, decimal_places=3, allow_null=True)
    linked_by = serializers.CharField(allow_null=True)


class EvidenceSerializer(serializers.Serializer[Any]):
    """What one feature of the pair says, and how much that weighs."""

    feature = serializers.CharField()
    finding = serializers.CharField()
    bits = serializers.IntegerField()


class CandidateSerializer(serializers.Serializer[Any]):
    """A claim that a remittance may answer: the probability of the evidence, and the evidence."""

    claim = serializers.IntegerField()
    score = serializers.FloatField()
    reasons = EvidenceSerializer(many=True)


class LinkChangeSerializer(serializers.ModelSerializer[LinkChange]):
    changed_by = serializers.CharField(source="changed_by.username")
    previous_method = serializers.CharField()

    class Meta:
        model = LinkChange
        fields = [
            *("id", "practice", "remittance", "action", "claim", "previous_claim", "previous_method", "reason"),
            *("changed_by", "changed_at"),
        ]


class UnlinkedRemittanceViewSet(RemittanceViewSet):
    """Remittances whose claim is not known: to be linked, or kept apart by hand."""

    serializer_class = RemittanceSerializer
    filterset_class = RemittanceFilterSet
    depends = ("payment", "party", "episode+")  # type: ignore[assignment]
    page_name = "unlinked"

    def get_queryset(self) -> QuerySet[Remittance]:
        linked = EpisodeRemittance.objects.filter(remittance=OuterRef("pk"))
        return super().get_queryset().filter(~Exists(linked), open_place__isnull=False)


class LinkViewSet(ReadOnlyViewSet):
    """What people do to a remittance's link."""

    queryset = Remittance.objects.all()
    serializer_class: Any = LinkStateSerializer
    parser_classes = (StrictParser,)
    parameters = ()
    pagination_class = None
    write_action = Action.LINK

    @extend_schema(responses=CandidateSerializer(many=True))
    def candidates(self, request: Request, pk: str) -> Response:
        """Answer the claims that a remittance may answer, the likeliest first, weighed as the rows are now."""
        remittance = self.get_remittance(int(pk))
        place = OpenRemittance.objects.filter(remittance=remittance).first()
        asked = [candidate["claim"] for candidate in place.candidates] if place else []
        claims = dict(Claim.objects.for_user(request.user).filter(pk__in=asked).values_list("pk", "practice_id"))
        with connection.cursor() as cursor:
            weighed = weigh_claims(cursor, remittance.pk, claims)
        note(request, [(remittance.pk, remittance.practice_id), *claims.items()])
        return Response(
            [
                {"claim": each.claim_id, "score": each.score, "reasons": [reason._asdict() for reason in each.reasons]}
                for each in weighed
            ]
        )

    @extend_schema(responses=LinkChangeSerializer(many=True))
    def changes(self, request: Request, pk: str) -> Response:
        """Answer what people did to a remittance's link, the last first."""
        remittance = self.get_remittance(int(pk))
        note(request, [(remittance.pk, remittance.practice_id)])
        shape = get_shape(LinkChangeSerializer)
        return Response(self.show_rows(select(remittance.link_changes.order_by("-id"), shape), shape))

    @extend_schema(request=LinkSerializer, responses=LinkStateSerializer)
    @idempotent
    def link(self, request: Request, pk: str) -> Response:
        """Link a remittance to a claim, or to another one. Stands whatever comes later. 409 where it cannot be."""
        remittance = self.get_remittance(int(pk))
        asked = self.read(LinkSerializer)
        claim = Claim.objects.for_user(request.user).filter(pk=asked["claim"]).first()
        if claim is None:
            raise serializers.ValidationError({"claim": ["There is no such claim."]})
        return self.change(remittance, lambda: link_by_hand(request.user, remittance, claim, asked["reason"]))

    @extend_schema(request=ReasonSerializer, responses=LinkStateSerializer)
    @idempotent
    def unlink(self, request: Request, pk: str) -> Response:
        """Take a remittance from its claim, and keep it apart. 409 where it is apart already."""
        remittance = self.get_remittance(int(pk))
        reason = self.read(ReasonSerializer)["reason"]
        return self.change(remittance, lambda: unlink_by_hand(request.user, remittance, reason))

    @extend_schema(request=ReasonSerializer, responses=LinkStateSerializer)
    @idempotent
    def release(self, request: Request, pk: str) -> Response:
        """Give a remittance back to automatic linking. 409 where nobody linked or unlinked it."""
        remittance = self.get_remittance(int(pk))
        reason = self.read(ReasonSerializer)["reason"]
        return self.change(remittance, lambda: release(request.user, remittance, reason))

    @extend_schema(request=EpisodeLinkSerializer, responses=LinkStateSerializer)
    @idempotent
    def link_episode(self, request: Request, pk: str) -> Response:
        """Link a remittance to the first claim of an episode."""
        episode = Episode.objects.for_user(request.user).filter(pk=pk).select_related("claim").first()
        if episode is None:
            raise Http404
        self.check_right(episode.practice_id)
        asked = self.read(EpisodeLinkSerializer)
        remittance = self.get_queryset().filter(pk=asked["remittance"]).first()
        if remittance is None:
            raise serializers.ValidationError({"remittance": ["There is no such remittance."]})
        return self.change(remittance, lambda: link_by_hand(request.user, remittance, episode.claim, asked["reason"]))

    def get_remittance(self, pk: int) -> Remittance:
        """Get the addressed remittance, or raise Http404; one who writes must be allowed to in its practice."""
        remittance: Remittance | None = self.get_queryset().filter(pk=pk).first()
        if remittance is None:
            raise Http404
        if self.request.method == "POST":
            self.check_right(remittance.practice_id)
        return remittance

    def check_right(self, practice_id: int) -> None:
        if not may(self.request.user, practice_id, Action.LINK):
            raise PermissionDenied

    def read(self, serializer_class: type[serializers.Serializer[Any]]) -> dict[str, Any]:
        serializer = serializer_class(data=self.request.data)
        serializer.is_valid(raise_exception=True)
        return serializer.validated_data

    def change(self, remittance: Remittance, act: Callable[[], None]) -> Response:
        """Do it, and answer how the remittance stands."""
        self.check_right(remittance.practice_id)
        note(self.request, [(remittance.pk, remittance.practice_id)])
        try:
            act()
        except Refused as refusal:
            return Response(body(409, "not_changed", refusal.sentence, {}), 409)
        return Response(state_of(remittance))


def state_of(remittance: Remittance) -> dict[str, Any]:
    """Say how a remittance stands now."""
    link = EpisodeRemittance.objects.filter(remittance=remittance).select_related("linked_by").first()
    if link is None:
        place = OpenRemittance.objects.filter(remittance=remittance).first()
        nothing = dict.fromkeys(("claim", "episode", "method", "confidence", "linked_by"))
        return {"remittance": remittance.pk, "state": place.state if place else "open", **nothing}
    return {
        "remittance": remittance.pk,
        "state": "linked",
        "claim": link.claim_id,
        "episode": link.episode_id,
        "method": link.method,
        "confidence": link.confidence,
        "linked_by": link.linked_by.get_username() if link.linked_by else None,
    }
