"""/payers/, /plans/ and /providers/: read by every member, payers changed by those who may.

What a payer is called and how files name it comes from the files; staff add its type, its rules and its deadlines.
"""

from typing import Any

import django_filters
from rest_framework import mixins, serializers
from rest_framework.request import Request
from rest_framework.response import Response

from marb.access.answers import CachedViewSet
from marb.access.idempotency import idempotent
from marb.access.masking import MaskedField, mask_tax_number
from marb.access.roles import Action
from marb.core.filters import IdFilter, RowFilterSet, TextFilter
from marb.parties.models import Payer, PayerType, Plan, Provider

MOST_DAYS = 3650


class PayerSerializer(serializers.ModelSerializer[Payer]):
    class Meta:
        model = Payer
        fields = ["id", "practice", "payer_code", "name", "payer_type", "timely_filing_days", "appeal_days"]


class PlanSerializer(serializers.ModelSerializer[Plan]):
    payer_name = serializers.CharField(source="payer.name", read_only=True)

    class Meta:
        model = Plan
        fields = ["id", "practice", "payer", "payer_name", "plan_code", "plan_name", "plan_type"]


class PlanDetailSerializer(PlanSerializer):
    class Meta(PlanSerializer.Meta):
        fields = [*PlanSerializer.Meta.fields, "benefit_rules"]


class PayerDetailSerializer(PayerSerializer):
    plans = PlanSerializer(many=True, read_only=True)

    class Meta(PayerSerializer.Meta):
        fields = [*PayerSerializer.Meta.fields, "rules", "created_at", "plans"]


class PayerChangeSerializer(serializers.ModelSerializer[Payer]):
    """What staff may change; anything else that is sent is refused, not ignored."""

    rules = serializers.DictField(required=False)
    timely_filing_days = serializers.IntegerField(min_value=1, max_value=MOST_DAYS, allow_null=True, required=False)
    appeal_days = serializers.IntegerField(min_value=1, max_value=MOST_DAYS, allow_null=True, required=False)

    class Meta:
        model = Payer
        fields = ["payer_type", "rules", "timely_filing_days", "appeal_days"]

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not set(self.initial_data) <= set(self.fields):
            raise serializers.ValidationError("Only these can be changed: " + ", ".join(self.fields) + ".")
        return attrs


class ProviderSerializer(serializers.ModelSerializer[Provider]):
    class Meta:
        model = Provider
        fields = ["id", "practice", "provider_code", "npi", "name", "specialty", "taxonomy_code"]


class ProviderDetailSerializer(ProviderSerializer):
    # an individual's tax number may be an SSN
    tax_number = MaskedField(mask_tax_number)

    class Meta(ProviderSerializer.Meta):
        fields = [*ProviderSerializer.Meta.fields, "tax_number", "created_at"]


class PayerFilterSet(RowFilterSet):
    payer_code = TextFilter()
    payer_type = django_filters.ChoiceFilter(choices=PayerType.choices)
    name = TextFilter(lookup_expr="istartswith")


class PlanFilterSet(RowFilterSet):
    payer = IdFilter("payer_id")


class ProviderFilterSet(RowFilterSet):
    npi = TextFilter()
    provider_code = TextFilter()
    name = TextFilter(lookup_expr="istartswith")


class PayerViewSet(mixins.UpdateModelMixin, CachedViewSet):
    """Payers, and with PATCH their type, rules and deadlines."""

    queryset = Payer.objects.all()
    serializer_class = PayerSerializer
    detail_class = PayerDetailSerializer
    filterset_class = PayerFilterSet
    orderings = ("name", "-name", "-id", "id")
    kind = "payer"
    stamp, depends = "party", ("party+",)
    write_action = Action.CHANGE_PARTIES
    http_method_names = ("get", "head", "post", "patch")

    def get_serializer_class(self) -> type[serializers.Serializer[Any]]:
        return PayerChangeSerializer if self.action == "partial_update" else super().get_serializer_class()

    @idempotent
    def partial_update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Change a payer and answer it whole."""
        serializer = self.get_serializer(self.get_object(), data=request.data, partial=True)
        serializer.is_valid(raise_exception=True)
        serializer.save()
        return self.retrieve(request)

    def find_plans(self, row: dict[str, Any]) -> Any:
        return Plan.objects.filter(payer_id=row["id"])


class PlanViewSet(CachedViewSet):
    kind = "plan"
    stamp = "party"
    queryset = Plan.objects.all()
    serializer_class = PlanSerializer
    detail_class = PlanDetailSerializer
    filterset_class = PlanFilterSet


class ProviderViewSet(CachedViewSet):
    kind = "provider"
    stamp = "party"
    queryset = Provider.objects.all()
    serializer_class = ProviderSerializer
    detail_class = ProviderDetailSerializer
    filterset_class = ProviderFilterSet
    orderings = ("name", "-name", "-id", "id")
