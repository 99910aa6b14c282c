"""What episodes add to the answers of claims and remittances (`expand=episode`), in one query for a page of them."""

from collections.abc import Sequence
from typing import Any

from episodes.models import EpisodeClaim, EpisodeRemittance
from marb.access.roles import Person


def expand_claims(ids: Sequence[int], user: Person) -> dict[int, Any]:
    """Answer the episode of each claim: id, status and totals, for `/claims/?expand=episode`."""
    links = EpisodeClaim.objects.for_user(user).filter(claim_id__in=ids).select_related("episode")
    columns = ("id", "status", "charge_amount", "paid_amount", "remittance_count", "denial_count")
    return {link.claim_id: {name: getattr(link.episode, name) for name in columns} for link in links}


def expand_remittances(ids: Sequence[int], user: Person) -> dict[int, Any]:
    """Answer the link of each remittance, for `/remits/?expand=episode`."""
    links = EpisodeRemittance.objects.for_user(user).filter(remittance_id__in=ids)
    columns = {"id": "episode_id", "claim": "claim_id", "method": "method", "confidence": "confidence"}
    return {link.remittance_id: {name: getattr(link, source) for name, source in columns.items()} for link in links}
