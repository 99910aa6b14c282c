"""Warming of the cache by the workers: a practice after a file of its own came in, and every practice now and then."""

import dramatiq
from dramatiq_crontab import interval

from marb.access import warm
from marb.access.models import Practice

WARM_SECONDS = 600


@dramatiq.actor(queue_name="maintenance", time_limit=60_000, max_retries=0, max_age=60_000)
def warm_practice(practice_id: int) -> None:
    warm.warm_practice(practice_id)


@interval(seconds=WARM_SECONDS)
@dramatiq.actor(queue_name="maintenance", time_limit=60_000, max_retries=0, max_age=60_000)
def warm_all() -> None:
    for practice_id in Practice.objects.filter(is_active=True).values_list("pk", flat=True):
        warm_practice.send(practice_id)
