"""What episodes add to the pages of claims and remittances below: the episode, its money and its remittances."""

from typing import Any

from django.http import HttpRequest

from claims.models import Claim
from episodes.ledger import get_ledger
from episodes.models import Episode, EpisodeClaim, EpisodeRemittance, HoldState, Takeback
from remits.forwarding import get_forwarding
from remits.models import Payment, Remittance

MOST_NAMED = 100
Drawn = tuple[str, dict[str, Any]]


def draw_claim(claim: Claim, request: HttpRequest) -> Drawn:
    """Draw a claim's episode: bar, figures and timeline; a sentence where it has none yet."""
    link = EpisodeClaim.objects.filter(claim=claim).select_related("episode").first()
    return "episodes/section.html", episode_context(link.episode if link else None)


def draw_remittance(remittance: Remittance, request: HttpRequest) -> Drawn:
    """Draw the claim that a remittance answers, how the link was made, and the episode."""
    link = EpisodeRemittance.objects.filter(remittance=remittance).select_related("episode", "claim__payer").first()
    return "episodes/section.html", {
        **episode_context(link.episode if link else None),
        "link": link,
        "of_remittance": True,
        "remittance_id": remittance.pk,
    }


def draw_payment(payment: Payment, request: HttpRequest) -> Drawn:
    """Draw a payment's holds, the episodes that its provider adjustments name, and its forwarded balances."""
    holds = payment.holds.exclude(state=HoldState.CLEARED).select_related("remittance")
    takebacks = Takeback.objects.filter(provider_adjustment__payment=payment)
    named = takebacks.select_related("provider_adjustment", "episode__claim")[:MOST_NAMED]
    forwarding = get_forwarding(payment)
    if not (holds or named or forwarding.rows or forwarding.open_amount):
        return "", {}
    return "episodes/payment.html", {"holds": holds, "takebacks": named, "forwarding": forwarding}


def episode_context(episode: Episode | None) -> dict[str, Any]:
    return {"episode": episode, "ledger": episode and get_ledger(episode)}
