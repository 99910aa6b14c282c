"""The denials to work on: the list with its figures and charts, and the page of one, where it is worked on.

The list shows what is not resolved and is the person's own or nobody's, soonest deadline first, unless a filter says
otherwise. What a button does is episodes.desk's; the claim that is sent again is the episode's (episodes.rebill).
"""

from datetime import date, timedelta
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils import timezone
from unfold.contrib.filters.admin import ChoicesDropdownFilter, DropdownFilter
from unfold.decorators import display

from claims.admin import patient_of
from claims.page import patient_name
from episodes import desk
from episodes.codes import words_of
from episodes.denialfigures import read_figures
from episodes.hand import Refused
from episodes.models import CodeKind, DenialItem, DenialState, Resolution
from marb.access.roles import Action, may
from marb.core.admin import RecordAdmin, practice_ids
from marb.core.list_filters import DayRangeFilter, RelatedFilter
from marb.core.templatetags.marb import money

STATE_TONES = {
    DenialState.OPEN.label: "warning",
    DenialState.IN_PROGRESS.label: "info",
    DenialState.RESOLVED.label: "success",
}
BASES = {
    "timely_filing": "timely filing after the day of service",
    "appeal_days": "the payer's days to appeal",
    "redetermination": "Medicare: 120 days after receipt, 5 days after the notice",
}
SOON = timedelta(days=14)
DONE = {
    "assign": "Assigned.", "start": "It is yours now.", "note": "Noted.", "resolve": "Resolved.",
    "reopen": "Open again.",
}  # fmt: skip


