"""What risk does on schedule, on the queue `maintenance`; a missed bell is no loss: the next night trains again."""

import logging

import dramatiq
from dramatiq_crontab import cron

from marb.access.models import Practice
from risk.model.training import train_practice

logger = logging.getLogger(__name__)


@cron("47 2 * * 0")
@dramatiq.actor(queue_name="maintenance", max_retries=0, max_age=3_600_000, time_limit=3_600_000)
def train_risk_models() -> None:
    """Train every active practice's model anew, one after another."""
    for practice_id in Practice.objects.filter(is_active=True).order_by("pk").values_list("pk", flat=True):
        outcome = train_practice(practice_id)
        logger.info("practice %s: %s", practice_id, outcome.sentence)
