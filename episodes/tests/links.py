"""Episodes and their links for tests."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from claims.models import Claim
from episodes.match import normalise
from episodes.models import DenialItem, Episode, EpisodeClaim, EpisodeRemittance, Hold, LinkMethod, OpenRemittance
from remits.models import Payment, Remittance


def create_episode(claim: Claim, **columns: Any) -> Episode:
    """Create an episode that begins with the claim."""
    episode = Episode.objects.create(
        practice=claim.practice, claim=claim, **{"charge_amount": claim.charge_amount, **columns}
    )
    EpisodeClaim.objects.create(practice=claim.practice, episode=episode, claim=claim)
    return episode


def create_link(episode: Episode, remittance: Remittance, **columns: Any) -> EpisodeRemittance:
    values = {"method": LinkMethod.CONTROL_NUMBER, "confidence": Decimal("1.000"), **columns}
    return EpisodeRemittance.objects.create(
        practice=episode.practice, episode=episode, claim=episode.claim, remittance=remittance, **values
    )


def create_open(remittance: Remittance, claims: Sequence[Claim] = (), **columns: Any) -> OpenRemittance:
    """Put a remittance into the queue with claims as its candidates, as linking would."""
    candidates = [{"claim": claim.pk, "score": 0.5, "reasons": [["charge", "same", 4]]} for claim in claims]
    values = {
        "number_key": normalise(remittance.patient_control_number), "member_id": remittance.member_id,
        "payer_number": remittance.payer_claim_control_number, "name_key": remittance.patient_last_name.upper(),
        "service_from_date": remittance.service_from_date, "service_to_date": remittance.service_from_date,
        "candidates": candidates, "candidate_count": len(candidates), "best_score": 0.5 if candidates else None,
    } | columns  # fmt: skip
    return OpenRemittance.objects.create(practice=remittance.practice, remittance=remittance, **values)


def create_denial(episode: Episode, remittance: Remittance, **columns: Any) -> DenialItem:
    """Make an item of an episode that was denied as medically unnecessary, as settling would."""
    values = {
        "group_code": "CO", "carc": "50", "reasons": ["CO-50"], "category": "medical_necessity", "strategy": "APPEAL",
        "is_whole": True, "is_correctable": False, "denied_amount": Decimal("100.00"),
    } | columns  # fmt: skip
    return DenialItem.objects.create(practice=episode.practice, episode=episode, remittance=remittance, **values)


def create_hold(payment: Payment, word: str = "") -> Hold:
    """Hold a payment for not balancing; the sentence carries the word."""
    return Hold.objects.create(
        practice=payment.practice, payment=payment, reason="unbalanced", sentence=f"It does not balance. {word}".strip()
    )
