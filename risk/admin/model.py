"""Models of denial: the list, the page of one with its figures and plots, and the decisions people made.

Putting a model to use and rolling back are buttons of the page with a reason (risk.model.steering), for those who may
change a practice's tables. Deciding about a claim is a button of the claim's page (risk.decisions).
"""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from claims.models import Claim
from marb.access.roles import Action, may
from marb.core.admin import RecordAdmin, ScopedAdmin
from marb.core.reads import note
from risk.decisions import MOST_REASON, confusion, decide
from risk.decisions import Refused as Undecided
from risk.features import DIGEST
from risk.model.card import PARTS
from risk.model.steering import Refused, activate, previous, roll_back
from risk.models import ModelState, RiskDecision, RiskModel
from risk.words import words_of

STATE_TONES = {
    ModelState.ACTIVE.label: "success",
    ModelState.CANDIDATE.label: "info",
    ModelState.RETIRED.label: "warning",
    ModelState.REFUSED.label: "danger",
}
FIGURES = (
    ("roc_auc", "ROC-AUC", "chance that a denied claim is ranked above a paid one"),
    ("pr_auc", "PR-AUC", "precision over all denials found"),
    ("recall_at_95_precision", "Recall at 95 % precision", "denials found where 19 of 20 named are denials"),
    ("top_decile_recall", "Denials in the riskiest tenth", "share of all denials"),
    ("brier", "Brier score", "mean squared distance; less is better"),
    ("calibration_error", "Calibration error", "how far probabilities are off; less is better"),
)
BASELINES = {"payer_rate": "Payer's rate", "logistic": "Logistic regression", "rules": "Rules alone"}
MOST_IMPORTANT = 15


@admin.register(RiskModel)
class RiskModelAdmin(RecordAdmin):
    page_template = "risk/model.html"
    list_display = ("version", "shown_state", "trained", "claims", "auc", "precision", "calibrated")
    list_filter = (("state", ChoicesDropdownFilter),)
    fields = ("version", "state")

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).defer("booster", "calibration")

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.steer_view)
        decide_view = self.admin_site.admin_view(self.decide_view)
        return [
            path("<path:object_id>/steer/<slug:word>/", view, name="risk_riskmodel_steer"),
            path("decide/<int:claim_id>/", decide_view, name="claims_claim_decide"),
            *super().get_urls(),
        ]

    def page(self, request: HttpRequest, record: RiskModel) -> dict[str, Any]:
        card = record.card
        return {
            "title": f"Model {record.version}",
            "model": record,
            "fits": record.schema_digest == DIGEST,
            "columns": columns_of(card),
            "rows": figure_rows(card),
            "windows": [(name, card["window"][name]) for name in PARTS if name in card.get("window", {})],
            "importance": importance_rows(card),
            "plots": card.get("curves", {}),
            "confusion": confusion(record.practice_id),
            "changes": record.changes.select_related("changed_by"),
            "may_steer": may(request.user, record.practice_id, Action.CHANGE_PARTIES),
            "earlier": previous(record.practice_id),
            "most_reason": MOST_REASON,
        }

    def steer_view(self, request: HttpRequest, object_id: str, word: str) -> HttpResponse:
        """Put the model to use, or the one before it again (POST `reason`), and come back to the page."""
        model: Any = self.get_object(request, object_id)
        if word not in ("activate", "roll-back"):
            raise Http404
        if request.method != "POST" or not may(request.user, model.practice_id, Action.CHANGE_PARTIES):
            raise PermissionDenied
        reason = request.POST.get("reason", "").strip()[:MOST_REASON].replace("\x00", "")
        try:
            if word == "activate":
                activate(model, request.user, reason)
            else:
                model = roll_back(model.practice_id, request.user, reason)
        except Refused as refusal:
            messages.warning(request, refusal.sentence)
        else:
            messages.success(request, f"Model {model.version} is in use.")
        return redirect("admin:risk_riskmodel_change", model.pk)

    def decide_view(self, request: HttpRequest, claim_id: int) -> HttpResponse:
        """Keep what a person did with a claim (POST `decision`, `reason`), and go back to its page."""
        claim = Claim.objects.for_user(request.user).filter(pk=claim_id).first()
        if claim is None:
            raise Http404
        if request.method != "POST" or not may(request.user, claim.practice_id, Action.UPLOAD):
            raise PermissionDenied
        note(request, [(claim.pk, claim.practice_id)])
        given = (request.POST.get(name, "").replace("\x00", "") for name in ("decision", "reason"))
        try:
            decide(request.user, claim, *given)
        except Undecided as refusal:
            messages.warning(request, refusal.sentence)
        else:
            messages.success(request, "The decision is kept.")
        return redirect("admin:claims_claim_change", claim.pk)

    @display(description="State", label=STATE_TONES)
    def shown_state(self, model: RiskModel) -> str:
        return model.get_state_display()

    @display(description="Trained (UTC)")
    def trained(self, model: RiskModel) -> str:
        return f"{model.trained_at:%m/%d/%Y %H:%M}"

    @display(description="Claims")
    def claims(self, model: RiskModel) -> str:
        return f"{sum(part['claims'] for part in model.card.get('window', {}).values()):,}"

    @display(description="ROC-AUC")
    def auc(self, model: RiskModel) -> str:
        return shown(model.card.get("metrics", {}).get("roc_auc"))

    @display(description="PR-AUC")
    def precision(self, model: RiskModel) -> str:
        return shown(model.card.get("metrics", {}).get("pr_auc"))

    @display(description="Calibration error")
    def calibrated(self, model: RiskModel) -> str:
        return shown(model.card.get("metrics", {}).get("calibration_error"))


@admin.register(RiskDecision)
class RiskDecisionAdmin(ScopedAdmin):
    """What people did with claims that were scored. Only read."""

    list_display = ("decided_at", "claim_number", "level", "decision", "decided_by", "reason")
    list_display_links = None
    list_filter = (("decision", ChoicesDropdownFilter),)
    list_select_related = ("claim", "decided_by")
    fields = ("decided_at", "claim_number", "level", "decision", "decided_by", "reason")
    readonly_fields = fields

    @display(description="Claim")
    def claim_number(self, row: RiskDecision) -> str:
        return row.claim.patient_control_number or f"(none) {row.claim_id}"

    @display(description="Risk then")
    def level(self, row: RiskDecision) -> str:
        return row.risk_level.capitalize() or "Not scored"


def shown(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def columns_of(card: dict[str, Any]) -> list[str]:
    rival = [f"Model {card['rival']['version']}, in use then"] if "rival" in card else []
    return ["This model", *rival, *(BASELINES.get(name, name) for name in card.get("baselines", {}))]


def figure_rows(card: dict[str, Any]) -> list[tuple[str, str, list[str]]]:
    """Get each figure's name, meaning, and values: the model's, its rival's, and the baselines'."""
    rival = [card["rival"]] if "rival" in card else []
    said = [card.get("metrics", {}), *rival, *card.get("baselines", {}).values()]
    return [(title, meaning, [shown(each.get(name)) for each in said]) for name, title, meaning in FIGURES]


def importance_rows(card: dict[str, Any]) -> list[tuple[str, str, int]]:
    """Get the features that matter most: words, name, and percent of the largest."""
    found = card.get("importance", [])[:MOST_IMPORTANT]
    most = found[0][1] if found else 1
    return [(words_of(name)[0].rstrip("."), f"{share:.1%}", round(100 * share / most)) for name, share in found]
