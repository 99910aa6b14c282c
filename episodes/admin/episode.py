"""The episode list and the episode page. Nothing is changed here; the claim that comes next can be downloaded."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils import timezone
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from claims.admin import patient_of
from claims.models import Claim
from claims.page import patient_name
from claims.write837 import Unwritable
from episodes.ledger import get_ledger
from episodes.models import Episode, EpisodeClaim, EpisodeStatus
from episodes.rebill import KINDS, write_next
from marb.access.roles import Action, may
from marb.core.admin import RecordAdmin, practice_ids
from marb.core.download import send_edi
from marb.core.list_filters import DayRangeFilter, RelatedFilter
from marb.core.pages import draw_sections
from marb.core.reads import note_objects
from marb.core.templatetags.marb import money

STATUS_TONES = {
    EpisodeStatus.PENDING.label: "warning",
    EpisodeStatus.LINKED.label: "info",
    EpisodeStatus.COMPLETE.label: "success",
    EpisodeStatus.DENIED.label: "danger",
}

CLAIM_KINDS = (
    ("corrected", "Corrected claim (7)"),
    ("void", "Void (8)"),
    ("secondary", "Claim for the next payer"),
)


@admin.register(Episode)
class EpisodeAdmin(RecordAdmin):
    page_template = "episodes/episode.html"
    list_display = (
        *("number", "state", "patient", "payer_name", "service", "charge", "paid", "adjusted", "owed", "balance"),
        "remittances",
    )
    list_filter = (
        ("status", ChoicesDropdownFilter),
        ("claim__payer", RelatedFilter),
        ("created_at", DayRangeFilter),
    )
    list_select_related = ("claim__payer",)
    newest = ("-created_at", "-id")
    search_fields = ("claim__patient_control_number",)
    search_help_text = "Control number or member id of a claim in the episode"
    export_columns = (
        ("episode", lambda row: row.pk),
        ("control_number", lambda row: row.claim.patient_control_number),
        ("payer", lambda row: row.claim.payer and row.claim.payer.name),
        ("status", lambda row: row.get_status_display()),
        ("charge_amount", lambda row: row.charge_amount),
        ("paid_amount", lambda row: row.paid_amount),
        ("adjustment_amount", lambda row: row.adjustment_amount),
        ("patient_responsibility_amount", lambda row: row.patient_responsibility_amount),
        ("remittance_count", lambda row: row.remittance_count),
    )

    def find(self, request: HttpRequest, term: str) -> Q:
        mine = Claim.objects.filter(practice__in=practice_ids(request))
        claims = mine.filter(Q(patient_control_number__startswith=term) | Q(subscriber_member_id=term))
        return Q(pk__in=EpisodeClaim.objects.filter(claim__in=claims).values("episode_id"))

    def page(self, request: HttpRequest, record: Episode) -> dict[str, Any]:
        return {
            "title": f"Episode {record.pk}",
            "episode": record,
            "patient": patient_name(record.claim),
            "ledger": get_ledger(record),
            "links": record.remittance_links.select_related("linked_by"),
            "sections": draw_sections("episode", record, request),
            "kinds": CLAIM_KINDS if may(request.user, record.practice_id, Action.SEE_IDENTIFIERS) else (),
        }

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.claim_view)
        return [path("<path:object_id>/claim/<slug:word>/", view, name="episodes_episode_claim"), *super().get_urls()]

    def claim_view(self, request: HttpRequest, object_id: str, word: str) -> HttpResponse:
        """Send the episode's next claim of a kind as X12, or say on its page why it cannot be written."""
        episode: Any = self.get_object(request, unquote(object_id))
        if word not in KINDS:
            raise Http404
        if request.method != "GET" or not may(request.user, episode.practice_id, Action.SEE_IDENTIFIERS):
            raise PermissionDenied
        note_objects(request, [episode], "export")
        try:
            content = write_next(episode, word, timezone.now())
        except Unwritable as refusal:
            messages.warning(request, refusal.sentence)
            return redirect("admin:episodes_episode_change", episode.pk)
        return send_edi(content, f"episode-{episode.pk}-{word}.x12")

    @display(description="Claim")
    def number(self, episode: Episode) -> str:
        return episode.claim.patient_control_number or f"(none) {episode.pk}"

    @display(description="Patient")
    def patient(self, episode: Episode) -> str:
        return patient_of(episode.claim)

    @display(description="Payer", empty_value="")
    def payer_name(self, episode: Episode) -> str | None:
        return episode.claim.payer.name if episode.claim.payer else None

    @display(description="Service", empty_value="")
    def service(self, episode: Episode) -> str | None:
        return f"{episode.claim.service_from_date:%m/%d/%Y}" if episode.claim.service_from_date else None

    @display(description="Charge")
    def charge(self, episode: Episode) -> str:
        return money(episode.charge_amount)

    @display(description="Paid")
    def paid(self, episode: Episode) -> str:
        return money(episode.paid_amount)

    @display(description="Adjusted")
    def adjusted(self, episode: Episode) -> str:
        return money(episode.adjustment_amount)

    @display(description="Patient owes")
    def owed(self, episode: Episode) -> str:
        return money(episode.patient_responsibility_amount)

    @display(description="Open")
    def balance(self, episode: Episode) -> str:
        """Write what nobody has paid, adjusted or left to the patient."""
        taken = episode.paid_amount + episode.adjustment_amount + episode.patient_responsibility_amount
        return money(episode.charge_amount - taken)

    @display(description="Remittances")
    def remittances(self, episode: Episode) -> int:
        return episode.remittance_count

    @display(description="Status", label=STATUS_TONES)
    def state(self, episode: Episode) -> str:
        return episode.get_status_display()
