"""/audit/: who read what, for auditors and administrators of a practice, and what was odd in it. Nothing is written.

The rows are those of marb.access.trail, scoped by the practices where the person sees the audit. Reading them is
recorded like every other reading. A search term stands in `parameters` as its keyed digest: the digest of a value that
is known can be looked for in the admin, the value cannot be read.
"""

from datetime import UTC, date, datetime, timedelta

import django_filters
from django.contrib.auth import get_user_model
from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from marb.access import odd
from marb.access.models import AuditEntry
from marb.access.roles import Action, find_practices
from marb.core.bulk import BulkViewSet
from marb.core.filters import IdFilter, InstantFilter, RowFilterSet, TextFilter

FIELDS = [
    *("id", "practice", "at", "user_id", "username", "kind", "action", "place", "method", "object_ids", "parameters"),
    *("status_code", "address", "request_id"),
]
DAY = OpenApiParameter("day", {"type": "string", "format": "date"}, description="A day of UTC; yesterday without it.")
DAYS = timedelta(days=1)


class AuditEntrySerializer(serializers.ModelSerializer[AuditEntry]):
    object_ids = serializers.ListField(child=serializers.IntegerField())
    parameters = serializers.DictField(child=serializers.CharField(allow_blank=True))

    class Meta:
        model = AuditEntry
        fields = FIELDS


class AuditEntryDetailSerializer(AuditEntrySerializer):
    """The same, with when it was written and the digest that ties it to the entry before."""

    class Meta(AuditEntrySerializer.Meta):
        fields = [*FIELDS, "stored_at", "digest"]


class AuditFilterSet(RowFilterSet):
    """`person` is a user name, `object` the number of a row that was read, `day` a day of UTC."""

    person = TextFilter(method="filter_person", max_length=150)
    kind = TextFilter()
    action = TextFilter()
    object = IdFilter(method="filter_object")
    day = django_filters.DateFilter(method="filter_day")
    at_from = InstantFilter("at", "gte")
    at_to = InstantFilter("at", "lte")
    request_id = TextFilter()

    def filter_person(self, queryset: QuerySet[AuditEntry], name: str, value: str) -> QuerySet[AuditEntry]:
        """Narrow to a person by their number, which the index knows; by name to one who is no more."""
        found = get_user_model().objects.filter(username=value).values_list("pk", flat=True).first()
        return queryset.filter(username=value) if found is None else queryset.filter(user_id=found)

    def filter_object(self, queryset: QuerySet[AuditEntry], name: str, value: int) -> QuerySet[AuditEntry]:
        return queryset.filter(object_ids__contains=[value])

    def filter_day(self, queryset: QuerySet[AuditEntry], name: str, value: date) -> QuerySet[AuditEntry]:
        begins = begin_of(value)
        return queryset.filter(at__gte=begins, at__lt=begins + DAYS)


class AuditViewSet(BulkViewSet):
    """The audit's entries, newest first."""

    queryset = AuditEntry.objects.all()
    serializer_class = AuditEntrySerializer
    detail_class = AuditEntryDetailSerializer
    filterset_class: type[RowFilterSet] | None = AuditFilterSet
    http_method_names = ("get", "head", "post")
    read_action = Action.SEE_AUDIT
    kind = "audit"

    @extend_schema(
        parameters=[DAY],
        responses=inline_serializer(
            "OddReport",
            {
                "day": serializers.DateField(),
                "results": inline_serializer(
                    "OddAccess",
                    {
                        "practice": serializers.IntegerField(),
                        "user_id": serializers.IntegerField(),
                        "username": serializers.CharField(),
                        "rule": serializers.ChoiceField(list(odd.RULES)),
                        "number": serializers.IntegerField(),
                        "usual": serializers.IntegerField(),
                        "sentence": serializers.CharField(),
                    },
                    many=True,
                ),
            },
        ),
    )
    @action(detail=False, parameters=("day",), filterset_class=None, pagination_class=None)
    def odd(self, request: Request) -> Response:
        """Answer what was odd in a day, measured by each person's own four weeks before (marb.access.odd)."""
        day = read_day(request)
        found = odd.find(day, find_practices(request.user, Action.SEE_AUDIT))
        shown = [each._asdict() | {"sentence": each.sentence} for each in found]
        return Response({"day": day, "results": shown})


def begin_of(day: date) -> datetime:
    """Get the first moment of a day of UTC. Raises ValidationError for one at the calendar's end."""
    if day == date.max:
        raise ValidationError({"day": ["A day before the calendar's last."]})
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def read_day(request: Request) -> date:
    text = request.query_params.get("day")
    if text is None:
        return (timezone.now().astimezone(UTC) - DAYS).date()
    try:
        day = serializers.DateField().to_internal_value(text)
        begin_of(day) - timedelta(days=odd.BEFORE_DAYS)
    except (serializers.ValidationError, OverflowError):
        raise ValidationError({"day": ["A day as 2026-03-02."]}) from None
    return date(day.year, day.month, day.day)
