"""The section of a claim's page that risk adds: what people decided about the claim, and the buttons to decide."""

from typing import Any

from django.http import HttpRequest

from claims.models import Claim
from marb.access.roles import Action, may
from risk.decisions import MOST_REASON, decisions_of, newest_score
from risk.models import Decision


def draw_decisions(claim: Claim, request: HttpRequest) -> tuple[str, dict[str, Any]]:
    """Draw what people decided about a claim, and the buttons for those who may decide."""
    return "risk/decisions.html", {
        "claim": claim,
        "score": newest_score(claim),
        "decisions": decisions_of(claim),
        "choices": Decision.choices,
        "may_decide": may(request.user, claim.practice_id, Action.UPLOAD),
        "most_reason": MOST_REASON,
    }
