"""What is done for access by schedule: the audit's expired months are dropped, once a day."""

import dramatiq
from django.utils import timezone
from dramatiq_crontab import cron

from marb.access import trail


@cron("17 3 * * *")
@dramatiq.actor(queue_name="maintenance", time_limit=600_000, max_retries=0, max_age=3_600_000)
def expire_audit() -> None:
    trail.drop_expired(timezone.now())
