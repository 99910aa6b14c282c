"""The queue of remittances to link: the list, the page that shows candidates side by side, and what people changed.

The page is every remittance's, linked or not; the list shows those that no control number links. Linking, unlinking and
giving back are buttons of the page with a reason (episodes.hand), for the roles that may link.
"""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from unfold.contrib.filters.admin import ChoicesDropdownFilter, DropdownFilter
from unfold.decorators import display

from claims.models import Claim
from episodes.compare import compare, percent_of
from episodes.hand import MOST_REASON, Refused, link_by_hand, release, unlink_by_hand
from episodes.models import EpisodeRemittance, LinkChange, OpenRemittance, OpenState, QueuedRemittance
from marb.access.roles import Action, may
from marb.core.admin import RecordAdmin, ScopedAdmin
from marb.core.list_filters import RelatedFilter
from marb.core.paginator import MOST_ID
from marb.core.reads import note
from marb.core.templatetags.marb import money
from remits.admin import patient_of
from remits.models import Remittance
from remits.words import CLAIM_STATUS

MOST_SEARCH = 60
STATE_TONES = {
    OpenState.OPEN.label: "warning",
    OpenState.LINKED.label: "info",
    OpenState.APART.label: "danger",
}
DONE = {"link": "Linked.", "unlink": "Unlinked, and kept apart.", "release": "Given back to automatic linking."}


