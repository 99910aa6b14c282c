"""Risk scores, read-only: scoring writes them."""

from typing import Any

from django.contrib import admin
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from marb.core.admin import ScopedAdmin
from risk.models import RiskLevel, RiskScore

LEVEL_TONES = {
    RiskLevel.LOW.label: "success",
    RiskLevel.MEDIUM.label: "info",
    RiskLevel.HIGH.label: "warning",
    RiskLevel.CRITICAL.label: "danger",
}


@admin.register(RiskScore)
class RiskScoreAdmin(ScopedAdmin):
    list_display = ("claim", "overall_score", "level", "calculated_at", "model_version")
    list_filter = (("risk_level", ChoicesDropdownFilter),)
    list_select_related = ("claim",)
    newest = ("-calculated_at", "-id")

    @display(description="Level", label=LEVEL_TONES)
    def level(self, score: Any) -> str:
        return score.get_risk_level_display()
