"""The queue of underpaid lines, the page on which one is taken up, and how much is tolerated of each payer.

Lines are found by episodes.underpayment; people dispute, recover, accept or reopen them (episodes.recovery), for the
roles that may link.
"""

import json
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied
from django.db.models import ForeignKey, Q, QuerySet, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from unfold.contrib.filters.admin import DropdownFilter
from unfold.decorators import display

from episodes.admin.kpi import options
from episodes.hand import MOST_REASON, Refused
from episodes.recovery import change_line
from episodes.underpaid import MISSING, Tolerance, UnderpaidLine, UnderpaidStatus
from marb.access.roles import Action, find_practices, may, may_anywhere
from marb.core.admin import RecordAdmin, ScopedAdmin
from marb.core.list_filters import DayRangeFilter, RelatedFilter
from marb.core.templatetags.marb import money
from marb.parties.models import Payer

MOST_BARS = 12
STATUS_TONES = {
    UnderpaidStatus.OPEN.label: "danger",
    UnderpaidStatus.DISPUTED.label: "warning",
    UnderpaidStatus.RECOVERED.label: "success",
    UnderpaidStatus.ACCEPTED.label: "info",
}


class StatusFilter(DropdownFilter):
    """Where a line stands; without a choice, what is still missing."""

    title = "status"
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [*UnderpaidStatus.choices, ("all", "All")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        chosen = self.value()
        if chosen == "all":
            return queryset
        return queryset.filter(status__in=[chosen] if chosen in UnderpaidStatus.values else MISSING)


class AssigneeFilter(DropdownFilter):
    """Whose a line is."""

    title = "assigned to"
    parameter_name = "assigned"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("me", "Me"), ("nobody", "Nobody")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        people = {"me": request.user.pk, "nobody": None}
        return queryset.filter(assigned_to=people[self.value()]) if self.value() in people else queryset


class OrderForm(forms.Form):
    """What the page sends."""

    status = forms.ChoiceField(choices=UnderpaidStatus.choices)
    assigned_to = forms.IntegerField(min_value=1, max_value=2**31 - 1, required=False)
    reason = forms.CharField(max_length=MOST_REASON)


def name_of(payer: Payer | None) -> str:
    return str(payer) if payer else "Not named"


@admin.register(UnderpaidLine)
class UnderpaidLineAdmin(RecordAdmin):
    page_template = "episodes/underpaid.html"
    list_before_template = "episodes/underpaid_payers.html"
    list_display = (
        *("number", "state", "payer_name", "procedure", "paid_day", "charge", "expected", "allowed", "missing"),
        "whose",
    )
    list_filter = (StatusFilter, ("payer", RelatedFilter), AssigneeFilter, ("paid_on", DayRangeFilter))
    list_select_related = ("claim", "payer", "assigned_to")
    sortable_by = ("missing", "paid_day", "expected")
    search_fields = ("procedure_code",)
    search_help_text = "Procedure code, or the claim's control number"
    export_columns = (
        ("line", lambda row: row.pk),
        ("control_number", lambda row: row.claim.patient_control_number),
        ("payer", lambda row: name_of(row.payer)),
        ("procedure", lambda row: row.procedure_code),
        ("paid_on", lambda row: row.paid_on),
        ("charge_amount", lambda row: row.charge_amount),
        ("expected_amount", lambda row: row.expected_amount),
        ("allowed_amount", lambda row: row.allowed_amount),
        ("paid_amount", lambda row: row.paid_amount),
        ("variance_amount", lambda row: row.variance_amount),
        ("status", lambda row: row.get_status_display()),
        ("assigned_to", lambda row: row.assigned_to and row.assigned_to.get_username()),
    )

    class Media:
        css = {"all": ("episodes/kpis.css",)}

    def get_ordering(self, request: HttpRequest) -> Any:
        return ("-variance_amount", "-pk")

    def find(self, request: HttpRequest, term: str) -> Q:
        return Q(procedure_code=term.upper()) | Q(claim__patient_control_number__startswith=term)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        return super().changelist_view(request, {**(extra_context or {}), **self.payers_chart(request)})

    def payers_chart(self, request: HttpRequest) -> dict[str, Any]:
        """Draw the dollars still missing by payer, the most first."""
        rows = self.get_queryset(request).filter(status__in=MISSING, variance_amount__gt=0).order_by()
        sums = rows.values_list("payer__name").annotate(amount=Sum("variance_amount")).order_by("-amount")[:MOST_BARS]
        found = [(name or "Not named", float(amount)) for name, amount in sums]
        bars = {"label": "Missing", "data": [amount for _, amount in found], "backgroundColor": "#d97706"}
        data = {"labels": [name[:28] for name, _ in found], "datasets": [bars | {"maxBarThickness": 22}]}
        told = {"kind": "bar", "data": json.dumps(data), "options": options("$", axis="y"), "is_empty": not found}
        return {"payers_chart": told}

    def page(self, request: HttpRequest, record: UnderpaidLine) -> dict[str, Any]:
        may_change = may(request.user, record.practice_id, Action.LINK)
        return {
            "title": f"Underpaid line {record.pk}",
            "line": record,
            "percent": f"{100 * record.variance_amount / record.expected_amount:.1f}" if record.expected_amount else "",
            "service_line": record.service_line,
            "changes": record.changes.select_related("changed_by", "assigned_to"),
            "may_change": may_change,
            "statuses": UnderpaidStatus.choices,
            "people": members_of(record.practice_id) if may_change else (),
            "most_reason": MOST_REASON,
        }

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.order_view)
        return [path("<path:object_id>/order/", view, name="episodes_underpaidline_order"), *super().get_urls()]

    def order_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Give the line the status and the assignee that the page sends, and come back to the page."""
        line: Any = self.get_object(request, object_id)
        if request.method != "POST" or not may(request.user, line.practice_id, Action.LINK):
            raise PermissionDenied
        form = OrderForm(request.POST)
        if form.is_valid():
            self.carry_out(request, line, form.cleaned_data)
        else:
            messages.warning(request, f"Say why, in at most {MOST_REASON} characters. Nothing was changed.")
        return redirect("admin:episodes_underpaidline_change", line.pk)

    def carry_out(self, request: HttpRequest, line: UnderpaidLine, asked: dict[str, Any]) -> None:
        people = {person.pk: person for person in members_of(line.practice_id)}
        try:
            if asked["assigned_to"] and asked["assigned_to"] not in people:
                raise Refused("Only a member of the practice can take it up.")
            person = people.get(asked["assigned_to"])
            change_line(request.user, line, asked["status"], asked["reason"], assigned_to=person)
        except Refused as refusal:
            messages.warning(request, refusal.sentence)
        else:
            messages.success(request, "Changed.")

    @display(description="Claim")
    def number(self, line: UnderpaidLine) -> str:
        return line.claim.patient_control_number or f"(none) {line.claim_id}"

    @display(description="Status", label=STATUS_TONES)
    def state(self, line: UnderpaidLine) -> str:
        return line.get_status_display()

    @display(description="Payer")
    def payer_name(self, line: UnderpaidLine) -> str:
        return name_of(line.payer)

    @display(description="Procedure")
    def procedure(self, line: UnderpaidLine) -> str:
        return line.procedure_code

    @display(description="Paid on", ordering="paid_on")
    def paid_day(self, line: UnderpaidLine) -> str:
        return f"{line.paid_on:%m/%d/%Y}"

    @display(description="Charge")
    def charge(self, line: UnderpaidLine) -> str:
        return money(line.charge_amount)

    @display(description="Expected", ordering="expected_amount")
    def expected(self, line: UnderpaidLine) -> str:
        return money(line.expected_amount)

    @display(description="Allowed")
    def allowed(self, line: UnderpaidLine) -> str:
        return money(line.allowed_amount)

    @display(description="Missing", ordering="variance_amount")
    def missing(self, line: UnderpaidLine) -> str:
        return money(line.variance_amount)

    @display(description="Assigned to", empty_value="")
    def whose(self, line: UnderpaidLine) -> str | None:
        return line.assigned_to.get_username() if line.assigned_to else None


def members_of(practice_id: int) -> QuerySet[Any]:
    """Find the people of a practice, who may take a line up."""
    people = get_user_model().objects.filter(is_active=True, memberships__practice=practice_id)
    return people.order_by("username").distinct()


@admin.register(Tolerance)
class ToleranceAdmin(ScopedAdmin):
    """What is tolerated of a payer; changed by those who may change its contracts. It holds from the next file on."""

    list_display = ("payer_name", "amount", "percent")
    list_select_related = ("payer",)
    autocomplete_fields = ("payer",)
    fields = ("practice", "payer", "amount", "percent")

    def formfield_for_foreignkey(self, db_field: ForeignKey, request: HttpRequest, **kwargs: Any) -> Any:
        practices = find_practices(request.user, Action.CHANGE_PARTIES)
        if db_field.name == "practice":
            kwargs["queryset"], kwargs["initial"] = practices, practices.first()
        if db_field.name == "payer":
            kwargs["queryset"] = Payer.objects.filter(practice__in=practices)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return () if obj is None else ("practice", "payer")

    @display(description="Payer")
    def payer_name(self, tolerance: Tolerance) -> str:
        return str(tolerance.payer) if tolerance.payer else "Every other payer"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return may_anywhere(request.user, Action.CHANGE_PARTIES)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        if obj is None:
            return self.has_add_permission(request)
        return may(request.user, obj.practice_id, Action.CHANGE_PARTIES)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_change_permission(request, obj)
