"""Filters of the admin's lists whose choices pass the same scope as the rows."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, time, timedelta
from typing import Any

from django.apps import apps
from django.db.models import DateTimeField, QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import AutocompleteSelectFilter, DropdownFilter, RangeDateFilter
from unfold.utils import parse_date_str


class RelatedFilter(AutocompleteSelectFilter):
    """A foreign key, chosen by autocomplete. What the address names is shown only if the person may see it."""

    def choices(self, changelist: Any) -> Iterator[dict[str, Any]]:
        for choice in super().choices(changelist):
            field = choice["form"].fields[self.lookup_kwarg]
            field.queryset = field.queryset.for_user(self.request.user)
            yield choice


class DayRangeFilter(RangeDateFilter):
    """From one day to another, both included; on a moment the days are those of UTC."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        first, last = (self.day(end) for end in ("from", "to"))
        conditions = {}
        if first:
            conditions[f"{self.parameter_name}__gte"] = self.start_of(first)
        if last:
            conditions[f"{self.parameter_name}__lt"] = self.start_of(last + timedelta(days=1))
        return queryset.filter(**conditions)

    def day(self, end: str) -> Any:
        return parse_date_str(self.used_parameters.get(f"{self.parameter_name}_{end}"))

    def start_of(self, day: Any) -> Any:
        return datetime.combine(day, time(), UTC) if isinstance(self.field, DateTimeField) else day


class PracticeFilter(DropdownFilter):
    """The practice, for those who see several."""

    title = "practice"
    parameter_name = "practice"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        practices = apps.get_model("access", "Practice")._default_manager.for_user(request.user)
        return [(practice.code, practice.name) for practice in practices]

    def has_output(self) -> bool:
        return len(self.lookup_choices) > 1

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(practice__code=self.value()) if self.value() else queryset


def lookups_of(filters: Iterable[Any]) -> set[str]:
    """Get the parameters that a list's address may carry; any other is refused, so that none scans the table."""
    allowed = {"practice"}
    for entry in filters:
        field = entry if isinstance(entry, str) else entry[0] if isinstance(entry, tuple) else entry.parameter_name
        allowed |= {f"{field}{suffix}" for suffix in ("", "__exact", "__id__exact", "__isnull", "_from", "_to")}
    return allowed
