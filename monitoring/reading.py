"""What the faces show, read from the measures: timings with percentiles, samples, checkpoints, processes.

Each function takes a Period, whose rows are minutes up to two hours, hours up to nine days, else days, so that a month
is as quick as an hour. Histograms are merged by PostgreSQL; percentiles are within 0.8 % of the true ones. Rates are
per second of the period that has passed.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import Q, QuerySet
from django.utils import timezone

from marb.core.measure.histogram import percentile
from monitoring.models import Checkpoint, Process, Span

MINUTES_UP_TO = timedelta(hours=2)
HOURS_UP_TO = timedelta(days=9)
# a process flushes every few seconds: silent for this long it is gone, or stuck
SILENT_SECONDS = 30
# a process that was lost is told of for so long
LOST_WITHIN = timedelta(hours=1)


class Period(NamedTuple):
    """From `start` up to `end`, both aware, read in rows of `span`."""

    start: datetime
    end: datetime
    span: Span

    @property
    def seconds(self) -> float:
        return max(1.0, (min(self.end, timezone.now()) - self.start).total_seconds())


@dataclass(frozen=True, slots=True)
class Work:
    """Work of one kind and name in a period. Milliseconds; percentiles are None where nothing was done."""

    name: str
    count: int
    errors: int
    retries: int
    per_second: float
    average_ms: float
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None
    most_ms: float


@dataclass(frozen=True, slots=True)
class Level:
    """A gauge or counter in a period: for a gauge read `average`, `least`, `most`; for a counter `total`."""

    name: str
    label: str
    count: int
    total: float
    average: float
    least: float
    most: float
    last: float


@dataclass(frozen=True, slots=True)
class Point:
    """One step of a line: the start of a minute, hour or day."""

    at: datetime
    label: str
    count: int
    total: float
    average: float
    most: float


def period(length: timedelta, end: datetime | None = None) -> Period:
    """Make the period of this length that ends now, or at `end`, beginning with a whole minute, hour or day."""
    end = end or timezone.now()
    span = Span.MINUTE if length <= MINUTES_UP_TO else Span.HOUR if length <= HOURS_UP_TO else Span.DAY
    return Period(floor(end - length, span), end, span)


def floor(at: datetime, span: Span) -> datetime:
    """Get the start of the minute, hour or day, in UTC."""
    whole = at.astimezone(UTC).replace(second=0, microsecond=0)
    if span == Span.MINUTE:
        return whole
    return whole.replace(minute=0) if span == Span.HOUR else whole.replace(minute=0, hour=0)


# float8 sums are exact up to 2**53 and several times quicker than bigint's, which are numeric's
TIMINGS = """
WITH chosen AS MATERIALIZED (
    SELECT name, count, errors, retries, total_us, most_us, buckets, counts FROM monitoring_timing
    WHERE span = %(span)s AND kind = %(kind)s AND at >= %(start)s AND at < %(end)s
        AND (%(name)s::text IS NULL OR name = %(name)s)),
summed AS (
    SELECT name, sum(count::float8)::bigint AS count, sum(errors::float8)::bigint AS errors,
        sum(retries::float8)::bigint AS retries, sum(total_us::float8)::bigint AS total_us, max(most_us) AS most_us
    FROM chosen GROUP BY name ORDER BY sum(total_us::float8) DESC, name LIMIT %(most)s),
merged AS (
    SELECT name, array_agg(bucket ORDER BY bucket) AS buckets, array_agg(number ORDER BY bucket) AS counts
    FROM (SELECT name, bucket, sum(number::float8)::bigint AS number
        FROM chosen JOIN summed USING (name), unnest(buckets, counts) AS b (bucket, number)
        GROUP BY name, bucket) AS b
    GROUP BY name)
SELECT name, s.count, s.errors, s.retries, s.total_us, s.most_us, m.buckets, m.counts
FROM summed s JOIN merged m USING (name) ORDER BY s.total_us DESC, name
"""


def timings(kind: str, within: Period, *, name: str | None = None, most: int = 200) -> list[Work]:
    """Read what was done of a kind, by name, the most time first. One statement."""
    given = {**within._asdict(), "kind": kind, "name": name, "most": most}
    return [work_of(row, within.seconds) for row in rows(TIMINGS, given)]


def work_of(row: tuple[Any, ...], seconds: float) -> Work:
    name, count, errors, retries, total_us, most_us, buckets, counts = row
    histogram = dict(zip(buckets, counts, strict=True))
    p50, p95, p99 = (milliseconds(percentile(histogram, share), most_us) for share in (0.5, 0.95, 0.99))
    average = total_us / count / 1000
    return Work(name, count, errors, retries, count / seconds, average, p50, p95, p99, most_us / 1000)


def milliseconds(microseconds: float | None, most_us: int) -> float | None:
    """A bucket's middle in milliseconds, but no more than the longest there was."""
    return None if microseconds is None else round(min(microseconds, most_us) / 1000, 3)


HISTOGRAM = """
SELECT bucket, sum(number)::bigint FROM monitoring_timing, unnest(buckets, counts) AS b (bucket, number)
WHERE span = %(span)s AND kind = %(kind)s AND at >= %(start)s AND at < %(end)s
    AND (%(name)s::text IS NULL OR name = %(name)s)
GROUP BY bucket
"""


def histogram(kind: str, within: Period, *, name: str | None = None) -> dict[int, int]:
    """Read the merged histogram of a kind, of all names or of one: {bucket: count}."""
    return dict(rows(HISTOGRAM, {**within._asdict(), "kind": kind, "name": name}))


