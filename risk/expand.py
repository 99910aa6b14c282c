"""What risk adds to the answers of claims (`expand=risk`), in one query for a page of them."""

from collections.abc import Sequence
from typing import Any

from marb.access.roles import Person
from risk.models import RiskScore

COLUMNS = ("overall_score", "risk_level", "model_version", "calculated_at")


def expand_claims(ids: Sequence[int], user: Person) -> dict[int, Any]:
    """Answer the newest score of each claim; none where it was not scored."""
    found = RiskScore.objects.for_user(user).filter(claim_id__in=ids, is_newest=True)
    rows = found.values_list("claim_id", *COLUMNS)
    return {claim_id: dict(zip(COLUMNS, values, strict=True)) for claim_id, *values in rows}
