"""Risk scores and denial patterns, read-only: scoring and detection write them."""

from typing import Any

from django.contrib import admin
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from marb.core.admin import ScopedAdmin
from marb.core.list_filters import RelatedFilter
from risk.models import DenialPattern, RiskLevel, RiskScore

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


@admin.register(DenialPattern)
class DenialPatternAdmin(ScopedAdmin):
    list_display = ("pattern_description", "payer", "denial_reason_code", "occurrence_count", "frequency")
    list_filter = (("payer", RelatedFilter),)
    list_select_related = ("payer",)
    newest = ("-occurrence_count", "id")
