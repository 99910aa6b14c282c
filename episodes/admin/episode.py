"""The episode list and the episode page. A person's own word is said here; the claim that comes next can be had."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils import timezone
from unfold.contrib.filters.admin import BooleanRadioFilter, ChoicesDropdownFilter
from unfold.decorators import display

from claims.admin import patient_of
from claims.models import Claim
from claims.page import patient_name
from claims.write837 import Unwritable
from episodes.hand import MOST_REASON, Refused
from episodes.ledger import get_ledger
from episodes.models import Episode, EpisodeClaim, EpisodeStatus, HandStage
from episodes.rebill import KINDS, write_next
from episodes.stages import set_stage
from marb.access.roles import Action, may
from marb.core.admin import RecordAdmin, practice_ids
from marb.core.download import send_edi
from marb.core.list_filters import DayRangeFilter, RelatedFilter
from marb.core.pages import draw_sections
from marb.core.reads import note_objects
from marb.core.templatetags.marb import money
from remits.words import PROVIDER_ADJUSTMENT, word

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
        *(
            "number",
            "state",
            "stage_label",
            "patient",
            "payer_name",
            "service",
            "charge",
            "paid",
            "adjusted",
            "owed",
            "balance",
        ),
        "remittances",
    )
    list_filter = (
        ("status", ChoicesDropdownFilter),
        ("stage", ChoicesDropdownFilter),
        ("hand_stage", ChoicesDropdownFilter),
        ("is_secondary_due", BooleanRadioFilter),
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
        ("stage", lambda row: row.stage_words),
        ("charge_amount", lambda row: row.charge_amount),
        ("paid_amount", lambda row: row.paid_amount),
        ("adjustment_amount", lambda row: row.adjustment_amount),
        ("patient_responsibility_amount", lambda row: row.patient_responsibility_amount),
        ("open_amount", lambda row: row.open_amount),
        ("takeback_amount", lambda row: row.takeback_amount),
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
            "takebacks": [
                (row.provider_adjustment, word(PROVIDER_ADJUSTMENT, row.provider_adjustment.reason_code))
                for row in record.takebacks.select_related("provider_adjustment__payment")
            ],
            "history": record.stage_changes.select_related("changed_by"),
            "stages": HandStage.choices if may(request.user, record.practice_id, Action.LINK) else (),
            "most_reason": MOST_REASON,
            "sections": draw_sections("episode", record, request),
            "kinds": CLAIM_KINDS if may(request.user, record.practice_id, Action.SEE_IDENTIFIERS) else (),
        }

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.claim_view)
        stage = self.admin_site.admin_view(self.stage_view)
        return [
            path("<path:object_id>/claim/<slug:word>/", view, name="episodes_episode_claim"),
            path("<path:object_id>/stage/", stage, name="episodes_episode_stage"),
            *super().get_urls(),
        ]

    def stage_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Say what a person says of the episode, and come back to its page."""
        episode: Any = self.get_object(request, unquote(object_id))
        if request.method != "POST" or not may(request.user, episode.practice_id, Action.LINK):
            raise PermissionDenied
        try:
            set_stage(request.user, episode, request.POST.get("stage", ""), request.POST.get("reason", ""))
        except Refused as refusal:
            messages.warning(request, refusal.sentence)
        return redirect("admin:episodes_episode_change", episode.pk)

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
        return money(episode.open_amount)

    @display(description="Remittances")
    def remittances(self, episode: Episode) -> int:
        return episode.remittance_count

    @display(description="Stage")
    def stage_label(self, episode: Episode) -> str:
        return episode.stage_words

    @display(description="Status", label=STATUS_TONES)
    def state(self, episode: Episode) -> str:
        return episode.get_status_display()
