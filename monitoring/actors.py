"""What the control room does on schedule, and its notices. All on the queue `maintenance`; a missed bell is no loss."""

from typing import Any

import dramatiq
from dramatiq_crontab import cron, interval

from monitoring import alerts, notices, profiles, rollup, schedules, snapshot

# a bell that was not heard by its next one is dropped
CLOCK: dict[str, Any] = {"queue_name": "maintenance", "max_retries": 0, "time_limit": 60_000}


@interval(seconds=15)
@dramatiq.actor(max_age=15_000, **CLOCK)
def take_snapshot() -> None:
    snapshot.take()


@interval(seconds=30)
@dramatiq.actor(max_age=30_000, **CLOCK)
def evaluate_alerts() -> None:
    alerts.evaluate()


@interval(seconds=300)
@dramatiq.actor(max_age=300_000, **CLOCK)
def roll_up_measures() -> None:
    rollup.roll_up()
    schedules.keep()


@cron("17 3 * * *")
@dramatiq.actor(max_age=3_600_000, **{**CLOCK, "time_limit": 1_800_000})
def delete_old_measures() -> None:
    rollup.retain()


@interval(seconds=600)
@dramatiq.actor(max_age=600_000, **CLOCK)
def delete_old_profiles() -> None:
    profiles.retain()


@dramatiq.actor(
    queue_name="maintenance",
    max_retries=notices.MOST_ATTEMPTS - 1,
    min_backoff=15_000,
    max_backoff=600_000,
)
def send_notice(notice_id: int) -> None:
    notices.send(notice_id)
