"""Bells of scoring, on the queue `score`: each says which claims to look at again; what is the same is not written."""

from typing import Any

import dramatiq

from risk.score import score_claims, score_open

SCORING: dict[str, Any] = {"queue_name": "score", "max_retries": 3, "min_backoff": 5_000, "time_limit": 1_800_000}


@dramatiq.actor(**SCORING)
def score_claim(practice_id: int, claim_id: int) -> None:
    score_claims(practice_id, [claim_id])


@dramatiq.actor(**SCORING)
def score_waiting(practice_id: int, payer_id: int | None = None) -> None:
    """Score what no remittance has answered yet, after a rule, a payer or the model changed."""
    score_open(practice_id, payer_id)
