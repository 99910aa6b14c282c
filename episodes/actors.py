"""Bells of episodes: a practice whose denial tables were changed is settled anew. The rows that wait say what."""

import dramatiq
from dramatiq_crontab import interval

from episodes import resettle
from marb.pipeline.actors import ring

RECHECK_SECONDS = 60


@dramatiq.actor(queue_name="link", time_limit=1_500_000, max_retries=3, min_backoff=1_000, max_backoff=30_000)
def resettle_practice(practice_id: int) -> None:
    resettle.resettle(practice_id)


# bells that were lost
@interval(seconds=RECHECK_SECONDS)
@dramatiq.actor(queue_name="maintenance", time_limit=60_000, max_retries=0, max_age=60_000)
def resettle_waiting() -> None:
    ring(resettle_practice, resettle.find_waiting())
