"""Bells of scoring, of searching patterns and of training: each says what to look at again; the same is not written.

Scoring is on the queue `score`, the others on `maintenance`; a missed bell of those is no loss: the next one does it.
"""

import logging
from typing import Any

import dramatiq
from dramatiq_crontab import cron, interval

from marb.access.models import Practice
from risk.adjudication import note_practice
from risk.model.training import train_practice
from risk.patterns import MOST_DAYS, detect, detect_due
from risk.score import score_claims, score_open

logger = logging.getLogger(__name__)
SCORING: dict[str, Any] = {"queue_name": "score", "max_retries": 3, "min_backoff": 5_000, "time_limit": 1_800_000}
SEARCH: dict[str, Any] = {"queue_name": "maintenance", "max_retries": 0, "time_limit": 1_800_000}


@dramatiq.actor(**SCORING)
def score_claim(practice_id: int, claim_id: int) -> None:
    score_claims(practice_id, [claim_id])


@dramatiq.actor(**SCORING)
def score_waiting(practice_id: int, payer_id: int | None = None) -> None:
    """Score what no remittance has answered yet, after a rule, a payer or the model changed."""
    score_open(practice_id, payer_id)


@dramatiq.actor(max_age=3_600_000, **SEARCH)
def detect_patterns(practice_id: int, days_back: int, payer_id: int | None = None) -> None:
    detect(practice_id, days_back, None if payer_id is None else [payer_id])


@interval(seconds=300)
@dramatiq.actor(max_age=300_000, **SEARCH)
def detect_due_payers() -> None:
    """Search the payers whose lines files have changed."""
    detect_due()


@cron("41 2 * * *")
@dramatiq.actor(max_age=3_600_000, **SEARCH)
def detect_every_pattern() -> None:
    """Repair the lines of every practice and search all of it."""
    for practice_id in Practice.objects.filter(is_active=True).values_list("pk", flat=True):
        note_practice(practice_id)
        detect(practice_id, MOST_DAYS)


@cron("47 2 * * Sun")
@dramatiq.actor(queue_name="maintenance", max_retries=0, max_age=3_600_000, time_limit=3_600_000)
def train_risk_models() -> None:
    """Train every active practice's model anew, one after another."""
    for practice_id in Practice.objects.filter(is_active=True).order_by("pk").values_list("pk", flat=True):
        outcome = train_practice(practice_id)
        logger.info("practice %s: %s", practice_id, outcome.sentence)
