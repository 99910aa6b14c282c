"""/underpayments/: lines that a payer allowed less for than its contract says, and what people do about them.

The rules of a change are those of episodes.recovery; what cannot be done is a 409 with a sentence.
"""

from typing import Any

import django_filters
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from episodes.hand import MOST_REASON, Refused
from episodes.recovery import change_line
from episodes.underpaid import UnderpaidChange, UnderpaidLine, UnderpaidStatus
from marb.access.answers import CachedViewSet
from marb.access.idempotency import idempotent
from marb.access.roles import Action, may
from marb.core.bulk import TextField
from marb.core.errors import body
from marb.core.filters import IdFilter, RowFilterSet, TextFilter
from marb.core.parser import StrictParser
from marb.core.reads import note_objects

FIELDS = [
    *("id", "practice", "claim", "patient_control_number", "service_line", "line_number", "remittance", "payer"),
    *("payer_name", "provider", "procedure_code", "paid_on", "charge_amount", "expected_amount", "allowed_amount"),
    *("paid_amount", "variance_amount", "status", "assigned_to", "found_at"),
]


class UnderpaidLineSerializer(serializers.ModelSerializer[UnderpaidLine]):
    patient_control_number = serializers.CharField(source="claim.patient_control_number")
    line_number = serializers.IntegerField(source="service_line.line_number")
    payer_name = serializers.CharField(source="payer.name", allow_null=True)
    assigned_to = serializers.CharField(source="assigned_to.username", allow_null=True)

    class Meta:
        model = UnderpaidLine
        fields = FIELDS


class UnderpaidChangeSerializer(serializers.ModelSerializer[UnderpaidChange]):
    """What a person did, the last first."""

    assigned_to = serializers.CharField(source="assigned_to.username", allow_null=True)
    changed_by = serializers.CharField(source="changed_by.username")

    class Meta:
        model = UnderpaidChange
        fields = ["status", "previous_status", "assigned_to", "reason", "changed_by", "changed_at"]


class UnderpaidDetailSerializer(UnderpaidLineSerializer):
    changes = UnderpaidChangeSerializer(many=True)

    class Meta(UnderpaidLineSerializer.Meta):
        fields = [*FIELDS, "changes"]


class UnderpaidOrderSerializer(serializers.Serializer[Any]):
    """A status, why, and who takes it up (a username; nobody where it is left out)."""

    status = serializers.ChoiceField(UnderpaidStatus.choices)
    reason = TextField(max_length=MOST_REASON)
    assigned_to = TextField(max_length=150, required=False)


class UnderpaidFilterSet(RowFilterSet):
    status = django_filters.ChoiceFilter(choices=UnderpaidStatus.choices)
    payer = IdFilter("payer_id")
    claim = IdFilter("claim_id")
    procedure_code = TextFilter()


class UnderpaidViewSet(CachedViewSet):
    """Underpaid lines."""

    queryset = UnderpaidLine.objects.all()
    serializer_class = UnderpaidLineSerializer
    detail_class = UnderpaidDetailSerializer
    filterset_class = UnderpaidFilterSet
    kind = "underpaid"
    stamp, depends = "underpaid", ("claim", "party")
    write_action = Action.LINK

    def find_changes(self, row: dict[str, Any]) -> QuerySet[UnderpaidChange]:
        return UnderpaidChange.objects.filter(line_id=row["id"])

    @extend_schema(request=UnderpaidOrderSerializer, responses=UnderpaidDetailSerializer)
    @action(detail=True, methods=["post"], parameters=(), parser_classes=[StrictParser])
    @idempotent
    def change(self, request: Request, pk: str) -> Response:
        """Dispute, recover, accept or reopen it, and say who takes it up. 409 where it cannot be."""
        line: UnderpaidLine | None = self.get_queryset().filter(pk=pk).first()
        if line is None:
            raise Http404
        if not may(request.user, line.practice_id, Action.LINK):
            raise PermissionDenied
        serializer = UnderpaidOrderSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        asked = serializer.validated_data
        note_objects(request, [line])
        try:
            change_line(request.user, line, asked["status"], asked["reason"], assigned_to=find_person(asked))
        except Refused as refusal:
            return Response(body(409, "not_changed", refusal.sentence, {}), 409)
        return self.read_row(request)


def find_person(asked: dict[str, Any]) -> Any:
    """Get the person whom a name names, nobody where none is given; one that there is not is Refused."""
    name = asked.get("assigned_to")
    if name is None:
        return None
    person = get_user_model().objects.filter(username=name, is_active=True).first()
    if person is None:
        raise Refused("Only a member of the practice can take it up.")
    return person
