"""Denial patterns: the list, dearest first, and a page of each with its rate beside others, months and status."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from marb.access.roles import Action, may
from marb.core.admin import RecordAdmin
from marb.core.list_filters import RelatedFilter
from risk.models import AdjudicatedLine, DenialPattern, PatternStatus
from risk.patternwords import recommend
from risk.status import Refused, change_status

MOST_SIMILAR = 20


@admin.register(DenialPattern)
class DenialPatternAdmin(RecordAdmin):
    page_template = "risk/pattern.html"
    list_display = (
        *("pattern_description", "payer", "denied_amount", "percent", "base_percent", "lift", "line_count"),
        *("occurrence_count", "status", "kind", "denial_reason_code", "last_seen_date"),
    )
    list_filter = (("payer", RelatedFilter), ("status", ChoicesDropdownFilter))
    list_select_related = ("payer",)
    newest = ("-denied_amount", "-id")
    search_fields = ("denial_reason_code",)
    search_help_text = "Reason code, or kind"
    export_columns = (
        ("pattern", lambda row: row.pattern_description),
        ("payer", lambda row: row.payer.name),
        ("kind", lambda row: row.pattern_type),
        ("reason", lambda row: row.denial_reason_code),
        ("lines", lambda row: row.line_count),
        ("denied", lambda row: row.occurrence_count),
        ("rate", lambda row: row.frequency),
        ("base_rate", lambda row: row.base_rate),
        ("lift", lambda row: row.lift),
        ("denied_amount", lambda row: row.denied_amount),
        ("status", lambda row: row.status),
    )

    def get_ordering(self, request: HttpRequest) -> Any:
        """Dearest first for everybody: there are few patterns."""
        return self.newest

    def find(self, request: HttpRequest, term: str) -> Q:
        return Q(denial_reason_code=term.upper()) | Q(pattern_type=term.lower().replace(" ", "_"))

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.status_view)
        return [path("<path:object_id>/status/", view, name="risk_denialpattern_status"), *super().get_urls()]

    def page(self, request: HttpRequest, record: DenialPattern) -> dict[str, Any]:
        return {
            "title": record.pattern_description,
            "pattern": record,
            "bars": bars_of(record),
            "figures": figures_of(record),
            "months": [{**each, "percent": share(each["denied"], each["lines"])} for each in record.trend],
            "advice": recommend(record.pattern_type),
            "similar": find_denied(record),
            "changes": list(record.changes.select_related("changed_by")[:50]),
            "statuses": PatternStatus.choices,
            "may_change": may(request.user, record.practice_id, Action.CHANGE_PARTIES),
        }

    def status_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        pattern: Any = self.get_object(request, unquote(object_id))
        if request.method != "POST" or not may(request.user, pattern.practice_id, Action.CHANGE_PARTIES):
            raise PermissionDenied
        said = [request.POST.get(name, "") for name in ("status", "reason", "owner")]
        try:
            change_status(request.user, pattern, *said)
        except Refused as refusal:
            messages.warning(request, refusal.sentence)
        else:
            messages.success(request, "The pattern's status is changed.")
        return redirect("admin:risk_denialpattern_change", pattern.pk)


def share(denied: int, lines: int) -> int:
    return round(100 * denied / lines) if lines else 0


def bars_of(pattern: DenialPattern) -> list[tuple[str, str, float, str]]:
    rates = (("Rate", pattern.frequency, "bad"), ("At least (95 %)", pattern.confidence_score, "warn"))
    every = (*rates, ("The payer's other lines", pattern.base_rate, "info"))
    return [(title, f"{float(rate):.1%}", max(1.0, round(100 * float(rate), 1)), tone) for title, rate, tone in every]


def figures_of(pattern: DenialPattern) -> list[tuple[str, Any]]:
    effect = pattern.effect.get("after") if pattern.effect else None
    figures = [
        ("Adjudicated lines", f"{pattern.line_count:,}"), ("Denied", f"{pattern.occurrence_count:,}"),
        ("Amount denied", f"${pattern.denied_amount:,.2f}"), ("Lift", pattern.lift if pattern.lift else "no base"),
        ("First seen", pattern.first_seen_date), ("Last seen", pattern.last_seen_date),
        ("Reasons", ", ".join(f"{each['carc']} ({each['lines']})" for each in pattern.carcs[:5])),
    ]  # fmt: skip
    if effect:
        figures.append(("Since it was resolved", f"{effect['denied']} of {effect['lines']} denied"))
    return figures


def find_denied(pattern: DenialPattern) -> list[AdjudicatedLine]:
    """Find the newest denied lines of the pattern's payer that its plain conditions name."""
    rows = AdjudicatedLine.objects.filter(practice_id=pattern.practice_id, payer_id=pattern.payer_id, is_denied=True)
    said = pattern.conditions
    for name, column in LOOKUPS.items():
        if name in said:
            value = [said[name]] if column.endswith("__contains") else said[name]
            rows = rows.filter(**{f"{column}__in" if isinstance(said[name], list) else column: value})
    return list(rows.order_by("-adjudicated_date", "-id").select_related("claim")[:MOST_SIMILAR])


LOOKUPS = {
    "procedure_code": "procedure_code", "modifier": "modifiers__contains", "diagnosis": "diagnosis",
    "rendering_provider": "rendering_provider_id", "billing_provider": "billing_provider_id",
    "place_of_service_code": "place_of_service_code", "charge_amount_from": "charge_amount__gte",
    "days_to_submission_from": "days_to_submission__gte", "has_authorization": "has_authorization",
    "is_duplicate": "is_duplicate", "submitted_from": "submitted_date__gte", "carc": "carcs__contains",
}  # fmt: skip
