"""/risk/models/: trained models with their cards, and which of them is in use. The booster itself is not shown.

To put a model to use, or an earlier one again, takes the right to change a practice's tables; what cannot be done is a
409 with a sentence.
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

from marb.access.idempotency import idempotent
from marb.access.roles import Action, may
from marb.core.bulk import BulkViewSet, TextField
from marb.core.errors import body
from marb.core.filters import RowFilterSet
from marb.core.parser import StrictParser
from marb.core.reads import note
from risk.model.steering import Refused, activate
from risk.models import ModelState, RiskModel, RiskModelChange

MOST_REASON = 300
FIELDS = [
    *("id", "practice", "version", "state", "reason", "schema_digest", "trained_at", "trained_by", "activated_at"),
    "activated_by",
]


class RiskModelSerializer(serializers.ModelSerializer[RiskModel]):
    trained_by = serializers.CharField(source="trained_by.username", allow_null=True)
    activated_by = serializers.CharField(source="activated_by.username", allow_null=True)

    class Meta:
        model = RiskModel
        fields = FIELDS


class RiskModelChangeSerializer(serializers.ModelSerializer[RiskModelChange]):
    """One change of the model's state; `changed_by` is null where training did it."""

    changed_by = serializers.CharField(source="changed_by.username", allow_null=True)

    class Meta:
        model = RiskModelChange
        fields = ["step", "reason", "changed_at", "changed_by"]


class RiskModelDetailSerializer(RiskModelSerializer):
    changes = RiskModelChangeSerializer(many=True)

    class Meta(RiskModelSerializer.Meta):
        fields = [*FIELDS, "card", "changes"]


class RiskReasonSerializer(serializers.Serializer[Any]):
    """Why a model is put to use."""

    reason = TextField(max_length=MOST_REASON)


class RiskModelFilterSet(RowFilterSet):
    state = django_filters.ChoiceFilter(choices=ModelState.choices)


class RiskModelViewSet(BulkViewSet):
    """Models of denial, the newest first."""

    queryset = RiskModel.objects.all()
    serializer_class = RiskModelSerializer
    detail_class = RiskModelDetailSerializer
    filterset_class = RiskModelFilterSet
    parser_classes = (StrictParser,)
    orderings = ("-id",)
    kind = "riskmodel"
    write_action = Action.CHANGE_PARTIES

    def find_changes(self, row: dict[str, Any]) -> QuerySet[RiskModelChange]:
        return RiskModelChange.objects.filter(risk_model_id=row["id"]).order_by("-id")

    @extend_schema(request=RiskReasonSerializer, responses=RiskModelDetailSerializer)
    @action(detail=True, methods=["post"], parameters=())
    @idempotent
    def activate(self, request: Request, pk: str) -> Response:
        """Put a model to use, a retired one too; the one in use is retired. 409 where it cannot be."""
        model = self.get_queryset().filter(pk=int(pk)).first()
        if model is None:
            raise Http404
        if not may(request.user, model.practice_id, Action.CHANGE_PARTIES):
            raise PermissionDenied
        asked = RiskReasonSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        note(request, [(model.pk, model.practice_id)])
        try:
            activate(model, request.user, asked.validated_data["reason"])
        except Refused as refusal:
            return Response(body(409, "not_activated", refusal.sentence, {}), 409)
        return self.retrieve(request, pk=pk)
