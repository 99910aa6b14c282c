"""The episode list and the episode page. Episodes are made by linking: nothing here can be changed."""

from typing import Any

from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from claims.admin import patient_of
from claims.models import Claim
from claims.page import patient_name
from episodes.ledger import get_ledger
from episodes.models import Episode, EpisodeClaim, EpisodeStatus
from marb.core.admin import RecordAdmin, practice_ids
from marb.core.list_filters import DayRangeFilter, RelatedFilter
from marb.core.pages import draw_sections
from marb.core.templatetags.marb import money

STATUS_TONES = {
    EpisodeStatus.PENDING.label: "warning",
    EpisodeStatus.LINKED.label: "info",
    EpisodeStatus.COMPLETE.label: "success",
    EpisodeStatus.DENIED.label: "danger",
}


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
        }

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
