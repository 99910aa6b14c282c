"""The queue of what is held: the list, and the page that shows what posting would do to each episode.

The page is a dry run of the release itself (episodes.holds.try_posting). To release, keep, discard and reopen are its
buttons, with a reason, for the roles that may link.
"""

from decimal import Decimal
from typing import Any, NamedTuple

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from unfold.contrib.filters.admin import ChoicesDropdownFilter, DropdownFilter
from unfold.decorators import display

from episodes.hand import MOST_REASON, Refused
from episodes.holds import RULINGS, DryRun, rule, try_posting
from episodes.models import Hold, HoldReason, HoldState
from marb.access.roles import Action, may
from marb.core.admin import RecordAdmin
from marb.core.list_filters import DayRangeFilter
from marb.core.templatetags.marb import money

STATE_TONES = {
    HoldState.HELD.label: "warning",
    HoldState.KEPT.label: "info",
    HoldState.DISCARDED.label: "danger",
    HoldState.RELEASED.label: "success",
    HoldState.CLEARED.label: "success",
}
REASON_TONES = dict.fromkeys(HoldReason.labels, "danger") | {HoldReason.DUPLICATE.label: "warning"}
BUTTONS = (
    ("release", "Post it", "it is posted as it stands; no difference is mended"),
    ("keep", "Keep on hold", "looked at; it stays out of the episodes"),
    ("discard", "Discard", "never posted, and a later one of its trace number is no duplicate"),
    ("reopen", "Give back to the rules", "held as at first"),
)
DONE = {"release": "Posted.", "keep": "Kept on hold.", "discard": "Discarded.", "reopen": "Given back to the rules."}
AMOUNTS = (
    ("paid_amount", "Paid", "paid"),
    ("adjustment_amount", "Adjusted", "adjusted"),
    ("patient_responsibility_amount", "Patient", "patient"),
    ("open_amount", "Open", "open"),
    ("takeback_amount", "Taken back", "other"),
)
WHOLE = 1_000


class Bar(NamedTuple):
    """One amount before and after posting; the widths are thousandths of the longest bar of the chart."""

    label: str
    tone: str
    before: Decimal
    after: Decimal
    before_width: int
    after_width: int


