"""Risk scores, read-only: scoring writes them. What-if and scrubbing are pages here too; neither stores anything."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from marb.access.roles import Action, find_practices
from marb.core.admin import RecordAdmin, is_member
from marb.core.list_filters import RelatedFilter
from marb.edi.x12 import BadInterchange
from marb.pipeline.upload import chosen
from risk.models import RiskLevel, RiskScore
from risk.scrub import MOST_BYTES, Scrub, TooMuch, scrub
from risk.sections import score_context
from risk.whatif import NoSuchLine, ask

LEVEL_TONES = {
    RiskLevel.LOW.label: "success",
    RiskLevel.MEDIUM.label: "info",
    RiskLevel.HIGH.label: "warning",
    RiskLevel.CRITICAL.label: "danger",
}
MOST_OLDER = 20


class ChangeForm(forms.Form):
    """What would be other than it is; an empty field stays as it is."""

    prior_authorization_number = forms.CharField(max_length=80, required=False, label="Authorization (REF*G1)")
    referral_number = forms.CharField(max_length=80, required=False, label="Referral (REF*9F)")
    payer_claim_control_number = forms.CharField(max_length=80, required=False, label="Payer's number (REF*F8)")
    frequency_code = forms.CharField(max_length=1, required=False, label="Frequency")
    place_of_service_code = forms.CharField(max_length=4, required=False, label="Place of service")
    principal_diagnosis_code = forms.CharField(max_length=12, required=False, label="Principal diagnosis")
    line_number = forms.IntegerField(min_value=1, max_value=9999, required=False, label="Line")
    modifiers = forms.CharField(
        max_length=20, required=False, label="Its modifiers", help_text="With commas, such as 25,59"
    )

    def change(self) -> dict[str, Any]:
        """Get the change as risk.whatif takes it."""
        given = {name: value for name, value in self.cleaned_data.items() if value not in (None, "")}
        number, modifiers = given.pop("line_number", None), given.pop("modifiers", "")
        if number is not None:
            joined = [part.strip().upper() for part in modifiers.split(",") if part.strip()]
            given["lines"] = [{"line_number": number, "modifiers": joined}]
        return given


@admin.register(RiskScore)
class RiskScoreAdmin(RecordAdmin):
    page_template = "risk/page.html"
    list_display = ("claim", "overall_score", "level", "first_reason", "calculated_at", "model_version")
    list_filter = (
        ("risk_level", ChoicesDropdownFilter),
        ("claim__payer", RelatedFilter),
        "is_newest",
    )
    list_select_related = ("claim",)
    linked = ("claim__id__exact",)
    newest = ("-calculated_at", "-id")
    search_fields = ("claim",)
    search_help_text = "Control number of the claim"
    export_columns = (
        ("control number", lambda score: score.claim.patient_control_number),
        ("score", lambda score: score.overall_score),
        ("level", lambda score: score.risk_level),
        ("model", lambda score: score.model_version),
        ("calculated at", lambda score: score.calculated_at),
    )

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("scrub/", view(self.scrub_view), name="risk_riskscore_scrub"),
            path("<path:object_id>/what-if/", view(self.whatif_view), name="risk_riskscore_whatif"),
            *super().get_urls(),
        ]

    def find(self, request: HttpRequest, term: str) -> Q:
        return Q(claim__patient_control_number=term)

    @display(description="Level", label=LEVEL_TONES)
    def level(self, score: Any) -> str:
        return score.get_risk_level_display()

    @display(description="Weightiest reason")
    def first_reason(self, score: Any) -> str:
        return score.risk_factors[0].get("message", "") if score.risk_factors else ""

    def page(self, request: HttpRequest, record: Any) -> dict[str, Any]:
        rows: QuerySet[RiskScore] = RiskScore.objects.filter(claim_id=record.claim_id).exclude(pk=record.pk)
        older = rows.order_by("-calculated_at", "-id")[:MOST_OLDER]
        return {"title": "Risk score", "score": record, "older": list(older), **score_context(record)}

    def whatif_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Show the form (GET), or the claim as it is and as it would be (POST)."""
        score: Any = self.get_object(request, object_id)
        form = ChangeForm(request.POST if request.method == "POST" else None)
        context = {"title": "What if", "score": score, "form": form}
        if form.is_bound and form.is_valid():
            try:
                found = ask(score.practice_id, score.claim_id, form.change())
                context["found"] = [("As it is", found.before), ("As it would be", found.after)]
            except NoSuchLine as refusal:
                form.add_error("line_number", refusal.sentence)
        return self.draw(request, "risk/whatif.html", context)

    def scrub_view(self, request: HttpRequest) -> HttpResponse:
        """Show the form (GET), or a file's claims with their scores (POST)."""
        practices = list(find_practices(request.user, Action.UPLOAD))
        if not practices or not is_member(request):
            raise PermissionDenied
        context: dict[str, Any] = {"title": "Scrub an 837", "practices": practices}
        if request.method == "POST":
            found = scrub_upload(chosen(request, practices).pk, request.FILES.get("file"))
            context["found" if isinstance(found, Scrub) else "sentence"] = found
        return self.draw(request, "risk/scrub.html", context)

    def draw(self, request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
        frame = {"opts": self.opts, "is_fullwidth": "1", "media": self.media}
        request.current_app = self.admin_site.name
        return TemplateResponse(request, template, {**self.admin_site.each_context(request), **frame, **context})


def scrub_upload(practice_id: int, file: Any) -> Scrub | str:
    """Scrub an uploaded file, or say in a sentence why not."""
    if file is None:
        return "No file was chosen."
    try:
        if file.size > MOST_BYTES:
            raise TooMuch
        return scrub(practice_id, file.read(), timezone.localdate())
    except (BadInterchange, TooMuch) as refusal:
        return refusal.sentence
