"""What lists may be filtered by: named filters only. An unknown parameter is a 400, never a lookup, never ignored."""

from datetime import UTC
from typing import Any, cast

import django_filters
from django import forms
from django.core.validators import RegexValidator
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema_field

MOST_TEXT = 100
WITHOUT_NUL = r"^[^\u0000]+$"


class IdField(forms.CharField):
    """An id as ASCII digits within a bigint; `1.0`, other scripts' digits and 2**63 are not ids."""

    default_validators = [RegexValidator(r"\A[0-9]{1,18}\Z", "An id is a whole number.")]

    def clean(self, value: Any) -> int | None:
        text = super().clean(value)
        return int(text) if text else None


@extend_schema_field({"type": "integer", "minimum": 0, "maximum": 10**18 - 1})
class IdFilter(django_filters.Filter):
    field_class = IdField


class InstantField(django_filters.fields.IsoDateTimeField):
    """A moment in UTC: PostgreSQL takes no offset of 16 hours or more, RFC 3339 does."""

    def clean(self, value: Any) -> Any:
        moment = super().clean(value)
        if moment is None:
            return None
        try:
            return moment.astimezone(UTC)
        except OverflowError:
            # within a day of the calendar's ends
            return moment.replace(tzinfo=UTC)


class InstantFilter(django_filters.IsoDateTimeFilter):
    field_class = InstantField


class TextFilter(django_filters.CharFilter):
    """Exact text, as long as a column may be; stripped of nothing, because control numbers are taken as sent."""

    def __init__(self, *args: Any, **options: Any):
        known = {"max_length": MOST_TEXT, "strip": False, **options}
        super().__init__(*args, **known)
        described = {"type": "string", "minLength": 1, "maxLength": known["max_length"], "pattern": WITHOUT_NUL}
        extend_schema_field(described)(self)


class RowFilterSet(django_filters.FilterSet):
    """Every list's filters: the practice by its code, for people who are members of several."""

    practice = TextFilter(method="filter_practice")

    def __init__(self, data: Any = None, queryset: Any = None, *, request: Any = None, prefix: Any = None):
        # the library copies every filter and makes each a form field; those that nobody named filter nothing
        known: dict[str, Any] = cast(Any, type(self)).base_filters
        self.base_filters = {name: each for name, each in known.items() if name in (data or ())}
        super().__init__(data, queryset, request=request, prefix=prefix)

    def filter_practice(self, queryset: QuerySet[Any, Any], name: str, value: str) -> QuerySet[Any, Any]:
        """Narrow to one practice, named as a constant, so that indexes which begin with it give the order."""
        practices = queryset.model._meta.get_field("practice").related_model._base_manager
        return queryset.filter(practice_id=practices.filter(code=value).values_list("pk", flat=True).first())