LEVELS = """
SELECT name, label, sum(count)::bigint, sum(total), sum(total) / NULLIF(sum(count), 0), min(least), max(most),
    (array_agg(last ORDER BY at DESC))[1]
FROM monitoring_sample
WHERE span = %(span)s AND name = ANY(%(names)s) AND at >= %(start)s AND at < %(end)s
GROUP BY name, label ORDER BY name, label
"""


def levels(names: list[str], within: Period) -> list[Level]:
    """Read gauges and counters by name and label, over all processes. One statement."""
    return [Level(*row) for row in rows(LEVELS, {**within._asdict(), "names": names})]


HIGHEST = """
SELECT max(average) FROM (SELECT sum(total) / sum(count) AS average FROM monitoring_sample
    WHERE span = %(span)s AND name = %(name)s AND at >= %(start)s AND at < %(end)s GROUP BY label, process_id) AS each
"""


def highest(name: str, within: Period) -> float | None:
    """Read a gauge's average of the machine, process or pool where it is highest: others' idleness does not hide it."""
    return next(rows(HIGHEST, {**within._asdict(), "name": name}))[0]


LINE = """
SELECT at, label, sum(count)::bigint, sum(total), sum(total) / NULLIF(sum(count), 0), max(most)
FROM monitoring_sample
WHERE span = %(span)s AND name = %(name)s AND at >= %(start)s AND at < %(end)s
GROUP BY at, label ORDER BY at, label
"""


def line(name: str, within: Period) -> list[Point]:
    """Read one gauge or counter step by step, by label, oldest first."""
    return [Point(*row) for row in rows(LINE, {**within._asdict(), "name": name})]


LINES = """
SELECT name, at, label, sum(count)::bigint, sum(total), sum(total) / NULLIF(sum(count), 0), max(most)
FROM monitoring_sample
WHERE span = %(span)s AND name = ANY(%(names)s) AND at >= %(start)s AND at < %(end)s
GROUP BY name, at, label ORDER BY name, at, label
"""


def lines(names: list[str], within: Period) -> dict[str, list[Point]]:
    """Read several gauges and counters step by step, by label, oldest first. One statement."""
    found: dict[str, list[Point]] = {name: [] for name in names}
    for name, *point in rows(LINES, {**within._asdict(), "names": names}):
        found[name].append(Point(*point))
    return found


GROWTH = """
SELECT name, label, sum(CASE WHEN value < before THEN value ELSE value - before END) FROM (
    SELECT name, label, at, value, lag(value) OVER (PARTITION BY name, label ORDER BY at) AS before FROM (
        SELECT name, label, at, max(most) AS value FROM monitoring_sample
        WHERE span = %(span)s AND name = ANY(%(names)s) AND at >= %(start)s - %(step)s AND at < %(end)s
        GROUP BY name, label, at) AS stood) AS grown
WHERE before IS NOT NULL GROUP BY name, label
"""
STEPS = {Span.MINUTE: timedelta(minutes=1), Span.HOUR: timedelta(hours=1), Span.DAY: timedelta(days=1)}


def growth(names: list[str], within: Period) -> dict[tuple[str, str], float]:
    """Read by how much numbers that only grow have grown, by name and label; a server's restart begins at 0 again."""
    given = {**within._asdict(), "names": names, "step": STEPS[within.span]}
    return {(name, label): grown for name, label, grown in rows(GROWTH, given)}


TIMING_LINE = """
SELECT at, sum(count)::bigint, sum(errors)::bigint, sum(total_us)::bigint, max(most_us)
FROM monitoring_timing
WHERE span = %(span)s AND kind = %(kind)s AND at >= %(start)s AND at < %(end)s
    AND (%(name)s::text IS NULL OR name = %(name)s)
GROUP BY at ORDER BY at
"""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a line of timings: counts, and milliseconds."""

    at: datetime
    count: int
    errors: int
    average_ms: float
    most_ms: float


def timing_line(kind: str, within: Period, *, name: str | None = None) -> list[Step]:
    """Read a kind's work step by step, oldest first."""
    found = rows(TIMING_LINE, {**within._asdict(), "kind": kind, "name": name})
    return [Step(at, count, errors, total / count / 1000, most / 1000) for at, count, errors, total, most in found]


def processes_alive() -> QuerySet[Process]:
    """Find the processes that were heard of in the last SILENT_SECONDS and did not stop."""
    return processes_lately(timedelta(seconds=SILENT_SECONDS))


def processes_lost(within: timedelta = LOST_WITHIN) -> QuerySet[Process]:
    """Find the processes that fell silent without a clean stop: killed, stuck, or cut off from PostgreSQL."""
    silent_since = timezone.now() - timedelta(seconds=SILENT_SECONDS)
    return processes_lately(within).filter(seen_at__lt=silent_since)


def processes_lately(within: timedelta) -> QuerySet[Process]:
    return Process.objects.filter(Q(stopped_at=None), seen_at__gte=timezone.now() - within).order_by("role", "pid")


def highest_deltas(within: Period, operation: str = "", most: int = 20) -> QuerySet[Checkpoint]:
    """Find the checkpoints with the highest change of memory."""
    found = Checkpoint.objects.filter(at__gte=within.start, at__lt=within.end).select_related("process")
    return (found.filter(operation=operation) if operation else found).order_by("-process_memory_delta_mb")[:most]


def rows(statement: str, given: dict[str, Any]) -> Iterator[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, given)
        yield from cursor.fetchall()
