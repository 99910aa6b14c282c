"""Minutes are rolled up to hours and hours to days, over all processes; what is old is deleted. By schedule.

A roll-up replaces the rows of the hours and days that may still have changed since the newest one, so it may run twice,
and after days without a scheduler. Minutes outlive the longest delay of a flush by far. The tables are bounded by
settings.RETENTION_DAYS.
"""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from monitoring.models import Alert, Span
from monitoring.reading import floor

# what a process held back while PostgreSQL was away comes this late at most
LATE = timedelta(hours=2)
MOST_DELETED = 20_000

TIMINGS = """
INSERT INTO monitoring_timing (span, at, process_id, kind, name, count, errors, retries, total_us, most_us,
    buckets, counts)
WITH chosen AS (
    SELECT *, date_trunc(%(into)s, at, 'UTC') AS start FROM monitoring_timing
    WHERE span = %(span)s AND at >= %(from)s AND at < %(to)s),
merged AS (
    SELECT start, kind, name, array_agg(bucket ORDER BY bucket) AS buckets, array_agg(number ORDER BY bucket) AS counts
    FROM (SELECT start, kind, name, bucket, sum(number)::bigint AS number
        FROM chosen, unnest(buckets, counts) AS b (bucket, number) GROUP BY start, kind, name, bucket) AS b
    GROUP BY start, kind, name),
summed AS (
    SELECT start, kind, name, sum(count) AS count, sum(errors) AS errors, sum(retries) AS retries,
        sum(total_us) AS total_us, max(most_us) AS most_us
    FROM chosen GROUP BY start, kind, name)
SELECT %(into)s, start, NULL, kind, name, count, errors, retries, total_us, most_us, buckets, counts
FROM summed JOIN merged USING (start, kind, name)
ON CONFLICT (span, kind, at, name, process_id) DO UPDATE SET count = excluded.count, errors = excluded.errors,
    retries = excluded.retries, total_us = excluded.total_us, most_us = excluded.most_us,
    buckets = excluded.buckets, counts = excluded.counts
"""
SAMPLES = """
INSERT INTO monitoring_sample (span, at, process_id, name, label, count, total, least, most, last)
SELECT %(into)s, date_trunc(%(into)s, at, 'UTC') AS start, NULL, name, label, sum(count), sum(total), min(least),
    max(most), (array_agg(last ORDER BY at DESC, process_id))[1]
FROM monitoring_sample WHERE span = %(span)s AND at >= %(from)s AND at < %(to)s
GROUP BY start, name, label
ON CONFLICT (span, name, at, label, process_id) DO UPDATE SET count = excluded.count, total = excluded.total,
    least = excluded.least, most = excluded.most, last = excluded.last
"""


def roll_up(now: datetime | None = None) -> dict[str, int]:
    """Roll up the hours and days that may have changed of late. Answers how many rows were written of each."""
    now = now or timezone.now()
    return {
        "hour": roll(Span.MINUTE, Span.HOUR, since(Span.MINUTE, Span.HOUR, now), now),
        "day": roll(Span.HOUR, Span.DAY, since(Span.HOUR, Span.DAY, now), now),
    }


SINCE = """
SELECT COALESCE((SELECT max(at) FROM monitoring_timing WHERE span = %(into)s AND at <= %(now)s),
    (SELECT min(at) FROM monitoring_timing WHERE span = %(span)s), %(now)s)
"""


def since(span: Span, into: Span, now: datetime) -> datetime:
    """Say from which hour or day on there may be something new: LATE before the newest there is, if any."""
    with connection.cursor() as cursor:
        cursor.execute(SINCE, {"span": span.value, "into": into.value, "now": now})
        return floor(min(now, cursor.fetchone()[0]) - LATE, into)


def roll(span: Span, into: Span, start: datetime, end: datetime) -> int:
    """Write the rows of `into` from those of `span`, from `start`, a whole one, up to the one that `end` is in."""
    given: dict[str, Any] = {"span": span.value, "into": into.value, "from": start, "to": end + timedelta(days=1)}
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(TIMINGS, given)
        written = cursor.rowcount
        cursor.execute(SAMPLES, given)
        return written + cursor.rowcount


OLD = {
    "minute": (("monitoring_timing", "span = 'minute' AND at"), ("monitoring_sample", "span = 'minute' AND at")),
    "hour": (("monitoring_timing", "span = 'hour' AND at"), ("monitoring_sample", "span = 'hour' AND at")),
    "day": (("monitoring_timing", "span = 'day' AND at"), ("monitoring_sample", "span = 'day' AND at")),
    "checkpoint": (("monitoring_checkpoint", "at"),),
    "statement": (("monitoring_statement", "seen_at"),),
}


def retain(now: datetime | None = None) -> dict[str, int]:
    """Delete what is older than RETENTION_DAYS says, MOST_DELETED rows at a time. Answers how many of each."""
    now = now or timezone.now()
    deleted = {}
    for kind, tables in OLD.items():
        before = now - timedelta(days=settings.RETENTION_DAYS[kind])
        deleted[kind] = sum(delete(table, condition, before) for table, condition in tables)
    deleted["process"] = delete_processes(now - timedelta(days=settings.RETENTION_DAYS["process"]))
    alerts = Alert.objects.filter(cleared_at__lt=now - timedelta(days=settings.RETENTION_DAYS["alert"]))
    deleted["alert"] = alerts.delete()[0]
    return deleted


def delete(table: str, condition: str, before: datetime) -> int:
    """Delete a table's rows that are older; each portion is a transaction of its own."""
    statement = f"""DELETE FROM {table} WHERE ctid = ANY(ARRAY(
        SELECT ctid FROM {table} WHERE {condition} < %(before)s LIMIT {MOST_DELETED}))"""
    total = 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute(statement, {"before": before})
            total += cursor.rowcount
            if cursor.rowcount < MOST_DELETED:
                return total


PROCESSES = """
DELETE FROM monitoring_process p WHERE seen_at < %s
    AND NOT EXISTS (SELECT FROM monitoring_timing t WHERE t.process_id = p.id)
    AND NOT EXISTS (SELECT FROM monitoring_sample s WHERE s.process_id = p.id)
    AND NOT EXISTS (SELECT FROM monitoring_checkpoint c WHERE c.process_id = p.id)
"""


def delete_processes(before: datetime) -> int:
    """Delete processes long gone of which no row is left."""
    with connection.cursor() as cursor:
        cursor.execute(PROCESSES, [before])
        return cursor.rowcount