class StateFilter(DropdownFilter):
    """Where an item stands; without a choice, what is to be done."""

    title = "status"
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [*DenialState.choices, ("all", "All")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        chosen = self.value()
        if chosen == "all":
            return queryset
        return queryset.filter(status=chosen) if chosen in DenialState.values else queryset.exclude(status="resolved")


class AssigneeFilter(DropdownFilter):
    """Whose it is; without a choice, the person's own and nobody's."""

    title = "assignee"
    parameter_name = "assignee"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("mine", "Mine"), ("nobody", "Nobody's"), ("everybody", "Everybody's")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        mine, nobody = Q(assignee_id=request.user.pk), Q(assignee=None)
        chosen = {"mine": mine, "nobody": nobody, "everybody": Q()}.get(self.value() or "", mine | nobody)
        return queryset.filter(chosen)


class OrderForm(forms.Form):
    """What a button of the page sends."""

    text = forms.CharField(max_length=desk.MOST_NOTE, required=False)
    user = forms.IntegerField(min_value=1, required=False)
    resolution = forms.ChoiceField(choices=Resolution.choices, required=False)


@admin.register(DenialItem)
class DenialItemAdmin(RecordAdmin):
    page_template = "episodes/denial.html"
    list_before_template = "episodes/denials.html"
    list_display = (
        *("number", "state", "due", "amount", "kind", "reason", "remarks", "todo", "payer_name", "patient"),
        *("denied", "whose"),
    )
    list_filter = (
        StateFilter,
        AssigneeFilter,
        ("category", ChoicesDropdownFilter),
        ("strategy", ChoicesDropdownFilter),
        ("closed_by", ChoicesDropdownFilter),
        ("payer", RelatedFilter),
        ("deadline_date", DayRangeFilter),
    )
    list_select_related = ("payer", "assignee", "episode__claim")
    search_fields = ("carc",)
    search_help_text = "Control number of the claim, or a reason code"
    actions = ("take",)
    export_columns = (
        ("denial", lambda row: row.pk),
        ("control_number", lambda row: row.episode.claim.patient_control_number),
        ("payer", lambda row: row.payer and row.payer.name),
        ("status", lambda row: row.get_status_display()),
        ("category", lambda row: row.get_category_display()),
        ("reasons", lambda row: " ".join(row.reasons)),
        ("remark_codes", lambda row: " ".join(row.remark_codes)),
        ("denied_amount", lambda row: row.denied_amount),
        ("denied_date", lambda row: row.denied_date),
        ("deadline", lambda row: row.deadline_date),
        ("strategy", lambda row: row.get_strategy_display()),
        ("assignee", lambda row: row.assignee and row.assignee.get_username()),
        ("resolution", lambda row: row.get_resolution_display() or row.get_closed_by_display()),
    )

    def get_ordering(self, request: HttpRequest) -> Any:
        return ("priority", "id")

    def find(self, request: HttpRequest, term: str) -> Q:
        claims = Q(episode__claim__patient_control_number__startswith=term)
        return Q(carc=term.upper()) | claims & Q(episode__claim__practice__in=practice_ids(request))

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        figures = read_figures(request) if request.method == "GET" else None
        return super().changelist_view(request, {**(extra_context or {}), "figures": figures})

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.order_view)
        return [
            path("<path:object_id>/order/<slug:word>/", view, name="episodes_denialitem_order"),
            *super().get_urls(),
        ]

    @admin.action(description="Take up the selected denials")
    def take(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Take up what is open of the selection; what cannot be is said and left."""
        taken, left = 0, 0
        for item in queryset[: self.list_per_page]:
            try:
                if not may(request.user, item.practice_id, Action.WORK_DENIALS):
                    raise PermissionDenied
                desk.start(item, request.user)
                taken += 1
            except Refused:
                left += 1
        messages.info(request, f"{taken} taken up." + (f" {left} were not open." if left else ""))

    def page(self, request: HttpRequest, record: DenialItem) -> dict[str, Any]:
        reasons, remarks = words_of(CodeKind.CARC), words_of(CodeKind.RARC)
        claim = record.episode.claim
        return {
            "title": f"Denial of {claim.patient_control_number or claim.pk}",
            "item": record,
            "claim": claim,
            "patient": patient_name(claim),
            "reason_words": reasons.get(record.carc, ""),
            "remarks": [(code, remarks.get(code, "")) for code in record.remark_codes],
            "basis": BASES.get(record.deadline_basis, ""),
            "days": record.deadline_date and (record.deadline_date - timezone.now().date()).days,
            "adjustments": [
                (each, reasons.get(each.carc, "")) for each in record.remittance.adjustments.select_related("line")
            ],
            "notes": record.notes.select_related("author"),
            "may_work": may(request.user, record.practice_id, Action.WORK_DENIALS),
            "may_rebill": may(request.user, record.practice_id, Action.SEE_IDENTIFIERS),
            "people": desk.find_assignees(record.practice_id),
            "resolutions": [each for each in Resolution.choices if record.is_appealable or each[0] != "appeal"],
            "most_note": desk.MOST_NOTE,
        }

    def order_view(self, request: HttpRequest, object_id: str, word: str) -> HttpResponse:
        """Carry out what a button of the page says, and come back to the page."""
        item: Any = self.get_object(request, object_id)
        if word not in DONE:
            raise Http404
        if request.method != "POST" or not may(request.user, item.practice_id, Action.WORK_DENIALS):
            raise PermissionDenied
        form = OrderForm(request.POST)
        if not form.is_valid():
            messages.warning(request, f"A note has at most {desk.MOST_NOTE} characters. Nothing was changed.")
        else:
            self.carry_out(request, item, word, form.cleaned_data)
        return redirect("admin:episodes_denialitem_change", item.pk)

    def carry_out(self, request: HttpRequest, item: DenialItem, word: str, asked: dict[str, Any]) -> None:
        user, text = request.user, asked["text"]
        try:
            if word == "assign":
                whom = desk.find_assignees(item.practice_id).filter(pk=asked["user"]).first()
                if asked["user"] and whom is None:
                    raise Refused("There is no such member of the practice.")
                desk.assign(item, user, whom, text)
            elif word == "resolve":
                if not asked["resolution"]:
                    raise Refused("Say how it was resolved.")
                desk.resolve(item, user, asked["resolution"], text)
            else:
                {"start": desk.start, "note": desk.write_note, "reopen": desk.reopen}[word](item, user, text)
        except Refused as refusal:
            messages.warning(request, refusal.sentence)
        else:
            messages.success(request, DONE[word])

    @display(description="Claim")
    def number(self, item: DenialItem) -> str:
        return item.episode.claim.patient_control_number or f"(none) {item.pk}"

    @display(description="Status", label=STATE_TONES)
    def state(self, item: DenialItem) -> str:
        return item.get_status_display()

    @display(description="Deadline", label={"soon": "warning", "over": "danger"}, empty_value="")
    def due(self, item: DenialItem) -> tuple[str, str] | str | None:
        if item.deadline_date is None:
            return None
        return tone_of_day(item, timezone.now().date()), f"{item.deadline_date:%m/%d/%Y}"

    @display(description="Denied")
    def amount(self, item: DenialItem) -> str:
        return money(item.denied_amount)

    @display(description="Category")
    def kind(self, item: DenialItem) -> str:
        return item.get_category_display()

    @display(description="Reason")
    def reason(self, item: DenialItem) -> str:
        return ", ".join(item.reasons) or "CLP02 4"

    @display(description="Remarks")
    def remarks(self, item: DenialItem) -> str:
        return " ".join(item.remark_codes)

    @display(description="To do")
    def todo(self, item: DenialItem) -> str:
        if item.status == DenialState.RESOLVED:
            return item.get_resolution_display() or item.get_closed_by_display()
        return item.get_strategy_display()

    @display(description="Payer", empty_value="")
    def payer_name(self, item: DenialItem) -> str | None:
        return item.payer.name if item.payer else None

    @display(description="Patient")
    def patient(self, item: DenialItem) -> str:
        return patient_of(item.episode.claim)

    @display(description="Denied on", empty_value="")
    def denied(self, item: DenialItem) -> str | None:
        return f"{item.denied_date:%m/%d/%Y}" if item.denied_date else None

    @display(description="Assignee", empty_value="")
    def whose(self, item: DenialItem) -> str | None:
        return item.assignee.get_username() if item.assignee else None


def tone_of_day(item: DenialItem, today: date) -> str:
    """Say whether a deadline is over, soon, or far; of what is resolved it is far."""
    if item.status == DenialState.RESOLVED or item.deadline_date is None:
        return "far"
    return "over" if item.deadline_date < today else "soon" if item.deadline_date <= today + SOON else "far"
