"""The file list, the file page, and the upload page."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import URLPattern, path
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from marb.access.admin import SuperuserAdmin
from marb.access.roles import Action, may, may_anywhere
from marb.core.admin import RecordAdmin
from marb.core.list_filters import DayRangeFilter
from marb.core.templatetags.marb import money
from marb.pipeline.deadletters import redrive
from marb.pipeline.filepage import answer_view, file_page, order_view, progress_view
from marb.pipeline.models import DeadLetter, EdiFile, FileStatus, Hold
from marb.pipeline.steering import ORDERS, give
from marb.pipeline.upload import upload_view

MOST_ORDERED = 200
STATUS_TONES = {
    FileStatus.RECEIVED.label: "info",
    FileStatus.RUNNING.label: "info",
    Hold.PAUSED.label: "warning",
    FileStatus.ACCEPTED.label: "success",
    FileStatus.PARTIAL.label: "warning",
    FileStatus.REJECTED.label: "danger",
    FileStatus.REFUSED.label: "danger",
}


@admin.register(EdiFile)
class EdiFileAdmin(RecordAdmin):
    page_template = "pipeline/file.html"
    change_list_template = "pipeline/files.html"
    list_display = ("name", "state", "received", "kind", "claims", "remittances", "charge", "paid", "findings")
    list_filter = (("status", ChoicesDropdownFilter), ("received_at", DayRangeFilter))
    newest = ("-received_at", "-id")
    search_fields = ("sha256",)
    search_help_text = "File number, or the SHA-256 of its bytes"
    export_columns = (
        ("file", lambda row: row.pk),
        ("name", lambda row: row.name),
        ("received_at", lambda row: row.received_at),
        ("kind", lambda row: row.kind),
        ("status", lambda row: row.get_status_display()),
        ("claims", lambda row: row.claim_count),
        ("claims_quarantined", lambda row: row.claims_quarantined),
        ("claims_rejected", lambda row: row.claims_rejected),
        ("remittances", lambda row: row.remittance_count),
        ("remittances_quarantined", lambda row: row.remittances_quarantined),
        ("remittances_rejected", lambda row: row.remittances_rejected),
        ("charge_amount", lambda row: row.charge_amount),
        ("paid_amount", lambda row: row.paid_amount),
        ("findings", lambda row: row.finding_count),
        ("reason", lambda row: row.reason),
    )

    def find(self, request: HttpRequest, term: str) -> Q:
        numbered = Q(pk=int(term)) if term.isascii() and term.isdigit() and len(term) < 19 else Q()
        return Q(sha256=term.lower()) | numbered

    def page(self, request: HttpRequest, record: EdiFile) -> dict[str, Any]:
        return file_page(request, record)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        extra = {"model_admin": self}
        return [
            path("upload/", view(upload_view), extra, name="pipeline_edifile_upload"),
            path(
                "<path:object_id>/acknowledgement/", view(answer_view), extra, name="pipeline_edifile_acknowledgement"
            ),
            path("<path:object_id>/order/<slug:word>/", view(order_view), extra, name="pipeline_edifile_order"),
            path("<path:object_id>/progress/", view(progress_view), extra, name="pipeline_edifile_progress"),
            *super().get_urls(),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        may_upload = may_anywhere(request.user, Action.UPLOAD)
        return super().changelist_view(request, {"may_upload": may_upload, **(extra_context or {})})

    @display(description="Received")
    def received(self, file: EdiFile) -> str:
        return f"{file.received_at:%m/%d/%Y %H:%M}"

    @display(description="Claims", empty_value="")
    def claims(self, file: EdiFile) -> str | None:
        return counted(file.scan_claim_count, file.claim_count, file.claims_quarantined + file.claims_rejected)

    @display(description="Remittances", empty_value="")
    def remittances(self, file: EdiFile) -> str | None:
        lost = file.remittances_quarantined + file.remittances_rejected
        return counted(file.scan_remittance_count, file.remittance_count, lost)

    @display(description="Charge", empty_value="")
    def charge(self, file: EdiFile) -> str | None:
        return money(file.charge_amount) if file.scan_claim_count else None

    @display(description="Paid", empty_value="")
    def paid(self, file: EdiFile) -> str | None:
        return money(file.paid_amount) if file.scan_remittance_count else None

    @display(description="Findings", empty_value="")
    def findings(self, file: EdiFile) -> int | None:
        return file.finding_count or None

    @display(description="Status", label=STATUS_TONES)
    def state(self, file: EdiFile) -> str:
        if file.hold == Hold.PAUSED:
            return Hold.PAUSED.label
        return "Other X12, kept" if file.status == FileStatus.KEPT else file.get_status_display()

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        actions = super().get_actions(request)
        if may_anywhere(request.user, Action.UPLOAD):
            actions |= {word: (order_all, word, f"{order.label} the selected files") for word, order in ORDERS.items()}
        return actions


def order_all(model_admin: Any, request: HttpRequest, queryset: QuerySet[EdiFile]) -> None:
    """Give the chosen order to each selected file of the person's, and say what came of it."""
    word = request.POST["action"]
    for file in queryset.only("pk", "practice_id", "name")[:MOST_ORDERED]:
        allowed = may(request.user, file.practice_id, Action.UPLOAD)
        refusal = give(word, file.pk) if allowed else "You may not do this in its practice."
        told = refusal or f"{ORDERS[word].label}: done."
        messages.add_message(request, messages.WARNING if refusal else messages.SUCCESS, f"{file.name}: {told}")


@admin.register(DeadLetter)
class DeadLetterAdmin(SuperuserAdmin):
    """Messages that the workers gave up; a superuser sends them again."""

    list_display = ("created_at", "queue", "actor", "ids", "reason", "redriven_at")
    actions = ("drive_again",)

    @admin.action(description="Send the selected messages again")
    def drive_again(self, request: HttpRequest, queryset: QuerySet[DeadLetter]) -> None:
        sent = redrive(queryset)
        messages.success(request, f"{sent:,} messages were sent again.")


def counted(scanned: int, committed: int, lost: int) -> str | None:
    """Write what became of a file's claims: "212", or "210, 2 not taken"."""
    if not scanned:
        return None
    return f"{committed:,}, {lost:,} not taken" if lost else f"{committed:,}"
