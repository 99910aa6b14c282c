"""What people did with claims that were scored, and what became of them: decision by outcome, the model held to it.

A claim's last decision counts, with the level that it had then. Outcomes are of the adjudicated lines; a claim that is
not answered yet has none. "Missed" is a claim called low or medium that was denied, "alarmed" one called high or
critical that was paid.
"""

from typing import Any, Final, NamedTuple

from django.db import connection
from django.db.models import Q

from claims.models import Claim
from marb.access.roles import Action, may
from risk.models import Decision, RiskDecision, RiskScore

# whoever has logged in
Person = Any
MOST_REASON: Final = 300

CONFUSION: Final = """
SELECT last.decision, last.risk_level IN ('high', 'critical') AS is_high,
    count(*) FILTER (WHERE outcome.is_denied), count(*) FILTER (WHERE NOT outcome.is_denied),
    count(*) FILTER (WHERE outcome.is_denied IS NULL)
FROM (
    SELECT DISTINCT ON (claim_id) claim_id, decision, risk_level FROM risk_riskdecision
    WHERE practice_id = %s ORDER BY claim_id, id DESC
) last
LEFT JOIN LATERAL (
    SELECT bool_or(a.is_denied) AS is_denied FROM risk_adjudicatedline a WHERE a.claim_id = last.claim_id
) outcome ON true
GROUP BY 1, 2
"""


class Refused(Exception):
    """The decision cannot be kept; `sentence` says why."""

    def __init__(self, sentence: str):
        super().__init__(sentence)
        self.sentence = sentence


class Row(NamedTuple):
    """One decision over claims of one height of risk, by what became of them."""

    decision: str
    level: str
    denied: int
    paid: int
    waiting: int

    @property
    def percent(self) -> str:
        """The share of the answered ones that were denied; nothing where none is answered."""
        answered = self.denied + self.paid
        return f"{self.denied / answered:.0%}" if answered else ""


def decide(user: Person, claim: Claim, decision: str, reason: str) -> RiskDecision:
    """Keep what a person did with a claim, with the score she saw. Raises Refused."""
    if not may(user, claim.practice_id, Action.UPLOAD):
        raise Refused("Your role may not decide about claims of this practice.")
    if decision not in Decision.values:
        raise Refused(f"A decision is one of {', '.join(Decision.values)}.")
    if not reason.strip() or len(reason) > MOST_REASON:
        raise Refused(f"Say why, in at most {MOST_REASON} characters. Nothing was kept.")
    score = newest_score(claim)
    return RiskDecision.objects.create(
        practice_id=claim.practice_id,
        claim=claim,
        score=score,
        risk_level=score.risk_level if score else "",
        model_version=score.model_version if score else "",
        decision=decision,
        reason=reason.strip(),
        decided_by=user,
    )


def newest_score(claim: Claim) -> RiskScore | None:
    return RiskScore.objects.filter(claim=claim).order_by("-calculated_at", "-id").first()


def decisions_of(claim: Claim) -> list[RiskDecision]:
    """Get a claim's decisions, the last first."""
    return list(RiskDecision.objects.filter(Q(claim=claim)).select_related("decided_by").order_by("-id")[:20])


def confusion(practice_id: int) -> list[Row]:
    """Count the last decisions of a practice's claims by height of risk and outcome; every combination has a row."""
    with connection.cursor() as cursor:
        cursor.execute(CONFUSION, [practice_id])
        found = {(row[0], row[1]): row[2:] for row in cursor.fetchall()}
    return [
        Row(
            decision.label,
            "High or critical" if is_high else "Low or medium",
            *found.get((decision, is_high), (0,) * 3),
        )
        for is_high in (True, False)
        for decision in Decision
    ]
