"""What episodes add to the answers of claims and remittances (`expand=episode`), in one query for a page of them."""

from collections.abc import Sequence
from typing import Any

from episodes.models import EpisodeClaim, EpisodeRemittance
from marb.access.roles import Person


def expand_claims(ids: Sequence[int], user: Person) -> dict[int, Any]:
    """Answer the episode of each claim: id, status and totals, for `/claims/?expand=episode`."""
    columns = ("id", "status", "charge_amount", "paid_amount", "remittance_count", "denial_count")
    links = EpisodeClaim.objects.for_user(user).filter(claim_id__in=ids)
    found = links.values_list("claim_id", *(f"episode__{name}" for name in columns))
    return {claim_id: dict(zip(columns, values, strict=True)) for claim_id, *values in found}


def expand_remittances(ids: Sequence[int], user: Person) -> dict[int, Any]:
    """Answer the link of each remittance, for `/remits/?expand=episode`."""
    names = ("id", "claim", "method", "confidence")
    links = EpisodeRemittance.objects.for_user(user).filter(remittance_id__in=ids)
    found = links.values_list("remittance_id", "episode_id", "claim_id", "method", "confidence")
    return {remittance_id: dict(zip(names, values, strict=True)) for remittance_id, *values in found}