class StateFilter(DropdownFilter):
    """Where a remittance stands; without a choice, what waits for a person."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return list(OpenState.choices)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        chosen = self.value()
        states = [chosen] if chosen in OpenState.values else [OpenState.OPEN, OpenState.APART]
        return queryset.filter(open_place__state__in=states)


class OrderForm(forms.Form):
    """What a button of the page sends."""

    reason = forms.CharField(max_length=MOST_REASON)
    claim = forms.IntegerField(min_value=1, max_value=MOST_ID, required=False)


@admin.register(QueuedRemittance)
class QueuedRemittanceAdmin(RecordAdmin):
    page_template = "episodes/queue.html"
    list_display = ("number", "state", "patient", "payer_name", "says", "service", "charge", "paid", "likely")
    list_filter = (StateFilter, ("payer", RelatedFilter))
    list_select_related = ("payer", "open_place")
    search_fields = ("patient_control_number",)
    search_help_text = "Control number, the payer's claim number, or the patient's last name"

    def get_ordering(self, request: HttpRequest) -> Any:
        return ("-pk",)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> Any:
        base = super().get_changelist(request, **kwargs)

        class QueueList(base):  # type: ignore[misc, valid-type]
            """The list is the queue; the page is any remittance's."""

            def get_queryset(self, request: HttpRequest, **options: Any) -> QuerySet[Any]:
                return super().get_queryset(request, **options).filter(open_place__isnull=False)

        return QueueList

    def find(self, request: HttpRequest, term: str) -> Q:
        numbers = Q(payer_claim_control_number=term) & ~Q(payer_claim_control_number="")
        return Q(patient_control_number__startswith=term) | numbers | Q(patient_last_name__istartswith=term)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.order_view)
        order = path("<path:object_id>/order/<slug:word>/", view, name="episodes_queuedremittance_order")
        return [order, *super().get_urls()]

    def page(self, request: HttpRequest, record: Remittance) -> dict[str, Any]:
        search = request.GET.get("claim", "").strip()[:MOST_SEARCH].replace("\x00", "")
        comparison = compare(record, request, search)
        seen = [(candidate.claim.pk, candidate.claim.practice_id) for candidate in comparison.candidates]
        note(request, [(record.pk, record.practice_id), *seen])
        return {
            "title": f"Link remittance {record.pk}",
            "remittance": record,
            "place": OpenRemittance.objects.filter(remittance=record).first(),
            "link": EpisodeRemittance.objects.filter(remittance=record).select_related("linked_by", "claim").first(),
            "says": CLAIM_STATUS.get(record.claim_status_code, record.claim_status_code),
            "comparison": comparison,
            "changes": record.link_changes.select_related("changed_by", "claim", "previous_claim"),
            "may_link": may(request.user, record.practice_id, Action.LINK),
            "search": search,
            "most_reason": MOST_REASON,
        }

    def order_view(self, request: HttpRequest, object_id: str, word: str) -> HttpResponse:
        """Carry out what a button of the page says, and come back to the page."""
        remittance: Any = self.get_object(request, object_id)
        if word not in DONE:
            raise Http404
        if request.method != "POST" or not may(request.user, remittance.practice_id, Action.LINK):
            raise PermissionDenied
        form = OrderForm(request.POST)
        if not form.is_valid():
            messages.warning(request, f"Say why, in at most {MOST_REASON} characters. Nothing was changed.")
        else:
            self.carry_out(request, remittance, word, form.cleaned_data)
        return redirect("admin:episodes_queuedremittance_change", remittance.pk)

    def carry_out(self, request: HttpRequest, remittance: Remittance, word: str, asked: dict[str, Any]) -> None:
        try:
            if word == "link":
                claim = Claim.objects.for_user(request.user).filter(pk=asked["claim"]).first()
                if claim is None:
                    raise Refused("There is no such claim.")
                link_by_hand(request.user, remittance, claim, asked["reason"])
            else:
                {"unlink": unlink_by_hand, "release": release}[word](request.user, remittance, asked["reason"])
        except Refused as refusal:
            messages.warning(request, refusal.sentence)
        else:
            messages.success(request, DONE[word])

    @display(description="Control number")
    def number(self, remittance: Remittance) -> str:
        return remittance.patient_control_number or f"(none) {remittance.pk}"

    @display(description="State", label=STATE_TONES)
    def state(self, remittance: Any) -> str:
        return remittance.open_place.get_state_display()

    @display(description="Patient", empty_value="")
    def patient(self, remittance: Remittance) -> str:
        return patient_of(remittance)

    @display(description="Payer", empty_value="")
    def payer_name(self, remittance: Remittance) -> str | None:
        return remittance.payer.name if remittance.payer else None

    @display(description="Payer says")
    def says(self, remittance: Remittance) -> str:
        return CLAIM_STATUS.get(remittance.claim_status_code, remittance.claim_status_code)

    @display(description="Service", empty_value="")
    def service(self, remittance: Remittance) -> str | None:
        return f"{remittance.service_from_date:%m/%d/%Y}" if remittance.service_from_date else None

    @display(description="Charge")
    def charge(self, remittance: Remittance) -> str:
        return money(remittance.charge_amount)

    @display(description="Paid")
    def paid(self, remittance: Remittance) -> str:
        return money(remittance.paid_amount)

    @display(description="Candidates")
    def likely(self, remittance: Any) -> str:
        place = remittance.open_place
        if not place.candidate_count:
            return "None found"
        return f"{place.candidate_count}, best {percent_of(place.best_score)}"


@admin.register(LinkChange)
class LinkChangeAdmin(ScopedAdmin):
    """What people linked, unlinked and gave back. Only read."""

    list_display = ("changed_at", "action", "remittance_number", "was", "now", "changed_by", "reason")
    list_display_links = None
    list_filter = (("action", ChoicesDropdownFilter),)
    list_select_related = ("remittance", "claim", "previous_claim", "changed_by")
    fields = ("changed_at", "action", "remittance_number", "was", "now", "changed_by", "reason")
    readonly_fields = fields

    @display(description="Remittance")
    def remittance_number(self, change: LinkChange) -> str:
        return change.remittance.patient_control_number or f"(none) {change.remittance_id}"

    @display(description="Was linked to", empty_value="")
    def was(self, change: LinkChange) -> str | None:
        if change.previous_claim is None:
            return None
        return f"{change.previous_claim.patient_control_number}, {change.get_previous_method_display().lower()}"

    @display(description="Is linked to", empty_value="")
    def now(self, change: LinkChange) -> str | None:
        return change.claim.patient_control_number if change.claim else None
