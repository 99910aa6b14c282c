"""The audit in the admin: who read what, for auditors and administrators of a practice; nothing can be changed."""

from typing import Any

from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest
from unfold.decorators import display

from marb.access.models import AuditEntry
from marb.access.roles import Action, may_anywhere
from marb.core.admin import ScopedAdmin
from marb.core.list_filters import DayRangeFilter

MOST_SHOWN = 5


def may_see_audit(request: HttpRequest) -> bool:
    """Say whether a person sees the audit of any practice."""
    return may_anywhere(request.user, Action.SEE_AUDIT)


@admin.register(AuditEntry)
class AuditEntryAdmin(ScopedAdmin):
    list_display = ("moment", "username", "kind", "action", "numbers", "status_code", "address", "request_id")
    list_filter = (("at", DayRangeFilter),)
    search_fields = ("username",)
    search_help_text = "User name, kind, number of what was read, or request id"
    fields = (
        *("at", "stored_at", "practice", "user_id", "username", "kind", "action", "place", "method", "status_code"),
        *("object_ids", "parameters", "address", "request_id", "digest"),
    )
    export_columns = (
        ("entry", lambda row: row.pk),
        ("at", lambda row: row.at.isoformat()),
        ("practice", lambda row: row.practice_id),
        ("username", lambda row: row.username),
        ("kind", lambda row: row.kind),
        ("action", lambda row: row.action),
        ("place", lambda row: row.place),
        ("ids", lambda row: " ".join(map(str, row.object_ids))),
        ("status_code", lambda row: row.status_code),
        ("address", lambda row: row.address),
        ("request_id", lambda row: row.request_id),
    )

    def find(self, request: HttpRequest, term: str) -> Q:
        found = Q(username=term) | Q(kind=term.lower()) | Q(request_id=term)
        is_number = term.isascii() and term.isdigit() and len(term) < 19
        return found | Q(object_ids__contains=[int(term)]) if is_number else found

    def has_module_permission(self, request: HttpRequest) -> bool:
        return may_see_audit(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may_see_audit(request)

    def has_export_permission(self, request: HttpRequest) -> bool:
        return may_see_audit(request)

    @display(description="At")
    def moment(self, entry: AuditEntry) -> str:
        return f"{entry.at:%m/%d/%Y %H:%M:%S}"

    @display(description="Read")
    def numbers(self, entry: AuditEntry) -> str:
        more = len(entry.object_ids) - MOST_SHOWN
        shown = ", ".join(map(str, entry.object_ids[:MOST_SHOWN]))
        return f"{shown} and {more} more" if more > 0 else shown
