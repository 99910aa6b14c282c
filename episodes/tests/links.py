"""Episodes and their links for tests."""

from decimal import Decimal
from typing import Any

from claims.models import Claim
from episodes.models import Episode, EpisodeClaim, EpisodeRemittance, LinkMethod
from remits.models import Remittance


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