class WaitingFilter(DropdownFilter):
    """Where a hold stands; without a choice, what waits for a person."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return list(HoldState.choices)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        chosen = self.value()
        return queryset.filter(state__in=[chosen] if chosen in HoldState.values else [HoldState.HELD, HoldState.KEPT])


class RulingForm(forms.Form):
    """What a button of the page sends."""

    reason = forms.CharField(max_length=MOST_REASON)


@admin.register(Hold)
class HoldAdmin(RecordAdmin):
    page_template = "episodes/hold.html"
    list_display = ("number", "state_label", "why", "payer_name", "paid_on", "amount", "difference", "claim_number")
    list_filter = (WaitingFilter, ("reason", ChoicesDropdownFilter), ("held_at", DayRangeFilter))
    list_select_related = ("payment", "remittance")
    search_fields = ("payment__trace_number",)
    search_help_text = "Check or transfer number, or the control number of a remittance that is held alone"
    export_columns = (
        ("hold", lambda row: row.pk),
        ("state", lambda row: row.get_state_display()),
        ("reason", lambda row: row.get_reason_display()),
        ("sentence", lambda row: row.sentence),
        ("trace_number", lambda row: row.payment.trace_number),
        ("payer", lambda row: row.payment.payer_name),
        ("payment_amount", lambda row: row.payment.payment_amount),
        ("difference_amount", lambda row: row.payment.difference_amount),
        ("claim_difference_amount", lambda row: row.payment.claim_difference_amount),
        ("line_difference_amount", lambda row: row.payment.line_difference_amount),
        ("control_number", lambda row: row.remittance and row.remittance.patient_control_number),
    )

    def find(self, request: HttpRequest, term: str) -> Q:
        alone = Q(remittance__isnull=False, remittance__patient_control_number__startswith=term)
        return Q(payment__trace_number__startswith=term) | alone

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.ruling_view)
        return [path("<path:object_id>/rule/<slug:word>/", view, name="episodes_hold_rule"), *super().get_urls()]

    def page(self, request: HttpRequest, record: Hold) -> dict[str, Any]:
        run = None if record.is_posted else try_posting(record)
        return {
            "title": f"Hold {record.pk}",
            "hold": record,
            "payment": record.payment,
            "run": run,
            "bars": bars_of(run) if run else [],
            "changes": record.changes.select_related("changed_by"),
            "buttons": buttons_of(record) if may(request.user, record.practice_id, Action.LINK) else [],
            "most_reason": MOST_REASON,
        }

    def ruling_view(self, request: HttpRequest, object_id: str, word: str) -> HttpResponse:
        """Carry out what a button of the page says, and come back to the page."""
        hold: Any = self.get_object(request, object_id)
        if word not in RULINGS:
            raise Http404
        if request.method != "POST" or not may(request.user, hold.practice_id, Action.LINK):
            raise PermissionDenied
        form = RulingForm(request.POST)
        if not form.is_valid():
            messages.warning(request, f"Say why, in at most {MOST_REASON} characters. Nothing was changed.")
        else:
            self.carry_out(request, hold, word, form.cleaned_data["reason"])
        return redirect("admin:episodes_hold_change", hold.pk)

    def carry_out(self, request: HttpRequest, hold: Hold, word: str, reason: str) -> None:
        try:
            is_changed = rule(request.user, hold, word, reason)
        except Refused as refusal:
            messages.warning(request, refusal.sentence)
        else:
            messages.success(request, DONE[word] if is_changed else "It stands so already. Nothing was changed.")

    @display(description="Check or transfer")
    def number(self, hold: Hold) -> str:
        return hold.payment.trace_number or f"(none) {hold.payment_id}"

    @display(description="State", label=STATE_TONES)
    def state_label(self, hold: Hold) -> str:
        return hold.get_state_display()

    @display(description="Why", label=REASON_TONES)
    def why(self, hold: Hold) -> str:
        return hold.get_reason_display()

    @display(description="Payer", empty_value="")
    def payer_name(self, hold: Hold) -> str:
        return hold.payment.payer_name

    @display(description="Date", empty_value="")
    def paid_on(self, hold: Hold) -> str | None:
        return f"{hold.payment.payment_date:%m/%d/%Y}" if hold.payment.payment_date else None

    @display(description="Amount")
    def amount(self, hold: Hold) -> str:
        return money(hold.payment.payment_amount)

    @display(description="Difference", empty_value="")
    def difference(self, hold: Hold) -> str | None:
        return money(hold.payment.difference_amount) if hold.payment.difference_amount else None

    @display(description="Of one claim", empty_value="")
    def claim_number(self, hold: Hold) -> str | None:
        return hold.remittance.patient_control_number if hold.remittance else None


def buttons_of(hold: Hold) -> list[tuple[str, str, str]]:
    """Get what can be ruled on a hold as it stands; nothing where it cleared by itself."""
    if hold.state == HoldState.CLEARED:
        return []
    return [button for button in BUTTONS if RULINGS[button[0]] != hold.state]


def bars_of(run: DryRun) -> list[Bar]:
    """Draw the sums of a dry run, before and after; a negative amount has a bar of its size."""
    longest = max([abs(amount) for side in (run.before, run.after) for amount in side.values()], default=Decimal(0))
    whole = longest or Decimal(1)
    return [
        Bar(label, tone, run.before[name], run.after[name], *(int(abs(side[name]) * WHOLE / whole) for side in sides))
        for name, label, tone in AMOUNTS
        for sides in [(run.before, run.after)]
        if any(side[name] for side in sides)
    ]
