"""What is done for access by schedule: the cache is warmed, and the audit's expired months are dropped.

A practice is warmed after a file of its own came in, every practice now and then.
"""

import dramatiq
from django.utils import timezone
from dramatiq_crontab import cron, interval

from marb.access import trail, warm
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


@cron("17 3 * * *")
@dramatiq.actor(queue_name="maintenance", time_limit=600_000, max_retries=0, max_age=3_600_000)
def expire_audit() -> None:
    trail.drop_expired(timezone.now())
