"""What risk adds to the page of a claim: score, level, reasons as bars, and what to do."""

from typing import Any

from django.http import HttpRequest

from claims.models import Claim
from risk.combine import PARTS
from risk.models import RiskScore

Drawn = tuple[str, dict[str, Any]]


def draw_claim(claim: Claim, request: HttpRequest) -> Drawn:
    """Draw a claim's score and its reasons; a sentence where it has none yet."""
    newest = RiskScore.objects.filter(claim=claim, is_newest=True).first()
    return "risk/section.html", {"score": newest} | (score_context(newest) if newest else {})


def score_context(score: RiskScore) -> dict[str, Any]:
    """Get what a score's page shows beside its row."""
    return {"bars": bars_of(score), "parts": parts_of(score), "is_without_model": score.historical_risk is None}


def bars_of(score: RiskScore) -> list[dict[str, Any]]:
    """Get the reasons as bars: as wide as their points of 100."""
    return [{**factor, "width": max(1, round(min(factor["points"], 100)))} for factor in score.risk_factors]


def parts_of(score: RiskScore) -> list[tuple[str, Any]]:
    return [(part.capitalize(), getattr(score, f"{part}_risk")) for part in PARTS] + [("Model", score.historical_risk)]
